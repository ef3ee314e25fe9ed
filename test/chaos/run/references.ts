import { type Ground, type Reference, runReference } from '../cases/run-case.js';
import { differences } from '../oracle/differences.js';
import { countDifferences } from '../oracle/write-counts.js';
import type { Workload } from '../workloads/index.js';
import type { StallWatch } from './stalls.js';

/** A busy machine can spoil a run; three pairs in a row it does not. */
const tries = 3;

/**
 * Runs a workload twice without a fault. The oracle compares with the first; where the two differ, a difference under a
 * fault would say nothing, so the run must not begin.
 */
export async function referenceOf(ground: Ground, workload: Workload, stalls: StallWatch): Promise<Reference> {
  for (let left = tries; ; left -= 1) {
    const start = performance.now();
    try {
      return await pairOf(ground, workload);
    } catch (error) {
      if (left === 1 || !stalls.stalledSince(start)) throw error;
      console.error(`  ${workload.name}: once more, the machine was too busy`);
    }
  }
}

async function pairOf(ground: Ground, workload: Workload): Promise<Reference> {
  const [first, second] = await Promise.all([runReference(ground, workload), runReference(ground, workload)]);
  const found = [...differences(first.endState, second.endState), ...countDifferences(first.counts, second.counts)];
  if (found.length > 0) throw new Error(`${workload.name}: two runs without a fault differ:\n  ${found.join('\n  ')}`);
  return first;
}
