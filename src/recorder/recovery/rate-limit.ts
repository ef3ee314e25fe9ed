import { type Clock, sleep } from '../../operator/clock.js';

/** Spreads bytes over time: what goes through is never more than the rate, bursts of a tenth of a second excepted. */
export class RateLimit {
  readonly #clock: Clock;
  readonly #bytesPerMs: number;
  /** Until when what has passed is paid for. Monotonic milliseconds. */
  #paidUntil = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, megabytesPerSecond: number) {
    this.#clock = clock;
    this.#bytesPerMs = megabytesPerSecond * 1000;
  }

  /** Resolves when so many bytes more may pass; rejects with the signal's reason. */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    const now = this.#clock.monotonic();
    this.#paidUntil = Math.max(this.#paidUntil, now - 100) + bytes / this.#bytesPerMs;
    if (this.#paidUntil > now) await sleep(this.#clock, this.#paidUntil - now, signal);
    signal.throwIfAborted();
  }
}
