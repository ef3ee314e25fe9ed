import type { CaseResult } from '../cases/case.js';
import { Slots } from './slots.js';
import type { StallWatch } from './stalls.js';

/** A case, or a piece of fuzzing: what the run does side by side. */
export interface Job {
  readonly name: string;
  run(): Promise<CaseResult>;
}

export interface PoolOptions {
  readonly parallel: number;
  /** No job is begun after this has aborted; those that run are finished. */
  readonly stop: AbortSignal;
  readonly stalls: StallWatch;
  readonly onResult: (result: CaseResult) => void;
}

/** A violation that was found while this process stood still is looked for again so often. */
const repeats = 2;

/** Runs jobs side by side until there are none, or it is told to stop. */
export async function runJobs(jobs: Iterable<Job>, { parallel, stop, stalls, onResult }: PoolOptions): Promise<void> {
  const iterator = jobs[Symbol.iterator]();
  const slots = new Slots(parallel, stalls);
  let left = true;
  const next = async (): Promise<void> => {
    const job = stop.aborted ? undefined : iterator.next();
    left = job !== undefined && job.done !== true;
    if (job !== undefined && job.done !== true) onResult(await undisturbed(job.value, stalls));
  };
  const work = async (): Promise<void> => {
    while (left) await slots.run(next);
  };
  await Promise.all(Array.from({ length: parallel }, work));
}

/** The last of several tries counts, whatever it says; one that was disturbed all the time is no case. */
export async function undisturbed(job: Job, stalls: StallWatch): Promise<CaseResult> {
  for (let left = repeats; ; left -= 1) {
    const start = performance.now();
    const result = await job.run();
    const disturbed = result.violations.length > 0 && stalls.stalledSince(start);
    if (!disturbed) return result;
    if (left === 0) return { ...result, disturbed: true };
  }
}
