import { expect } from 'chai';
import type { FailoverPoolStatus } from '../../src/crds/index.js';
import { GAP_SECONDS } from './limits.js';
import { connectSeconds, firstFrameMs } from './measure.js';
import { HANG_MS, type Scene } from './scene.js';
import { isTrue } from './summary.js';

type Entry = NonNullable<FailoverPoolStatus['history']>[number];

/** What a camera missed in a failover, as its recorded files say. */
export interface MeasuredGap {
  readonly camera: string;
  readonly gapSeconds: number;
  /** The last picture before it. Wall clock, milliseconds. */
  readonly lastMs: number;
  /** 0 where the report was too slow to tell: then the bound is the stricter one. */
  readonly connectSeconds: number;
  readonly keyFrameSeconds: number;
  /** Processor time that the machine's host took in the gap. */
  readonly stolenSeconds: number;
}

/** Waits until the failover of a server is through with its baseline, and every camera of it is recorded again. */
export async function failoverDone(scene: Scene, from: string, timeoutMs = HANG_MS): Promise<Entry> {
  const { chronicle } = scene;
  const entry = () => chronicle.find('pools', scene.pool)?.status?.history?.find((each) => each.from === from);
  const done = await chronicle.until(`the failover of ${from} is completed`, entry, timeoutMs);
  const recorded = () => scene.cameras(done.role).every((name) => isRecordedBy(scene, name, done.to, done.epoch));
  await chronicle.until(`the cameras of ${done.role} are recorded by ${done.to}`, recorded, timeoutMs);
  return done;
}

/** Whether the camera's own status says that this server records it, at this epoch or a later one. */
export function isRecordedBy(scene: Scene, camera: string, server: string, epoch = 0): boolean {
  const found = scene.chronicle.find('cameras', camera);
  const { boundTo } = found?.status ?? {};
  return isTrue(found, 'Recording') && boundTo?.server === server && boundTo.epoch >= epoch;
}

/** Waits until a server is in a folder. */
export function stateReached(scene: Scene, server: string, state: string, timeoutMs = HANG_MS): Promise<true> {
  const reached = () => scene.chronicle.find('servers', server)?.status?.state === state || undefined;
  return scene.chronicle.until(`${server} is in the folder ${state}`, reached, timeoutMs);
}

/** The pod in which a server runs. Throws while its status names none. */
export function podUIDOf({ chronicle }: Pick<Scene, 'chronicle'>, server: string): string {
  const uid = chronicle.find('servers', server)?.status?.podUID;
  if (!uid) throw new Error(`the status of ${server} names no pod`);
  return uid;
}

/** Measures the gaps that a failover left, in the files. The disks of servers in `dead` are read from copies. */
export async function gapsOf(
  scene: Scene,
  entry: Entry,
  sinceMs: number,
  dead: readonly string[] = [],
): Promise<MeasuredGap[]> {
  const gaps: MeasuredGap[] = [];
  for (const camera of scene.cameras(entry.role)) {
    await scene.recorded(camera, sinceMs, entry.epoch);
    const measurement = await scene.measure(camera, sinceMs, dead);
    const first = firstFrameMs(measurement, entry.to, entry.epoch);
    const last = measurement.frames.findLast(({ timeMs }) => first !== undefined && timeMs < first);
    const connect = connectSeconds(scene.chronicle, entry.to, entry.epoch, camera);
    if (first === undefined) throw new Error(`${camera}: no footage of ${entry.to} in epoch ${entry.epoch}`);
    if (last === undefined) throw new Error(`${camera}: no footage from before that of ${entry.to}`);
    const { keyFrameSeconds } = measurement;
    const gapSeconds = (first - last.timeMs) / 1000;
    const stolenSeconds = scene.ground.processor.stolenSeconds(last.timeMs, first);
    const own = { connectSeconds: connect ?? 0, keyFrameSeconds };
    gaps.push({ camera, gapSeconds, lastMs: last.timeMs, ...own, stolenSeconds });
  }
  return gaps;
}

/**
 * The promise (power cut to first bytes, and the camera's own times), camera by camera; each gap is printed. It holds
 * for a machine that is there: what the host took of it comes on top, and is printed, too.
 */
export function expectWithinPromise(entry: Entry, gaps: readonly MeasuredGap[]): void {
  printTimes(entry, gaps);
  for (const gap of gaps) {
    const allowed = GAP_SECONDS + gap.connectSeconds + gap.keyFrameSeconds + gap.stolenSeconds;
    expect(gap.gapSeconds).to.be.at.most(allowed, gap.camera);
  }
}

/** Prints where the time of a failover went, and what that cost its cameras. */
export function printTimes(entry: Entry, gaps: readonly MeasuredGap[], more: Record<string, number> = {}): void {
  const { lastSeenTime, brokenTime, committedTime, acknowledgedTime, recordingTime } = entry;
  const startMs = Date.parse(lastSeenTime ?? brokenTime ?? committedTime);
  const told = { broken: brokenTime, committed: committedTime, acknowledged: acknowledgedTime, proved: recordingTime };
  const times = [
    ...Object.entries(told).map(([name, time]) => [name, Date.parse(time ?? '')] as const),
    ...Object.entries(more),
  ];
  const after = times.map(([name, ms]) => `${name} ${((ms - startMs) / 1000).toFixed(2)} s`);
  console.log(`      after the last ${lastSeenTime ? 'heartbeat' : 'sign'}: ${after.join(', ')}`);
  for (const { camera, lastMs, gapSeconds, connectSeconds, keyFrameSeconds, stolenSeconds } of gaps) {
    const own = `connect ${connectSeconds.toFixed(2)} s, key frame ${keyFrameSeconds.toFixed(2)} s, stolen ${stolenSeconds.toFixed(2)} s`;
    const begins = ((lastMs - startMs) / 1000).toFixed(2);
    console.log(`      ${camera}: gap of ${gapSeconds.toFixed(2)} s from ${begins} s on (${own})`);
  }
}
