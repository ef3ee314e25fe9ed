import fc from 'fast-check';
import { describe, it } from 'mocha';
import { judged, settled, Violation, wrongAtRest } from './rest.js';
import { edits, faults, lateWrite, ordinary, repairs } from './schedules.js';
import { worldAtRest } from './stage.js';
import type { Step } from './steps.js';
import type { World } from './world.js';

/** MODEL_SCHEDULES: schedules tried; more for a longer run. MODEL_SEED: repeats one. */
const RUNS = Number(process.env.MODEL_SCHEDULES ?? 100);
const SEED = process.env.MODEL_SEED === undefined ? undefined : Number(process.env.MODEL_SEED);
const LONGEST = 60;

function scheduleOf(...others: [number, readonly Step[]][]): fc.Arbitrary<Step[]> {
  const steps = fc.oneof(
    { weight: 30, arbitrary: fc.constantFrom(...ordinary) },
    ...others.map(([weight, list]) => ({ weight, arbitrary: fc.constantFrom(...list) })),
  );
  return fc.array(steps, { minLength: 1, maxLength: LONGEST, size: 'max' });
}

function judgedAtRest(world: World, when: string): World {
  const rest = settled(world);
  const wrong = wrongAtRest(rest);
  if (wrong !== undefined) throw new Violation(`${when}: ${wrong}`);
  return rest;
}

/** Goes through the schedule, then to rest with what is broken, then to rest with everything mended. */
function run(start: World, schedule: readonly Step[]): void {
  const last = schedule.reduce((world, step) => judged(world, step) ?? world, start);
  const broken = judgedAtRest(last, 'when the faults have stopped');
  const mended = repairs.reduce((world, step) => judged(world, step) ?? world, broken);
  judgedAtRest(mended, 'when everything is mended');
}

/** The shortest schedule that breaks a rule, as a list of steps, with what repeats it. */
function check(schedules: fc.Arbitrary<Step[]>): void {
  const start = worldAtRest();
  const property = fc.property(schedules, (schedule) => run(start, schedule));
  const result = fc.check(property, { numRuns: RUNS, ...(SEED === undefined ? {} : { seed: SEED }) });
  if (!result.failed) {
    console.log(`      ${result.numRuns} schedules of up to ${LONGEST} steps, seed ${result.seed}`);
    return;
  }
  const steps = (result.counterexample?.[0] ?? []).map(
    ({ name }, index) => `${String(index + 1).padStart(3)}. ${name}`,
  );
  const why = result.errorInstance instanceof Error ? result.errorInstance.message : String(result.errorInstance);
  throw new Error(`${why}\nafter these steps:\n${steps.join('\n')}\nMODEL_SEED=${result.seed} repeats it`);
}

describe('the failover core under random schedules', () => {
  const lates = Array.from({ length: 6 }, (_entry, index) => lateWrite(index));

  it('keeps every law when recorders, disks, operators and the API server fail', function () {
    this.timeout(0);
    check(scheduleOf([6, faults], [3, repairs], [1, lates]));
  });

  it('keeps every law when people edit specs in the middle of it', function () {
    this.timeout(0);
    check(scheduleOf([4, faults], [2, repairs], [5, edits], [1, lates]));
  });
});
