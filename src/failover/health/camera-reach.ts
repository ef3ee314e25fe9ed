import { type RecorderReportStatus, type ReportedCamera, reasons } from '../../crds/index.js';
import type { ConditionVerdict, Monotonic } from '../types.js';

/**
 * A camera that answers again counts as unreachable for so long still: one that comes and goes must not change the
 * server's status at every attempt (law 8). Milliseconds.
 */
export const REACHED_AGAIN_MS = 30_000;
/** Names in a message. */
const NAMED = 5;

/** What one replica has seen of the cameras of a recorder. */
export interface CameraReach {
  /** Cameras that it records or tries to record. */
  readonly total: number;
  /** Some camera has been recorded, or has failed for a reason that says something of it. */
  readonly known: boolean;
  /** Those out of reach, and since when they have been reached again, if they have. */
  readonly unreachable: ReadonlyMap<string, Monotonic | undefined>;
  /** Since when none of them has been reached, without a break. */
  readonly lostAt?: Monotonic | undefined;
}

/** The camera, or the way to it, is at fault: a refused disk, a broken engine or an unreadable Secret is not its doing. */
function outOfReach({ state, failure }: ReportedCamera): boolean {
  return state === 'Failed' && (failure === 'Unreachable' || failure === 'Rejected');
}

/** The entry of a camera after this report: undefined and null tell "out of reach" from "fine". */
function entryOf(
  camera: ReportedCamera,
  before: CameraReach | undefined,
  now: Monotonic,
): { readonly reachedAt: Monotonic | undefined } | undefined {
  if (outOfReach(camera)) return { reachedAt: undefined };
  if (before?.unreachable.has(camera.name) !== true) return undefined;
  const reachedAt = before.unreachable.get(camera.name);
  // A retry proves nothing, nor does a failure of our own: it stays as it was.
  if (camera.state !== 'Recording') return { reachedAt };
  const since = reachedAt ?? now;
  return now - since < REACHED_AGAIN_MS ? { reachedAt: since } : undefined;
}

/**
 * Folds a recorder's report on its cameras into what was seen before. `report` is that of the present pod; without one,
 * or while it stands by, there is nothing to fold.
 */
export function foldCameraReach(
  before: CameraReach | undefined,
  report: RecorderReportStatus | undefined,
  now: Monotonic,
): CameraReach | undefined {
  if (report?.mode !== 'Record') return undefined;
  const cameras = (report.cameras ?? []).filter(({ state }) => state !== 'Stopped');
  const unreachable = new Map<string, Monotonic | undefined>();
  for (const camera of cameras) {
    const entry = entryOf(camera, before, now);
    if (entry !== undefined) unreachable.set(camera.name, entry.reachedAt);
  }
  const known = unreachable.size > 0 || cameras.some(({ state }) => state === 'Recording');
  const lost =
    cameras.length > 0 &&
    cameras.every(({ name, state }) => {
      const missing = unreachable.has(name) && unreachable.get(name) === undefined;
      return missing && state !== 'Recording';
    });
  return { total: cameras.length, known, unreachable, lostAt: lost ? (before?.lostAt ?? now) : undefined };
}

/** Milliseconds until a camera that answers again no longer counts as unreachable; undefined when there is none. */
export function reachChangesInMs(reach: CameraReach | undefined, now: Monotonic): number | undefined {
  const settling = [...(reach?.unreachable.values() ?? [])].filter((reachedAt) => reachedAt !== undefined);
  return settling.length === 0 ? undefined : Math.max(1, Math.min(...settling) + REACHED_AGAIN_MS - now);
}

/** The names that count as unreachable at this moment, sorted. */
function namesAt(reach: CameraReach, now: Monotonic): string[] {
  return [...reach.unreachable]
    .filter(([, reachedAt]) => reachedAt === undefined || now - reachedAt < REACHED_AGAIN_MS)
    .map(([name]) => name)
    .sort();
}

function verdict(total: number, missing: number, names: readonly string[]): ConditionVerdict {
  if (total === 0) return { status: 'True', reason: reasons.AllReachable, message: 'There are no cameras to reach' };
  if (missing === 0) return { status: 'True', reason: reasons.AllReachable, message: 'Every camera answers' };
  const more = missing > NAMED ? ', ...' : '';
  const list = `${names.slice(0, NAMED).join(', ')}${more}`;
  if (missing >= total) {
    const message = `None of its ${total} cameras answers (${list}); look at the camera network of this recorder`;
    return { status: 'False', reason: reasons.AllUnreachable, message };
  }
  const message = `${missing} of ${total} cameras ${missing === 1 ? 'does' : 'do'} not answer: ${list}`;
  return { status: 'False', reason: reasons.SomeUnreachable, message };
}

const notYet: ConditionVerdict = {
  status: 'Unknown',
  reason: reasons.NotYetObserved,
  message: 'The recorder has not tried its cameras yet',
};

/**
 * Condition CamerasReachable: tells one camera down from all down on this recorder. Of a recorder by what it records;
 * of a standby by its own probes.
 */
export function camerasReachable(
  reach: CameraReach | undefined,
  report: RecorderReportStatus | undefined,
  now: Monotonic,
): ConditionVerdict {
  if (reach !== undefined) {
    const names = namesAt(reach, now);
    return reach.total > 0 && !reach.known ? notYet : verdict(reach.total, names.length, names);
  }
  const probed = report?.reachability;
  if (probed === undefined) return notYet;
  // Without its login a camera was not asked; that is told by StandbyReady.
  const missing = Math.max(0, probed.total - probed.reachable - probed.noCredentials.length);
  return verdict(probed.total, missing, probed.unreachable);
}
