import {
  type Backup,
  backups,
  type CameraAssignment,
  cameraAssignments,
  type FailoverPool,
  failoverPools,
  type RecordingServer,
  recordingServers,
} from '../../../../src/crds/index.js';
import type { MemoryApi } from './memory-api.js';

export const namespace = 'site';
const at = '2026-11-22T10:00:00Z';

/** After the takeover of epoch 3: standby-a records the role recorder-a. */
export function pool(epoch = 3): FailoverPool {
  return {
    metadata: { namespace, name: 'north', labels: { region: 'north' }, annotations: { note: 'kept' } },
    spec: {
      failoverTimeoutSeconds: 5,
      storageGraceSeconds: 5,
      recordingServiceGraceSeconds: 30,
      startGraceSeconds: 120,
      restartGraceSeconds: 60,
      failback: { mode: 'None', stableSeconds: 300 },
      moveOnCordon: true,
      compatibility: { version: 'SameMinor' },
      storm: { maxUnreachablePercent: 50, holdSeconds: 60 },
      cameras: { failoverWhenUnreachable: false, graceSeconds: 60, writeKilobytesPerSecond: 1000 },
      backup: { engine: 'Secret', deadlineSeconds: 20, retrySeconds: 3600, retain: { count: 10, days: 30 } },
      paused: false,
    },
    status: {
      epoch,
      roles: [
        {
          name: 'recorder-a',
          holder: 'standby-a',
          holderUID: 'uid-of-standby',
          previousHolder: 'recorder-a',
          epoch,
          startTime: at,
        },
      ],
    },
  };
}

export function server(name: string, type: 'Standard' | 'Failover' = 'Standard'): RecordingServer {
  return {
    metadata: { namespace, name },
    spec: {
      type,
      poolRef: { name: 'north' },
      standbyOrder: 100,
      operatingMode: 'Normal',
      volumes: [{ name: 'a', mountPath: '/footage/a', claimName: `disk-${name}` }],
      recorder: { engine: 'ffmpeg' },
      updateStrategy: 'OnDelete',
      podTemplate: { imagePullSecrets: [{ name: 'pull' }] },
    },
    status: {
      servingRole: name === 'standby-a' ? 'recorder-a' : '',
      epoch: 3,
      conditions: [{ type: 'Ready', status: 'True', reason: 'AsExpected', message: '', lastTransitionTime: at }],
    },
  };
}

export function camera(name: string, boundEpoch: number | undefined = 3, role = 'recorder-a'): CameraAssignment {
  return {
    metadata: { namespace, name, resourceVersion: '7' },
    spec: {
      serverRef: { name: role },
      source: {
        type: 'IP',
        url: `rtsp://${name}.example/stream1`,
        credentialsSecretRef: { name: `login-${name}` },
        transport: 'TCP',
        connectTimeoutSeconds: 5,
        audio: false,
      },
      recording: { mode: 'Continuous', segmentSeconds: 10, retentionSeconds: 604800 },
      priority: 'Normal',
    },
    ...(boundEpoch === undefined
      ? {}
      : { status: { boundTo: { role, server: 'standby-a', podName: 'standby-a', epoch: boundEpoch, startTime: at } } }),
  };
}

export function backup(spec: Partial<Backup['spec']> = {}, name = 'north-3'): Backup {
  return {
    metadata: { namespace, name },
    spec: { poolRef: { name: 'north' }, reason: 'Failover', engine: 'Secret', epoch: 3, ...spec },
  };
}

/** A pool of one recorder, its standby and two cameras, and the Backup of the takeover. */
export function putSystem(api: MemoryApi): Backup {
  api.put(failoverPools, pool());
  api.put(recordingServers, server('recorder-a'));
  api.put(recordingServers, server('standby-a', 'Failover'));
  api.put(cameraAssignments, camera('door'));
  api.put(cameraAssignments, camera('gate'));
  return api.put(backups, backup());
}
