import type { FailoverPoolSpec, RecordingServerSpec } from '../crds/index.js';
import type { HealthSettings } from './types.js';

type PoolClocks = Pick<
  FailoverPoolSpec,
  | 'failoverTimeoutSeconds'
  | 'storageGraceSeconds'
  | 'recordingServiceGraceSeconds'
  | 'startGraceSeconds'
  | 'restartGraceSeconds'
>;

/** What holds for a server that no pool watches: its conditions are judged all the same. Seconds. */
const unwatched: PoolClocks = {
  failoverTimeoutSeconds: 30,
  storageGraceSeconds: 5,
  recordingServiceGraceSeconds: 30,
  startGraceSeconds: 120,
  restartGraceSeconds: 60,
};

/** Rule 9: the times by which a server is judged. A server's own timeout goes before its pool's. */
export function healthSettings(
  server: Pick<RecordingServerSpec, 'failoverTimeoutSeconds'>,
  pool: PoolClocks & Partial<Pick<FailoverPoolSpec, 'cameras'>> = unwatched,
): HealthSettings {
  const { failoverWhenUnreachable = false, graceSeconds } = pool?.cameras ?? {};
  return {
    ...(failoverWhenUnreachable && graceSeconds !== undefined ? { camerasGraceSeconds: graceSeconds } : {}),
    timeoutSeconds: server.failoverTimeoutSeconds ?? pool.failoverTimeoutSeconds,
    storageGraceSeconds: pool.storageGraceSeconds,
    recordingServiceGraceSeconds: pool.recordingServiceGraceSeconds,
    startGraceSeconds: pool.startGraceSeconds,
    restartGraceSeconds: pool.restartGraceSeconds,
  };
}

/** The longest time between two heartbeats, whatever the timeout. Seconds. */
export const LONGEST_HEARTBEAT_SECONDS = 10;

/** How often an agent with this timeout renews its Lease: a third of it, between 1 and 10 seconds. */
export function heartbeatSeconds(timeoutSeconds: number): number {
  return Math.min(Math.max(timeoutSeconds / 3, 1), LONGEST_HEARTBEAT_SECONDS);
}
