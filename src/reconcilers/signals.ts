import type { RecordingServer } from '../crds/index.js';
import { childNames } from '../crds/index.js';
import type { LeaseSignal, NodeSignal, PodSignal, Signals, VolumeSignal } from '../failover/types.js';
import { claimNameOf, type Stores } from './stores.js';
import type { ClaimView, LeaseView, PodView } from './views.js';

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

function podSignal(pod: PodView | undefined): PodSignal | undefined {
  if (pod?.metadata.uid === undefined) return undefined;
  return {
    uid: pod.metadata.uid,
    phase: pod.phase,
    deletionTimestamp: pod.metadata.deletionTimestamp,
    ready: pod.ready,
    waitingReason: pod.waiting?.reason,
    waitingMessage: pod.waiting?.message,
    unschedulableMessage: pod.unschedulable,
    nodeName: pod.nodeName,
  };
}

function nodeSignal(stores: Stores, pod: PodView | undefined): NodeSignal | undefined {
  if (pod?.nodeName === undefined) return undefined;
  const node = stores.nodes.get(pod.nodeName);
  return { exists: node !== undefined, ready: node?.ready === 'True', unschedulable: node?.unschedulable === true };
}

const volumePhases: ReadonlySet<string> = new Set(['Pending', 'Available', 'Bound', 'Released', 'Failed']);

function volumePhase(stores: Stores, claim: ClaimView | undefined): VolumeSignal['volumePhase'] {
  const phase = claim?.volumeName === undefined ? undefined : stores.persistentVolumes.get(claim.volumeName)?.phase;
  return phase !== undefined && volumePhases.has(phase) ? (phase as VolumeSignal['volumePhase']) : undefined;
}

function volumeSignals(stores: Stores, server: RecordingServer): VolumeSignal[] {
  return server.spec.volumes.map((volume) => {
    const claimName = claimNameOf(server, volume);
    const claim = stores.claims.get(`${server.metadata.namespace}/${claimName}`);
    return {
      name: volume.name,
      claimName,
      claimUID: claim?.metadata.uid,
      claimPhase: claim === undefined || claim.phase === 'Unknown' ? undefined : claim.phase,
      volumePhase: volumePhase(stores, claim),
    };
  });
}

/** All that the API server says about a server right now, whole (law 4). */
export function signalsOf(stores: Stores, server: RecordingServer): Signals {
  const { name, namespace, uid } = server.metadata;
  const pod = stores.pods.get(`${namespace}/${childNames.pod(name)}`);
  return {
    serverUID: uid ?? '',
    everReady: server.status?.everReadyTime !== undefined,
    lease: leaseSignal(stores.leases.get(`${namespace}/${childNames.lease(name)}`)),
    report: stores.reports.get(`${namespace}/${childNames.report(name)}`)?.status,
    pod: podSignal(pod),
    node: nodeSignal(stores, pod),
    volumes: volumeSignals(stores, server),
  };
}
