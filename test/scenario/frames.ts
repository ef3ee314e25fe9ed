import { stat } from 'node:fs/promises';
import { tryRun } from '../cluster/run-command.js';
import { type Segment, unlessGone } from './segments.js';

/** A picture that can be read from the disk. */
export interface Frame {
  /** When the recorder received it, wall clock in milliseconds. */
  readonly timeMs: number;
  readonly isKey: boolean;
  readonly server: string;
  readonly epoch: number;
  readonly writer: string;
}

/** A stretch of time without pictures. */
export interface Hole {
  readonly startMs: number;
  readonly endMs: number;
  readonly seconds: number;
  readonly before: Frame;
  readonly after: Frame;
}

// MPEG-TS counts 90,000 ticks a second in 33 bits, so its times repeat each 26.5 hours.
const TICKS_PER_MS = 90;
const WRAP_MS = 2 ** 33 / TICKS_PER_MS;
const AT_ONCE = 4;

/** A segment was moved to its place while it was being read: the listing is out of date. */
export class MovedError extends Error {}

/** Reads all pictures of the segments, in the order of time. A file without any, as a power cut leaves it, adds none. */
export async function framesOf(segments: readonly Segment[]): Promise<Frame[]> {
  const frames: Frame[] = [];
  const waiting = [...segments];
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) frames.push(...(await framesIn(next)));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return frames.sort((a, b) => a.timeMs - b.timeMs);
}

async function framesIn(segment: Segment): Promise<Frame[]> {
  const show = ['-select_streams', 'v', '-show_entries', 'packet=pts,flags', '-of', 'csv=p=0'];
  // Behind everything else: who measures must not take from recorders the processor that they need.
  const output = (await tryRun('nice', ['-n', '19', 'ffprobe', '-v', 'quiet', ...show, segment.path])) ?? '';
  if ((await unlessGone(stat(segment.path))) === undefined) throw new MovedError(`${segment.path} has been moved`);
  const { server, epoch, writer } = segment;
  return output
    .split('\n')
    .map((line) => line.split(','))
    .filter(([pts]) => /^\d+$/.test(pts ?? ''))
    .map(([pts, flags]) => ({
      timeMs: unwrapped(Number(pts) / TICKS_PER_MS, segment.modifiedMs),
      isKey: flags?.startsWith('K') ?? false,
      server,
      epoch,
      writer,
    }));
}

function unwrapped(timeMs: number, nearMs: number): number {
  return timeMs + WRAP_MS * Math.round((nearMs - timeMs) / WRAP_MS);
}

// Pictures are timed by their arrival: after a stall of the machine those that were late arrive together, or little by
// little where it goes on being busy.
const CATCH_UP_MS = [1_000, 2_000, 4_000, 8_000];
const RATE_OVER_MS = 10_000;
/** What is counted by a rate may be wrong by so many pictures; the shortest hole lacks twice as many. */
const PICTURES_OFF = 3;

/** Where for longer than `longerThanMs` nobody recorded a picture; two recorders at once close each other's holes. */
export function holesIn(frames: readonly Frame[], longerThanMs: number): Hole[] {
  const holes: Hole[] = [];
  let before: Frame | undefined;
  for (const after of frames) {
    if (before && after.timeMs - before.timeMs > longerThanMs && !wereOnlyLate(frames, before, after)) {
      const [startMs, endMs] = [before.timeMs, after.timeMs];
      holes.push({ startMs, endMs, seconds: (endMs - startMs) / 1000, before, after });
    }
    before = after;
  }
  return holes;
}

/** Whether a writer that recorded before and after the stretch has all its pictures. */
function wereOnlyLate(frames: readonly Frame[], before: Frame, after: Frame): boolean {
  const ofWriter = Map.groupBy(frames, ({ server, writer }) => `${server}/${writer}`);
  return [...ofWriter.values()].some((own) => hasAll(own, before.timeMs, after.timeMs));
}

/**
 * Counted by the rate at which the writer's pictures came before the stretch, or after it where it had only begun. Of one
 * that was ended soon after, those are counted that came until then.
 */
function hasAll(own: readonly Frame[], startMs: number, endMs: number): boolean {
  const [first, last] = [own[0], own.at(-1)];
  if (first === undefined || last === undefined || first.timeMs > startMs || last.timeMs < endMs) return false;
  return CATCH_UP_MS.some((ms) => {
    const untilMs = Math.min(endMs + ms, last.timeMs);
    const perMs = rateIn(own, startMs - RATE_OVER_MS, startMs) ?? rateIn(own, untilMs, untilMs + RATE_OVER_MS);
    const arrived = own.filter(({ timeMs }) => timeMs > startMs && timeMs <= untilMs).length;
    return perMs !== undefined && arrived >= perMs * (untilMs - startMs) - PICTURES_OFF;
  });
}

/** Pictures a millisecond; undefined with too few to tell. */
function rateIn(own: readonly Frame[], fromMs: number, untilMs: number): number | undefined {
  const there = own.filter(({ timeMs }) => timeMs >= fromMs && timeMs <= untilMs);
  const [first, last] = [there[0], there.at(-1)];
  if (first === undefined || last === undefined || there.length < 5 || last.timeMs === first.timeMs) return undefined;
  return (there.length - 1) / (last.timeMs - first.timeMs);
}

/** The usual time between two key frames, in seconds; undefined with fewer than two of them. */
export function keyFrameIntervalSeconds(frames: readonly Frame[]): number | undefined {
  const intervals: number[] = [];
  const last = new Map<string, number>();
  for (const { isKey, timeMs, server, writer } of frames) {
    if (!isKey) continue;
    const source = `${server}/${writer}`;
    const previous = last.get(source);
    if (previous !== undefined) intervals.push((timeMs - previous) / 1000);
    last.set(source, timeMs);
  }
  return intervals.sort((a, b) => a - b)[Math.floor(intervals.length / 2)];
}
