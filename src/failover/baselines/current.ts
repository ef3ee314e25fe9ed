import { reasons } from '../../crds/index.js';
import type { BackupView, ConditionVerdict, PoolInput } from '../types.js';
import { createdAt, newestFirst, shownEpoch } from './ages.js';

/** Of the words of a Backup, so many are told here: a condition takes 4,096 characters in all. */
const WORDS = 1024;
/** How a person makes one; for messages. */
const BY_HAND = 'create a Backup with spec.poolRef alone to make one now';

/** The last takeover or planned move that is over, whatever became of its baseline. */
function lastTakeover({ status }: PoolInput): { readonly epoch: number; readonly backupName: string } | undefined {
  const entry = status.history?.find(({ outcome }) => outcome !== 'Superseded' && outcome !== 'Abandoned');
  return entry && { epoch: entry.epoch, backupName: entry.backupName ?? '' };
}

function no(reason: 'BaselineFailed' | 'BaselineLate' | 'NoBaseline', message: string): ConditionVerdict {
  return { status: 'False', reason: reasons[reason], message };
}

function isOwn({ spec }: BackupView): boolean {
  return spec.reason !== 'Manual';
}

function failure({ name, message }: BackupView, complete: BackupView | undefined): ConditionVerdict {
  const left = complete === undefined ? 'There is no complete one' : `The newest complete one is ${complete.name}`;
  const why = (message ?? 'it failed').slice(0, WORDS);
  return no('BaselineFailed', `Backup ${name}: ${why}. ${left}; mend the cause, then ${BY_HAND}`);
}

/** None shows the last takeover: its own is on its way, has failed, or is gone. */
function missing(view: PoolInput, complete: BackupView | undefined): ConditionVerdict {
  const last = lastTakeover(view);
  if (last === undefined) return no('NoBaseline', `No baseline is complete; ${BY_HAND}`);
  const own = view.backups.find(({ name }) => name === last.backupName);
  if (own?.outcome === 'Failed') return failure(own, complete);
  if (own?.outcome === 'Running')
    return no('BaselineLate', `Backup ${own.name} of the takeover of epoch ${last.epoch} is not complete yet`);
  return no('NoBaseline', `No complete baseline shows the takeover of epoch ${last.epoch}; ${BY_HAND}`);
}

/**
 * Condition BaselineCurrent (rule 12): a complete baseline shows the pool as the last takeover left it, and none that
 * the operator has tried since then has failed. What people try by hand fails on its own object alone. A takeover that
 * runs changes nothing yet: its baseline is still to come.
 */
export function baselineCurrent(view: PoolInput): ConditionVerdict {
  const backups = newestFirst(view.backups.filter(({ deleting }) => deleting !== true));
  const complete = backups.find(({ outcome }) => outcome === 'Complete');
  const wanted = lastTakeover(view)?.epoch ?? 0;
  const current = backups.find((backup) => backup.outcome === 'Complete' && shownEpoch(backup) >= wanted);
  const failed = backups.find((backup) => backup.outcome === 'Failed' && isOwn(backup));
  if (current === undefined)
    return failed !== undefined && wanted === 0 ? failure(failed, complete) : missing(view, complete);
  if (failed !== undefined && createdAt(failed) > createdAt(current)) return failure(failed, complete);
  return { status: 'True', reason: reasons.BaselineCurrent, message: `Backup ${current.name} is complete` };
}
