const tickMs = 100;
const probeMs = 500;
/** Recorders renew every second and may be silent for three: a pause of so long is felt. Milliseconds. */
const feltMs = 1_000;

/**
 * Watches the machine itself. Recorders, proxies and operators run in this process: when it, or the API server, is not
 * let run, all of them stand still at once, and what follows says nothing about the operator.
 */
export class StallWatch {
  readonly #timers: NodeJS.Timeout[];
  #last = performance.now();
  #lastStall = Number.NEGATIVE_INFINITY;
  #probing = false;

  /** `probe` asks the API server for anything, beside all faults. */
  constructor(probe: () => Promise<unknown> = () => Promise.resolve()) {
    this.#timers = [setInterval(() => this.#tick(), tickMs), setInterval(() => void this.#probe(probe), probeMs)];
    for (const timer of this.#timers) timer.unref();
  }

  /** Whether something stood still at some time since then (`performance.now()`). */
  stalledSince(time: number): boolean {
    this.#tick();
    return this.#lastStall >= time;
  }

  close(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  #tick(): void {
    const now = performance.now();
    if (now - this.#last > feltMs) this.#lastStall = now;
    this.#last = now;
  }

  async #probe(probe: () => Promise<unknown>): Promise<void> {
    if (this.#probing) return;
    this.#probing = true;
    const start = performance.now();
    // An error is an answer, too: only the time counts.
    await probe().catch(() => undefined);
    this.#probing = false;
    if (performance.now() - start > feltMs) this.#lastStall = performance.now();
  }
}
