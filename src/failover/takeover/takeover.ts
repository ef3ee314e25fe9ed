import { type CurrentFailover, type QueueEntry, type Reason, type Role, reasons } from '../../crds/index.js';
import { camerasOfRole, substituteShare } from '../cameras.js';
import { isMoveCause } from '../causes.js';
import { type Draft, type Policy, viewOf, waitLeftMs, wallTime } from '../draft.js';
import { findServer, type HeldRole, holderOf, isHolder, roleEntry } from '../roles.js';
import { heartbeatSeconds } from '../settings.js';
import { chooseStandby, type StandbyChoice, whyNone } from '../standby/standby-choice.js';
import type { ServerView } from '../types.js';
import { questionOf, seenWithoutCameras } from './camera-loss.js';
import { failedAttempts, remember } from './history.js';
import { acknowledged, camerasNotTakenOver, camerasWithoutProof, failingBefore, recordedOnlyAt } from './proof.js';
import { roleOf, setQueue, stillHolds } from './queue.js';
import { giveRole } from './role-commit.js';
import { heldByStorm, stormWait } from './storm.js';

/** A standby acknowledges within two heartbeats, but is given at least so long. Milliseconds. */
const SHORTEST_ACKNOWLEDGE_MS = 5_000;
/** After the acknowledgement all cameras are to be proved within so long. Milliseconds. */
export const PROOF_MS = 30_000;
/** A standby that failed is tried again after so long, when there is no other. Milliseconds. */
const RETRY_MS = 60_000;

function changeRole(draft: Draft, name: string, change: Partial<Role>): void {
  draft.record.roles = draft.record.roles?.map((role) => (role.name === name ? { ...role, ...change } : role));
}

/** The time that a standby has to acknowledge its new role. Milliseconds. */
export function acknowledgeLimitMs(draft: Draft, standby: ServerView): number {
  const timeout = standby.spec.failoverTimeoutSeconds ?? draft.input.spec.failoverTimeoutSeconds;
  return Math.max(2 * heartbeatSeconds(timeout) * 1000, SHORTEST_ACKNOWLEDGE_MS);
}

// --- a takeover that runs

/** The standby of the running takeover, while it is there and is the one that was chosen. */
export function standbyOf(draft: Draft, current: CurrentFailover): ServerView | undefined {
  const role = roleOf(draft, current.role);
  return role === undefined ? undefined : holderOf(viewOf(draft), role);
}

/** Why the standby can't finish; undefined while it may. */
export function standbyFailure(draft: Draft, current: CurrentFailover): string | undefined {
  const standby = standbyOf(draft, current);
  if (standby === undefined) return 'it was deleted or left the pool';
  if (standby.health.verdict === 'Broken') return `it broke too (${standby.health.trigger})`;
  if (current.acknowledgedTime !== undefined) return undefined;
  const left = waitLeftMs(draft, `acknowledge/${current.epoch}`, acknowledgeLimitMs(draft, standby));
  return left <= 0 ? 'it did not acknowledge its new role in time' : undefined;
}

/** A takeover whose role or standby is unknown to `roles` was edited by hand, or the role ended: it is let go. */
export const dropOrphanedTakeover: Policy = (draft) => {
  const { current } = draft.record;
  if (current !== undefined && roleEntry(draft.record, current.role) === undefined) delete draft.record.current;
};

/** The standby has read its new role. */
export const noteAcknowledgement: Policy = (draft) => {
  const { current } = draft.record;
  if (current?.step !== 'TakingOver' || current.acknowledgedTime !== undefined) return;
  const standby = standbyOf(draft, current);
  if (standby === undefined || !acknowledged(standby, current.role, current.epoch)) return;
  draft.record.current = { ...current, acknowledgedTime: wallTime(draft) };
};

/** Every camera that moves names the new holder in its status. */
export const noteBinding: Policy = (draft) => {
  const { current } = draft.record;
  if (current === undefined || current.boundTime !== undefined) return;
  const standby = standbyOf(draft, current);
  if (standby === undefined) return;
  const moved = substituteShare(camerasOfRole(draft.input.cameras, current.role), standby.spec.capacity?.cameras).taken;
  const bound = moved.every(({ boundTo }) => boundTo?.server === current.standby && boundTo.epoch >= current.epoch);
  if (moved.length > 0 && bound) draft.record.current = { ...current, boundTime: wallTime(draft) };
};

/** Law 7: a standby that is given up for what it did not say must not have said it to an uncached read, either. */
export function confirmStandbySilence(draft: Draft, current: CurrentFailover): void {
  const standby = standbyOf(draft, current);
  if (standby === undefined) return;
  if (standby.health.trigger === 'Unreachable') draft.confirmSilence.add(standby.name);
  if (current.acknowledgedTime === undefined) draft.confirmReports.add(standby.name);
}

/**
 * A standby that dies before the proof, or does not acknowledge within max(2 heartbeats, 5 s), loses the role to the
 * next one; the role goes back to its place in the queue with its original time.
 */
export const supersedeFailedStandby: Policy = (draft) => {
  const { current } = draft.record;
  if (current?.step !== 'TakingOver' || draft.input.spec.paused) return;
  const { role, server, standby, trigger, evidence, brokenTime, lastSeenTime } = current;
  if (isMoveCause(trigger)) return;
  const failure = standbyFailure(draft, current);
  if (failure === undefined) return;
  confirmStandbySilence(draft, current);
  const place: QueueEntry = { server, role, trigger, brokenTime: brokenTime ?? current.committedTime };
  if (evidence !== undefined) place.evidence = evidence;
  if (lastSeenTime !== undefined) place.lastSeenTime = lastSeenTime;
  remember(draft, current, 'Superseded');
  delete draft.record.current;
  setQueue(draft, [...(draft.record.queue ?? []).filter((entry) => entry.server !== server), place]);
  draft.events.push({
    server: standby,
    related: server,
    type: 'Warning',
    reason: reasons.TakeoverSuperseded,
    action: 'TakeOver',
    note: `${standby} was to take over the role ${role}, but ${failure}; the next standby gets it`,
  });
};

/** A takeover is proved when each camera records or has reported a failed attempt; the wait for it is bounded. */
export const proveTakeover: Policy = (draft) => {
  const { current } = draft.record;
  if (current?.step !== 'TakingOver' || current.acknowledgedTime === undefined) return;
  const standby = standbyOf(draft, current);
  if (standby === undefined) return;
  const role = { name: current.role, epoch: current.epoch };
  // A planned move never hands over without proof; `abandonMove` bounds its wait.
  const inDoubt = standby.health.verdict !== 'Healthy' || camerasNotTakenOver(draft.input, current, standby).length > 0;
  if (isMoveCause(current.trigger) && inDoubt) return;
  const missing = camerasWithoutProof(standby, role, draft.input.cameras, current.failingBefore ?? []);
  if (missing.length > 0 && waitLeftMs(draft, `proof/${current.epoch}`, PROOF_MS) > 0) return;
  const now = wallTime(draft);
  changeRole(draft, current.role, { handedOverTime: now, cause: current.trigger });
  draft.record.current = {
    ...current,
    step: 'BackingUp',
    recordingTime: now,
    ...(missing.length > 0 ? { unproved: missing.slice(0, 64) } : {}),
  };
  const proved = missing.length === 0;
  draft.events.push({
    server: current.standby,
    related: current.server,
    type: proved ? 'Normal' : 'Warning',
    reason: proved ? reasons.TakeoverProved : reasons.TakeoverUnproved,
    action: 'TakeOver',
    note: proved
      ? `${current.standby} records the role ${current.role}; ${current.server} may stop`
      : `${current.standby} has the role ${current.role}, but no proof of ${missing.length} cameras: ${missing.slice(0, 20).join(', ')}`,
  });
};

/**
 * Law 6 for roles that were found in the middle of a takeover by a pool that had lost its memory: the previous holder
 * may stop when the present one has proved recording, or the bounded wait has ended.
 */
export const settleFoundHandovers: Policy = (draft) => {
  for (const entry of draft.record.roles ?? []) {
    const elsewhere =
      draft.record.current?.role === entry.name || draft.record.queue?.some(({ role }) => role === entry.name);
    const holder = findServer(draft.input, entry.holder);
    if (entry.handedOverTime !== undefined || elsewhere || holder === undefined || !isHolder(entry, holder)) continue;
    if (!acknowledged(holder, entry.name, entry.epoch)) continue;
    const missing = camerasWithoutProof(holder, entry, draft.input.cameras, []);
    if (missing.length > 0 && waitLeftMs(draft, `found/${entry.name}/${entry.epoch}`, PROOF_MS) > 0) continue;
    // It may have been a planned move: then the previous holder is healthy, and what only it records would be lost.
    const previous = findServer(draft.input, entry.previousHolder);
    if (
      missing.length > 0 &&
      previous?.health.verdict === 'Healthy' &&
      recordedOnlyAt(previous, holder, entry).length > 0
    )
      continue;
    changeRole(draft, entry.name, { handedOverTime: wallTime(draft) });
  }
};

// --- the next takeover

/** Standbys that failed with this role; one is tried again when it acknowledges late, or after a while. */
function heldBackAttempts(draft: Draft, entry: QueueEntry, role: HeldRole): Set<string> {
  const tried = failedAttempts(draft, entry).filter((name) => {
    const server = findServer(draft.input, name);
    const late = server !== undefined && isHolder(role, server) && acknowledged(server, role.name, role.epoch);
    return !late && waitLeftMs(draft, `retry/${role.name}/${role.epoch}/${name}`, RETRY_MS) > 0;
  });
  return new Set(tried);
}

/** A queued server is acted upon only while it is broken, or nobody holds its role any more. */
function evidenceHolds(draft: Draft, entry: QueueEntry): boolean {
  if (!stillHolds(draft, entry)) return true;
  const server = findServer(draft.input, entry.server);
  if (server === undefined || !server.member || server.deleting || server.health.verdict === 'Broken') return true;
  return seenWithoutCameras(draft, entry);
}

function choiceFor(draft: Draft, entry: QueueEntry, role: HeldRole): StandbyChoice {
  const cameras = substituteShare(camerasOfRole(draft.input.cameras, role.name), undefined).taken.length;
  const failed = heldBackAttempts(draft, entry, role);
  return chooseStandby(viewOf(draft), role, { failed, cameras, mustReach: questionOf(entry) });
}

function commit(draft: Draft, entry: QueueEntry, role: HeldRole, standby: ServerView): void {
  const now = wallTime(draft);
  const broken = findServer(draft.input, entry.server);
  const previousHolder = [entry.server, role.holder].find((name) => name !== standby.name);
  const before = failingBefore(broken, role.name, entry.trigger);
  const epoch = giveRole(draft, { role, to: standby, previousHolder });
  const { waitingFor: _done, ...cause } = entry;
  draft.record.current = { ...cause, standby: standby.name, epoch, step: 'TakingOver', committedTime: now };
  if (before.length > 0) draft.record.current.failingBefore = before;
  setQueue(
    draft,
    (draft.record.queue ?? []).filter(({ role: queued }) => queued !== entry.role),
  );
  if (entry.trigger === 'Unreachable' && stillHolds({ ...draft, record: draft.input.status }, entry))
    draft.confirmSilence.add(entry.server);
  waitLeftMs(draft, `acknowledge/${epoch}`, acknowledgeLimitMs(draft, standby));
  draft.events.push({
    server: entry.server,
    related: standby.name,
    type: 'Warning',
    reason: reasons.TakeoverCommitted,
    action: 'TakeOver',
    note: `${standby.name} takes over the role ${role.name} at epoch ${epoch}: ${entry.server} ${entry.trigger === 'CamerasUnreachable' ? 'does not reach its cameras' : 'is broken'} (${entry.trigger})`,
  });
}

/** What keeps the whole queue waiting. */
function queueHeld(draft: Draft): { reason: Reason; message: string } | undefined {
  if (draft.input.spec.paused) return { reason: reasons.Paused, message: 'spec.paused is set' };
  const { current } = draft.record;
  if (current === undefined) return undefined;
  return { reason: reasons.FailoverRunning, message: `the failover of ${current.server} to ${current.standby} runs` };
}

/** Nobody takes the role; for want of a standby that reaches its cameras, or of any. */
function nobodyFor(entry: QueueEntry, choice: StandbyChoice): { reason: Reason; message: string } {
  const none = whyNone(choice);
  if (questionOf(entry) === undefined || none.reason === reasons.NoStandby) return none;
  return { reason: reasons.NoStandbyReachesCameras, message: none.message };
}

/** What keeps this entry waiting; or the takeover that was begun. */
function serve(draft: Draft, entry: QueueEntry): { reason: Reason; message: string } | undefined {
  const held = queueHeld(draft);
  if (held !== undefined) return held;
  if (heldByStorm(draft, entry)) return { reason: reasons.FailoversHeld, message: stormWait(draft) };
  if (!evidenceHolds(draft, entry))
    return { reason: reasons.NotYetObserved, message: 'it may have recovered; this operator has not seen it broken' };
  const role = roleOf(draft, entry.role);
  if (role === undefined) return { reason: reasons.NotYetObserved, message: 'its role is not known' };
  const choice = choiceFor(draft, entry, role);
  if (choice.chosen === undefined) return nobodyFor(entry, choice);
  commit(draft, entry, role, choice.chosen);
  return undefined;
}

/**
 * Rules 1 and 13: one failover at a time, in the order of the queue. An entry without a standby that fits waits, says
 * why, and does not block one behind it.
 */
export const serveQueue: Policy = (draft) => {
  for (const entry of draft.record.queue ?? []) {
    const waiting = serve(draft, entry);
    if (waiting === undefined) continue;
    const waitingFor = `${waiting.reason}: ${waiting.message}`.slice(0, 1024);
    // Its place stays as it is: in a storm the queue is long, and sorting it anew for each entry would take its time.
    draft.record.queue = draft.record.queue?.map((other) =>
      other.role === entry.role ? { ...other, waitingFor } : other,
    );
  }
};
