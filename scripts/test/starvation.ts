import { relative } from 'node:path';
import { type ProcessorSample, withheldBetween } from '../../test/scenario/machine.js';
import { type FileRun, type Outcome, sum } from './counts.js';

/** One run of a level, or of some of its files. */
export interface LevelRun extends Outcome {
  readonly files: readonly FileRun[];
}

export interface StarvedFile extends FileRun {
  /** Its own, or that of the one before it that failed so. */
  readonly starvation: Starvation;
}

/** What of the processor time that this machine wanted its host gave to others, 0 to 1. */
export interface Starvation {
  readonly mean: number;
  /** Of the worst stretch of ten seconds. */
  readonly worst: number;
}

const STRETCH_MS = 10_000;
/** What a level may need before the first of its tests on a machine that has little time. */
const CLUSTER_MS = 90_000;
/** In cores: below it a share says nothing. */
const LEAST_WANTED = 0.1;
/** A third missing makes everything take half as long again: no promise about seconds is made for such a machine. */
const MEAN_LIMIT = 1 / 3;
/** Half missing for ten seconds: longer than the time in which heartbeats and leases count as fresh. */
const WORST_LIMIT = 1 / 2;

/**
 * Whether the host took so much of this machine between two moments of wall clock (milliseconds) that what failed there
 * says nothing about the code; undefined if it did not.
 */
export function starvationOf(
  samples: readonly ProcessorSample[],
  startMs: number,
  endMs: number,
): Starvation | undefined {
  const within = samples.filter(({ atMs }) => atMs >= startMs && atMs <= endMs);
  const mean = takenShare(within[0], within.at(-1));
  const worst = Math.max(mean, ...stretches(within).map(([from, to]) => takenShare(from, to)));
  return mean >= MEAN_LIMIT || worst >= WORST_LIMIT ? { mean, worst } : undefined;
}

function takenShare(from: ProcessorSample | undefined, to: ProcessorSample | undefined): number {
  const { share, wantedCores } = withheldBetween(from, to);
  return wantedCores < LEAST_WANTED ? 0 : share;
}

/** The first and the last sample of each stretch, sliding; samples come in the order of time. */
function stretches(samples: readonly ProcessorSample[]): [ProcessorSample, ProcessorSample][] {
  const found: [ProcessorSample, ProcessorSample][] = [];
  let start = 0;
  for (const to of samples) {
    while (to.atMs - (samples[start]?.atMs ?? 0) > STRETCH_MS) start += 1;
    const from = samples[start];
    if (from !== undefined) found.push([from, to]);
  }
  return found;
}

/**
 * Files with failures that happened while the host starved this machine, or after such a file: it may have left behind
 * what it could not finish. None when the level itself died: that is no test's.
 */
export function starvedFailures(run: LevelRun, samples: readonly ProcessorSample[]): StarvedFile[] {
  if (run.died !== undefined) return [];
  const found: StarvedFile[] = [];
  for (const file of run.files) {
    const starvation = starvationOf(samples, file.startMs, file.endMs) ?? found.at(-1)?.starvation;
    // Without a name it is a hook around all files, and there is nothing to run again.
    if (file.failed > 0 && file.file !== '' && starvation !== undefined) found.push({ ...file, starvation });
  }
  return found;
}

/** As long as the files took, and a new cluster for them. Milliseconds. */
export function secondRunMs(files: readonly FileRun[]): number {
  return files.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, CLUSTER_MS);
}

/** The same run, with the files that were run again in place of what they were. */
export function replaced(before: LevelRun, again: LevelRun): LevelRun {
  const files = before.files.map((file) => again.files.find((other) => other.file === file.file) ?? file);
  const died = again.died === undefined ? 0 : 1;
  const counts = sum(files);
  return { ...counts, failed: counts.failed + died, died: again.died, files };
}

/** What is said before a file is run again. */
export function blamed({ file, failed, starvation }: StarvedFile): string {
  const [mean, worst] = [starvation.mean, starvation.worst].map((share) => Math.round(100 * share));
  const failures = failed === 1 ? 'a failure' : `${failed} failures`;
  const where = relative(process.cwd(), file);
  return `Run again: ${where} had ${failures} while, or after, the host withheld ${mean} % of the processor time that was wanted (${worst} % in the worst ten seconds).`;
}
