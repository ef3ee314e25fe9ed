import { reasons } from '../crds/index.js';
import { type Draft, waitLeftMs } from './draft.js';

/**
 * A restore has so long to finish or to renew its mark, from when this replica first saw it: one that was interrupted must
 * not leave a pool without failovers for a night. It takes two minutes for 64,000 cameras. Milliseconds.
 */
export const RESTORE_MS = 600_000;

/**
 * Whether a restore runs that has written who holds which role, and has not made all servers and cameras yet. A decision
 * upon half of them would take a holder that is still to come for a deleted one, and fail its role over. One that takes
 * too long ends here: the pool goes on with what there is, loudly.
 */
export function restoreRuns(draft: Draft): boolean {
  const { restore } = draft.record;
  if (restore === undefined) return false;
  if (waitLeftMs(draft, `restore/${restore.sha256}/${restore.renewTime ?? restore.startTime}`, RESTORE_MS) > 0)
    return true;
  delete draft.record.restore;
  draft.events.push({
    type: 'Warning',
    reason: reasons.RestoreUnfinished,
    action: 'Restore',
    note:
      `The restore that began ${restore.startTime} was not finished within ${RESTORE_MS / 1000} s; ` +
      'the pool decides again with what there is. Run the restore again: it goes on where it ended',
  });
  return false;
}
