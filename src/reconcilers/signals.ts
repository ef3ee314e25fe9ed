import type { RecordingServer } from '../crds/index.js';
import { childNames } from '../crds/index.js';
import type { LeaseSignal, MountFault, NodeSignal, PodSignal, Signals, VolumeSignal } from '../failover/types.js';
import { claimNameOf, type Stores } from './stores.js';
import type { LeaseView, PodView } from './views.js';

function leaseSignal(lease: LeaseView | undefined): LeaseSignal | undefined {
  // A Lease without a duration is not ours to read: nobody can know its cadence.
  if (lease?.leaseDurationSeconds === undefined) return undefined;
  return {
    uid: lease.metadata.uid,
    resourceVersion: lease.metadata.resourceVersion ?? '',
    renewTime: lease.renewTime,
    leaseDurationSeconds: lease.leaseDurationSeconds,
    holderIdentity: lease.holderIdentity,
  };
}

/** Without the kubelet's own waiting time, which grows with each crash: what is the same must read the same (law 8). */
function steady(message: string | undefined): string | undefined {
  return message?.replace(/^back-off \S+ restarting/, 'back-off restarting');
}

function podSignal(pod: PodView | undefined, mountFault: MountFault | undefined): PodSignal | undefined {
  if (pod?.metadata.uid === undefined) return undefined;
  return {
    uid: pod.metadata.uid,
    phase: pod.phase,
    deletionTimestamp: pod.metadata.deletionTimestamp,
    ready: pod.ready,
    waitingReason: pod.waiting?.reason,
    waitingMessage: steady(pod.waiting?.message),
    unschedulableMessage: pod.unschedulable,
    nodeName: pod.nodeName,
    reason: pod.reason,
    message: pod.message,
    endedTime: pod.endedTime,
    deletionStartTime: pod.deletionStartTime,
    containerRunning: pod.containerRunning,
    notStartedSince: pod.notStartedSince,
    mountFault,
  };
}

function nodeSignal(stores: Stores, pod: PodView | undefined): NodeSignal | undefined {
  if (pod?.nodeName === undefined) return undefined;
  const node = stores.nodes.get(pod.nodeName);
  return {
    // Before the first list nothing is known of any node.
    exists: node !== undefined || !stores.nodes.synced,
    ready: node?.ready === 'True',
    unschedulable: node?.unschedulable === true,
    readyReason: node?.readyReason,
    readySince: node?.readySince,
  };
}

const volumePhases: ReadonlySet<string> = new Set(['Pending', 'Available', 'Bound', 'Released', 'Failed']);

function volumePhase(phase: string | undefined): VolumeSignal['volumePhase'] {
  return phase !== undefined && volumePhases.has(phase) ? (phase as VolumeSignal['volumePhase']) : undefined;
}

/** What the cluster says of each disk. Nothing counts as missing before the first list of its kind has come. */
function volumeSignals(stores: Stores, server: RecordingServer, pod: PodView | undefined): VolumeSignal[] {
  const { claims, persistentVolumes } = stores;
  return server.spec.volumes.map((volume) => {
    const claimName = claimNameOf(server, volume);
    const claim = claims.get(`${server.metadata.namespace}/${claimName}`);
    const bound = claim?.volumeName === undefined ? undefined : persistentVolumes.get(claim.volumeName);
    return {
      name: volume.name,
      claimName,
      claimUID: claim?.metadata.uid,
      claimPhase: claim === undefined || claim.phase === 'Unknown' ? undefined : claim.phase,
      volumePhase: volumePhase(bound?.phase),
      volumeName: claim?.volumeName,
      volumePhaseSince: bound?.phaseSince,
      volumeMissing:
        claim?.phase === 'Bound' && claim.volumeName !== undefined && bound === undefined && persistentVolumes.synced,
      claimMissing: claim === undefined && claims.synced,
      claimDeletionTime: claim?.metadata.deletionTimestamp,
      podClaim: pod?.claims?.[volume.name],
    };
  });
}

/** All that the API server says about a server right now, whole (law 4). */
export function signalsOf(stores: Stores, server: RecordingServer, mountFault?: MountFault): Signals {
  const { name, namespace, uid } = server.metadata;
  const pod = stores.pods.get(`${namespace}/${childNames.pod(name)}`);
  return {
    serverUID: uid ?? '',
    everReady: server.status?.everReadyTime !== undefined,
    inMaintenance: server.spec.operatingMode === 'Maintenance',
    lease: leaseSignal(stores.leases.get(`${namespace}/${childNames.lease(name)}`)),
    report: stores.reports.get(`${namespace}/${childNames.report(name)}`)?.status,
    pod: podSignal(pod, mountFault),
    node: nodeSignal(stores, pod),
    volumes: volumeSignals(stores, server, pod),
  };
}
