import type { FailoverPoolSpec } from '../../crds/index.js';
import type { BackupView } from '../types.js';
import { createdAt, newestFirst } from './ages.js';

const DAY_MS = 86_400_000;
/** Failed ones that are kept for a person to look at, and for how long. */
const FAILED_COUNT = 5;
const FAILED_MS = 7 * DAY_MS;

/** Whose the operator is to delete; what a person has made is theirs, and may stand in Git, which would bring it back. */
const ownReasons = ['Failover', 'Scheduled'] as const;

/** Those beyond the first `count`, and those created before `oldest`; never the first. Newest first. */
function beyond(sorted: readonly BackupView[], count: number, oldest: number): BackupView[] {
  return sorted.filter((backup, index) => index > 0 && (index >= count || createdAt(backup) < oldest));
}

/**
 * Names of the Backups that spec.backup.retain gives up, oldest first. Age is counted back from the newest complete one,
 * by the API server's clock: an operator whose own clock is wrong deletes nothing by it, and no baseline goes for its age
 * alone while nothing newer has come. The newest complete one of each reason stays, and so does one that is not finished.
 */
export function baselinesToPrune(
  backups: readonly BackupView[],
  { count, days }: FailoverPoolSpec['backup']['retain'],
): string[] {
  const sorted = newestFirst(backups.filter(({ deleting }) => deleting !== true));
  const complete = sorted.filter(({ outcome }) => outcome === 'Complete');
  const failed = sorted.filter(({ outcome, spec }) => outcome === 'Failed' && spec.reason !== 'Manual');
  const [newest] = complete;
  const oldest = newest === undefined ? 0 : createdAt(newest) - days * DAY_MS;
  const [lastFinished] = sorted.filter(({ outcome }) => outcome !== 'Running');
  const oldestFailed = lastFinished === undefined ? 0 : createdAt(lastFinished) - FAILED_MS;
  const pruned = [
    ...ownReasons.flatMap((reason) =>
      beyond(
        complete.filter(({ spec }) => spec.reason === reason),
        count,
        oldest,
      ),
    ),
    ...failed.filter((backup, index) => index >= FAILED_COUNT || createdAt(backup) < oldestFailed),
  ];
  return newestFirst(pruned)
    .reverse()
    .map(({ name }) => name);
}

/** The complete baseline that makes the others old: without it nothing may be pruned. */
export function newestComplete(backups: readonly BackupView[]): BackupView | undefined {
  return newestFirst(backups).find(({ outcome, deleting }) => outcome === 'Complete' && deleting !== true);
}
