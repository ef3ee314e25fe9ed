const tickMs = 100;
const probeMs = 500;
/** Recorders renew every second and may be silent for three: a pause of so long is felt. Milliseconds. */
const feltMs = 1_000;
/** Answers and timers that come so late are the sign of too much at once, well before it is felt. Milliseconds. */
const busyMs = 250;

/**
 * Watches the machine itself. Recorders, proxies and operators run in this process: when it, or the API server, is not
 * let run, all of them stand still at once, and what follows says nothing about the operator.
 */
export class StallWatch {
  readonly #timers: NodeJS.Timeout[];
  #last = performance.now();
  #lastStall = Number.NEGATIVE_INFINITY;
  /** How late the last timer was, and how long the last answer took. Milliseconds. */
  #latenessMs = 0;
  #answerMs = 0;
  /** When the question that is under way was asked. */
  #askedTime: number | undefined;

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

  /** Nothing more should be begun now: it would only make all that runs late. */
  get busy(): boolean {
    const waitingMs = this.#askedTime === undefined ? 0 : performance.now() - this.#askedTime;
    return Math.max(this.#latenessMs, this.#answerMs, waitingMs) > busyMs;
  }

  close(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  #tick(): void {
    const now = performance.now();
    this.#latenessMs = Math.max(0, now - this.#last - tickMs);
    if (now - this.#last > feltMs) this.#lastStall = now;
    this.#last = now;
  }

  async #probe(probe: () => Promise<unknown>): Promise<void> {
    if (this.#askedTime !== undefined) return;
    const start = performance.now();
    this.#askedTime = start;
    // An error is an answer, too: only the time counts.
    await probe().catch(() => undefined);
    this.#askedTime = undefined;
    this.#answerMs = performance.now() - start;
    if (this.#answerMs > feltMs) this.#lastStall = performance.now();
  }
}
