import { recordingServer } from '../../support/builders/recording-server.js';
import {
  becomes,
  cameraAdded,
  cameraDeleted,
  cameraMoved,
  holdsAtMost,
  joinsPool,
  leavesPool,
  operates,
  paused,
  poolEdit,
  serverApplied,
  serverDeleted,
  timesOutAfter,
} from './edits.js';
import {
  apiOutage,
  cutOff,
  disksDie,
  type Fault,
  lateWrites,
  leaderStalls,
  leaseDeleted,
  operatorDies,
  operatorDiesAfterCommit,
  podReplaced,
  poolStatusLost,
  powerCut,
  serverStatusLost,
  serviceFails,
  wallJumps,
  watchHangs,
} from './faults.js';
import {
  backupsComplete,
  bindings,
  decision,
  heartbeat,
  projection,
  records,
  reporting,
  type Step,
  time,
  watches,
} from './steps.js';
import { passes } from './time.js';
import type { World } from './world.js';

const names = ['a', 'b', 's', 't', 'u'] as const;

/** Every step of a schedule by itself: nothing is in the same instant as anything else. */
export const ordinary: readonly Step[] = [
  decision(),
  decision(),
  bindings,
  backupsComplete,
  time,
  ...[200, 1_000, 3_500, 7_000, 31_000].map(
    (ms): Step => ({ name: `${ms} ms pass`, apply: (world) => passes(world, ms) }),
  ),
  ...names.flatMap((name) => [projection(name), heartbeat(name), watches(name), records(name), reporting(name)]),
];

const everyFault: readonly Fault[] = [
  ...names.flatMap((name) => [
    powerCut(name),
    cutOff(name),
    disksDie(name),
    serviceFails(name),
    podReplaced(name),
    serverStatusLost(name),
    leaseDeleted(name),
  ]),
  operatorDies,
  operatorDiesAfterCommit,
  poolStatusLost,
  apiOutage,
  wallJumps(1),
  wallJumps(-1),
  leaderStalls,
  watchHangs('reports'),
  watchHangs('leases'),
  watchHangs('reports', 'leases', 'backups'),
];

export const faults: readonly Step[] = everyFault.map(({ fault }) => fault);
export const repairs: readonly Step[] = everyFault.map(({ repair }) => repair).filter((repair) => repair !== undefined);

/** One late write of the leader that was stopped, whichever it has: `index` chooses. */
export const lateWrite = (index: number): Step => ({
  name: `the leader that was stopped writes late (${index})`,
  apply: (world: World) => {
    const late = lateWrites(world);
    return late[index % Math.max(1, late.length)]?.apply(world);
  },
});

const builders = [
  recordingServer('a'),
  recordingServer('b'),
  recordingServer('s').standby(1),
  recordingServer('t').standby(2),
  recordingServer('u').standby(0),
];

export const edits: readonly Step[] = [
  ...names.flatMap((name) => [leavesPool(name), joinsPool(name), serverDeleted(name)]),
  ...builders.map(serverApplied),
  ...names.flatMap((name) => [operates(name, 'Maintenance'), operates(name, 'Normal'), timesOutAfter(name, 9)]),
  becomes('a', 'Failover'),
  becomes('a', 'Standard'),
  becomes('s', 'Standard'),
  becomes('s', 'Failover'),
  holdsAtMost('s', 1),
  holdsAtMost('t', 1),
  paused(true),
  paused(false),
  poolEdit('timeout 4 s', { failoverTimeoutSeconds: 4 }),
  poolEdit('timeout 12 s', { failoverTimeoutSeconds: 12 }),
  cameraMoved('a-1', 'b'),
  cameraMoved('a-1', 'a'),
  cameraMoved('b-1', 'a'),
  cameraAdded('a-3', 'a'),
  cameraAdded('b-2', 'b'),
  cameraDeleted('a-2'),
];
