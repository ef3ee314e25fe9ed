import { connectSeconds, measureCamera } from '../../scenario/measure.js';
import { copyOf, type DiskCopy, mounted } from '../../scenario/readable-disk.js';
import type { Act } from './act.js';
import { gapViolations, longestHole } from './gaps.js';
import { ROLE } from './plot.js';

/** Footage of a case is read from a little before its beginning on. Milliseconds. */
const LEAD_MS = 3_000;

/** What the files of one system say. */
export interface Findings {
  readonly violations: readonly string[];
  /** Undefined when nothing could be read. Seconds. */
  readonly longestGapSeconds: number | undefined;
  /** Longest time in which nobody on this machine received a picture of some camera. Seconds. */
  readonly stillSeconds: number;
}

/**
 * Reads the footage of every camera since the case began, from all disks; from copies of those that servers which are
 * not in order have, since a dead disk can't be read and one of a dead node is not mounted.
 */
export async function measureAct(act: Act): Promise<Findings> {
  const copies: DiskCopy[] = [];
  try {
    const { disks, plan } = act.plot.system;
    const broken = new Set(act.hits.filter(({ endMs }) => endMs === undefined).map(({ server }) => server));
    for (const disk of disks.filter(({ server }) => broken.has(server)))
      copies.push(await copyOf(act.plot.ground.cluster.name, disk));
    const readable = [...mounted(disks.filter(({ server }) => !broken.has(server))), ...copies];
    const found = [];
    for (const { name } of plan.cameras) found.push(await measureOne(act, readable, name));
    return {
      violations: found.flatMap(({ violations }) => violations),
      longestGapSeconds: Math.max(...found.map(({ longest }) => longest)),
      stillSeconds: Math.max(...found.map(({ still }) => still)),
    };
  } catch (error) {
    return {
      violations: [`the footage can't be read: ${String(error)}`],
      longestGapSeconds: undefined,
      stillSeconds: 0,
    };
  } finally {
    for (const copy of copies) await copy.release();
  }
}

async function measureOne(act: Act, disks: Parameters<typeof measureCamera>[0], camera: string) {
  const { chronicle, ground } = act.plot;
  const sinceMs = act.startMs - LEAD_MS;
  const untilMs = Date.now();
  const measurement = await measureCamera(disks, ROLE, camera, sinceMs);
  const madeRoom = act.hits.some(({ fault }) => fault === 'full');
  const footage = {
    measurement,
    fromMs: madeRoom ? undefined : sinceMs,
    untilMs,
    connectSeconds: (server: string, epoch: number) => connectSeconds(chronicle, server, epoch, camera) ?? 0,
    silences: await ground.witness.silences(camera, sinceMs),
    stolenSeconds: (startMs: number, endMs: number) => ground.processor.stolenSeconds(startMs, endMs),
    told: chronicle.history('cameras', camera),
  };
  const still = Math.max(0, ...footage.silences.map(({ startMs, endMs }) => (endMs - startMs) / 1000));
  return { violations: gapViolations(footage, act.allowance), longest: longestHole(footage), still };
}
