import { labels } from '../../crds/labels.js';
import type { KubeObject, ObjectMeta } from '../../operator/index.js';
import type { Assignment } from '../assignment/assignment.js';

/** The recorder's Lease, as far as the agent reads it. */
export interface Lease extends KubeObject {
  metadata: ObjectMeta & { managedFields?: { time?: string }[] };
  spec?: { holderIdentity?: string; leaseDurationSeconds?: number; renewTime?: string };
}

/** The assignment in the annotations; undefined when there is none yet. */
export function assignmentOf(lease: Lease): Assignment | undefined {
  const annotations = lease.metadata.annotations ?? {};
  const epoch = Number(annotations[labels.leaseEpoch]);
  if (annotations[labels.leaseEpoch] === undefined || !Number.isSafeInteger(epoch) || epoch < 0) return undefined;
  const podUID = annotations[labels.leaseAssignedPodUid];
  return { role: annotations[labels.leaseServingRole] ?? '', epoch, podUID: podUID === '' ? undefined : podUID };
}

/** What else the operator tells a recorder by its Lease. */
export interface LeaseNotices {
  /** Another recorder takes over the role at this epoch; undefined when none does. */
  readonly supersededEpoch: number | undefined;
  /** Questions whether the cameras of a role are reached, as `<role>/<time>`. */
  readonly questions: readonly string[];
}

/** The notices in the annotations; '' says that nothing holds any more. */
export function noticesOf(lease: Lease): LeaseNotices {
  const annotations = lease.metadata.annotations ?? {};
  const epoch = Number(annotations[labels.leaseSupersededEpoch]);
  const questions = (annotations[labels.leaseProbe] ?? '').split(' ').filter((id) => id !== '');
  return { supersededEpoch: Number.isSafeInteger(epoch) && epoch > 0 ? epoch : undefined, questions };
}

/** The server's clock when it took our write: a field manager's time is set by the server at each change. */
export function serverSecond(lease: Lease): number | undefined {
  const times = (lease.metadata.managedFields ?? []).map(({ time }) => Date.parse(time ?? ''));
  const newest = Math.max(...times.filter(Number.isFinite));
  return Number.isFinite(newest) ? newest : undefined;
}

/** Time between two renewals for a timeout: a third of it, at least 1 s and at most 10 s. Milliseconds. */
export function renewalInterval(timeoutSeconds: number): number {
  return Math.min(10_000, Math.max(1000, (timeoutSeconds * 1000) / 3));
}
