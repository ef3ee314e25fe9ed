import { decide } from '../../../../src/failover/decide.js';
import { foldContact } from '../../../../src/failover/health/contact.js';
import { judge } from '../../../../src/failover/health/health.js';
import { observe } from '../../../../src/failover/health/observation.js';
import type { Monotonic, Observation } from '../../../../src/failover/types.js';
import { settingsOf } from '../../../../src/reconcilers/observations.js';
import { signalsOf } from '../../../../src/reconcilers/signals.js';
import { inTouch, orderOf, renews } from './recorder.js';
import { camerasDueMs, healths, poolInput, serversDueMs, timeoutMs } from './replica.js';
import { storesOf } from './seen.js';
import { type ByName, NAMESPACE, type Objects, put, seenBy, type World } from './world.js';

/** A heartbeat every so long, at the timeouts of this world. Milliseconds. */
const HEARTBEAT_MS = 2_000;
/** What only the volume remembers counts after so long without an answer of the API server. Milliseconds. */
const VOLUME_TURN_MS = 2_000;
const LONGEST_LEAP_MS = 3_600_000;
/** One that is heard so seldom is late after one and a half of the longest heartbeats. */
const SELDOM_SECONDS = 3_600;
const LATE_WHEN_SELDOM_MS = 15_000;
/** A grace that ends behind that, as of a server without a pool, is looked for in steps, each before that lateness. */
const STEP_MS = 14_000;
/** The longest grace that a spec of this world has, or that holds without a pool. */
const LONGEST_GRACE_MS = 120_000;

function sameSignals(before: Objects, after: Objects, server: string): boolean {
  if (before.claims !== after.claims) return false;
  return (['servers', 'leases', 'reports', 'pods'] as const).every(
    (kind) => before[kind][server] === after[kind][server],
  );
}

/** The leader folds what it sees anew, at once. `before`: the world whose objects it has folded already. */
export function observed(world: World, before: World): World {
  const { leader } = world;
  const objects = seenBy(world, leader);
  const folded = seenBy(before, before.leader);
  const contact = world.apiAnswers ? foldContact(leader.contact, world.now) : leader.contact;
  let observations: ByName<Observation> = leader.observations;
  if (world.apiAnswers) {
    const stores = storesOf(objects);
    for (const gone of Object.keys(observations).filter((name) => objects.servers[name] === undefined))
      observations = put(observations, gone, undefined);
    for (const [name, server] of Object.entries(objects.servers)) {
      const known = observations[name];
      if (known !== undefined && sameSignals(folded, objects, name)) continue;
      observations = put(observations, name, observe(known, signalsOf(stores, server), world.now));
    }
  }
  if (contact === leader.contact && observations === leader.observations) return world;
  return { ...world, leader: { ...leader, contact, observations } };
}

/**
 * Of one that is heard the next heartbeat comes before it is late; what else is amiss with it may still be due. Judged as
 * if it were heard seldom, which puts its lateness behind most; for what is behind even that, in steps of so long.
 */
function besidesSilenceMs({ leader, now, objects }: World, server: string): number | undefined {
  const observation = leader.observations[server];
  const renewal = observation?.renewal;
  if (observation === undefined || renewal === undefined) return undefined;
  const settings = settingsOf(storesOf(objects), `${NAMESPACE}/${server}`);
  const { contact } = leader;
  for (let ahead = 0; ahead <= LONGEST_GRACE_MS; ahead += STEP_MS) {
    const then = now + ahead;
    const seldom = { ...observation, renewal: { ...renewal, seenAt: then, leaseDurationSeconds: SELDOM_SECONDS } };
    const touch = contact && { ...contact, last: then };
    const { nextCheckInMs } = judge(seldom, { ...settings, timeoutSeconds: SELDOM_SECONDS }, then, touch);
    if (nextCheckInMs !== undefined && nextCheckInMs < LATE_WHEN_SELDOM_MS) return ahead + nextCheckInMs;
  }
  return undefined;
}

/** Milliseconds until something changes by time alone; undefined: nothing does. */
export function dueInMs(world: World): number | undefined {
  if (!world.apiAnswers) return 1_000;
  const healthOf = healths(world);
  const speaks = (name: string): boolean => {
    const recorder = world.recorders[name];
    return recorder !== undefined && inTouch(world, recorder) && !orderOf(recorder).displaced;
  };
  const due: number[] = [...camerasDueMs(world), ...serversDueMs(world)];
  const checks = new Map(
    Object.keys(world.objects.servers).map((name) => {
      const health = healthOf(name);
      const heard = speaks(name) && health.reachable.status === 'True';
      return [name, heard ? besidesSilenceMs(world, name) : health.nextCheckInMs];
    }),
  );
  due.push(...[...checks.values()].filter((ms) => ms !== undefined));
  for (const pool of Object.keys(world.objects.pools)) {
    const input = poolInput(world, pool);
    if (input === undefined) continue;
    const servers = input.servers.map((server) => ({
      ...server,
      health: { ...server.health, nextCheckInMs: checks.get(server.name) },
    }));
    const { requeueAfterMs } = decide({ ...input, servers });
    if (requeueAfterMs !== undefined) due.push(requeueAfterMs);
  }
  for (const [name, { readAt }] of Object.entries(world.leader.unseen))
    due.push(readAt + timeoutMs(world, name) - world.now);
  const unheard = Object.keys(world.objects.servers).some(
    (name) => speaks(name) && healthOf(name).reachable.status !== 'True',
  );
  const soonest = Math.min(...due.filter((ms) => ms > 0), unheard ? HEARTBEAT_MS : Number.POSITIVE_INFINITY);
  return Number.isFinite(soonest) ? soonest : undefined;
}

function heartbeats(world: World): World {
  return Object.keys(world.recorders).reduce((next, name) => renews(next, name) ?? next, world);
}

function volumesHadTheirTurn(world: World, ms: number): World {
  if (ms < VOLUME_TURN_MS) return world;
  let { recorders } = world;
  for (const [name, recorder] of Object.entries(recorders))
    if (recorder.alive && !recorder.apiHadItsTurn)
      recorders = put(recorders, name, { ...recorder, apiHadItsTurn: true });
  return recorders === world.recorders ? world : { ...world, recorders };
}

/** So long passes, in which everybody who can sends heartbeats, and the API server answers the operator if it works. */
export function passes(world: World, ms: number): World {
  const now: Monotonic = world.now + ms;
  const { contact } = world.leader;
  const kept = world.apiAnswers && contact !== undefined ? { ...contact, last: now } : contact;
  const later = volumesHadTheirTurn({ ...world, now, leader: { ...world.leader, contact: kept } }, ms);
  return heartbeats(later);
}

/** Time passes until the next moment at which something changes by itself. */
export function nextMoment(world: World): World | undefined {
  const ms = dueInMs(world);
  return ms === undefined ? undefined : passes(world, Math.min(ms, LONGEST_LEAP_MS));
}
