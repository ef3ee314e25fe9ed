import { baselinePromise, epochPromise, gapPromises, type Promised, queuePromises, repairPromise } from './promises.js';
import type { Outcome } from './report.js';
import type { Stage } from './setup.js';
import type { Played } from './story.js';

export type { Promised };

/** Everything that the demo promises, in the order in which a newcomer would ask. */
export function promisesOf({ system }: Stage, { first, second }: Played, { pool, results }: Outcome): Promised[] {
  const { chronicle } = system;
  return [
    ...gapPromises(results, first, second),
    ...queuePromises(chronicle, pool, first, second),
    baselinePromise(chronicle, pool),
    repairPromise(chronicle, pool, first),
    epochPromise(chronicle),
  ];
}
