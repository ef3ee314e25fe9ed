import { labels } from '../../crds/index.js';
import { openQuestions } from '../../failover/takeover/camera-loss.js';
import { deepEqual } from '../../operator/index.js';
import type { Gathered } from './gather.js';
import { type Assignment, assignmentAnnotations, buildLease, type LeaseObject } from './objects/lease.js';

export type LeaseAction =
  | { readonly kind: 'none' }
  | { readonly kind: 'create'; readonly lease: LeaseObject }
  /** A merge patch with the uid in it, so that it never lands on a successor. */
  | { readonly kind: 'patch'; readonly patch: object };

/** The assignment as it is projected to the agent: with the one pod that may record. */
export function projectedAssignment({ assignment, pod }: Gathered): Assignment {
  return { ...assignment, podUID: pod?.metadata.uid };
}

/**
 * What else the agent is told by its Lease, while there is something to tell. '' takes back what was said, and nothing
 * is written where nothing ever was.
 */
function messages({ lease, assignment, pool, supersededEpoch }: Gathered): Record<string, string> {
  const questions = assignment.role === '' ? openQuestions(pool?.status?.queue) : [];
  const wanted = {
    [labels.leaseProbe]: questions.map(({ id }) => id).join(' '),
    [labels.leaseSupersededEpoch]: supersededEpoch === undefined ? '' : String(supersededEpoch),
  };
  const known = lease?.metadata.annotations ?? {};
  return Object.fromEntries(Object.entries(wanted).filter(([name, text]) => text !== '' || known[name] !== undefined));
}

/** Only the timeout and the annotations are ours: renewal time and holder belong to the agent. */
export function planLease(gathered: Gathered): LeaseAction {
  const { lease, server, settings } = gathered;
  const wanted = { ...assignmentAnnotations(projectedAssignment(gathered)), ...messages(gathered) };
  if (!lease)
    return { kind: 'create', lease: buildLease(server, settings.timeoutSeconds, projectedAssignment(gathered)) };
  const owned = lease.metadata.ownerReferences?.some((owner) => owner.uid === server.metadata.uid) === true;
  if (!owned || lease.metadata.deletionTimestamp) return { kind: 'none' };
  const present = Object.fromEntries(Object.keys(wanted).map((name) => [name, lease.metadata.annotations?.[name]]));
  const sameTimeout = lease.leaseDurationSeconds === settings.timeoutSeconds;
  if (sameTimeout && deepEqual(present, wanted)) return { kind: 'none' };
  const metadata = { uid: lease.metadata.uid, annotations: wanted };
  return { kind: 'patch', patch: { metadata, spec: { leaseDurationSeconds: settings.timeoutSeconds } } };
}
