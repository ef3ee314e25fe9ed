import { type QueueEntry, reasons, type Trigger } from '../../crds/index.js';
import { type Draft, type Policy, viewOf } from '../draft.js';
import { findServer, type HeldRole, heldRoles, holderOf, isHolder } from '../roles.js';
import type { Evidence, ServerView } from '../types.js';
import { movedForCamerasLately, waitsForCameras } from './camera-loss.js';
import { recordedEvidence, steadyWall } from './evidence-record.js';

/** Room in status.queue. */
const LONGEST_QUEUE = 256;

/** Rule 13: the order of the queue is the time when each was judged broken, ties by name. */
function byBrokenTime(a: QueueEntry, b: QueueEntry): number {
  return Date.parse(a.brokenTime) - Date.parse(b.brokenTime) || (a.server < b.server ? -1 : 1);
}

/** Puts an entry where its time belongs; an empty queue is an absent one. */
export function setQueue(draft: Draft, queue: readonly QueueEntry[]): void {
  if (queue.length > 0) draft.record.queue = [...queue].sort(byBrokenTime).slice(0, LONGEST_QUEUE);
  else delete draft.record.queue;
}

/** The role of an entry as it is held now. */
export function roleOf(draft: Draft, name: string): HeldRole | undefined {
  return heldRoles(viewOf(draft)).find((role) => role.name === name);
}

/** Broken servers that wait. One that only looks for a standby which reaches its cameras records all it can, for hours. */
export function brokenServersWait({ record }: Draft): boolean {
  return record.queue?.some(({ trigger }) => trigger !== 'CamerasUnreachable') === true;
}

/** Whether the entry's server still holds the role; it does not after a takeover that failed on the way. */
export function stillHolds(draft: Draft, entry: QueueEntry): boolean {
  const role = roleOf(draft, entry.role);
  const server = findServer(draft.input, entry.server);
  return role !== undefined && server !== undefined && isHolder(role, server);
}

function dropped(draft: Draft, entry: QueueEntry, reason: 'RecoveredBeforeTurn' | 'NotMonitored', note: string): false {
  draft.events.push({ server: entry.server, type: 'Normal', reason: reasons[reason], action: 'LeaveQueue', note });
  return false;
}

/** A home that left or was deleted takes its own role along: nothing of it is left to move. */
function tookItsRoleAlong(draft: Draft, entry: QueueEntry, role: HeldRole): boolean {
  return role.name === role.holder && role.holder === entry.server && holderOf(viewOf(draft), role) === undefined;
}

/** After a takeover that failed on the way: somebody has proved since then that it records the role. */
function settledMeanwhile(draft: Draft, role: HeldRole): boolean {
  return role.entry?.handedOverTime !== undefined && holderOf(viewOf(draft), role) !== undefined;
}

function staysQueued(draft: Draft, entry: QueueEntry): boolean {
  const role = roleOf(draft, entry.role);
  const server = findServer(draft.input, entry.server);
  if (role === undefined || tookItsRoleAlong(draft, entry, role)) {
    if (server === undefined) return false;
    return dropped(draft, entry, 'NotMonitored', `${entry.server} has no role in this pool any more`);
  }
  if (!stillHolds(draft, entry)) return !settledMeanwhile(draft, role);
  if (server?.member !== true || server.deleting) return true;
  if (server.health.verdict !== 'Healthy') return server.health.verdict !== 'NeverReady';
  if (waitsForCameras(draft, entry)) return true;
  const how = entry.trigger === 'CamerasUnreachable' ? 'need not move for its cameras any more' : 'records again';
  return dropped(draft, entry, 'RecoveredBeforeTurn', `${entry.server} ${how}; nothing was moved`);
}

/** A server that recovers before its turn, or is not the pool's any more, leaves the queue, and an Event says so. */
export const releaseRecovered: Policy = (draft) => {
  setQueue(
    draft,
    (draft.record.queue ?? []).filter((entry) => staysQueued(draft, entry)),
  );
};

/** That a server has failed, and how it shows. */
export interface Failure {
  readonly trigger: Trigger;
  readonly evidence: readonly Evidence[];
  readonly brokenForMs: number;
  readonly lastSeenTime?: string | undefined;
}

/** Rule 9, and the deletion of a server that holds another's role. A home that takes its own role along ends it. */
export function failureOf(draft: Draft, role: HeldRole): Failure | undefined {
  const holder = holderOf(viewOf(draft), role);
  if (holder === undefined) {
    if (role.holder === role.name) return undefined;
    const message = `server ${role.holder} was deleted or left the pool while it held the role ${role.name}`;
    const evidence = [{ reason: reasons.ServerDeleted, message, ageMs: 0 }];
    return { trigger: 'ServerDeleted', evidence, brokenForMs: 0 };
  }
  const { verdict, trigger, evidence, brokenForMs, lastSeenTime } = holder.health;
  if (verdict === 'Broken' && trigger !== undefined) return { trigger, evidence, brokenForMs, lastSeenTime };
  return camerasLost(draft, role, holder);
}

/** The opt-in trigger: the recorder works, and reaches none of its cameras. */
function camerasLost(draft: Draft, role: HeldRole, { health }: ServerView): Failure | undefined {
  if (health.camerasLost === undefined || movedForCamerasLately(draft, role.name, role.epoch)) return undefined;
  const { forMs, evidence: message } = health.camerasLost;
  const evidence = [{ reason: reasons.CamerasUnreachable, message, ageMs: forMs }];
  return { trigger: 'CamerasUnreachable', evidence, brokenForMs: forMs, lastSeenTime: health.lastSeenTime };
}

/** A recorder that waited for its cameras only, and then broke: now its role moves to any standby. */
function worsen(draft: Draft, role: HeldRole): void {
  const waits = draft.record.queue?.find((entry) => entry.role === role.name && entry.server === role.holder);
  if (waits?.trigger !== 'CamerasUnreachable') return;
  const failure = failureOf(draft, role);
  if (failure === undefined || failure.trigger === 'CamerasUnreachable') return;
  setQueue(
    draft,
    (draft.record.queue ?? []).filter((entry) => entry !== waits),
  );
  enter(draft, role, failure);
}

function enter(draft: Draft, role: HeldRole, failure: Failure): void {
  const { trigger, evidence, brokenForMs, lastSeenTime } = failure;
  const brokenTime = new Date(steadyWall(draft) - brokenForMs).toISOString();
  const seen = recordedEvidence(draft, evidence);
  const entry: QueueEntry = { server: role.holder, role: role.name, trigger, evidence: seen, brokenTime };
  setQueue(draft, [
    ...(draft.record.queue ?? []),
    { ...entry, ...(lastSeenTime === undefined ? {} : { lastSeenTime }) },
  ]);
  if (trigger === 'Unreachable') draft.confirmSilence.add(role.holder);
  draft.events.push({
    server: role.holder,
    type: 'Warning',
    reason: reasons.ServerBroken,
    action: 'Queue',
    note: `${role.holder} is ${trigger === 'CamerasUnreachable' ? 'cut off from its cameras' : 'broken'} (${trigger}) with the role ${role.name}: ${evidence.map(({ message }) => message).join('; ')}`,
  });
}

/** Rules 9 and 13: every holder of a role that is judged broken takes its place in the queue, once. */
export const queueBroken: Policy = (draft) => {
  for (const role of heldRoles(viewOf(draft))) {
    worsen(draft, role);
    const known = draft.record.queue?.some((entry) => entry.role === role.name || entry.server === role.holder);
    const moving = draft.record.current?.role === role.name && draft.record.current.step === 'TakingOver';
    const failure = known === true || moving ? undefined : failureOf(draft, role);
    if (failure !== undefined) enter(draft, role, failure);
  }
};
