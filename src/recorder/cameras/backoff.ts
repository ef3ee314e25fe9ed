import type { FailureKind } from '../engine/engine.js';

/** What a retry depends on. */
export interface RetryCase {
  readonly kind: FailureKind;
  /** Failed attempts in a row, 1 for the first. */
  readonly failures: number;
  /** Whether the role has been given to this recorder a short while ago: dead sessions block cameras then. */
  readonly takingOver: boolean;
  /** The camera allows one session only, which the recorder before may still hold. */
  readonly singleSession?: boolean;
}

const UNAUTHORIZED_MS = 60_000;
const UNAUTHORIZED_MAX_MS = 300_000;
const FIRST_MS = 500;
const MAX_MS = 15_000;
const TAKEOVER_MS = 1000;

/** Milliseconds until the next attempt. `random` is in [0, 1). */
export function retryDelay({ kind, failures, takingOver, singleSession = false }: RetryCase, random: number): number {
  // Cameras ban clients that try passwords: never sooner than a minute, and ever more seldom.
  if (kind === 'unauthorized') {
    return Math.min(UNAUTHORIZED_MAX_MS, UNAUTHORIZED_MS * 2 ** Math.min(failures - 1, 8)) * (1 + 0.1 * random);
  }
  // A camera keeps the session of a dead recorder for up to a minute: be there when it lets go.
  if (takingOver && (kind === 'sessionLimit' || kind === 'refused')) return TAKEOVER_MS * (1 + random);
  // Some cameras have no words for it, and just hang up.
  if (takingOver && singleSession && kind === 'ended') return TAKEOVER_MS * (1 + random);
  // Jitter over half of the delay: after a switch has restarted, all cameras come back at once.
  const full = Math.min(MAX_MS, FIRST_MS * 2 ** Math.min(failures - 1, 16));
  return full * (0.5 + 0.5 * random);
}
