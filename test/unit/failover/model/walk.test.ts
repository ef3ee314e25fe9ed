import { expect } from 'chai';
import { describe, it } from 'mocha';
import { joinsPool, leavesPool, operates, paused, serverDeleted } from './edits.js';
import {
  cutOff,
  disksDie,
  type Fault,
  leaderStalls,
  operatorDies,
  operatorDiesAfterCommit,
  poolStatusLost,
  powerCut,
  serviceFails,
} from './faults.js';
import { worldAtRest } from './stage.js';
import { coarseSteps, firstOf, ordinarySteps, type Step } from './steps.js';
import { walk } from './walk.js';
import type { World } from './world.js';

/** MODEL_DEEPER: added to the disturbances of every walk, for a longer run. */
const DEEPER = Number(process.env.MODEL_DEEPER ?? 0);
/** A bound against a world that grows without end; far above what a walk needs. */
const MOST_STATES = 25_000 * 40 ** DEEPER;

const asked = (edit: Step, back?: Step): Fault => ({ fault: edit, ...(back === undefined ? {} : { repair: back }) });
const unmended = ({ fault }: Fault): Fault => ({ fault });
const pausing = asked(paused(true), paused(false));
const maintenance = asked(operates('a', 'Maintenance'), operates('a', 'Normal'));

interface Walk {
  readonly name: string;
  readonly disturbances: readonly Fault[];
  readonly most: number;
  readonly ordinary: (world: World) => readonly Step[];
  readonly delays?: boolean;
}

/** Every order of what everybody does; or everybody in turn, with a disturbance at any moment, and more of them. */
const anyOrder = coarseSteps;
const inTurn = firstOf(coarseSteps);

const walks: readonly Walk[] = [
  {
    name: 'two recorders and the operator fail',
    disturbances: [powerCut('a'), cutOff('b'), operatorDiesAfterCommit],
    most: 2,
    ordinary: inTurn,
  },
  {
    name: 'the standbys fail in the middle of a takeover, in any order of all steps',
    disturbances: [serviceFails('a'), disksDie('s')],
    most: 2,
    ordinary: anyOrder,
  },
  {
    name: 'an isolated recorder comes back while its substitute fails, in any order of all steps',
    disturbances: [cutOff('a'), powerCut('s'), operatorDies],
    most: 2,
    ordinary: anyOrder,
  },
  {
    name: 'every projection is late for itself while the operator dies',
    disturbances: [cutOff('a'), operatorDiesAfterCommit],
    most: 1,
    ordinary: ordinarySteps,
  },
  {
    name: 'three of recorders, standbys and the operator fail, and nobody mends them',
    disturbances: [powerCut('a'), cutOff('b'), disksDie('s'), operatorDiesAfterCommit].map(unmended),
    most: 3,
    ordinary: inTurn,
    delays: false,
  },
  {
    name: 'the status of the pool is lost and another leads while recorders fail',
    disturbances: [cutOff('a'), powerCut('s'), poolStatusLost, leaderStalls],
    most: 2,
    ordinary: inTurn,
  },
  {
    name: 'a planned move for maintenance meets dying standbys and operators',
    disturbances: [maintenance, powerCut('s'), operatorDiesAfterCommit],
    most: 2,
    ordinary: inTurn,
  },
  {
    name: 'people pause, take servers out and delete them while recorders fail',
    disturbances: [powerCut('a'), asked(serverDeleted('s')), asked(leavesPool('b'), joinsPool('b')), pausing],
    most: 2,
    ordinary: inTurn,
  },
];

describe('every order of faults', () => {
  const start = worldAtRest();
  for (const { name, disturbances, most, ordinary, delays = true } of walks) {
    it(`keeps every law when ${name}`, function () {
      this.timeout(0);
      const begun = performance.now();
      const bounds = { mostDisturbances: most + DEEPER, mostStates: MOST_STATES };
      const scene = { start, ordinary, disturbances, delays, ...bounds };
      const { states, transitions, rests } = walk(scene);
      const seconds = ((performance.now() - begun) / 1000).toFixed(1);
      console.log(`      ${states} states, ${transitions} transitions, ${rests} at rest, in ${seconds} s`);
      expect(rests).to.be.greaterThan(1);
      expect(states).to.be.greaterThan(30);
    });
  }
});
