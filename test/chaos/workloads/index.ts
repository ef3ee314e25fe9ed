import { cameraMoved, standbyMaintained } from './edits.js';
import { firstFailover, poolReapplied, queueOfTwo, repair, serverDeleted, standbyDies } from './failovers.js';
import type { Workload } from './workload.js';

export type { Cast, Workload } from './workload.js';

export const workloads: readonly Workload[] = [
  firstFailover,
  queueOfTwo,
  standbyDies,
  repair,
  serverDeleted,
  poolReapplied,
  cameraMoved,
  standbyMaintained,
];
