import type { Space } from './probe-script.js';

/** Written at each measurement. Bytes. */
const MEASURED_BYTES = 8 * 1024 * 1024;
/** Room that a measurement leaves, so that it never fills a disk. */
const ROOM_FACTOR = 4;
/** Time for a measurement: a disk that takes longer bears next to nothing. Milliseconds. */
export const MEASURE_DEADLINE_MS = 5000;
/** From one measurement to the next. Milliseconds. */
export const MEASURE_EVERY_MS = 3_600_000;

/** Megabytes a second; coarse, so that a report seldom changes by it. */
const STEPS = [0, 1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000];
/** A step is left when the rate is beyond its ends by this share. */
const HYSTERESIS = 0.25;

/**
 * Writes and syncs 8 MiB on a volume that carries our identity, in a child. Arguments: mount path, expected identity.
 * Random bytes: some file systems store zeros for nothing. Prints `nanoseconds=`.
 */
export const MEASURE_SCRIPT = `
d=$1/.understudy
[ "$(cat "$d/identity.json")" = "$2" ] || exit 1
from=$(date +%s%N)
dd if=/dev/urandom of="$d/write-test" bs=1048576 count=8 conv=fsync status=none
code=$?
to=$(date +%s%N)
rm -f "$d/write-test"
[ $code -eq 0 ] && echo "nanoseconds=$((to - from))"
`;

/** Whether a volume has room for a measurement. */
export function hasRoom(space: Space | undefined): boolean {
  return space !== undefined && space.availableBytes >= MEASURED_BYTES * ROOM_FACTOR;
}

/**
 * The rate that a child's output tells, in megabytes a second; undefined for one that can't be true, as when the wall
 * clock was set meanwhile. `elapsedMs` is how long the child took by the monotonic clock.
 */
export function measuredRate(stdout: string, elapsedMs: number): number | undefined {
  const nanoseconds = Number(/^nanoseconds=(\d+)$/m.exec(stdout)?.[1]);
  if (!(nanoseconds > 0) || nanoseconds / 1e6 > elapsedMs + 50) return undefined;
  return MEASURED_BYTES / 1e6 / (nanoseconds / 1e9);
}

/** The rate of a disk that did not end its measurement in time: no more than this. */
export const RATE_AT_DEADLINE = MEASURED_BYTES / 1e6 / (MEASURE_DEADLINE_MS / 1000);

/** The rate in steps, rounded down; a step once told is kept while the rate is near it. */
export function steppedRate(rate: number, before: number | undefined): number {
  const index = before === undefined ? -1 : STEPS.indexOf(before);
  if (before !== undefined && index >= 0) {
    const next = STEPS[index + 1] ?? Number.POSITIVE_INFINITY;
    if (rate >= before * (1 - HYSTERESIS) && rate < next * (1 + HYSTERESIS)) return before;
  }
  return STEPS.findLast((step) => step <= rate) ?? 0;
}
