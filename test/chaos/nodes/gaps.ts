import type { CameraAssignment } from '../../../src/crds/index.js';
import type { Sighting } from '../../scenario/chronicle.js';
import type { Hole } from '../../scenario/frames.js';
import { type CameraMeasurement, HOLE_MS } from '../../scenario/measure.js';
import { missedSeconds, type Silence } from '../../scenario/silences.js';
import { conditionOf } from '../../scenario/summary.js';
import { clock } from './clock.js';
import type { Allowance } from './hits.js';

/** Nobody records for so long, and the camera has to say it: judged broken, and shown ten seconds later. Seconds. */
export const MUST_BE_SAID_SECONDS = 20;
/** Footage of a case begins and ends with it, give or take a segment that is being moved. Milliseconds. */
const EDGE_MS = 4_000;

/** What is needed to judge the footage of one camera. */
export interface Footage {
  readonly measurement: CameraMeasurement;
  /** From when on there has to be footage; undefined where it was deleted to make room. Wall clock, milliseconds. */
  readonly fromMs: number | undefined;
  /** When the files were read. Wall clock, milliseconds. */
  readonly untilMs: number;
  /** Time that a recorder took to connect to it, in an epoch. Seconds. */
  connectSeconds(server: string, epoch: number): number;
  /** When nobody could have recorded it: the camera sent nothing, or the machine let nobody receive it. */
  readonly silences: readonly Silence[];
  /** Processor time that the machine's host took between two moments. Seconds. */
  stolenSeconds(startMs: number, endMs: number): number;
  /** Versions of the camera's object. */
  readonly told: readonly Sighting<CameraAssignment>[];
}

/** What is wrong with the footage of one camera. */
export function gapViolations(footage: Footage, { holeSeconds }: Allowance): string[] {
  const { measurement } = footage;
  const tooLong = measurement.holes.flatMap((hole) => {
    const bound = boundOf(footage, hole, holeSeconds);
    if (missedSeconds(hole, footage.silences) <= bound) return [];
    const allowed = holeSeconds === 0 ? 'and none is allowed' : `and ${bound.toFixed(2)} s are allowed`;
    return [`${measurement.camera} has no pictures for ${described(hole)}, ${allowed}`];
  });
  return [...tooLong, ...edgeViolations(footage), ...unsaid(footage)];
}

/** The longest time that a camera has no pictures of although there were some. Seconds; 0 without any. */
export function longestHole({ measurement: { holes }, silences }: Pick<Footage, 'measurement' | 'silences'>): number {
  return Math.max(0, ...holes.map((hole) => missedSeconds(hole, silences)));
}

function described({ seconds, startMs, endMs, before, after }: Hole): string {
  return `${seconds.toFixed(2)} s from ${clock(startMs)} (${before.server}) to ${clock(endMs)} (${after.server})`;
}

function boundOf(footage: Footage, { after, startMs, endMs }: Hole, holeSeconds: number): number {
  const { measurement, connectSeconds, stolenSeconds } = footage;
  // What is left of a hole that the camera itself made is no hole.
  if (holeSeconds === 0) return HOLE_MS / 1000;
  const ownSeconds = connectSeconds(after.server, after.epoch) + measurement.keyFrameSeconds;
  return holeSeconds + ownSeconds + stolenSeconds(startMs, endMs);
}

function edgeViolations({ measurement: { camera, frames }, fromMs, untilMs }: Footage): string[] {
  const [first, last] = [frames[0]?.timeMs ?? 0, frames.at(-1)?.timeMs ?? 0];
  return [
    ...(fromMs !== undefined && first > fromMs + EDGE_MS
      ? [`the footage of ${camera} begins at ${clock(first)} only, the case at ${clock(fromMs)}`]
      : []),
    ...(last < untilMs - EDGE_MS
      ? [`the footage of ${camera} ends at ${clock(last)}, and was read at ${clock(untilMs)}`]
      : []),
  ];
}

/** A camera that is not recorded is reported not recorded. */
function unsaid({ measurement: { camera, holes }, told }: Footage): string[] {
  return holes.flatMap((hole) => {
    if (hole.seconds <= MUST_BE_SAID_SECONDS) return [];
    const said = told.some(
      ({ atMs, object }, index) =>
        conditionOf(object, 'Recording')?.status !== 'True' &&
        atMs <= hole.endMs &&
        (told[index + 1]?.atMs ?? Number.POSITIVE_INFINITY) >= hole.startMs,
    );
    return said ? [] : [`${camera} was said to be recorded all the time, but has no pictures for ${described(hole)}`];
  });
}
