import type { Clock } from '../clock.js';

/**
 * Calls `onSilence` once no `reset` has come for `limitMs`. Half-open connections never fail by themselves
 * (kubernetes-client/javascript#596, #958, #2127), so a connection without a byte is not trusted.
 */
export class SilenceTimer {
  readonly #clock: Clock;
  readonly #limitMs: number;
  readonly #onSilence: () => void;
  #lastTime: number;
  #timer;

  constructor(clock: Clock, limitMs: number, onSilence: () => void) {
    this.#clock = clock;
    this.#limitMs = limitMs;
    this.#onSilence = onSilence;
    this.#lastTime = clock.monotonic();
    this.#timer = clock.setTimer(limitMs, () => this.#look());
  }

  /** Only notes the time: arming a timer for every event would cost more than looking again when it fires. */
  reset(): void {
    this.#lastTime = this.#clock.monotonic();
  }

  cancel(): void {
    this.#timer.cancel();
  }

  #look(): void {
    const left = this.#lastTime + this.#limitMs - this.#clock.monotonic();
    if (left <= 0) this.#onSilence();
    else this.#timer = this.#clock.setTimer(left, () => this.#look());
  }
}
