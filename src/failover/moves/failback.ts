import { type HistoryEntry, labels, type Reason, reasons } from '../../crds/index.js';
import { isMoveCause } from '../causes.js';
import { type Draft, viewOf, waitLeftMs } from '../draft.js';
import { findServer, type HeldRole } from '../roles.js';
import { reachRank } from '../takeover/camera-loss.js';
import type { PoolView, ServerView } from '../types.js';

/** A home that breaks so soon after its role went home has flapped: at least an hour. Seconds. */
const SHORTEST_FLAP_SECONDS = 3600;
const FLAP_STABLE_PERIODS = 10;

/** What keeps a role from going home. */
export interface FailbackHold {
  readonly reason: Reason;
  readonly message: string;
}

/** The command by which a person sends a role home; to be pasted as it is. */
export function failbackCommand(pool: string, role: string): string {
  return `kubectl annotate fop ${pool} ${labels.request}="$(date +%s) failback ${role}" --overwrite`;
}

function brokeAtHome({ from, trigger, outcome }: HistoryEntry, role: string): boolean {
  return from === role && !isMoveCause(trigger) && outcome !== 'Superseded';
}

function wentHome({ to, trigger, outcome }: HistoryEntry, role: string): boolean {
  return to === role && isMoveCause(trigger) && outcome !== 'Abandoned' && outcome !== 'Superseded';
}

/** Rule 16: its home broke again soon after an earlier failback to it. Newest first, as in status.history. */
export function flapped(history: readonly HistoryEntry[], role: string, stableSeconds: number): boolean {
  const ofRole = history.filter((entry) => entry.role === role);
  const broke = ofRole.findIndex((entry) => brokeAtHome(entry, role));
  const fault = ofRole[broke];
  const back = ofRole.slice(broke + 1).find((entry) => entry.to === role);
  if (fault === undefined || back === undefined || !wentHome(back, role)) return false;
  const window = Math.max(SHORTEST_FLAP_SECONDS, FLAP_STABLE_PERIODS * stableSeconds) * 1000;
  const lasted =
    Date.parse(fault.brokenTime ?? fault.committedTime) - Date.parse(back.recordingTime ?? back.committedTime);
  return lasted <= window;
}

/** The home that the role could go back to; a broken one is none. */
export function homeToReturnTo(view: PoolView, role: HeldRole): ServerView | undefined {
  const { mode } = view.spec.failback;
  // Where a person has put it, it stays until a person or a failure moves it.
  if (mode === 'None' || role.holder === role.name || role.entry?.cause === 'Requested') return undefined;
  const home = findServer(view, role.name);
  if (home === undefined || !home.member || home.deleting || home.spec.type !== 'Standard') return undefined;
  return home.health.verdict === 'Broken' || home.health.verdict === 'NeverReady' ? undefined : home;
}

/**
 * Out of the folder Broken, and, before it goes home by itself, healthy for stableSeconds without a break as this
 * replica has seen.
 */
function stable(draft: Draft, home: ServerView): boolean {
  if (draft.input.spec.failback.mode === 'Manual') return home.status?.state !== 'Broken';
  const waited = waitLeftMs(draft, `stable/${home.uid}`, draft.input.spec.failback.stableSeconds * 1000) <= 0;
  return waited && home.status?.state !== 'Broken';
}

/** Rule 16: what keeps a role from going home by itself; undefined when it may. */
export function failbackHold(draft: Draft, role: HeldRole, home: ServerView): FailbackHold | undefined {
  const { name, spec } = viewOf(draft);
  const { mode, stableSeconds } = spec.failback;
  // Asked for whatever else holds it back: the wait runs from when the home is healthy.
  const isStable = stable(draft, home);
  if (home.spec.operatingMode === 'Maintenance')
    return { reason: reasons.MoveWaiting, message: `waits until ${home.name} is not in Maintenance any more` };
  if (home.cordonedNode !== undefined)
    return { reason: reasons.MoveWaiting, message: `waits until node ${home.cordonedNode} is uncordoned` };
  if (reachRank(home, role.name) === 2)
    return { reason: reasons.MoveWaiting, message: `waits until ${home.name} reaches cameras of the role again` };
  if (!isStable) {
    const message = `waits until ${home.name} has been healthy for ${stableSeconds} s`;
    return { reason: reasons.AwaitingStability, message };
  }
  const command = failbackCommand(name, role.name);
  if (mode === 'Manual') return { reason: reasons.AwaitingPerson, message: `${home.name} is healthy; ${command}` };
  if (!flapped(draft.record.history ?? [], role.name, stableSeconds)) return undefined;
  const message = `${home.name} broke again soon after its role had gone home; when it is mended: ${command}`;
  return { reason: reasons.FlappedRecently, message };
}
