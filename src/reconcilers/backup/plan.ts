import { type Artifact, type BackupError, canonicalJson, destinationOf } from '../../backup/index.js';
import { type Backup, type BackupDestination, type CurrentFailover, type Reason, reasons } from '../../crds/index.js';
import { isMoveCause } from '../../failover/causes.js';
import { planDelegated } from './delegated.js';
import type { Gathered } from './gather.js';
import { showsTakeover } from './takeover.js';

/** How often a wait looks again. Milliseconds. */
const lookAgainMs = 250;
/** A running failover takes seconds; a manual backup need not look more often. Milliseconds. */
const failoverLookAgainMs = 1000;
/**
 * Bindings are visible within half a second of a takeover. Beyond this the baseline is made without them: it holds up
 * the queue of broken servers, and an incomplete binding in it is a lesser evil than footage lost. Milliseconds.
 */
const bindingWaitMs = 2000;

/** What to do next for a Backup. */
export type Step =
  | { readonly do: 'nothing' }
  | { readonly do: 'wait'; readonly reason: Reason; readonly message: string; readonly requeueAfterMs: number }
  | { readonly do: 'fail'; readonly reason: Reason; readonly message: string }
  /** An earlier try had finished all but the last status write. */
  | { readonly do: 'adopt'; readonly stored: Artifact }
  /** Another system says that it has made it. */
  | { readonly do: 'acknowledge'; readonly message: string }
  /** Whether an earlier try has finished could not be found out. */
  | { readonly do: 'report'; readonly fault: BackupError }
  | { readonly do: 'write'; readonly destination: BackupDestination };

/** `waitedMs`: since this process first saw the Backup, `followedMs`: as of `planDelegated`; monotonic clock. Pure. */
export function plan(gathered: Gathered, waitedMs: number, followedMs = 0): Step {
  const { backup, stored, pool } = gathered;
  if (!backup) return { do: 'nothing' };
  if (stored) return { do: 'adopt', stored };
  const followed = planDelegated(gathered, followedMs);
  if (followed) return followed;
  if (!pool) return gathered.fault ? { do: 'report', fault: gathered.fault } : poolNotFound(backup);
  const destination = destinationOf(backup, pool);
  // A place that fails is given up only for another one, which a person has named since.
  if (gathered.fault && sameDestination(destination, backup)) return { do: 'report', fault: gathered.fault };
  const deadlineMs = pool.spec.backup.deadlineSeconds * 1000;
  if (!showsTakeover(backup, pool)) return waitForTakeover(backup, pool.status?.epoch, waitedMs < deadlineMs);
  if (pool.status?.restore) return waitForRestore(pool.status.restore.startTime);
  if (backup.spec.reason !== 'Failover' && pool.status?.current) return waitForFailover(pool.status.current);
  if (gathered.unbound.length > 0 && waitedMs < Math.min(bindingWaitMs, deadlineMs))
    return waitForBindings(gathered.unbound);
  return { do: 'write', destination };
}

function sameDestination(destination: BackupDestination, { status }: Backup): boolean {
  return canonicalJson(destination) === canonicalJson(status?.destination);
}

function poolNotFound({ metadata, spec }: Backup): Step {
  return {
    do: 'fail',
    reason: reasons.PoolNotFound,
    message:
      `spec.poolRef names FailoverPool ${spec.poolRef.name}, which does not exist in namespace ${metadata.namespace}; ` +
      'correct the name in another Backup (a Backup can not be changed)',
  };
}

function waitForTakeover({ spec }: Backup, epoch: number | undefined, inTime: boolean): Step {
  const shown = `FailoverPool ${spec.poolRef.name} shows epoch ${epoch ?? 'none'}, and this baseline is to fix the takeover of epoch ${spec.epoch}`;
  if (inTime) {
    return { do: 'wait', reason: reasons.InProgress, message: `${shown}; waiting`, requeueAfterMs: lookAgainMs };
  }
  return {
    do: 'fail',
    reason: reasons.TakeoverNotVisible,
    message: `${shown}: the pool was made anew meanwhile; create a Backup with reason Manual to fix what is now`,
  };
}

/** Rule 13: no other backups while a failover and its backup run. */
function waitForFailover({ server, trigger }: CurrentFailover): Step {
  const what = isMoveCause(trigger) ? 'planned move' : 'failover';
  return {
    do: 'wait',
    reason: reasons.FailoverRunning,
    message: `the ${what} of ${server} runs; this backup is made after it and its own baseline (rule 13)`,
    requeueAfterMs: failoverLookAgainMs,
  };
}

/** Half a system is no baseline: restored later, it would be half a system. */
function waitForRestore(startTime: string): Step {
  return {
    do: 'wait',
    reason: reasons.Restoring,
    message: `the pool is being restored since ${startTime}; this backup is made when all of it is back`,
    requeueAfterMs: failoverLookAgainMs,
  };
}

function waitForBindings(unbound: readonly string[]): Step {
  return {
    do: 'wait',
    reason: reasons.InProgress,
    message: `waiting until the status of every camera names its new holder; still missing: ${listed(unbound)}`,
    requeueAfterMs: lookAgainMs,
  };
}

/** The first few names and how many more there are. */
export function listed(names: readonly string[], most = 10): string {
  const more = names.length - most;
  return more > 0 ? `${names.slice(0, most).join(', ')} and ${more} more` : names.join(', ');
}
