import { cameraMoved, standbyMaintained } from './edits.js';
import {
  cameraRehomed,
  homeDeleted,
  optedOutOnSubstitute,
  poolRenamed,
  substituteAdopted,
} from './edits-on-substitute.js';
import {
  cameraAdded,
  optedOutWhileQueued,
  standbyAdded,
  standbyRemoved,
  timeoutChanged,
} from './edits-while-moving.js';
import { firstFailover, poolReapplied, queueOfTwo, repair, serverDeleted, standbyDies } from './failovers.js';
import { poolPaused, stormElapses, stormRecovers, twoPools } from './holds.js';
import { cordoned, failback, homeMaintained, requestedMove, templateUpdated } from './moves.js';
import type { Workload } from './workload.js';

export type { Cast, Workload } from './workload.js';

export const failovers: readonly Workload[] = [firstFailover, queueOfTwo, standbyDies, repair, twoPools];
export const plannedMoves: readonly Workload[] = [homeMaintained, failback, cordoned, requestedMove, templateUpdated];
export const holds: readonly Workload[] = [stormElapses, stormRecovers, poolPaused];
/** Specs that are edited, deleted and made again, most of them in the middle of a failover. */
export const edits: readonly Workload[] = [
  ...[cameraMoved, standbyMaintained, serverDeleted, poolReapplied],
  ...[cameraAdded, timeoutChanged, standbyAdded, standbyRemoved, optedOutWhileQueued],
  ...[cameraRehomed, optedOutOnSubstitute, homeDeleted, substituteAdopted, poolRenamed],
];

export const workloads: readonly Workload[] = [...failovers, ...plannedMoves, ...holds, ...edits];
