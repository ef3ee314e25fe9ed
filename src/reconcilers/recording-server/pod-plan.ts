import { labels } from '../../crds/index.js';
import { relationTo } from '../children.js';
import type { Gathered } from './gather.js';
import { ownedBy } from './objects/metadata.js';
import { buildPod, type MountedVolume, type PodObject } from './objects/pod.js';

/** What is to be done about the pod of a server; one step a pass. */
export type PodAction =
  | { readonly kind: 'none'; readonly waitsFor?: string; readonly nameTaken?: boolean }
  | { readonly kind: 'create'; readonly pod: PodObject }
  /** With a precondition on the uid, so that it can never hit a successor. */
  | { readonly kind: 'delete'; readonly uid: string; readonly because: 'Finished' | 'Outdated' | 'Maintenance' }
  | { readonly kind: 'label'; readonly uid: string; readonly servingRole: string; readonly recordingRole: string }
  /** It lost its owner (an orphaning deletion) and is taken back, since it may be recording. */
  | { readonly kind: 'adopt'; readonly uid: string; readonly pod: PodObject };

export interface PodDefaults {
  readonly image: string;
  readonly imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never';
}

/** Role on the pod's label: only of the holder, so that the role's DNS name never points to two. */
export function labelledRole({ assignment, holdsRole }: Gathered): string {
  return holdsRole ? assignment.role : '';
}

/**
 * Maintenance takes the pod away once its server records nothing. A server without a pool keeps its role for ever:
 * there is nobody to move it to, so for it the mode alone counts.
 */
export function podMustGo({ server, assignment }: Gathered): boolean {
  if (server.spec.operatingMode !== 'Maintenance') return false;
  return assignment.role === '' || server.spec.poolRef === undefined;
}

function mountedVolumes({ references }: Gathered): MountedVolume[] | undefined {
  const mounted: MountedVolume[] = [];
  for (const { volume, claimName, claim } of references.volumes) {
    if (claim?.metadata.uid === undefined || claim.metadata.deletionTimestamp) return undefined;
    mounted.push({ name: volume.name, mountPath: volume.mountPath, claimName, claimUID: claim.metadata.uid });
  }
  return mounted;
}

/** The pod as it would be made now; undefined until all claims exist. Bound they need not be: that comes with the pod. */
export function wantedPod(gathered: Gathered, defaults: PodDefaults): PodObject | undefined {
  const volumes = mountedVolumes(gathered);
  if (!volumes) return undefined;
  return buildPod({
    server: gathered.server,
    volumes,
    defaultImage: defaults.image,
    defaultImagePullPolicy: defaults.imagePullPolicy,
    servingRole: labelledRole(gathered),
    recordingRole: gathered.assignment.role,
  });
}

/** It can't be recording: it never started, or its container can't run and no heartbeat comes. */
function recordsNothing({ pod, health, assignment }: Gathered): boolean {
  if (!pod) return true;
  // A fresh heartbeat goes before whatever the kubelet says (law 7).
  if (health.reachable.status === 'True') return assignment.role === '';
  return assignment.role === '' || pod.phase === 'Pending' || (pod.waiting !== undefined && !pod.ready);
}

/** Standbys are replaced one after another, and never while one of them may be needed. */
function mayBeReplaced({ pool, otherStandbyDown, server }: Gathered): boolean {
  if (server.status?.state !== 'Standby') return true;
  const failoverRuns = pool?.status?.current !== undefined || (pool?.status?.queue?.length ?? 0) > 0;
  return !failoverRuns && !otherStandbyDown;
}

/**
 * `starts`: a pod may be made. While a reference is wrong it may not, so one that is there is not taken away either; its
 * label follows the role all the same.
 */
export function planPod(gathered: Gathered, defaults: PodDefaults, starts = true): PodAction {
  const { pod, server } = gathered;
  const wanted = starts ? wantedPod(gathered, defaults) : undefined;
  if (!pod) {
    if (podMustGo(gathered)) return { kind: 'none' };
    return wanted ? { kind: 'create', pod: wanted } : { kind: 'none', waitsFor: 'claims' };
  }
  const uid = pod.metadata.uid ?? '';
  if (pod.metadata.deletionTimestamp) return { kind: 'none', waitsFor: 'the old pod to end' };
  const relation = relationTo(pod, { metadata: { name: server.metadata.name, ownerReferences: [ownedBy(server)] } });
  if (relation === 'foreign') return { kind: 'none', nameTaken: true };
  if (relation === 'predecessor') return { kind: 'none', waitsFor: 'the pod of an earlier server of this name to go' };
  if (relation === 'orphan' && wanted) return { kind: 'adopt', uid, pod: wanted };
  if (podMustGo(gathered)) return { kind: 'delete', uid, because: 'Maintenance' };
  const finished = pod.phase === 'Succeeded' || pod.phase === 'Failed';
  if (starts && finished) return { kind: 'delete', uid, because: 'Finished' };
  if (wanted && isOutdated(gathered, wanted) && recordsNothing(gathered) && mayBeReplaced(gathered)) {
    return { kind: 'delete', uid, because: 'Outdated' };
  }
  const [servingRole, recordingRole] = [labelledRole(gathered), gathered.assignment.role];
  const same = (pod.servingRole ?? '') === servingRole && (pod.recordingRole ?? '') === recordingRole;
  return same ? { kind: 'none' } : { kind: 'label', uid, servingRole, recordingRole };
}

/** The pod that runs is not as it would be made now; undefined while that can't be told. */
export function podOutdated(gathered: Gathered, defaults: PodDefaults): boolean | undefined {
  if (gathered.pod === undefined) return undefined;
  const wanted = wantedPod(gathered, defaults);
  return wanted && isOutdated(gathered, wanted);
}

/** Compared by the hash that it was made with: admission may have rewritten the pod itself. */
export function isOutdated({ pod }: Gathered, wanted: PodObject): boolean {
  const made = pod?.templateHash;
  return made !== undefined && made !== wanted.metadata.annotations?.[labels.templateHash];
}
