import { type CurrentFailover, childNames, type HistoryEntry, reasons } from '../../crds/index.js';
import { isMoveCause } from '../causes.js';
import { type Draft, type Policy, waitLeftMs, wallTime } from '../draft.js';
import type { BackupView } from '../types.js';
import { remember } from './history.js';
import { brokenServersWait } from './queue.js';

type Outcome = Exclude<HistoryEntry['outcome'], 'Superseded' | 'Abandoned'>;

/** A Backup of that name is ours only when it is the baseline of this very takeover. */
function isBaseline(draft: Draft, backup: BackupView, epoch: number): boolean {
  const { poolRef, reason, epoch: fixed } = backup.spec;
  return poolRef.name === draft.input.name && reason === 'Failover' && fixed === epoch;
}

function outcomeOf(
  draft: Draft,
  current: CurrentFailover,
  name: string,
): { outcome: Outcome; why: string } | undefined {
  const backup = draft.input.backups.find((candidate) => candidate.name === name);
  if (backup !== undefined && !isBaseline(draft, backup, current.epoch))
    return {
      outcome: 'BaselineFailed',
      why: `a Backup named ${name} is there already and is not this baseline; delete it`,
    };
  if (backup?.outcome === 'Complete') return { outcome: 'Completed', why: '' };
  if (backup?.outcome === 'Failed')
    return { outcome: 'BaselineFailed', why: backup.message ?? `look at Backup ${name}` };
  // A failover's own baseline follows, and fixes this move too.
  if (isMoveCause(current.trigger) && brokenServersWait(draft))
    return { outcome: 'BaselineLate', why: 'a broken server goes first, and its baseline follows' };
  const { deadlineSeconds } = draft.input.spec.backup;
  if (waitLeftMs(draft, `baseline/${current.epoch}`, deadlineSeconds * 1000) <= 0)
    return { outcome: 'BaselineLate', why: `it was not complete after ${deadlineSeconds} s` };
  if (backup === undefined) draft.backup = { name, reason: 'Failover', epoch: current.epoch };
  return undefined;
}

function finish(draft: Draft, current: CurrentFailover, outcome: Outcome, why: string): void {
  const complete = outcome === 'Completed';
  remember(draft, current, outcome, complete ? wallTime(draft) : undefined);
  delete draft.record.current;
  const about = { server: current.server, related: current.standby };
  if (!complete)
    draft.events.push({
      ...about,
      type: 'Warning',
      reason: reasons[outcome],
      action: 'BackUp',
      note: `Baseline ${current.backupName}: ${why}. The queue goes on`,
    });
  draft.events.push({
    ...about,
    type: 'Normal',
    reason: isMoveCause(current.trigger) ? reasons.MoveCompleted : reasons.FailoverCompleted,
    action: isMoveCause(current.trigger) ? 'Move' : 'Failover',
    note: `${current.standby} has the role ${current.role} of ${current.server} at epoch ${current.epoch}`,
  });
}

/**
 * Rule 12: after a takeover a baseline is made, exactly one: its name carries the epoch. Rule 13: the queue goes on when
 * it is complete, or loudly when it failed or its deadline has passed.
 */
export const makeBaseline: Policy = (draft) => {
  const { current } = draft.record;
  if (current?.step !== 'BackingUp') return;
  const backupName = current.backupName ?? childNames.baseline(draft.input.name, current.epoch);
  const named = { ...current, backupName, backupStartTime: current.backupStartTime ?? wallTime(draft) };
  draft.record.current = named;
  const end = outcomeOf(draft, named, backupName);
  if (end !== undefined) finish(draft, named, end.outcome, end.why);
};
