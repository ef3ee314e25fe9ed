import type { RecordingServerStatus, ServerState } from '../../crds/index.js';
import type { Verdict } from '../types.js';

/** What decides in which folder a server stands. */
export interface StateInput {
  readonly operatingMode: 'Normal' | 'Maintenance';
  /** It holds a role by the pool's status (or serves its own without a pool). */
  readonly holdsRole: boolean;
  readonly verdict: Verdict;
  /** How long it has been broken, from its health. Milliseconds. */
  readonly brokenForMs: number;
  /** A drain took its pod, and the next one waits for the cordoned node: no failure. */
  readonly drained?: boolean | undefined;
  /** Its status as it stands. */
  readonly previous: Pick<RecordingServerStatus, 'state' | 'brokenTime' | 'healthyTime'> | undefined;
  /** failback.stableSeconds of the pool; 300 without one. */
  readonly stableSeconds: number;
  readonly now: Date;
}

/** A server's folder (rule 15) with its times, as they belong in its status. */
export interface StateOutcome {
  readonly state: ServerState;
  readonly brokenTime?: string | undefined;
  readonly healthyTime?: string | undefined;
  /** It has just come from Broken to Standby (rule 2): worth an Event. */
  readonly repaired: boolean;
  /** Look again after so long: it will be stable. Milliseconds. */
  readonly nextCheckInMs?: number | undefined;
}

function plain(state: ServerState): StateOutcome {
  return { state, repaired: false };
}

/** One that was healthy since it broke has broken anew: an old time would say that this is the old failure. */
function broken({ previous, brokenForMs, now }: StateInput): StateOutcome {
  const still = previous?.healthyTime === undefined ? previous?.brokenTime : undefined;
  const brokenTime = still ?? new Date(now.getTime() - brokenForMs).toISOString();
  return { state: 'Broken', brokenTime, repaired: false };
}

/** A time to come was written before the clock was set back: waiting for it could take days. */
function pastTime(time: string | undefined, now: Date): string | undefined {
  return time !== undefined && Date.parse(time) <= now.getTime() ? time : undefined;
}

/** Rule 2: a repaired server is a standby once it has been healthy for stableSeconds. */
function recovering({ previous, stableSeconds, now, verdict }: StateInput): StateOutcome {
  const healthyTime = pastTime(previous?.healthyTime, now) ?? (verdict === 'Healthy' ? now.toISOString() : undefined);
  const brokenTime = previous?.brokenTime;
  if (healthyTime === undefined) return { state: 'Broken', brokenTime, repaired: false };
  const remainingMs = Date.parse(healthyTime) + stableSeconds * 1000 - now.getTime();
  if (verdict === 'Healthy' && remainingMs <= 0) return { state: 'Standby', repaired: true };
  const nextCheckInMs = remainingMs > 0 ? remainingMs : undefined;
  return { state: 'Broken', brokenTime, healthyTime, repaired: false, nextCheckInMs };
}

function inMaintenance({ previous }: StateInput): StateOutcome {
  return { state: 'Maintenance', brokenTime: previous?.brokenTime, repaired: false };
}

/** Too little is known at this moment (a late heartbeat, an operator that has just started): it stays where it was. */
function unchanged({ previous, holdsRole }: StateInput): StateOutcome {
  const { brokenTime, healthyTime } = previous ?? {};
  if (brokenTime !== undefined) return { state: 'Broken', brokenTime, healthyTime, repaired: false };
  if (holdsRole) return plain('Active');
  return plain(previous?.state === 'Active' || previous?.state === 'Standby' ? 'Standby' : 'Pending');
}

/**
 * Rule 15: the folder of a server. Rule 2: Broken becomes Standby after stableSeconds of health, and at once Active when
 * it holds a role again. A server that starts after maintenance and was not broken before is Pending, not Broken.
 */
export function serverState(input: StateInput): StateOutcome {
  const { operatingMode, holdsRole, verdict, previous } = input;
  const wasBroken = previous?.brokenTime !== undefined;
  const starting = previous?.state === 'Maintenance' || previous?.state === 'Pending';
  if (operatingMode === 'Maintenance' && !holdsRole) return inMaintenance(input);
  if (verdict === 'NeverReady') return plain('Pending');
  if (verdict !== 'Healthy' && input.drained === true && !wasBroken && !holdsRole) return plain('Pending');
  if (verdict === 'Broken' && starting && !wasBroken && !holdsRole) return plain('Pending');
  if (verdict === 'Broken') return broken(input);
  if (verdict === 'Unknown' || (verdict === 'Late' && (holdsRole || !wasBroken))) return unchanged(input);
  if (holdsRole) return plain('Active');
  return wasBroken ? recovering(input) : plain('Standby');
}
