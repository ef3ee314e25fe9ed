import { type MoveCause, moveCauses, type Reason, reasons } from '../../crds/index.js';
import { camerasOfRole, substituteShare } from '../cameras.js';
import { type Draft, type Policy, viewOf, waitLeftMs } from '../draft.js';
import { type HeldRole, heldRoles, holderOf } from '../roles.js';
import { type Candidate, chooseStandby, whyNone } from '../standby/standby-choice.js';
import { acknowledged } from '../takeover/proof.js';
import { brokenServersWait } from '../takeover/queue.js';
import type { PoolView, ServerView } from '../types.js';
import { failbackHold, homeToReturnTo } from './failback.js';
import { beginMove } from './planned-move.js';
import { commandOf } from './requests.js';

/** A move that was abandoned is tried again after so long. Milliseconds. */
const RETRY_MS = 300_000;

/** A role that should move although nothing is broken. */
export interface WantedMove {
  readonly role: HeldRole;
  readonly holder: ServerView;
  readonly cause: MoveCause;
  /** The only server that will do; any that fits when absent. */
  readonly to?: string | undefined;
  readonly requestId?: string | undefined;
}

/** A move that waits, for condition MovesPending. */
export interface PendingMove {
  readonly role: string;
  readonly cause: MoveCause;
  readonly reason: Reason;
  /** Says what it waits for; without running figures. */
  readonly message: string;
}

interface Wait {
  readonly reason: Reason;
  readonly message: string;
}

const wait = (message: string, reason: Reason = reasons.MoveWaiting): Wait => ({ reason, message });

// --- what should move

/** The move that a person has asked for and that has not begun. */
function requested({ status }: PoolView, role: HeldRole): Pick<WantedMove, 'cause' | 'to' | 'requestId'> | undefined {
  const { lastRequest, current } = status;
  if (lastRequest?.outcome !== 'Running' || current?.requestId === lastRequest.id) return undefined;
  const command = commandOf(lastRequest.command);
  if (command === undefined || command.kind === 'release-hold' || command.role !== role.name) return undefined;
  const to = command.kind === 'failback' ? role.name : command.to;
  return { cause: 'Requested', to, requestId: lastRequest.id };
}

/** Why a role should move, the strongest cause first; each is a level, so an edit taken back ends it. */
function causeOf(view: PoolView, role: HeldRole, holder: ServerView): Omit<WantedMove, 'role' | 'holder'> | undefined {
  const asked = requested(view, role);
  if (asked !== undefined) return asked;
  if (holder.spec.operatingMode === 'Maintenance') return { cause: 'Maintenance' };
  if (view.spec.moveOnCordon && holder.cordonedNode !== undefined) return { cause: 'NodeCordoned' };
  if (holder.spec.updateStrategy === 'Switchover' && holder.outdated === true) return { cause: 'TemplateUpdated' };
  return homeToReturnTo(view, role) === undefined ? undefined : { cause: 'Failback', to: role.name };
}

function inOrder(a: WantedMove, b: WantedMove): number {
  return moveCauses.indexOf(a.cause) - moveCauses.indexOf(b.cause) || (a.role.name < b.role.name ? -1 : 1);
}

/** Rule 16: all roles that should move by plan, in the order in which they are begun. Broken holders are the queue's. */
export function wantedMoves(view: PoolView): WantedMove[] {
  const { current, queue = [] } = view.status;
  const busy = new Set([current?.role, ...queue.map(({ role }) => role)]);
  return heldRoles(view)
    .filter(({ name }) => !busy.has(name))
    .flatMap((role) => {
      const holder = holderOf(view, role);
      const wanted = holder && causeOf(view, role, holder);
      return holder === undefined || wanted === undefined ? [] : [{ role, holder, ...wanted }];
    })
    .sort(inOrder);
}

/** Roles whose cameras a planned move may ask for. */
export function rolesThatMayMove(view: PoolView): HeldRole[] {
  return wantedMoves(view).map(({ role }) => role);
}

// --- what each waits for

/** What keeps every planned move waiting: failures go first, and one thing at a time. */
function allHeld(draft: Draft): Wait | undefined {
  const { current } = draft.record;
  if (draft.input.spec.paused) return wait('waits until spec.paused is unset');
  if (draft.held) return wait('waits until the storm is over or its hold is released');
  if (brokenServersWait(draft)) return wait('waits until no broken server is queued');
  if (current !== undefined) return wait(`waits until the move of ${current.role} to ${current.standby} is done`);
  return undefined;
}

/** The newest entry of a role tells whether the last try was abandoned. */
function recentlyAbandoned(draft: Draft, { role, cause }: WantedMove): Wait | undefined {
  const last = draft.record.history?.find((entry) => entry.role === role.name);
  if (cause === 'Requested' || last?.outcome !== 'Abandoned') return undefined;
  if (waitLeftMs(draft, `abandoned/${role.name}/${role.epoch}`, RETRY_MS) <= 0) return undefined;
  return wait(`is tried again 5 minutes after it was abandoned: ${last.message ?? ''}`);
}

/** The cause's own reason to wait. */
function ownHold(draft: Draft, { role, cause }: WantedMove): Wait | undefined {
  const home = cause === 'Failback' ? homeToReturnTo(viewOf(draft), role) : undefined;
  return home === undefined ? undefined : failbackHold(draft, role, home);
}

/**
 * Make before break needs a holder that records and says so. One that was never ready records nothing, so taking its
 * role for its repair can't lose anything.
 */
function holderNotReady({ role, holder, cause }: WantedMove): Wait | undefined {
  const unsettled = role.entry !== undefined && role.entry.handedOverTime === undefined;
  const idle = holder.health.verdict === 'NeverReady' && (cause === 'Maintenance' || cause === 'Requested');
  const records = holder.health.verdict === 'Healthy' && acknowledged(holder, role.name, role.epoch);
  return unsettled || !(idle || records) ? wait(`waits until ${holder.name} records it and is healthy`) : undefined;
}

/** Cameras that a substitute would have to take. */
function cameraCount(draft: Draft, role: HeldRole): number {
  return substituteShare(camerasOfRole(draft.input.cameras, role.name), undefined).taken.length;
}

/** Targets of abandoned tries since the role last moved: others go first. */
function failedTargets(draft: Draft, role: HeldRole): Set<string> {
  const ofRole = (draft.record.history ?? []).filter((entry) => entry.role === role.name);
  const moved = ofRole.findIndex(({ outcome }) => outcome !== 'Abandoned');
  return new Set(ofRole.slice(0, moved < 0 ? ofRole.length : moved).map(({ to }) => to));
}

/** The servers that could take the role by this plan, best first; those that don't fit say why. */
export function targetsOf(draft: Draft, move: WantedMove, tolerateLate: boolean): readonly Candidate[] {
  const planned = move.cause === 'Requested' ? 'Requested' : 'ByItself';
  const options = { planned, cameras: cameraCount(draft, move.role), tolerateLate } as const;
  const failed = failedTargets(draft, move.role);
  const { candidates } = chooseStandby(viewOf(draft), move.role, options);
  const named = move.to === undefined ? candidates : candidates.filter(({ server }) => server.name === move.to);
  return [
    ...named.filter(({ server }) => !failed.has(server.name)),
    ...named.filter(({ server }) => failed.has(server.name)),
  ];
}

const fits = ({ reason }: Candidate): boolean => reason === reasons.Fits;

/** Why no server takes the role by this plan. */
export function whyNoTarget(move: WantedMove, candidates: readonly Candidate[]): string {
  const [only] = candidates;
  if (move.to !== undefined && only !== undefined) return `${only.server.name}: ${only.reason} (${only.message})`;
  if (move.to !== undefined) return `${move.to} is no server of this pool`;
  return whyNone({ candidates }).message;
}

/** A new template reaches the standbys first, and one more than the target has to remain ready. */
function updateTarget(candidates: readonly Candidate[]): { readonly target?: ServerView; readonly waiting?: Wait } {
  const ready = candidates.filter(fits);
  const target = ready.find(({ server }) => server.outdated !== true)?.server;
  if (target === undefined && ready.length > 0)
    return { waiting: wait('waits until a standby has the new template; standbys are replaced first') };
  if (target !== undefined && ready.length < 2)
    return { waiting: wait(`waits for another ready standby beside ${target.name}: none would be left`) };
  return target === undefined ? {} : { target };
}

function targetOf(draft: Draft, move: WantedMove, tolerateLate: boolean) {
  const candidates = targetsOf(draft, move, tolerateLate);
  const update = move.cause === 'TemplateUpdated' ? updateTarget(candidates) : undefined;
  if (update?.waiting !== undefined) return { waiting: update.waiting };
  const target = update?.target ?? candidates.find((candidate) => fits(candidate) && update === undefined)?.server;
  return target === undefined ? { waiting: wait(`waits: ${whyNoTarget(move, candidates)}`) } : { target };
}

/** Begins the move, or says what it waits for. */
function begin(draft: Draft, move: WantedMove): Wait | undefined {
  // Both have clocks, which must go on whatever else holds the move back.
  const own = ownHold(draft, move);
  const retry = recentlyAbandoned(draft, move);
  // A lone late heartbeat is not worth a changed condition: what would hold it back for longer is told first.
  const lasting = targetOf(draft, move, true);
  const held = own ?? allHeld(draft) ?? retry ?? lasting.waiting ?? holderNotReady(move);
  if (held !== undefined) return held;
  const { target } = targetOf(draft, move, false);
  if (target === undefined) return wait(`waits until ${lasting.target?.name} is heard healthy`);
  beginMove(draft, move, target);
  return undefined;
}

/**
 * Rule 16: planned moves, derived anew in each pass from what should be. One at a time, in order; one that waits does
 * not block one behind it.
 */
export const planMoves: Policy = (draft) => {
  const pending: PendingMove[] = [];
  for (const move of wantedMoves(viewOf(draft))) {
    const waiting = begin(draft, move);
    if (waiting !== undefined) pending.push({ role: move.role.name, cause: move.cause, ...waiting });
  }
  draft.pendingMoves = pending;
};
