import type { FailoverPool } from '../../src/crds/index.js';
import type { CameraMeasurement } from '../scenario/measure.js';
import { firstFrameMs, measureCamera } from '../scenario/measure.js';
import { copyOf, mounted } from '../scenario/readable-disk.js';
import { withoutSilences } from '../scenario/silences.js';
import { entryOf, QUEUE_ADDS_SECONDS } from './promises.js';
import { type CameraResult, type Fault, resultOf } from './results.js';
import type { Screen } from './screen.js';
import { POOL, type Stage } from './setup.js';
import { kubectlView, type Played } from './story.js';
import { seconds, table } from './table.js';

/** What was measured. */
export interface Outcome {
  readonly pool: FailoverPool;
  readonly results: readonly CameraResult[];
}

/** From the last heartbeat before a power cut to the first bytes on the standby, besides what the camera takes. */
const POWER_CUT_SECONDS = 8;

/** Reads the disks, and prints the tables and what kubectl shows. */
export async function report(stage: Stage, played: Played, screen: Screen): Promise<Outcome> {
  const pool = stage.system.chronicle.find('pools', POOL);
  if (!pool) throw new Error('the pool is gone');
  const faults = faultsOf(pool, played);
  screen.say('Counting in the recorded files, with ffprobe, what each camera has missed:');
  const measurements = await measureAll(stage, played);
  const results = measurements.flatMap((measurement) => {
    const fault = faults.find(({ role }) => role === measurement.role);
    return fault ? [resultOf(measurement, fault, stage.system.chronicle)] : [];
  });
  screen.plain(cameraTable(results));
  screen.say('The takeovers, in seconds from the last sign of life:');
  screen.plain(failoverTable(pool, faults, measurements));
  screen.say(`kubectl get rsrv,fop,cam, as ${played.second} was found broken:`);
  screen.plain(played.kubectlMeanwhile);
  screen.say('kubectl get rsrv,fop,cam, now:');
  screen.plain(await kubectlView(stage));
  return { pool, results };
}

function faultsOf(pool: FailoverPool, played: Played): Fault[] {
  const { first, second, powerCutMs, disksDeadMs } = played;
  const fault = (role: string, what: string, atMs: number, allowedSeconds: number): Fault[] => {
    const entry = entryOf(pool, role);
    return entry ? [{ role, what, atMs, allowedSeconds, substitute: entry.to, epoch: entry.epoch }] : [];
  };
  return [
    ...fault(first, 'power cut', powerCutMs, POWER_CUT_SECONDS),
    ...fault(second, 'disks dead', disksDeadMs, POWER_CUT_SECONDS + QUEUE_ADDS_SECONDS),
  ];
}

/** The second recorder's disks are still dead: what has reached them is read from a copy. */
async function measureAll({ cluster, system, witness }: Stage, played: Played): Promise<CameraMeasurement[]> {
  const dead = system.disksOf(played.second);
  const copies = await Promise.all(dead.map((disk) => copyOf(cluster.name, disk)));
  try {
    const disks = [...mounted(system.disks.filter((disk) => !dead.includes(disk))), ...copies];
    const measured: CameraMeasurement[] = [];
    for (const { name, home } of system.plan.cameras) {
      const measurement = await measureCamera(disks, home, name, played.recordingSinceMs);
      measured.push(withoutSilences(measurement, await witness.silences(name, played.recordingSinceMs)));
    }
    return measured;
  } finally {
    // With --keep the cluster stays, and nobody would make room for the witness any more.
    witness.stop();
    await Promise.all(copies.map((copy) => copy.release()));
  }
}

function cameraTable(results: readonly CameraResult[]): string {
  const headings = [
    'camera',
    'home',
    'now recorded by',
    'gap s',
    'may be s',
    'connect s',
    'key frames s',
    'lost tail s',
  ];
  return table(
    headings,
    results.map((result) => [
      result.camera,
      result.role,
      result.substitute,
      seconds(result.gapSeconds),
      seconds(result.boundSeconds),
      seconds(result.connectSeconds),
      seconds(result.keyFrameSeconds),
      seconds(result.lostTailSeconds),
    ]),
  );
}

function failoverTable(
  pool: FailoverPool,
  faults: readonly Fault[],
  measurements: readonly CameraMeasurement[],
): string {
  const headings = [
    'broken',
    'by',
    'to',
    'judged',
    'committed',
    'bound',
    'first bytes',
    'last camera',
    'proved',
    'baseline',
  ];
  const rows = faults.map((fault) => {
    const entry = entryOf(pool, fault.role);
    const startMs = fault.what === 'power cut' ? Date.parse(entry?.lastSeenTime ?? '') : fault.atMs;
    const since = (time: string | undefined) => seconds((Date.parse(time ?? '') - startMs) / 1000);
    const bytes = measurements
      .filter(({ role }) => role === fault.role)
      .map((measurement) => firstFrameMs(measurement, fault.substitute, fault.epoch))
      .filter((time) => time !== undefined);
    return [
      `${fault.role} (${fault.what})`,
      entry?.trigger ?? '-',
      fault.substitute,
      since(entry?.brokenTime),
      since(entry?.committedTime),
      since(entry?.boundTime),
      seconds((Math.min(...bytes) - startMs) / 1000),
      seconds((Math.max(...bytes) - startMs) / 1000),
      since(entry?.recordingTime),
      since(entry?.backedUpTime),
    ];
  });
  const note =
    'Counted from the last heartbeat that the operator saw, and for the dead disks from the moment they died.\n' +
    "The power cut's figures hold the timeout, those of the dead disks the time in the queue.";
  return `${table(headings, rows)}\n${note}`;
}
