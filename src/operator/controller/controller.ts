import { isApiError } from '../api/error.js';
import { type Clock, systemClock } from '../clock.js';
import { type Log, silentLog } from '../log.js';
import { createMetrics, type Metrics } from '../metrics.js';
import { type Controller, type Reconcile, type Result, TerminalError } from './types.js';
import { WorkQueue } from './work-queue.js';

export interface ControllerOptions {
  name: string;
  reconcile: Reconcile;
  /** Keys worked on at once. Default 4. */
  workers?: number | undefined;
  /** A reconcile's signal aborts after so long. Milliseconds, default 60,000. */
  reconcileTimeoutMs?: number | undefined;
  /** First retry of a key after about so long, then doubling. Milliseconds, default 50. */
  retryBaseMs?: number | undefined;
  /** Longest delay between retries. Milliseconds, default 300,000. */
  retryCapMs?: number | undefined;
  clock?: Clock | undefined;
  random?: (() => number) | undefined;
  metrics?: Metrics | undefined;
  log?: Log | undefined;
}

/** A controller: `reconcile` over a work queue, with per-key backoff, until it is stopped. */
export function createController(options: ControllerOptions): Controller {
  return new QueueController(options);
}

/** Warned about once a key has failed so often; the first failures are as a rule conflicts and restarts. */
const loudFailures = 5;

class QueueController implements Controller {
  readonly name: string;
  readonly idle: () => boolean;
  readonly #reconcile: Reconcile;
  readonly #workerCount: number;
  readonly #timeoutMs: number;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #metrics: Metrics['reconcile'];
  readonly #queue: WorkQueue;
  readonly #abort = new AbortController();
  #workers: Promise<unknown> | undefined;

  constructor(options: ControllerOptions) {
    const metrics = options.metrics ?? createMetrics();
    this.name = options.name;
    this.#reconcile = options.reconcile;
    this.#workerCount = options.workers ?? 4;
    this.#timeoutMs = options.reconcileTimeoutMs ?? 60_000;
    this.#clock = options.clock ?? systemClock;
    this.#log = (options.log ?? silentLog).child({ controller: options.name });
    this.#metrics = metrics.reconcile;
    const { name, clock, random, retryBaseMs, retryCapMs } = options;
    this.#queue = new WorkQueue({ name, clock, random, metrics, retryBaseMs, retryCapMs });
    this.idle = () => this.#queue.depth === 0 && this.#queue.processing === 0;
  }

  enqueue(key: string): void {
    this.#queue.add(key);
  }

  enqueueAfter(key: string, ms: number): void {
    this.#queue.addAfter(key, ms);
  }

  retryNow(): void {
    this.#queue.retryNow();
  }

  start(): void {
    this.#workers ??= Promise.all(Array.from({ length: this.#workerCount }, () => this.#work()));
  }

  async stop(abort?: AbortSignal): Promise<void> {
    const hurry = (): void => {
      this.#queue.close(true);
      this.#abort.abort(new Error(`the controller ${this.name} was stopped`));
    };
    // A controller that never started has no worker to empty its queue.
    this.#queue.close(this.#workers === undefined);
    if (abort?.aborted) hurry();
    else abort?.addEventListener('abort', hurry, { once: true });
    await this.#workers;
    abort?.removeEventListener('abort', hurry);
  }

  async #work(): Promise<void> {
    for (;;) {
      const key = await this.#queue.take();
      if (key === undefined) return;
      this.#metrics.activeWorkers.inc({ controller: this.name });
      try {
        await this.#reconcileKey(key);
      } finally {
        this.#metrics.activeWorkers.dec({ controller: this.name });
        this.#queue.done(key);
      }
    }
  }

  async #reconcileKey(key: string): Promise<void> {
    const log = this.#log.child({ key });
    try {
      const result = await this.#withSignal((signal) => this.#reconcile(key, { signal, log }));
      this.#succeeded(key, result ?? {});
    } catch (error) {
      this.#failed(key, error, log);
    }
  }

  /** The key stays taken until the reconcile really ends: a second worker on it would be worse than waiting. */
  async #withSignal<R>(run: (signal: AbortSignal) => Promise<R>): Promise<R> {
    const ending = new AbortController();
    const onStop = (): void => ending.abort(this.#abort.signal.reason);
    if (this.#abort.signal.aborted) onStop();
    this.#abort.signal.addEventListener('abort', onStop, { once: true });
    const timer = this.#clock.setTimer(this.#timeoutMs, () =>
      ending.abort(new Error(`the reconcile took longer than ${this.#timeoutMs} ms`)),
    );
    try {
      return await run(ending.signal);
    } finally {
      timer.cancel();
      this.#abort.signal.removeEventListener('abort', onStop);
    }
  }

  #succeeded(key: string, result: Result): void {
    this.#queue.forget(key);
    const again = result.requeueAfterMs;
    this.#count(again === undefined ? 'success' : 'requeue_after');
    if (again !== undefined) this.#queue.addAfter(key, again);
  }

  #failed(key: string, error: unknown, log: Log): void {
    if (this.#abort.signal.aborted) {
      this.#count('aborted');
      log.info({ err: error }, 'the reconcile was aborted; the next leader takes it up');
      return;
    }
    if (error instanceof TerminalError || isApiError(error, 'namespaceTerminating')) {
      // Nothing can be done before something changes, and a change enqueues the key.
      this.#queue.forget(key);
      this.#count('terminal_error');
      log.warn({ err: error }, 'the reconcile can not succeed; waiting for a change');
      return;
    }
    this.#count('error');
    const failures = this.#queue.addRateLimited(key, isApiError(error) ? error.retryAfterMs : undefined);
    const level = isApiError(error, 'conflict', 'writeRefused') && failures < loudFailures ? 'debug' : 'warn';
    log[level]({ err: error, failures }, 'the reconcile failed; retrying with backoff');
  }

  #count(result: string): void {
    this.#metrics.reconciles.inc({ controller: this.name, result });
  }
}
