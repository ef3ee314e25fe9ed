import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { canonical } from './canonical.js';
import { serverDeleted } from './edits.js';
import {
  cutOff,
  type Fault,
  operatorDies,
  operatorDiesAfterCommit,
  poolStatusLost,
  powerCut,
  watchHangs,
} from './faults.js';
import { judged, round, settled, wrongAtRest } from './rest.js';
import { anotherCluster, baselineOf, type Kept, restored } from './restoring.js';
import { worldAtRest } from './stage.js';
import { bindings, coarseSteps, decision, projection, records, type Step, take, wakes } from './steps.js';
import { passes } from './time.js';
import { walk } from './walk.js';
import { changeRecorder, type World } from './world.js';

interface Walk {
  readonly name: string;
  readonly start: World;
  readonly disturbances: readonly Fault[];
  /** 2 unless given. */
  readonly most?: number;
  /**
   * Whether somebody may be slow. Not where a status can be lost in which the wait for a proof has just ended: what the
   * model judges by would be lost with it.
   */
  readonly delays?: boolean;
}

/** Schedules tried; more by the environment, for a longer run. */
const RUNS = Number(process.env.MODEL_SCHEDULES ?? 100);
const DEEPER = Number(process.env.MODEL_DEEPER ?? 0);
const MOST_STATES = 25_000 * 40 ** DEEPER;

const took = (world: World, { fault }: Fault): World => judged(world, fault) ?? world;
const holders = ({ objects }: World): string[] =>
  (objects.pools.pool?.status?.roles ?? []).map(({ name, holder, epoch }) => `${name} by ${holder} at ${epoch}`).sort();
const bound = ({ objects }: World): string[] =>
  Object.values(objects.cameras)
    .map(({ metadata, status }) => `${metadata.name} by ${status?.boundTo?.server}`)
    .sort();

/** Who holds which role and who records which camera, by the API server. */
const startOf = (world: World): string[] => [...holders(world), ...bound(world)];

/** All at home. */
const atHome = worldAtRest();
/** The recorder a is dead, and a standby stands in for it. */
const substituted = settled(took(atHome, powerCut('a')));
const older = baselineOf(atHome, 'the baseline from before');
const newest = baselineOf(substituted, 'the newest baseline');
const gone = anotherCluster(substituted);

/** Everybody does what there is to do, and no time passes: a restore is quicker than what ends it by itself. */
function done(world: World): World {
  const next = round(world);
  return next === world ? world : done(next);
}

/** Begins, and takes the whole restore step by step, with `between` after each. */
function restoredWhole(start: World, kept: Kept, between: (world: World) => World): World {
  const { fault, repair } = restored(kept);
  let world = judged(start, fault) ?? start;
  for (;;) {
    world = between(world);
    const next = judged(world, repair as Step);
    if (next === undefined) return between(world);
    world = next;
  }
}

describe('a restore with the real rules of a pool', () => {
  it('begins where a standby stands in for a dead recorder', () => {
    expect(holders(substituted).join()).to.match(/^a by [st] at 2$/);
  });

  const paces: readonly (readonly [string, (world: World) => World])[] = [
    ['an operator that sleeps until it is finished', (world) => world],
    ['an operator that does something after each write', round],
    ['an operator that does all that it can after each write', done],
  ];
  for (const [pace, between] of paces) {
    it(`brings the same holders and bindings back into another cluster, without a failover, with ${pace}`, () => {
      const rest = settled(restoredWhole(gone, newest, between));
      expect(startOf(rest)).to.deep.equal(startOf(substituted));
      expect(rest.truth.takeovers).to.deep.equal(substituted.truth.takeovers);
      expect(rest.objects.backups).to.deep.equal({});
      expect(rest.objects.pools.pool?.status?.restore).to.equal(undefined);
      expect(wrongAtRest(rest)).to.equal(undefined);
    });
  }

  it('changes nothing where nothing is amiss', () => {
    expect(took(substituted, restored(newest))).to.equal(substituted);
    expect(took(atHome, restored(older))).to.equal(atHome);
  });

  it('moves no role back by an older baseline', () => {
    const rest = settled(restoredWhole(substituted, older, (world) => world));
    expect(holders(rest)).to.deep.equal(holders(substituted));
  });

  it('ends by itself when nobody goes on with it', () => {
    const begun = took(gone, restored(newest));
    expect(begun.objects.pools.pool?.status?.restore).not.to.equal(undefined);
    expect(settled(begun).objects.pools.pool?.status?.restore).to.equal(undefined);
  });
});

/**
 * Everybody in turn. A step that changes only what makes no difference is no turn: behind it those who come later would
 * never have theirs, and time would pass over them.
 */
function inTurn(world: World): readonly Step[] {
  const key = canonical(world);
  const matters = (step: Step): boolean => {
    const next = take(world, step);
    return next !== undefined && canonical(next) !== key;
  };
  const first = coarseSteps(world).find(matters);
  return first === undefined ? [] : [first];
}

/** What happens beside a restore into another cluster: everything that people and machines do there by themselves. */
const beside: readonly Step[] = [
  ...['a', 'b', 's', 't'].flatMap((name) => [projection(name), wakes(name), records(name)]),
  ...[decision(), decision(), bindings, operatorDies.fault, operatorDiesAfterCommit.fault, watchHangs('reports').fault],
  { name: '200 ms pass', apply: (world) => passes(world, 200) },
  { name: '7 s pass', apply: (world) => passes(world, 7_000) },
];

describe('a restore into another cluster, in whatever order everything happens', () => {
  it('ends with the same holders and bindings, without a failover', function () {
    this.timeout(0);
    const { fault, repair } = restored(newest);
    const write = repair as Step;
    const steps = fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...beside) },
      { weight: 1, arbitrary: fc.constant(write) },
    );
    const property = fc.property(fc.array(steps, { maxLength: 80, size: 'max' }), (schedule) => {
      const begun = judged(gone, fault) ?? gone;
      const last = schedule.reduce((world, step) => judged(world, step) ?? world, begun);
      const rest = settled(finishedNow(last, write));
      expect(startOf(rest)).to.deep.equal(startOf(substituted));
      expect(rest.truth.takeovers).to.deep.equal(substituted.truth.takeovers);
      expect(wrongAtRest(rest)).to.equal(undefined);
    });
    fc.assert(property, { numRuns: RUNS, seed: 20260101 });
  });
});

function finishedNow(world: World, write: Step): World {
  const next = judged(world, write);
  return next === undefined ? world : finishedNow(next, write);
}

/** The disks come from the old cluster, and remember what was assigned there after the baseline had been made. */
function rememberedFromBefore(world: World, memories: Readonly<Record<string, string>>): World {
  return Object.entries(memories).reduce((next, [server, role]) => {
    const known = { role, epoch: 9, podUID: 'of-the-old-cluster', origin: 'volume' as const };
    return changeRecorder(next, server, { known, remembered: known, apiHadItsTurn: false });
  }, world);
}

describe('a restore onto disks that remember later epochs than the baseline knows', () => {
  const memories: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    ['the substitute had lost the role to another one', { s: '', t: 'a' }],
    ['another recorder had broken since, and its substitute comes along', { b: '', t: 'b' }],
    ['another recorder had broken since, and its substitute is gone', { b: '' }],
    ['a standby had taken over what is at home by the baseline', { t: 'b' }],
    ['the substitute had lost the role and got it back', { s: 'a' }],
  ];
  for (const [sentence, remembered] of memories) {
    it(`comes to rest with every camera recorded where it is said to be, when ${sentence}`, () => {
      const made = done(restoredWhole(gone, newest, (world) => world));
      const rest = settled(rememberedFromBefore(made, remembered));
      expect(wrongAtRest(rest)).to.equal(undefined);
      for (const { status } of Object.values(rest.objects.cameras)) {
        expect(status?.conditions?.find(({ type }) => type === 'Recording')?.status).to.equal('True');
      }
      expect(rest.objects.pools.pool?.status?.roles?.find(({ name }) => name === 'a')?.holder).to.not.equal('a');
    });
  }
});

describe('a recorder that comes back late and remembers a later epoch than the restored pool', () => {
  const remembering = (server: string, role: string): Fault => ({
    fault: {
      name: `${server} comes with a disk that remembers ${role}`,
      apply: (world) =>
        world.recorders[server]?.known?.epoch === 9 ? undefined : rememberedFromBefore(world, { [server]: role }),
    },
  });
  const start = settled(restoredWhole(gone, newest, (world) => world));
  for (const role of ['a', 'b']) {
    it(`takes nothing from whoever records ${role} before it records that itself, in any order of all steps`, function () {
      this.timeout(0);
      const disturbances = [remembering('t', role)];
      const bounds = { mostDisturbances: 1, mostStates: MOST_STATES, delays: false };
      const { rests } = walk({ start, ordinary: coarseSteps, disturbances, ...bounds });
      expect(rests).to.be.greaterThan(1);
    });
  }

  it('costs nobody a recording when it dies with its later epoch on it, at any moment', function () {
    this.timeout(0);
    const disturbances = [remembering('t', 'a'), powerCut('t'), poolStatusLost, operatorDies];
    const bounds = { mostDisturbances: 2 + DEEPER, mostStates: MOST_STATES, delays: false };
    const { states, rests } = walk({ start, ordinary: inTurn, disturbances, ...bounds });
    console.log(`      ${states} states, ${rests} at rest`);
    expect(rests).to.be.greaterThan(1);
  });

  it('breaks no law when recorders and the operator fail at any moment of that', function () {
    this.timeout(0);
    const disturbances = [remembering('t', 'a'), remembering('t', 'b'), powerCut('s'), operatorDies];
    const bounds = { mostDisturbances: 2 + DEEPER, mostStates: MOST_STATES, delays: false };
    const { states, rests } = walk({ start, ordinary: inTurn, disturbances, ...bounds });
    console.log(`      ${states} states, ${rests} at rest`);
    expect(rests).to.be.greaterThan(1);
  });
});

describe('every order of faults and a restore', () => {
  const substitute = holders(substituted)[0]?.split(' ')[2] ?? '';
  const walks: readonly Walk[] = [
    {
      name: 'the status of the pool is lost and its substitute dies',
      start: substituted,
      disturbances: [poolStatusLost, restored(newest), powerCut(substitute)],
    },
    {
      name: 'the substitute is deleted, and the operator dies',
      start: substituted,
      disturbances: [{ fault: serverDeleted(substitute) }, restored(newest), operatorDies],
      delays: true,
    },
    {
      name: 'the baseline is older than what has happened since',
      start: substituted,
      disturbances: [poolStatusLost, restored(older), cutOff(substitute)],
    },
    {
      name: 'a recorder fails at any moment of it',
      start: atHome,
      disturbances: [poolStatusLost, restored(older), powerCut('a')],
    },
  ];
  for (const { name, start, disturbances, most = 2, delays = false } of walks) {
    it(`keeps every law when ${name}`, function () {
      this.timeout(0);
      const bounds = { mostDisturbances: most + DEEPER, mostStates: MOST_STATES };
      const { states, transitions, rests } = walk({ start, ordinary: inTurn, disturbances, delays, ...bounds });
      console.log(`      ${states} states, ${transitions} transitions, ${rests} at rest`);
      expect(rests).to.be.greaterThan(1);
    });
  }
});
