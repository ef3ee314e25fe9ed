import { API_VERSION } from '../../../src/crds/index.js';

/** An object as a person would write it. */
export interface Example {
  apiVersion: string;
  kind: string;
  metadata: { name: string; [field: string]: unknown };
  spec?: Record<string, unknown>;
  status?: Record<string, unknown>;
}

const at = '2026-11-22T10:00:00Z';
const conditions = [
  {
    type: 'Ready',
    status: 'True',
    reason: 'AsExpected',
    message: 'fine',
    observedGeneration: 1,
    lastTransitionTime: at,
  },
];

const example = (kind: string, name: string, rest: Omit<Example, 'apiVersion' | 'kind' | 'metadata'>): Example => ({
  apiVersion: API_VERSION,
  kind,
  metadata: { name },
  ...rest,
});

/** One object of each kind that sets every field there is, so that each limit can be tried on it. */
export const fullExamples: Record<string, Example> = {
  RecordingServer: example('RecordingServer', 'recorder-a', {
    spec: {
      type: 'Standard',
      poolRef: { name: 'site' },
      standbyOrder: 5,
      failoverTimeoutSeconds: 10,
      operatingMode: 'Normal',
      capacity: { cameras: 64 },
      volumes: [
        { name: 'a', mountPath: '/footage/a', claimName: 'disk-a' },
        { name: 'b', mountPath: '/footage/b', claimTemplate: { storageClassName: 'local', storage: '100Gi' } },
      ],
      plugins: [{ name: 'plates', carryOver: 'Manual' }],
      recorder: { engine: 'ffmpeg', options: { loglevel: 'warning' } },
      serviceTemplate: { labels: { a: 'b' }, annotations: { a: 'b' }, type: 'ClusterIP' },
      updateStrategy: 'OnDelete',
      podTemplate: {
        labels: { a: 'b' },
        annotations: { a: 'b' },
        image: 'registry.example/understudy:1',
        imagePullPolicy: 'Always',
        imagePullSecrets: [{ name: 'pull' }],
        nodeSelector: { a: 'b' },
        tolerations: [{ key: 'a', operator: 'Equal', value: 'b', effect: 'NoExecute', tolerationSeconds: 5 }],
        resources: { requests: { cpu: '1' }, limits: { memory: '1Gi' } },
        securityContext: { runAsUser: 10001, runAsGroup: 10001, fsGroup: 10001 },
        priorityClassName: 'high',
        runtimeClassName: 'runc',
        hostNetwork: true,
        dnsPolicy: 'ClusterFirstWithHostNet',
      },
    },
    status: {
      observedGeneration: 1,
      state: 'Active',
      servingRole: 'recorder-a',
      epoch: 3,
      podName: 'recorder-a',
      podUID: 'uid',
      nodeName: 'node-1',
      everReadyTime: at,
      brokenTime: at,
      healthyTime: at,
      silentStartTime: at,
      volumes: [{ name: 'a', claimName: 'disk-a', claimUID: 'uid', volumeName: 'pv', state: 'Healthy' }],
      cameras: { assigned: 4, recording: 4, leftOut: 1 },
      supersededEpoch: 4,
      conditions,
    },
  }),
  FailoverPool: example('FailoverPool', 'site', {
    spec: {
      failoverTimeoutSeconds: 5,
      storageGraceSeconds: 5,
      recordingServiceGraceSeconds: 30,
      startGraceSeconds: 120,
      restartGraceSeconds: 60,
      failback: { mode: 'None', stableSeconds: 300 },
      compatibility: { version: 'SameMinor' },
      storm: { maxUnreachablePercent: 50, holdSeconds: 60 },
      backup: { engine: 'Secret', deadlineSeconds: 20 },
      cameras: { failoverWhenUnreachable: true, graceSeconds: 30, writeKilobytesPerSecond: 500 },
      paused: false,
    },
    status: {
      observedGeneration: 1,
      epoch: 3,
      current: {
        role: 'recorder-a',
        server: 'recorder-a',
        standby: 'standby-a',
        epoch: 3,
        step: 'TakingOver',
        trigger: 'Unreachable',
        evidence: [{ reason: 'Unreachable', message: 'no heartbeat for 5.0 s', time: at }],
        lastSeenTime: at,
        brokenTime: at,
        committedTime: at,
        acknowledgedTime: at,
        boundTime: at,
        recordingTime: at,
        failingBefore: ['cam-1'],
        unproved: ['cam-2'],
        backupName: 'site-3',
        backupStartTime: at,
      },
      queue: [
        {
          server: 'recorder-b',
          role: 'recorder-b',
          trigger: 'AllDisksLost',
          evidence: [{ reason: 'AllDisksLost', message: 'EIO', time: at }],
          brokenTime: at,
          lastSeenTime: at,
          waitingFor: 'the running failover',
        },
      ],
      roles: [
        {
          name: 'recorder-a',
          holder: 'standby-a',
          holderUID: 'uid',
          previousHolder: 'recorder-a',
          epoch: 3,
          startTime: at,
          handedOverTime: at,
          homeUID: 'uid',
        },
      ],
      hold: { startTime: at, untilTime: at, releasedTime: at, reason: 'Elapsed' },
      counts: { active: 1, standby: 1, broken: 1, maintenance: 0 },
      history: [
        {
          epoch: 2,
          role: 'recorder-a',
          from: 'recorder-a',
          to: 'standby-a',
          trigger: 'Unreachable',
          evidence: [{ reason: 'Unreachable', message: 'no heartbeat', time: at }],
          outcome: 'Completed',
          lastSeenTime: at,
          brokenTime: at,
          committedTime: at,
          acknowledgedTime: at,
          boundTime: at,
          recordingTime: at,
          backedUpTime: at,
          backupName: 'site-2',
          unproved: ['cam-2'],
        },
      ],
      conditions,
    },
  }),
  CameraAssignment: example('CameraAssignment', 'cam-1', {
    spec: {
      serverRef: { name: 'recorder-a' },
      source: {
        type: 'IP',
        url: 'rtsp://camera.example/stream1',
        credentialsSecretRef: { name: 'camera' },
        transport: 'TCP',
        maxSessions: 2,
        connectTimeoutSeconds: 5,
        audio: false,
        captureCard: 'card 0, input 3',
      },
      recording: { mode: 'Continuous', segmentSeconds: 10, retentionSeconds: 604800 },
      priority: 'Normal',
    },
    status: {
      observedGeneration: 1,
      boundTo: { role: 'recorder-a', server: 'recorder-a', podName: 'recorder-a', epoch: 3, startTime: at },
      recording: { startTime: at, lastSegmentTime: at },
      conditions,
    },
  }),
  Backup: example('Backup', 'site-3', {
    spec: { poolRef: { name: 'site' }, reason: 'Failover', engine: 'Secret', epoch: 3 },
    status: {
      observedGeneration: 1,
      startTime: at,
      completionTime: at,
      artifact: {
        location: 'secret/site-3-0',
        parts: 1,
        bytes: 900,
        uncompressedBytes: 4000,
        sha256: 'a'.repeat(64),
        formatVersion: 1,
        servers: 2,
        cameras: 8,
      },
      conditions,
    },
  }),
  RecorderReport: example('RecorderReport', 'recorder-a', {
    status: {
      role: 'recorder-a',
      epoch: 3,
      mode: 'Record',
      podUID: 'uid',
      version: '0.1.0',
      engine: 'ffmpeg 5.1',
      clockOffsetSeconds: 0.5,
      recordingService: { state: 'Ready', sinceTime: at, message: 'fine' },
      volumes: [
        {
          name: 'a',
          mountPath: '/footage/a',
          state: 'Healthy',
          sinceTime: at,
          message: 'fine',
          claimUID: 'uid',
          serverUID: 'uid',
          fileSystem: 'ext4',
          freePercent: 55,
          sizeBytes: 1000000000,
          writeMegabytesPerSecond: 100,
        },
      ],
      cameras: [
        {
          name: 'cam-1',
          state: 'Recording',
          sinceTime: at,
          startTime: at,
          lastFrameTime: at,
          volume: 'a',
          error: 'none',
          failure: 'SessionLimit',
        },
      ],
      reachability: {
        checkedTime: at,
        cameras: 300,
        total: 256,
        reachable: 254,
        unreachable: ['cam-2'],
        noCredentials: ['cam-3'],
        roles: [{ name: 'recorder-b', total: 64, reachable: 62 }],
        asked: [{ id: `recorder-b/${at}`, total: 8, reachable: 6 }],
      },
    },
  }),
};

/** The least that a person has to write. */
export const leastExamples: Record<string, Example> = {
  RecordingServer: example('RecordingServer', 'least', {
    spec: { volumes: [{ name: 'a', mountPath: '/footage/a', claimName: 'disk-a' }] },
  }),
  FailoverPool: example('FailoverPool', 'least', { spec: {} }),
  CameraAssignment: example('CameraAssignment', 'least', {
    spec: { serverRef: { name: 'recorder-a' }, source: { url: 'rtsp://camera.example/stream1' } },
  }),
  Backup: example('Backup', 'least', { spec: { poolRef: { name: 'site' } } }),
  RecorderReport: example('RecorderReport', 'least', {}),
};
