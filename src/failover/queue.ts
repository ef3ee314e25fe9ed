import { type QueueEntry, reasons, type Trigger } from '../crds/index.js';
import { type Draft, type Policy, viewOf } from './draft.js';
import { recordedEvidence, steadyWall } from './evidence-record.js';
import { findServer, type HeldRole, heldRoles, holderOf, isHolder } from './roles.js';
import type { Evidence } from './types.js';

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
  return dropped(draft, entry, 'RecoveredBeforeTurn', `${entry.server} records again; nothing was moved`);
}

/** A server that recovers before its turn, or is not the pool's any more, leaves the queue, and an Event says so. */
export const releaseRecovered: Policy = (draft) => {
  setQueue(
    draft,
    (draft.record.queue ?? []).filter((entry) => staysQueued(draft, entry)),
  );
};

interface Failure {
  readonly trigger: Trigger;
  readonly evidence: readonly Evidence[];
  readonly brokenForMs: number;
  readonly lastSeenTime?: string | undefined;
}

/** Rule 9, and the deletion of a server that holds another's role. A home that takes its own role along ends it. */
function failureOf(draft: Draft, role: HeldRole): Failure | undefined {
  const holder = holderOf(viewOf(draft), role);
  if (holder === undefined) {
    if (role.holder === role.name) return undefined;
    const message = `server ${role.holder} was deleted or left the pool while it held the role ${role.name}`;
    const evidence = [{ reason: reasons.ServerDeleted, message, ageMs: 0 }];
    return { trigger: 'ServerDeleted', evidence, brokenForMs: 0 };
  }
  const { verdict, trigger, evidence, brokenForMs, lastSeenTime } = holder.health;
  return verdict === 'Broken' && trigger !== undefined ? { trigger, evidence, brokenForMs, lastSeenTime } : undefined;
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
    note: `${role.holder} is broken (${trigger}) with the role ${role.name}: ${evidence.map(({ message }) => message).join('; ')}`,
  });
}

/** Rules 9 and 13: every holder of a role that is judged broken takes its place in the queue, once. */
export const queueBroken: Policy = (draft) => {
  for (const role of heldRoles(viewOf(draft))) {
    const known = draft.record.queue?.some((entry) => entry.role === role.name || entry.server === role.holder);
    const moving = draft.record.current?.role === role.name && draft.record.current.step === 'TakingOver';
    const failure = known === true || moving ? undefined : failureOf(draft, role);
    if (failure !== undefined) enter(draft, role, failure);
  }
};
