import type { Clock, Timer } from '../operator/clock.js';

/**
 * Does something over and over, one round at a time: each round tells when the next one is due. The timing of disks,
 * watchdog and heartbeat, which differ in what a round is.
 */
export class Rounds {
  readonly #clock: Clock;
  readonly #round: () => Promise<number>;
  #timer: Timer | undefined;
  #busy = false;
  #running = false;
  /** A round that was asked for while another was under way follows it at once. */
  #again = false;

  /** `round` must not reject; it resolves to the milliseconds until the next one. */
  constructor(clock: Clock, round: () => Promise<number>) {
    this.#clock = clock;
    this.#round = round;
  }

  get running(): boolean {
    return this.#running;
  }

  /** Begins with a round at once. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.soon();
  }

  /** No round begins any more; one that is under way ends by itself. */
  stop(): void {
    this.#running = false;
    this.#timer?.cancel();
  }

  /** Begins the next round now, or as soon as the one under way has ended. */
  soon(): void {
    if (!this.#running) return;
    if (this.#busy) this.#again = true;
    else this.#schedule(0);
  }

  #schedule(ms: number): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.setTimer(ms, () => void this.#turn());
  }

  async #turn(): Promise<void> {
    this.#busy = true;
    this.#again = false;
    const ms = await this.#round();
    this.#busy = false;
    if (this.#running) this.#schedule(this.#again ? 0 : ms);
  }
}
