import type { CaseResult } from '../cases/case.js';

/** A case, or a piece of fuzzing: what the run does side by side. */
export interface Job {
  readonly name: string;
  run(): Promise<CaseResult>;
}

export interface PoolOptions {
  readonly parallel: number;
  /** No job is begun after this has aborted; those that run are finished. */
  readonly stop: AbortSignal;
  readonly onResult: (result: CaseResult) => void;
}

/** Runs jobs side by side until there are none, or it is told to stop. */
export async function runJobs(jobs: Iterable<Job>, { parallel, stop, onResult }: PoolOptions): Promise<void> {
  const iterator = jobs[Symbol.iterator]();
  const work = async (): Promise<void> => {
    while (!stop.aborted) {
      const { value, done } = iterator.next();
      if (done === true) return;
      onResult(await value.run());
    }
  };
  await Promise.all(Array.from({ length: parallel }, work));
}
