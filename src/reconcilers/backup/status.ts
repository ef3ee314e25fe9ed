import type { Artifact } from '../../backup/index.js';
import { type Backup, type BackupStatus, type Reason, reasons } from '../../crds/index.js';
import { type Condition, kubeTime, setCondition } from '../../operator/index.js';

/** Longest message that a condition takes. Characters. */
const messageLimit = 4096;

type Verdict = Record<'Ready' | 'Complete' | 'Failed' | 'Reconciling' | 'Stalled', Condition['status']>;

/** True when nothing more happens to this Backup: it is complete, or has failed for good. */
export function isFinal(backup: Pick<Backup, 'status'>): boolean {
  return (backup.status?.conditions ?? []).some(
    ({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True',
  );
}

/** What a reader of a complete baseline has to know: roles moved while it was made. */
export interface Staleness {
  readonly message: string;
}

/** Work goes on, or waits for something that comes by itself. */
export function runningStatus(backup: Backup, reason: Reason, message: string, now: Date): BackupStatus {
  const verdict: Verdict = {
    Ready: 'False',
    Complete: 'False',
    Failed: 'False',
    Reconciling: 'True',
    Stalled: 'False',
  };
  return { ...started(backup, now), conditions: conditions(backup, verdict, reason, message, now) };
}

/** A try has failed for a reason that may pass: Ready says which, and Reconciling that another one comes. */
export function retryingStatus(backup: Backup, reason: Reason, message: string, now: Date): BackupStatus {
  const status = runningStatus(backup, reason, message, now);
  const reconciling = status.conditions?.map((one) =>
    one.type === 'Reconciling' ? { ...one, reason: reasons.Retrying } : one,
  );
  return { ...status, conditions: reconciling };
}

/** What the last try met, while another one is still to come. */
export function retryOf({
  status,
}: Pick<Backup, 'status'>): { readonly reason: Reason; readonly message: string } | undefined {
  const of = (wanted: string) => status?.conditions?.find(({ type }) => type === wanted);
  const ready = of('Ready');
  return ready && of('Reconciling')?.reason === reasons.Retrying
    ? { reason: ready.reason as Reason, message: ready.message }
    : undefined;
}

/** The baseline is written and has been read back, or is in the hands of another system. Nothing changes it any more. */
export function completeStatus(
  backup: Backup,
  artifact: Artifact | undefined,
  { message, stale }: { readonly message: string; readonly stale?: Staleness | undefined },
  now: Date,
): BackupStatus {
  const verdict: Verdict = { Ready: 'True', Complete: 'True', Failed: 'False', Reconciling: 'False', Stalled: 'False' };
  return {
    ...started(backup, now),
    completionTime: kubeTime(now),
    ...(artifact ? { artifact } : {}),
    conditions: conditions(backup, verdict, reasons.Complete, message, now, stale),
  };
}

/** Only a person can help; kstatus calls that Stalled. */
export function failedStatus(backup: Backup, reason: Reason, message: string, now: Date): BackupStatus {
  const verdict: Verdict = { Ready: 'False', Complete: 'False', Failed: 'True', Reconciling: 'False', Stalled: 'True' };
  return { ...started(backup, now), conditions: conditions(backup, verdict, reason, message, now) };
}

function started(backup: Backup, now: Date): BackupStatus {
  return {
    ...(backup.metadata.generation === undefined ? {} : { observedGeneration: backup.metadata.generation }),
    startTime: backup.status?.startTime ?? kubeTime(now),
    ...(backup.status?.poolEpoch === undefined ? {} : { poolEpoch: backup.status.poolEpoch }),
    ...(backup.status?.destination ? { destination: backup.status.destination } : {}),
    ...(backup.status?.velero ? { velero: backup.status.velero } : {}),
  };
}

/** All conditions, each time: a missing one would read as unknown. */
function conditions(
  backup: Backup,
  verdict: Verdict,
  reason: Reason,
  text: string,
  now: Date,
  stale?: Staleness,
): Condition[] {
  const generation = backup.metadata.generation;
  const observed = generation === undefined ? {} : { observedGeneration: generation };
  let list = backup.status?.conditions as Condition[] | undefined;
  for (const [type, status] of Object.entries(verdict)) {
    list = setCondition(list, { type, status, reason, message: cut(text), ...observed }, now);
  }
  const moved = stale
    ? ({ status: 'True', reason: reasons.RolesMoved, message: cut(stale.message) } as const)
    : ({ status: 'False', reason: reasons.AsExpected, message: 'No role is known to have moved meanwhile' } as const);
  return setCondition(list, { type: 'Stale', ...moved, ...observed }, now);
}

function cut(text: string): string {
  return text.length > messageLimit ? `${text.slice(0, messageLimit - 1)}…` : text;
}
