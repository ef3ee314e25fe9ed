import { type FaultCase, nameOf, parseName } from '../cases/case.js';
import { casesOf, inOrder } from '../cases/plan.js';
import { type Ground, type Reference, runCase, workloadOf } from '../cases/run-case.js';
import { runFuzzCase } from '../fuzz/fuzz-case.js';
import { runRefusedCase } from '../fuzz/refused-case.js';
import { type Workload, workloads } from '../workloads/index.js';
import type { Job } from './pool.js';
import { randomFrom } from './random.js';
import { referenceOf } from './references.js';
import type { StallWatch } from './stalls.js';

/** Of so many jobs in a row one is of this sort; the others are faults. */
const rhythm = { fit: 6, odd: 15, refused: 25 } as const;

/** Pairs of fault-free runs side by side: fewer than cases, since what they show is what all cases are compared with. */
const pairsAtOnce = 4;

/** The fault-free runs by workload, each made twice and compared. */
export async function referencesOf(
  ground: Ground,
  wanted: readonly Workload[],
  stalls: StallWatch,
): Promise<Map<string, Reference>> {
  const references = new Map<string, Reference>();
  const left = [...wanted];
  const work = async (): Promise<void> => {
    for (let workload = left.shift(); workload !== undefined; workload = left.shift())
      references.set(workload.name, await referenceOf(ground, workload, stalls));
  };
  const few = Array.from({ length: pairsAtOnce }, work);
  await Promise.all(few);
  return references;
}

/** Workloads that a name, or the beginning of one, can mean. */
export function concerned(only: string | undefined): Workload[] {
  if (only === undefined) return [...workloads];
  return workloads.filter(({ name }) => only.split('/')[0] === name || name.startsWith(only));
}

export function allFaultCases(references: ReadonlyMap<string, Reference>): FaultCase[] {
  return [...references].flatMap(([name, reference]) => casesOf(workloadOf(name), reference));
}

function faultJob(ground: Ground, references: ReadonlyMap<string, Reference>, one: FaultCase): Job | undefined {
  const reference = references.get(one.workload);
  return reference && { name: nameOf(one), run: () => runCase(ground, one, reference) };
}

/** The job of a `--only spec-...` name. */
export function specJob(ground: Ground, name: string): Job | undefined {
  const [sort, text] = name.split('/');
  const seed = Number(text);
  if (text === undefined || !Number.isInteger(seed)) return undefined;
  if (sort === 'spec-fit') return { name, run: () => runFuzzCase(ground, 'fit', seed) };
  if (sort === 'spec-odd') return { name, run: () => runFuzzCase(ground, 'odd', seed) };
  if (sort === 'spec-refused') return { name, run: () => runRefusedCase(ground, seed) };
  return undefined;
}

/** What is to be run, in order: the one case that was named, or faults by chance with specs in between. */
export function* jobsOf(
  ground: Ground,
  references: ReadonlyMap<string, Reference>,
  { only, seed }: { readonly only: string | undefined; readonly seed: number },
): Generator<Job> {
  const spec = only === undefined ? undefined : specJob(ground, only);
  if (spec !== undefined) {
    yield spec;
    return;
  }
  if (only?.startsWith('spec-')) {
    yield* specsOf(ground, only, seed);
    return;
  }
  const exact = only === undefined ? undefined : parseName(only);
  const chosen =
    exact === undefined ? allFaultCases(references).filter((one) => nameOf(one).startsWith(only ?? '')) : [exact];
  let count = 0;
  for (const one of inOrder(chosen, randomFrom(seed))) {
    const job = faultJob(ground, references, one);
    if (job !== undefined) yield job;
    count += 1;
    if (only === undefined) yield* specsAt(ground, seed, count);
  }
}

/** One sort of specs only, without end. Throws for a sort that there is not. */
function* specsOf(ground: Ground, sort: string, seed: number): Generator<Job> {
  for (let count = 1; ; count += 1) {
    const job = specJob(ground, `${sort}/${seed * 100_000 + count}`);
    if (job === undefined) throw new Error(`there is no ${sort}; there are spec-fit, spec-odd and spec-refused`);
    yield job;
  }
}

function* specsAt(ground: Ground, seed: number, count: number): Generator<Job> {
  for (const [sort, every] of Object.entries(rhythm)) {
    const job = count % every === 0 ? specJob(ground, `spec-${sort}/${seed * 100_000 + count}`) : undefined;
    if (job !== undefined) yield job;
  }
}
