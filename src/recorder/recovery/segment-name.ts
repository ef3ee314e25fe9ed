import { isSegmentName } from '../footage/layout.js';

/** A segment in its place, as it is named between recorders. */
export interface SegmentName {
  readonly role: string;
  readonly camera: string;
  /** Writer's folder, which carries epoch and day. */
  readonly folder: string;
  readonly file: string;
}

/** A segment with what is known of it without reading it. */
export interface SegmentInfo {
  readonly folder: string;
  readonly file: string;
  readonly bytes: number;
  /** Milliseconds since 1970, by its name: up to some seconds early for the first one of a run. */
  readonly startMs: number;
  /** Milliseconds since 1970: its last bytes. */
  readonly endMs: number;
}

const NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

/** Whether it may be a part of a path: the name of a role or a camera. */
export function isPlainName(name: string): boolean {
  return NAME.test(name) && !name.includes('..');
}

/** Whether it is a writer's folder. */
export function isWriterFolder(folder: string): boolean {
  return /^e\d{1,16}-\d{8}-[0-9a-z]{1,64}$/.test(folder);
}

/** Path below a volume. Only for names that were checked. */
export function pathOf({ role, camera, folder, file }: SegmentName): string {
  return `${role}/${camera}/${folder}/${file}`;
}

/** Undefined for anything that is no segment in its place: what comes from outside becomes no path unchecked. */
export function checkedName(role: string, camera: string, folder: string, file: string): SegmentName | undefined {
  const fine = isPlainName(role) && isPlainName(camera) && isWriterFolder(folder) && isSegmentName(file);
  return fine ? { role, camera, folder, file } : undefined;
}

/** Start of a segment by its name. Milliseconds since 1970. */
export function startOf(file: string): number {
  const [, year, month, day, hour, minute, second] = /^(....)(..)(..)T(..)(..)(..)Z/.exec(file) ?? [];
  return Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
}

/** A time without holes, in milliseconds since 1970. */
export interface Stretch {
  readonly startMs: number;
  readonly endMs: number;
}

/** A segment ends with its last packet and the next is named after a whole second: less than this is no hole. */
const HOLE_MS = 2_500;

/** Joins segments that follow each other. */
export function stretchesOf(segments: readonly Pick<SegmentInfo, 'startMs' | 'endMs'>[]): Stretch[] {
  const stretches: Stretch[] = [];
  for (const { startMs, endMs } of [...segments].sort((a, b) => a.startMs - b.startMs)) {
    const last = stretches.at(-1);
    if (last !== undefined && startMs - last.endMs <= HOLE_MS)
      stretches[stretches.length - 1] = { startMs: last.startMs, endMs: Math.max(last.endMs, endMs) };
    else stretches.push({ startMs, endMs });
  }
  return stretches;
}
