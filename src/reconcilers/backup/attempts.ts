import type { Backup } from '../../crds/index.js';

/** Wait after the first try that failed for a reason that may pass, and the longest one; it doubles. Milliseconds. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;

/** Tries beyond its time that the API server spoils before a Backup has failed: right after an outage some may. */
const LATE_TRIES = 3;

interface Attempt {
  readonly uid: string | undefined;
  readonly firstSeenAt: number;
  /** When the first try failed: what a Backup waited for before it was tried does not count. */
  firstFailedAt: number | undefined;
  failures: number;
  lateFailures: number;
  notBefore: number;
}

/**
 * How long this process has known each unfinished Backup, and when it may be tried again. By the monotonic clock and from
 * its own sight alone: after a restart the time begins anew (law 7), as it does for a namesake that is made later.
 */
export class Attempts {
  readonly #monotonic: () => number;
  readonly #known = new Map<string, Attempt>();

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  /** Milliseconds since the Backup was first seen unfinished. */
  waitedMs(key: string, backup: Backup): number {
    return this.#monotonic() - this.#of(key, backup).firstSeenAt;
  }

  /** Milliseconds until the next try; 0 or less: now. A change of the Backup, such as our own word on it, hastens nothing. */
  pauseLeftMs(key: string, backup: Backup): number {
    return this.#of(key, backup).notBefore - this.#monotonic();
  }

  /** Milliseconds until the try after the one that has just failed. */
  pauseAfterFailure(key: string, backup: Backup): number {
    const attempt = this.#of(key, backup);
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(attempt.failures, 20), LONGEST_PAUSE_MS);
    attempt.failures += 1;
    attempt.notBefore = this.#monotonic() + pause;
    return pause;
  }

  /** A try has failed. Milliseconds since the first one that did. */
  failingForMs(key: string, backup: Backup): number {
    const attempt = this.#of(key, backup);
    const now = this.#monotonic();
    attempt.firstFailedAt ??= now;
    return now - attempt.firstFailedAt;
  }

  /** A try that began after the time for it was over has failed, too. True when it was the last. */
  failedLate(key: string, backup: Backup, byEngine: boolean): boolean {
    const attempt = this.#of(key, backup);
    attempt.lateFailures += 1;
    return byEngine || attempt.lateFailures >= LATE_TRIES;
  }

  forget(key: string): void {
    this.#known.delete(key);
  }

  #of(key: string, { metadata: { uid } }: Backup): Attempt {
    const known = this.#known.get(key);
    if (known !== undefined && known.uid === uid) return known;
    const now = this.#monotonic();
    const fresh = { uid, firstSeenAt: now, firstFailedAt: undefined, failures: 0, lateFailures: 0, notBefore: now };
    this.#known.set(key, fresh);
    return fresh;
  }
}
