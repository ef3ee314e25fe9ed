import { reads, renews, reports, starts } from './recorder.js';
import { binds, completesBackup, decides, projects } from './replica.js';
import { nextMoment, observed } from './time.js';
import { withProofs } from './truth.js';
import type { World } from './world.js';

/** Something that can happen. Its name is what a failing schedule prints. */
export interface Step {
  readonly name: string;
  /** The world after it; undefined: it can't happen now, or changes nothing. Never changes its argument. */
  readonly apply: (world: World) => World | undefined;
}

/** Takes a step; everything that follows in the same instant is part of it. Throws what the real functions throw. */
export function take(world: World, step: Step): World | undefined {
  const next = step.apply(world);
  if (next === undefined || next === world) return undefined;
  return withProofs(observed(next, world));
}

/** Does one after the other; undefined when none of them changes anything. */
function inTurn(world: World, ...steps: ((world: World) => World | undefined)[]): World | undefined {
  const last = steps.reduce((next, step) => step(next) ?? next, world);
  return last === world ? undefined : last;
}

const owed = (server: string) => (world: World) =>
  world.recorders[server]?.owesHeartbeat === true ? renews(world, server) : undefined;

/** The agent of a server is awake: it sends the heartbeat that it owes, reads, and tells what is new. */
export const wakes = (server: string): Step => ({
  name: `the agent of ${server} reads its assignment and reports`,
  apply: (world) =>
    inTurn(
      world,
      owed(server),
      (now) => reads(now, server, ['status', 'Lease']),
      (now) => reports(now, server),
    ),
});

/** The parts of waking, in any order and with any delay between them. */
export const heartbeat = (server: string): Step => ({
  name: `${server} renews its Lease and reads the assignment on it`,
  apply: (world) =>
    inTurn(
      world,
      (now) => renews(now, server),
      (now) => reads(now, server, ['Lease']),
    ),
});
export const watches = (server: string): Step => ({
  name: `${server} sees its status`,
  apply: (world) => reads(world, server, ['status']),
});
export const reporting = (server: string): Step => ({
  name: `${server} writes its report`,
  apply: (world) => reports(world, server),
});

/** The pictures of its cameras reach the disk; when it can, it says so. */
export const records = (server: string): Step => ({
  name: `${server} records the cameras it was given`,
  apply: (world) => {
    const recording = starts(world, server);
    return recording === undefined ? undefined : (reports(recording, server) ?? recording);
  },
});

export const decision = (pool = 'pool'): Step => ({
  name: `the operator decides over ${pool}`,
  apply: (world) => decides(world, pool),
});
export const projection = (server: string): Step => ({
  name: `the operator projects ${server}`,
  apply: (world) => projects(world, server),
});
export const bindings: Step = { name: 'the operator binds the cameras', apply: (world) => binds(world) };
export const backupsComplete: Step = {
  name: 'the baselines are complete',
  apply: (world) =>
    inTurn(world, ...Object.keys(world.objects.backups).map((name) => (now: World) => completesBackup(now, name))),
};
export const time: Step = { name: 'time passes', apply: nextMoment };

/** The operator decides, and all that follows from it is written before anything else happens. */
export const pass = (pool = 'pool'): Step => ({
  name: `the operator decides over ${pool} and projects it`,
  apply: (world) =>
    inTurn(
      world,
      (now) => decides(now, pool),
      ...Object.keys(world.objects.servers).map((server) => (now: World) => observedProjection(now, server)),
      (now) => binds(now),
    ),
});

function observedProjection(world: World, server: string): World | undefined {
  const next = projects(world, server);
  return next && observed(next, world);
}

export function serversOf(world: World): string[] {
  return [...new Set([...Object.keys(world.objects.servers), ...Object.keys(world.recorders)])].sort();
}

/** What happens by itself, with the operator's writes in one: fewer orders, so more disturbances can be walked. */
export function coarseSteps(world: World): Step[] {
  const servers = serversOf(world);
  const passes = Object.keys(world.objects.pools).map((pool) => pass(pool));
  return [...passes, ...servers.map(wakes), ...servers.map(records), backupsComplete];
}

/** Everything that happens by itself, one step for each party. */
export function ordinarySteps(world: World): Step[] {
  const servers = serversOf(world);
  return [
    ...Object.keys(world.objects.pools).map((pool) => decision(pool)),
    ...servers.map(projection),
    ...servers.map(wakes),
    ...servers.map(records),
    bindings,
    backupsComplete,
  ];
}

/** Everybody in turn: of all that could happen now only the first does, and the rest when its turn has come. */
export function firstOf(steps: (world: World) => readonly Step[]): (world: World) => readonly Step[] {
  return (world) =>
    steps(world)
      .filter((step) => step.apply(world) !== undefined)
      .slice(0, 1);
}
