import type { FailoverPoolStatus, HistoryEntry } from '../../crds/index.js';
import { camerasOfRole, substituteShare } from '../cameras.js';
import { type Draft, type Policy, waitLeftMs } from '../draft.js';
import { findServer, roleEntry } from '../roles.js';
import type { CameraView } from '../types.js';
import { gapSeconds } from './gaps.js';

/** After so long the totals are taken from the cameras that have told; a dead camera must not hold them up. Milliseconds. */
const TOLD_WITHIN_MS = 30_000;

/** A failover that is over, still holds, and of whose gaps nothing has been written yet. */
function awaitsGaps(status: FailoverPoolStatus, entry: HistoryEntry): boolean {
  if (entry.gapSeconds !== undefined || entry.outcome === 'Superseded') return false;
  return roleEntry(status, entry.role)?.epoch === entry.epoch;
}

/** The roles whose cameras are looked at for the totals of a failover that has just ended. */
export function rolesAwaitingGaps(status: FailoverPoolStatus): string[] {
  return (status.history ?? []).filter((entry) => awaitsGaps(status, entry)).map(({ role }) => role);
}

/** The cameras that this failover moved. */
function movedCameras(draft: Draft, entry: HistoryEntry): CameraView[] {
  const capacity = findServer(draft.input, entry.to)?.spec.capacity?.cameras;
  return [...substituteShare(camerasOfRole(draft.input.cameras, entry.role), capacity).taken];
}

function withTotals(entry: HistoryEntry, cameras: readonly CameraView[]): HistoryEntry {
  const longest = cameras.map((camera) =>
    Math.max(0, ...(camera.ledger?.gaps ?? []).filter(({ epoch }) => epoch === entry.epoch).map(gapSeconds)),
  );
  return {
    ...entry,
    gapSeconds: Math.max(0, ...longest),
    camerasWithGap: longest.filter((seconds) => seconds > 0).length,
  };
}

/**
 * Rule 11: the longest gap of a failover stands in its history entry, written once: when each of its cameras is recorded
 * or has failed, or the wait for that has ended. Later gaps of the same recorder are the cameras' own.
 */
export const noteGaps: Policy = (draft) => {
  draft.record.history = draft.record.history?.map((entry) => {
    if (!awaitsGaps(draft.record, entry)) return entry;
    const cameras = movedCameras(draft, entry);
    const told = cameras.every(
      ({ boundTo, ledger }) =>
        boundTo?.epoch === entry.epoch && boundTo.server === entry.to && ledger?.settled === true,
    );
    if (!told && waitLeftMs(draft, `gaps/${entry.role}/${entry.epoch}`, TOLD_WITHIN_MS) > 0) return entry;
    return withTotals(entry, cameras);
  });
};
