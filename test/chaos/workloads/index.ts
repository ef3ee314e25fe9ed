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

export const workloads: readonly Workload[] = [
  ...[firstFailover, queueOfTwo, standbyDies, repair, serverDeleted, poolReapplied, twoPools],
  ...[homeMaintained, failback, cordoned, requestedMove, templateUpdated],
  ...[stormElapses, stormRecovers, poolPaused],
  ...[cameraMoved, standbyMaintained],
  ...[cameraAdded, timeoutChanged, standbyAdded, standbyRemoved, optedOutWhileQueued],
  ...[cameraRehomed, optedOutOnSubstitute, homeDeleted, substituteAdopted, poolRenamed],
];
