import type { Announcement, HealthSettings, Monotonic, Observation, Signals } from '../types.js';

/**
 * Whether a stop is a planned one. A recorder that was failing, or had not come up since its last stop, does not get
 * more time by stopping in an orderly way: else one that restarts for ever would be awaited for ever.
 */
function isPlanned(before: Observation | undefined): boolean {
  if (before === undefined) return true;
  const { serviceFailedAt, disksLostAt, containerFailedAt, serviceStartingAt } = before;
  const troubles = [serviceFailedAt, disksLostAt, containerFailedAt, serviceStartingAt];
  return troubles.every((trouble) => trouble === undefined);
}

/**
 * The stop that the recorder has announced in its report. It is believed only from the pod that renewed the Lease last:
 * that is whose silence is judged. So it outlives the end of that pod, and ends when its successor is heard, or when the
 * container that came back reports anything else.
 */
export function foldAnnouncement(
  before: Observation | undefined,
  { report, lease }: Signals,
  now: Monotonic,
): Announcement | undefined {
  const { podUID, recordingService } = report ?? {};
  if (podUID === undefined || recordingService?.state !== 'Stopping') return undefined;
  if (lease?.holderIdentity !== podUID) return undefined;
  const { sinceTime } = recordingService;
  const known = before?.announcement;
  if (known?.podUID === podUID && known.sinceTime === sinceTime) return known;
  // It stops again without having come back in between: the first announcement's time goes on.
  return { podUID, sinceTime, seenAt: known?.seenAt ?? now, planned: known?.planned ?? isPlanned(before) };
}

/**
 * How long an announced recorder is still awaited: restartGraceSeconds from the announcement, never prolonged by
 * anything. Milliseconds; negative: so long ago the wait has ended; minus infinity: nothing was announced.
 */
export function awaitedForMs({ announcement }: Observation, settings: HealthSettings, now: Monotonic): number {
  if (announcement?.planned !== true) return Number.NEGATIVE_INFINITY;
  return announcement.seenAt + settings.restartGraceSeconds * 1000 - now;
}
