import { heartbeatSeconds, LONGEST_HEARTBEAT_SECONDS } from '../settings.js';
import type { ApiContact, HealthSettings, Monotonic, Observation } from '../types.js';
import { awaitedForMs } from './announcement.js';

/** A heartbeat that is so many intervals old is late. */
const LATE_AFTER_HEARTBEATS = 1.5;

/** An agent retries a failed renewal at least every second, so it is heard within its cadence and this. Seconds. */
const RETRY_SECONDS = 1;

/** How a server stands with its heartbeat. All times are milliseconds. */
export interface Silence {
  /** Since the last renewal seen, or since it could first have been seen. */
  readonly silentForMs: number;
  /** Silence of so long is late. */
  readonly lateAfterMs: number;
  /** Silence of so long is a failure. */
  readonly timeoutMs: number;
  /** This replica has seen a renewal happen since it last got into contact with the API, and the next is not late. */
  readonly fresh: boolean;
  /** This replica has seen a renewal happen once, and the next is late. */
  readonly late: boolean;
  /** It has announced its stop, and is awaited for so long; 0 or less: not any more. Until then silence is no failure. */
  readonly awaitedForMs: number;
}

/**
 * Rule 9a: the timeout that counts now. A shortened one counts only after a renewal at the new cadence: until then the
 * agent heeds the old one. Of a renewal found at first sight the cadence is not known, so the longest is allowed for.
 */
function effectiveTimeoutSeconds(observation: Observation, settings: HealthSettings): number {
  const { renewal } = observation;
  const agreed = Math.max(settings.timeoutSeconds, renewal?.leaseDurationSeconds ?? 0);
  return renewal?.witnessed ? agreed : Math.max(agreed, LONGEST_HEARTBEAT_SECONDS + RETRY_SECONDS);
}

/** The cadence that the agent keeps: by the timeout that it read with its last renewal. */
function cadenceSeconds(observation: Observation, settings: HealthSettings): number {
  if (observation.renewal?.witnessed !== true) return LONGEST_HEARTBEAT_SECONDS;
  return heartbeatSeconds(observation.renewal.leaseDurationSeconds || settings.timeoutSeconds);
}

/** Law 7: silence is counted from this replica's own observations, and never over a time without Lease or API. */
export function silenceOf(
  observation: Observation,
  settings: HealthSettings,
  now: Monotonic,
  contact: ApiContact,
): Silence {
  const { renewal, leaseSeenAt } = observation;
  const start = Math.max(renewal?.seenAt ?? Number.NEGATIVE_INFINITY, leaseSeenAt ?? now, contact.since);
  const silentForMs = leaseSeenAt === undefined ? 0 : Math.max(0, now - start);
  const timeoutMs = effectiveTimeoutSeconds(observation, settings) * 1000;
  const lateAfterMs = Math.min(cadenceSeconds(observation, settings) * LATE_AFTER_HEARTBEATS * 1000, timeoutMs);
  const heard = renewal?.witnessed === true && leaseSeenAt !== undefined;
  const alive = heard && renewal.seenAt >= Math.max(contact.since, leaseSeenAt);
  const late = silentForMs >= lateAfterMs;
  return {
    silentForMs,
    lateAfterMs,
    timeoutMs,
    fresh: alive && !late,
    late: heard && late,
    awaitedForMs: awaitedForMs(observation, settings, now),
  };
}
