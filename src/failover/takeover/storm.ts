import { GROUP, type QueueEntry, reasons, type StormHold } from '../../crds/index.js';
import { listed, nodeOf } from '../conditions/placement.js';
import { type Draft, type Policy, viewOf, waitLeftMs, wallTime } from '../draft.js';
import { inContact, OUT_OF_CONTACT_CHECK_MS } from '../health/contact.js';
import { releaseAsked } from '../moves/requests.js';
import { findServer } from '../roles.js';
import { assignedRole } from '../standby/standby-choice.js';
import type { ApiContact, ConditionVerdict, PoolView, ServerView } from '../types.js';

/** A single silent node is an ordinary failure, however many recorders it runs. */
const FEWEST_NODES = 2;
/** A server that had been broken for longer when the storm began is no part of it. Milliseconds. */
const SAME_STORM_MS = 300_000;
/**
 * Recorders that are cut off at once do not come back at once: an agent tries to renew every second. The hold ends this
 * long after enough of them are heard again, so that the last ones are not taken for broken; sooner when it has not
 * lasted so long itself, since a heartbeat that was late for a moment must not cost a failover more. Milliseconds.
 */
const CALM_MS = 5_000;

/** Nodes with servers of the pool, and those of them that are silent. */
interface Tally {
  readonly nodes: number;
  readonly silent: readonly string[];
  /** Silent, or not seen yet by this replica: a restart must not end a storm. */
  readonly atMost: number;
}

/** When it broke, of one that has not been healthy since; wall clock, milliseconds. */
function brokenSinceMs({ status }: ServerView): number | undefined {
  if (status?.brokenTime === undefined || status.healthyTime !== undefined) return undefined;
  return Date.parse(status.brokenTime);
}

/** Broken since long before: hardware that waits for its repair says nothing about the network. */
function longBroken(server: ServerView, referenceMs: number): boolean {
  const sinceMs = brokenSinceMs(server);
  return sinceMs !== undefined && sinceMs < referenceMs - SAME_STORM_MS;
}

/**
 * Its failover was through before the storm began: what was found out and mended is no part of it. Else the death of a
 * substitute, soon after that of its recorder, would be a storm in every small pool.
 */
function servedBefore({ record }: Draft, server: ServerView, beforeMs: number): boolean {
  const { name } = server;
  const sinceMs = brokenSinceMs(server);
  const roles = record.roles ?? [];
  if (sinceMs === undefined || roles.some(({ holder }) => holder === name)) return false;
  return roles.some((role) => {
    const handedOverMs = Date.parse(role.handedOverTime ?? '');
    const wasIts = role.name === name || role.previousHolder === name;
    return wasIts && handedOverMs >= sinceMs && handedOverMs <= beforeMs;
  });
}

/** In maintenance its pod is to be gone, so its silence is wanted. */
function repaired(view: PoolView, server: ServerView): boolean {
  return server.spec.operatingMode === 'Maintenance' && assignedRole(view, server) === '';
}

function isCounted(draft: Draft, server: ServerView, referenceMs: number): boolean {
  if (!server.member || server.deleting || repaired(viewOf(draft), server)) return false;
  const { hold } = draft.record;
  const beganMs = hold === undefined ? referenceMs : Date.parse(hold.startTime);
  return !longBroken(server, referenceMs) && !servedBefore(draft, server, beganMs);
}

function tally(draft: Draft, referenceMs: number): Tally {
  const counted = draft.input.servers.filter((server) => isCounted(draft, server, referenceMs));
  const nodesWith = (holds: (server: ServerView) => boolean) => [...new Set(counted.filter(holds).map(nodeOf))].sort();
  return {
    nodes: nodesWith(() => true).length,
    silent: nodesWith(({ health }) => health.suspected),
    atMost: nodesWith(({ health }) => health.suspected || health.verdict === 'Unknown').length,
  };
}

function isStorm(draft: Draft, silentNodes: number, nodes: number): boolean {
  return silentNodes >= FEWEST_NODES && silentNodes * 100 > nodes * draft.input.spec.storm.maxUnreachablePercent;
}

/** Disk and service failures are no silence, even if the server had been queued for silence first. */
function isSilence(draft: Draft, entry: QueueEntry): boolean {
  const trigger = findServer(draft.input, entry.server)?.health.trigger;
  return entry.trigger === 'Unreachable' && (trigger === undefined || trigger === 'Unreachable');
}

function silentEntries(draft: Draft): QueueEntry[] {
  return (draft.record.queue ?? []).filter((entry) => isSilence(draft, entry));
}

/** Whether a queued server waits for the end of the hold. */
export function heldByStorm(draft: Draft, entry: QueueEntry): boolean {
  const { hold } = draft.record;
  return hold !== undefined && hold.releasedTime === undefined && isSilence(draft, entry);
}

/** When a hold ends, in words that do not run. */
function untilWhen({ untilTime }: StormHold): string {
  return untilTime === undefined ? '' : ` until ${untilTime}, if the API server goes on answering`;
}

/** What a held entry waits for. */
export function stormWait(draft: Draft): string {
  const { maxUnreachablePercent } = draft.input.spec.storm;
  const until = draft.record.hold === undefined ? '' : untilWhen(draft.record.hold);
  return `more than ${maxUnreachablePercent} % of the pool's nodes fell silent at once; held${until}`;
}

// --- the life of a hold

function begin(draft: Draft, { silent, atMost, nodes }: Tally): void {
  const { holdSeconds, maxUnreachablePercent } = draft.input.spec.storm;
  const unheard = atMost > silent.length ? '; others have not been heard yet' : '';
  draft.events.push({
    type: 'Warning',
    reason: reasons.StormHold,
    action: 'Hold',
    note:
      `${atMost} of ${nodes} nodes fell silent at once (${listed(silent)}${unheard}), more than ${maxUnreachablePercent} %: ` +
      `failovers of silent servers are held for ${holdSeconds} s; look at the network and the API server`,
  });
  draft.record.hold = { startTime: wallTime(draft) };
  goOn(draft, draft.record.hold);
}

function release(draft: Draft, hold: StormHold, reason: NonNullable<StormHold['reason']>): void {
  draft.record.hold = { ...hold, releasedTime: wallTime(draft), reason };
  const why = reason === 'Requested' ? 'a person asked for it' : 'the API server has answered for storm.holdSeconds';
  draft.events.push({
    type: 'Warning',
    reason: reasons.HoldReleased,
    action: 'Release',
    note: `The storm lasts, but ${why}: failovers of silent servers are served again`,
  });
}

function end(draft: Draft, hold: StormHold): void {
  delete draft.record.hold;
  if (hold.releasedTime !== undefined) return;
  draft.events.push({
    type: 'Normal',
    reason: reasons.StormOver,
    action: 'Release',
    note: 'Enough nodes are heard again: failovers are served as they come',
  });
}

/** Name of the wait that began when this replica first saw the hold. */
function startOf({ startTime }: StormHold): string {
  return `storm/${startTime}`;
}

/**
 * When the hold ends, on this replica's clock. Law 7: it counts from the hold's start or from the first answer of the API
 * server since its last outage, whichever is later; and from zero after a restart of the operator.
 */
function endOf(draft: Draft, hold: StormHold, contact: ApiContact): number {
  const { now, memory, spec } = draft.input;
  const name = startOf(hold);
  const start = memory.get(name) ?? now.monotonic;
  draft.waits.set(name, start);
  return Math.max(start, contact.since) + spec.storm.holdSeconds * 1000;
}

/** Says when the hold ends, again only when that has moved: a time that ran would be written at every look. */
function announceEnd(draft: Draft, hold: StormHold, endMs: number): void {
  const { now, memory } = draft.input;
  const name = `storm-end/${hold.startTime}`;
  draft.waits.set(name, endMs);
  if (hold.untilTime !== undefined && memory.get(name) === endMs) return;
  const untilTime = new Date(now.wall.getTime() + endMs - now.monotonic).toISOString();
  draft.record.hold = { ...hold, untilTime };
}

/** Released by a person or by time; else the hold goes on, and says until when. */
function goOn(draft: Draft, hold: StormHold): void {
  const { now, contact } = draft.input;
  if (releaseAsked(draft.input)) {
    release(draft, hold, 'Requested');
    return;
  }
  if (contact === undefined) {
    draft.due.push(OUT_OF_CONTACT_CHECK_MS);
    return;
  }
  const endMs = endOf(draft, hold, contact);
  const inTouch = inContact(contact, now.monotonic);
  if (inTouch && endMs <= now.monotonic) {
    release(draft, hold, 'Elapsed');
    return;
  }
  draft.due.push(inTouch ? Math.ceil(endMs - now.monotonic) : OUT_OF_CONTACT_CHECK_MS);
  announceEnd(draft, hold, endMs);
}

/** Recovery: with those that are still silent, or not seen yet, it would be no storm; for a while already. */
function recovered(draft: Draft, hold: StormHold, { atMost, nodes }: Tally): boolean {
  if (isStorm(draft, atMost, nodes)) return false;
  const { memory, now } = draft.input;
  const calm = `storm-calm/${hold.startTime}`;
  // It holds nobody; but ended by one heartbeat that a late watch has brought, it would hold the next failover again.
  if (hold.releasedTime !== undefined) return waitLeftMs(draft, calm, CALM_MS) <= 0;
  if (silentEntries(draft).length === 0) return true;
  const lastedMs = (memory.get(calm) ?? now.monotonic) - (memory.get(startOf(hold)) ?? now.monotonic);
  return waitLeftMs(draft, calm, Math.min(CALM_MS, lastedMs)) <= 0;
}

/** Those that stay broken leave the storm by time alone; their pool must be looked at then. */
function awaitCalm(draft: Draft): void {
  for (const { health, status } of draft.input.servers) {
    if (!health.suspected || status?.brokenTime === undefined) continue;
    const left = Date.parse(status.brokenTime) + SAME_STORM_MS - draft.input.now.wall.getTime();
    if (left >= 0) draft.due.push(left + 1);
  }
}

/**
 * Storm hold: when more than storm.maxUnreachablePercent of the pool's nodes, and two at least, have servers that are
 * silent, the network or the API server is more likely at fault than they; their failovers wait. A hold begins with the
 * first failure that it holds. It ends by recovery, by a person, or by itself after storm.holdSeconds of uninterrupted
 * contact with the API server: a false takeover costs a duplicate, an endless hold costs footage. Once released it stays
 * released while the storm lasts.
 */
export const holdInStorm: Policy = (draft) => {
  const { hold } = draft.record;
  const { now, spec } = draft.input;
  const unreleased = hold !== undefined && hold.releasedTime === undefined;
  const storm = tally(draft, unreleased ? Date.parse(hold.startTime) : now.wall.getTime());
  if (hold === undefined) {
    // After a restart those that are silent turn from not seen to broken one by one: the first must not slip through.
    if (spec.storm.holdSeconds === 0 || !isStorm(draft, storm.atMost, storm.nodes)) return;
    if (silentEntries(draft).length > 0) begin(draft, storm);
  } else if (recovered(draft, hold, storm)) {
    end(draft, hold);
    return;
  } else if (unreleased) goOn(draft, hold);
  else awaitCalm(draft);
  draft.held = draft.record.hold?.releasedTime === undefined;
};

/** Condition FailoversHeld: who is held, until when, and how a person ends it. */
export function failoversHeld(draft: Draft): ConditionVerdict {
  const { hold } = draft.record;
  if (hold === undefined)
    return { status: 'False', reason: reasons.NoStorm, message: 'Failovers are served as they come' };
  if (hold.releasedTime !== undefined) {
    const why = hold.reason === 'Requested' ? 'a person asked for it' : 'the API server has answered for holdSeconds';
    const message = `Many nodes are silent, but the hold was released at ${hold.releasedTime}: ${why}`;
    return { status: 'False', reason: reasons.HoldReleased, message };
  }
  const held = silentEntries(draft).map(({ server }) => server);
  const command = `kubectl annotate fop ${draft.input.name} --overwrite ${GROUP}/request='<id> release-hold'`;
  const message = `Held: ${listed(held) || 'nobody'}; ${stormWait(draft)}. To serve them now: ${command}`;
  return { status: 'True', reason: reasons.StormHold, message };
}
