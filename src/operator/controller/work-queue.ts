import { backoffDelay } from '../backoff.js';
import { type Clock, systemClock, type Timer } from '../clock.js';
import { createMetrics, type Metrics } from '../metrics.js';

export interface WorkQueueOptions {
  /** Label of the metrics. */
  name: string;
  clock?: Clock | undefined;
  random?: (() => number) | undefined;
  metrics?: Metrics | undefined;
  /** First retry of a key after about so long, then doubling. Milliseconds, default 50. */
  retryBaseMs?: number | undefined;
  /** Longest delay between retries. Milliseconds, default 300,000. */
  retryCapMs?: number | undefined;
}

/**
 * A queue of keys with the semantics of client-go's: a key waits at most once, is worked on by one worker at a time,
 * and, added while it is worked on, comes again afterwards. Nothing that was added is lost.
 *
 * Three sets describe a key: `ready` (waiting to be taken), `processing` (taken), `dirty` (added since it was taken).
 */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #retry: { baseMs: number; capMs: number };
  readonly #metrics: Metrics['workQueue'];
  readonly #label: { name: string };
  readonly #unhook: () => void;
  /** In order of arrival, with the time of arrival. */
  readonly #ready = new Map<string, number>();
  readonly #processing = new Map<string, number>();
  readonly #dirty = new Set<string>();
  readonly #delayed = new Map<string, { dueTime: number; timer: Timer }>();
  readonly #failures = new Map<string, number>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  #closed = false;

  constructor(options: WorkQueueOptions) {
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#retry = { baseMs: options.retryBaseMs ?? 50, capMs: options.retryCapMs ?? 300_000 };
    this.#label = { name: options.name };
    const metrics = options.metrics ?? createMetrics();
    this.#metrics = metrics.workQueue;
    this.#unhook = metrics.onScrape(() => this.#reportAges());
  }

  /** Keys that are ready. */
  get depth(): number {
    return this.#ready.size;
  }

  /** Keys that are being worked on. */
  get processing(): number {
    return this.#processing.size;
  }

  /** Adds a key now; a later due time of it stays, since it may stand for something else. After `close`: nothing. */
  add(key: string): void {
    if (this.#closed) return;
    this.#metrics.adds.inc(this.#label);
    if (this.#processing.has(key)) this.#dirty.add(key);
    else this.#makeReady(key);
  }

  /** Adds a key after `ms` milliseconds; of several due times the earliest counts. */
  addAfter(key: string, ms: number): void {
    if (this.#closed) return;
    if (!(ms > 0)) {
      this.add(key);
      return;
    }
    const dueTime = this.#clock.monotonic() + ms;
    const before = this.#delayed.get(key);
    if (before && before.dueTime <= dueTime) return;
    before?.timer.cancel();
    const timer = this.#clock.setTimer(ms, () => {
      this.#delayed.delete(key);
      this.add(key);
    });
    this.#delayed.set(key, { dueTime, timer });
  }

  /** Adds a key after its backoff, which doubles until `forget`, and not before `atLeastMs`. Returns its failures so far. */
  addRateLimited(key: string, atLeastMs = 0): number {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    if (this.#closed) return failures;
    this.#failures.set(key, failures);
    this.#metrics.retries.inc(this.#label);
    this.addAfter(key, Math.max(atLeastMs, backoffDelay(failures, { ...this.#retry, random: this.#random })));
    return failures;
  }

  /** What made keys fail has ended: those that wait for their backoff are ready now, and each starts a fresh one. */
  retryNow(): void {
    const failed = [...this.#failures.keys()];
    this.#failures.clear();
    for (const key of failed) {
      // One without a timer is ready or worked on already.
      const delayed = this.#delayed.get(key);
      if (delayed === undefined) continue;
      delayed.timer.cancel();
      this.#delayed.delete(key);
      this.add(key);
    }
  }

  /** The key works again: its next failure starts a fresh backoff. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** The next key, once there is one; undefined when the queue is closed and empty. Call `done` when it is worked off. */
  take(): Promise<string | undefined> {
    const next = this.#ready.keys().next();
    if (!next.done) return Promise.resolve(this.#hand(next.value));
    if (this.#closed) return Promise.resolve(undefined);
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  /** The worker has finished with the key. */
  done(key: string): void {
    const startTime = this.#processing.get(key);
    if (startTime === undefined) return;
    this.#processing.delete(key);
    this.#metrics.workSeconds.observe(this.#label, (this.#clock.monotonic() - startTime) / 1000);
    if (this.#dirty.delete(key)) this.#makeReady(key);
  }

  /** Takes nothing more. Ready keys can still be taken, unless `drop`; delayed ones are left to the next leader. */
  close(drop = false): void {
    this.#closed = true;
    for (const { timer } of this.#delayed.values()) timer.cancel();
    this.#delayed.clear();
    if (drop) {
      this.#ready.clear();
      this.#dirty.clear();
    }
    this.#metrics.depth.set(this.#label, this.#ready.size);
    for (const taker of this.#takers.splice(0)) taker(undefined);
    this.#unhook();
  }

  #makeReady(key: string): void {
    if (this.#ready.has(key)) return;
    this.#ready.set(key, this.#clock.monotonic());
    const taker = this.#takers.shift();
    if (taker) taker(this.#hand(key));
    else this.#metrics.depth.set(this.#label, this.#ready.size);
  }

  #hand(key: string): string {
    const now = this.#clock.monotonic();
    this.#metrics.queueSeconds.observe(this.#label, (now - (this.#ready.get(key) ?? now)) / 1000);
    this.#ready.delete(key);
    this.#processing.set(key, now);
    this.#metrics.depth.set(this.#label, this.#ready.size);
    return key;
  }

  #reportAges(): void {
    const now = this.#clock.monotonic();
    let sum = 0;
    let longest = 0;
    for (const startTime of this.#processing.values()) {
      sum += now - startTime;
      longest = Math.max(longest, now - startTime);
    }
    this.#metrics.unfinishedSeconds.set(this.#label, sum / 1000);
    this.#metrics.longestSeconds.set(this.#label, longest / 1000);
  }
}
