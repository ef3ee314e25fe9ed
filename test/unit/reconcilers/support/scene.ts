import { childNames, FIELD_MANAGER, labels, type RecordingServer } from '../../../../src/crds/index.js';
import type { ServerHealth, Verdict } from '../../../../src/failover/types.js';
import { type Gathered, gather } from '../../../../src/reconcilers/recording-server/gather.js';
import { ownedBy } from '../../../../src/reconcilers/recording-server/objects/metadata.js';
import { wantedPod } from '../../../../src/reconcilers/recording-server/pod-plan.js';
import type { ClaimView, LeaseView, PodView } from '../../../../src/reconcilers/views.js';
import { memoryStores } from './memory-stores.js';

export const defaults = { image: 'understudy:1', imagePullPolicy: 'IfNotPresent' } as const;
export const now = new Date('2026-01-02T03:04:05.000Z');
const namespace = 'ns';
const mine = { [labels.managedBy]: FIELD_MANAGER };

/** A judgement as `judge` gives it, with plain details. */
export function healthOf(verdict: Verdict, change: Partial<ServerHealth> = {}): ServerHealth {
  const fresh = verdict === 'Healthy';
  const detail = {
    status: fresh ? 'True' : 'Unknown',
    reason: fresh ? 'AsExpected' : 'NotYetObserved',
    message: '',
  } as const;
  return {
    verdict,
    evidence: verdict === 'Broken' ? [{ reason: 'Unreachable', message: 'no heartbeat', ageMs: 0 }] : [],
    silentForMs: fresh ? 0 : 20_000,
    suspected: verdict === 'Broken',
    brokenForMs: verdict === 'Broken' ? 1_000 : 0,
    ...(verdict === 'Broken' ? { trigger: 'Unreachable' } : {}),
    reachable: fresh
      ? { status: 'True', reason: 'HeartbeatFresh', message: 'Heartbeats arrive' }
      : {
          status: verdict === 'Broken' ? 'False' : 'Unknown',
          reason: verdict === 'Broken' ? 'Unreachable' : 'HeartbeatLate',
          message: '',
        },
    storageHealthy: detail,
    recordingServiceReady: detail,
    clockSynced: detail,
    camerasReachable: detail,
    ...change,
  };
}

export function claim(name: string, change: Partial<ClaimView> = {}): ClaimView {
  return {
    metadata: { name, namespace, uid: `uid-${name}`, labels: mine },
    phase: 'Bound',
    volumeName: `pv-${name}`,
    ...change,
  };
}

export function lease(server: RecordingServer, change: Partial<LeaseView> = {}): LeaseView {
  const { name } = server.metadata;
  return {
    metadata: {
      name: childNames.lease(name),
      namespace,
      uid: `lease-${name}`,
      labels: mine,
      ownerReferences: [ownedBy(server)],
    },
    server: name,
    ...change,
  };
}

export function pod(server: RecordingServer, change: Partial<PodView> = {}): PodView {
  const { name } = server.metadata;
  return {
    metadata: { name, namespace, uid: `pod-${name}`, labels: mine, ownerReferences: [ownedBy(server)] },
    server: name,
    phase: 'Running',
    nodeName: 'node-1',
    ready: true,
    restartCount: 0,
    ...change,
  };
}

/** Stores with some objects in them, and what a pass over a server sees of them. */
export function scene(...servers: RecordingServer[]) {
  const stores = memoryStores();
  const healths = new Map<string, ServerHealth>();
  for (const server of servers) {
    stores.servers.put(server);
    for (const { name } of server.spec.volumes) stores.claims.put(claim(`${name}-${server.metadata.name}`));
  }
  const health = (name: string, judged: ServerHealth) => void healths.set(`${namespace}/${name}`, judged);
  const see = (name: string): Gathered => {
    const seen = gather(
      {
        stores,
        healthOf: (key) => healths.get(key) ?? healthOf('Healthy'),
        observationOf: () => undefined,
        protectionOf: () => ({ status: 'True', reason: 'StandbyReady', message: '' }),
        now: () => now,
      },
      `${namespace}/${name}`,
    );
    if (!seen) throw new Error(`no server ${name} in the scene`);
    return seen;
  };
  /** Puts the pod there as the operator would have made it, or otherwise. */
  const withPod = (server: RecordingServer, change: Partial<PodView> = {}): void => {
    const made = wantedPod(see(server.metadata.name), defaults);
    const templateHash = made?.metadata.annotations?.[labels.templateHash];
    const servingRole = made?.metadata.labels?.[labels.servingRole];
    const recordingRole = made?.metadata.labels?.[labels.recordingRole];
    const asMade = {
      ...(templateHash ? { templateHash } : {}),
      ...(servingRole ? { servingRole } : {}),
      ...(recordingRole ? { recordingRole } : {}),
    };
    stores.pods.put(pod(server, { ...asMade, ...change }));
  };
  return { stores, health, see, withPod };
}
