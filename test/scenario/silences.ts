import type { Hole } from './frames.js';
import { type CameraMeasurement, HOLE_MS } from './measure.js';

/** A stretch in which a camera sent nothing, or this machine let nobody receive it. Wall clock, milliseconds. */
export interface Silence {
  readonly startMs: number;
  readonly endMs: number;
}

/** Simulated cameras send ten pictures a second. Milliseconds. */
const SILENT_AFTER_MS = 300;

/** Where two pictures are too far apart. */
export function silencesBetween(timesMs: readonly number[]): Silence[] {
  return timesMs.flatMap((endMs, index) => {
    const startMs = timesMs[index - 1];
    return startMs !== undefined && endMs - startMs > SILENT_AFTER_MS ? [{ startMs, endMs }] : [];
  });
}

/** What of a hole somebody could have recorded. Seconds. */
export function missedSeconds({ seconds, startMs, endMs }: Hole, silences: readonly Silence[]): number {
  const silent = silences.map((each) => Math.min(each.endMs, endMs) - Math.max(each.startMs, startMs));
  return Math.max(0, seconds - silent.filter((ms) => ms > 0).reduce((sum, ms) => sum + ms, 0) / 1000);
}

/** Without those of which somebody could have recorded so little that it would be none. */
export function realHoles(holes: readonly Hole[], silences: readonly Silence[]): Hole[] {
  return holes.filter((hole) => missedSeconds(hole, silences) > HOLE_MS / 1000);
}

/** The same with nothing but its real holes. */
export function withoutSilences(measurement: CameraMeasurement, silences: readonly Silence[]): CameraMeasurement {
  return { ...measurement, holes: realHoles(measurement.holes, silences) };
}
