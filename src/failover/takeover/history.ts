import type { CurrentFailover, HistoryEntry, QueueEntry } from '../../crds/index.js';
import type { Draft } from '../draft.js';

/** Entries kept, newest first. */
const LENGTH = 20;

/** Writes the failover that runs, or ran, into the history. */
export function remember(
  draft: Draft,
  current: CurrentFailover,
  outcome: HistoryEntry['outcome'],
  backedUpTime?: string,
  message?: string,
): void {
  const { server, standby, step: _step, failingBefore: _before, backupStartTime: _start, ...kept } = current;
  const entry: HistoryEntry = { ...kept, from: server, to: standby, outcome };
  if (backedUpTime !== undefined) entry.backedUpTime = backedUpTime;
  if (message !== undefined) entry.message = message.slice(0, 1024);
  const before = draft.record.history ?? [];
  const newest = before[0];
  // The same standby failing again and again must not push the other failovers out.
  const repeated =
    (outcome === 'Superseded' || outcome === 'Abandoned') &&
    newest?.outcome === outcome &&
    newest.role === entry.role &&
    newest.to === entry.to &&
    newest.brokenTime === entry.brokenTime;
  draft.record.history = [entry, ...(repeated ? before.slice(1) : before)].slice(0, LENGTH);
}

/** The standbys that were given the role since it broke, and failed on the way. */
export function failedAttempts(draft: Draft, entry: QueueEntry): string[] {
  return (draft.record.history ?? [])
    .filter(
      ({ outcome, role, brokenTime }) =>
        outcome === 'Superseded' && role === entry.role && brokenTime === entry.brokenTime,
    )
    .map(({ to }) => to);
}
