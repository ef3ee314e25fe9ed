const tickMs = 100;
/** Recorders renew every second and may be silent for three: a pause of so long in this process is felt. Milliseconds. */
const feltMs = 1_000;

/**
 * Watches this process itself. Recorders, proxies and operators run in it: when the machine does not let it run, all of
 * them stand still at once, and what follows says nothing about the operator.
 */
export class StallWatch {
  readonly #timer: NodeJS.Timeout;
  #last = performance.now();
  #lastStall = Number.NEGATIVE_INFINITY;

  constructor() {
    this.#timer = setInterval(() => this.#tick(), tickMs);
    this.#timer.unref();
  }

  /** Whether the process stood still at some time since then (`performance.now()`). */
  stalledSince(time: number): boolean {
    this.#tick();
    return this.#lastStall >= time;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const now = performance.now();
    if (now - this.#last > feltMs) this.#lastStall = now;
    this.#last = now;
  }
}
