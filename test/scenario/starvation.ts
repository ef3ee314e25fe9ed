import { type ProcessorSample, withheldBetween } from './machine.js';

/** What of the processor time that this machine wanted its host gave to others, 0 to 1. */
export interface Starvation {
  readonly mean: number;
  /** Of the worst stretch of ten seconds. */
  readonly worst: number;
}

/** And at least nine tenths of it. */
const STRETCH_MS = 10_000;
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
    if (from !== undefined && to.atMs - from.atMs >= 0.9 * STRETCH_MS) found.push([from, to]);
  }
  return found;
}

/** As the middle of a sentence. */
export function told({ mean, worst }: Starvation): string {
  const percent = (share: number) => `${Math.round(100 * share)} %`;
  return `the host withheld ${percent(mean)} of the processor time that was wanted (${percent(worst)} in the worst ten seconds)`;
}
