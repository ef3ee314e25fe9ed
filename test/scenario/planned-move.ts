import type { HistoryEntry } from '../../src/crds/index.js';
import { isRecordedBy } from './failover.js';
import type { Hole } from './frames.js';
import { firstFrameMs } from './measure.js';
import { HANG_MS, type Scene } from './scene.js';

/** A move to wait for. */
export interface AwaitedMove {
  readonly role: string;
  readonly trigger: HistoryEntry['trigger'];
  /** Any server when absent. */
  readonly to?: string;
}

/** How a camera came from one recorder to the next, as its recorded files say. */
export interface Seam {
  readonly camera: string;
  /** Stretches without pictures on all disks together. */
  readonly holes: readonly Hole[];
  /** From the first picture of the new holder to the last one of the previous; negative when it stopped before. */
  readonly overlapSeconds: number;
}

/**
 * Waits until a role has moved and stays there: the move stands in the pool's history and is its last word on the role,
 * every camera is recorded by the new holder, and the previous one records it no more.
 */
export async function moveDone(scene: Scene, move: AwaitedMove, timeoutMs = HANG_MS): Promise<HistoryEntry> {
  const { role, trigger, to = 'another server' } = move;
  const what = `the role ${role} has moved to ${to} (${trigger})`;
  const entry = await scene.chronicle.until(what, () => lastWordOn(scene, move), timeoutMs);
  const settled = () =>
    hasLetGo(scene, entry) && scene.cameras(role).every((name) => isRecordedBy(scene, name, entry.to, entry.epoch));
  await scene.chronicle.until(`${entry.to} alone records the cameras of ${role}`, settled, timeoutMs);
  return entry;
}

function lastWordOn({ chronicle, pool }: Scene, { role, trigger, to }: AwaitedMove): HistoryEntry | undefined {
  const { history, roles } = chronicle.find('pools', pool)?.status ?? {};
  const last = history?.find((entry) => entry.role === role);
  const held = roles?.find(({ name }) => name === role);
  if (last === undefined || last.trigger !== trigger || last.outcome === 'Abandoned') return undefined;
  const stands = held?.holder === last.to && held.epoch === last.epoch && held.handedOverTime !== undefined;
  return stands && (to === undefined || to === last.to) ? last : undefined;
}

/** By the word of its present pod; a pod that is no more records nothing. */
function hasLetGo({ chronicle }: Scene, { from, role }: HistoryEntry): boolean {
  const report = chronicle.find('reports', from)?.status;
  return report?.role !== role || report.podUID !== chronicle.find('servers', from)?.status?.podUID;
}

/** Measures in the files how each camera of the role came over. All disks must be readable. */
export async function seamsOf(scene: Scene, move: HistoryEntry, sinceMs: number): Promise<Seam[]> {
  const seams: Seam[] = [];
  for (const camera of scene.cameras(move.role)) {
    await scene.recorded(camera, sinceMs, move.epoch);
    const measurement = await scene.measure(camera, sinceMs);
    const first = firstFrameMs(measurement, move.to, move.epoch);
    const last = measurement.frames.findLast(({ server, epoch }) => server === move.from && epoch < move.epoch);
    if (first === undefined) throw new Error(`${camera}: no footage of ${move.to} in epoch ${move.epoch}`);
    if (last === undefined) throw new Error(`${camera}: no footage of ${move.from} from before epoch ${move.epoch}`);
    seams.push({ camera, holes: measurement.holes, overlapSeconds: (last.timeMs - first) / 1000 });
  }
  return seams;
}
