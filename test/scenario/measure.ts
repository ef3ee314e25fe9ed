import type { RecorderReport } from '../../src/crds/index.js';
import { waitUntil } from '../cluster/wait-until.js';
import type { Chronicle } from './chronicle.js';
import { type Frame, framesOf, type Hole, holesIn, keyFrameIntervalSeconds, MovedError } from './frames.js';
import type { ReadableDisk } from './readable-disk.js';
import { type Segment, segmentsOn } from './segments.js';

const RECORDED_MS = 180_000;

/** What the disks say about one camera. */
export interface CameraMeasurement {
  readonly camera: string;
  readonly role: string;
  /** Stretches without pictures, longer than `HOLE_MS`, between the first and the last picture. */
  readonly holes: readonly Hole[];
  /** Usual time between key frames, in seconds. */
  readonly keyFrameSeconds: number;
  readonly frames: readonly Frame[];
}

/** Simulated cameras send ten pictures a second; a stretch of this length is no jitter any more. */
export const HOLE_MS = 700;

/** Reads the footage of a camera from all disks and finds its holes. Throws when no picture can be read. */
export async function measureCamera(
  disks: readonly ReadableDisk[],
  role: string,
  camera: string,
  sinceMs: number,
): Promise<CameraMeasurement> {
  const frames = (await allFrames(disks, role, camera, sinceMs)).filter((frame) => frame.timeMs >= sinceMs);
  const keyFrameSeconds = keyFrameIntervalSeconds(frames);
  if (keyFrameSeconds === undefined) {
    throw new Error(`camera ${camera}: no footage on the disks of ${disks.map((disk) => disk.server).join(', ')}`);
  }
  return { camera, role, holes: holesIn(frames, HOLE_MS), keyFrameSeconds, frames };
}

/** Recorders move a segment when they close it: then it is looked for again. */
async function allFrames(
  disks: readonly ReadableDisk[],
  role: string,
  camera: string,
  sinceMs: number,
  triesLeft = 5,
): Promise<Frame[]> {
  const segments: Segment[] = [];
  for (const { folder, server } of disks) segments.push(...(await segmentsOn(folder, server, role, camera, sinceMs)));
  try {
    return await framesOf(segments);
  } catch (error) {
    if (!(error instanceof MovedError) || triesLeft === 0) throw error;
    return allFrames(disks, role, camera, sinceMs, triesLeft - 1);
  }
}

/** Waits until a server's disk holds pictures of the camera that span so many seconds. */
export async function untilRecorded(
  disks: readonly ReadableDisk[],
  { role, camera, sinceMs, epoch }: { role: string; camera: string; sinceMs: number; epoch: number },
  seconds: number,
): Promise<void> {
  const isLongEnough = async () => {
    const frames = (await allFrames(disks, role, camera, sinceMs)).filter((frame) => frame.epoch >= epoch);
    return (frames.at(-1)?.timeMs ?? 0) - (frames[0]?.timeMs ?? 0) >= seconds * 1000;
  };
  const what = `${camera} is recorded for ${seconds} s in epoch ${epoch}`;
  await waitUntil(what, isLongEnough, { timeoutMs: RECORDED_MS, intervalMs: 500 });
}

/** The holes for a line of output, in seconds. */
export function told(holes: readonly Hole[]): string {
  return holes.length === 0 ? 'none' : holes.map(({ seconds }) => `${seconds.toFixed(2)} s`).join(', ');
}

/** First picture of the camera that a server recorded in an epoch, in milliseconds of wall clock. */
export function firstFrameMs(measurement: CameraMeasurement, server: string, epoch: number): number | undefined {
  return measurement.frames.find((frame) => frame.server === server && frame.epoch === epoch)?.timeMs;
}

/**
 * How long a recorder took from trying to reach a camera to its first bytes, in seconds: from the versions of its
 * report, in which it first waits or connects, and then records. Undefined when it never recorded, or when it did so
 * before its next report: that comes once a second at most.
 */
export function connectSeconds(
  chronicle: Chronicle,
  server: string,
  epoch: number,
  camera: string,
): number | undefined {
  const versions = chronicle
    .history('reports', server)
    .map(({ object }) => object)
    .filter((report) => report.status?.epoch === epoch);
  const states = versions.map((report) => stateOf(report, camera)).filter((state) => state !== undefined);
  const began = states.find(({ state }) => state === 'Connecting') ?? states.find(({ state }) => state === 'Waiting');
  const recorded = states.find(({ state }) => state === 'Recording');
  if (!recorded?.startTime) return undefined;
  if (!began) return undefined;
  return Math.max(0, (Date.parse(recorded.startTime) - Date.parse(began.sinceTime)) / 1000);
}

function stateOf(report: RecorderReport, camera: string) {
  return report.status?.cameras?.find((each) => each.name === camera);
}
