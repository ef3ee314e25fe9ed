import { type Backup, defaultVeleroSettings, reasons } from '../../crds/index.js';
import type { Gathered } from './gather.js';
import type { Step } from './plan.js';

/** Between the first look and the last one that a wait takes: it looks seldom at what takes long. Milliseconds. */
const firstLookMs = 500;
const lastLookMs = 10_000;

/**
 * What to do for a Backup whose baseline another system makes; undefined: nothing was asked for yet. `followedMs`: since
 * this process first saw that it was, on its monotonic clock. Pure.
 */
export function planDelegated({ backup, delegated, fault, pool }: Gathered, followedMs: number): Step | undefined {
  if (!backup || fault) return undefined;
  if (!delegated) return wasAskedFor(backup) ? deleted(backup) : undefined;
  if (delegated.state === 'Complete') return { do: 'acknowledge', message: delegated.message };
  const { message, reason } = delegated;
  if (delegated.state === 'Failed') return { do: 'fail', reason, message };
  const { timeoutSeconds } = backup.status?.destination?.velero ?? defaultVeleroSettings;
  if (followedMs >= timeoutSeconds * 1000) return timedOut(message, timeoutSeconds);
  const requeueAfterMs = lookAgainMs(followedMs);
  const deadlineSeconds = pool?.spec.backup.deadlineSeconds;
  if (deadlineSeconds === undefined || followedMs < deadlineSeconds * 1000)
    return { do: 'wait', reason, message, requeueAfterMs };
  return {
    do: 'wait',
    reason: reasons.VeleroLate,
    message:
      `${message}. That takes longer than the ${deadlineSeconds} s for which a queue of broken servers waits ` +
      '(spec.backup.deadlineSeconds of the pool). Velero goes on, and this Backup is complete when it is',
    requeueAfterMs,
  };
}

/** A tenth of the time that it has been followed for. */
export function lookAgainMs(followedMs: number): number {
  return Math.min(Math.max(followedMs / 10, firstLookMs), lastLookMs);
}

/** Written down as soon as it is seen: what is not there then was deleted, and is not asked for a second time. */
function wasAskedFor({ status }: Backup): boolean {
  return status?.velero !== undefined && status.destination?.engine === 'Velero';
}

function deleted({ status }: Backup): Step {
  const { namespace, backupName } = status?.velero ?? {};
  return {
    do: 'fail',
    reason: reasons.VeleroBackupDeleted,
    message: `Velero Backup ${namespace}/${backupName} was deleted before it was seen complete. Create another Backup`,
  };
}

function timedOut(message: string, timeoutSeconds: number): Step {
  return {
    do: 'fail',
    reason: reasons.VeleroTimedOut,
    message:
      `${message}, and was not done after ${timeoutSeconds} s (spec.backup.velero.timeoutSeconds of the pool). In Velero it ` +
      "may go on, and can be restored once it is Completed, but this Backup is done with it. See Velero's log, then create " +
      'another Backup',
  };
}
