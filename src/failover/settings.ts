import type { FailoverPoolSpec, RecordingServerSpec } from '../crds/index.js';
import type { HealthSettings } from './types.js';

/** What holds for a server that no pool watches: its conditions are judged all the same. Seconds. */
const unwatched: HealthSettings = { timeoutSeconds: 30, storageGraceSeconds: 5, recordingServiceGraceSeconds: 30 };

/** Rule 9: the times by which a server is judged. A server's own timeout goes before its pool's. */
export function healthSettings(
  server: Pick<RecordingServerSpec, 'failoverTimeoutSeconds'>,
  pool?: Pick<FailoverPoolSpec, 'failoverTimeoutSeconds' | 'storageGraceSeconds' | 'recordingServiceGraceSeconds'> &
    Partial<Pick<FailoverPoolSpec, 'cameras'>>,
): HealthSettings {
  const { failoverWhenUnreachable = false, graceSeconds } = pool?.cameras ?? {};
  return {
    ...(failoverWhenUnreachable && graceSeconds !== undefined ? { camerasGraceSeconds: graceSeconds } : {}),
    timeoutSeconds: server.failoverTimeoutSeconds ?? pool?.failoverTimeoutSeconds ?? unwatched.timeoutSeconds,
    storageGraceSeconds: pool?.storageGraceSeconds ?? unwatched.storageGraceSeconds,
    recordingServiceGraceSeconds: pool?.recordingServiceGraceSeconds ?? unwatched.recordingServiceGraceSeconds,
  };
}

/** The longest time between two heartbeats, whatever the timeout. Seconds. */
export const LONGEST_HEARTBEAT_SECONDS = 10;

/** How often an agent with this timeout renews its Lease: a third of it, between 1 and 10 seconds. */
export function heartbeatSeconds(timeoutSeconds: number): number {
  return Math.min(Math.max(timeoutSeconds / 3, 1), LONGEST_HEARTBEAT_SECONDS);
}
