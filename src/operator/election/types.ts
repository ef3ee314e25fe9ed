import type { WriteGate } from '../api/types.js';

/**
 * Leader election on a Lease, and the gate of all writes: it is open only while the last renewal, counted from before
 * its request was sent, is younger than the renew deadline on this process's own monotonic clock.
 */
export interface LeaderElector extends WriteGate {
  /** Who this process is in the Lease; unique to the process, not to the pod. */
  readonly identity: string;
  /**
   * Tries to lead until `signal` aborts; then gives the Lease back and resolves. Rejects with LeadershipLostError when
   * leadership was lost: the process must end, since a late write of an old leader is the real danger.
   */
  run(signal: AbortSignal): Promise<void>;
  readonly isLeader: () => boolean;
  /** Milliseconds until the renew deadline; 0 when not leading. */
  remainingMs(): number;
  /** `fn` is called each time leadership is won. What it throws is logged. */
  onStartedLeading(fn: () => void): void;
  /** `fn` is called once leadership is lost or given back, before `run` settles. What it throws is logged. */
  onStoppedLeading(fn: () => void): void;
}

/** `LeaderElector.run` rejects with it. */
export class LeadershipLostError extends Error {
  override readonly name = 'LeadershipLostError';
}
