import { watchEventError } from '../api/classify.js';
import { isApiError } from '../api/error.js';
import type { KubeClient, WatchEvent } from '../api/types.js';
import { backoffDelay } from '../backoff.js';
import { sleep, systemClock } from '../clock.js';
import { silentLog } from '../log.js';
import { createMetrics } from '../metrics.js';
import { objectKey, type ResourceType } from '../objects.js';
import { ProjectedCache } from './projected-cache.js';
import { Relist } from './relist.js';
import { type Run, WatchCut } from './run.js';
import { SilenceTimer } from './silence-timer.js';
import type { Reflector, ReflectorOptions, Store } from './types.js';

type ReflectorClient = Pick<KubeClient, 'listPages' | 'watch'>;

/** First retry after at most 100 ms: a reconnect is on the path of a failover. */
const retryBackoff = { baseMs: 100, capMs: 30_000 };
/**
 * A server that does not answer at all has nothing to be spared, and after an outage every second in which we are still
 * deaf is a second in which a standby that answers is not heard.
 */
const noAnswerCapMs = 3_000;
/** So many tries without an answer are an outage. What a server refuses after it, it refuses because it has just begun. */
const outageTries = 3;
/**
 * A watch that lived so long has earned a fresh backoff. One that ended sooner never gets a reconnect without delay,
 * whatever it delivered, and a bookmark is no delivery: a proxy that ends each watch after its first line, or a server
 * that answers 410 after it, would have us list everything without a pause.
 */
const healthyWatchMs = 5_000;
/** A longer Retry-After is taken for a fault of whoever sent it: deaf for hours is not an answer. */
const longestRetryAfterMs = 120_000;

/**
 * A reflector over list and watch: pages, bookmarks, resume from the last version, 410 in either form, deletions by
 * difference, a silence limit, checking lists that prove the watch, jittered backoff that honours Retry-After.
 */
export function createReflector<T>(client: ReflectorClient, options: ReflectorOptions<T>): Reflector<T> {
  return new ListWatchReflector(client, options);
}

class ListWatchReflector<T> implements Reflector<T> {
  readonly type: ResourceType;
  readonly store: Store<T>;
  readonly lastActivity: () => number | undefined;
  readonly lastProgress: () => number | undefined;
  readonly #client: ReflectorClient;
  readonly #options: ReflectorOptions<T>;
  readonly #clock;
  readonly #random;
  readonly #log;
  readonly #metrics;
  readonly #label: { resource: string };
  readonly #cache: ProjectedCache<T>;
  readonly #synced = Promise.withResolvers<void>();
  #run: Run | undefined;
  #stopping: Promise<void> = Promise.resolve();
  #activityTime: number | undefined;
  #attemptTime: number | undefined;
  #relist: Relist | undefined;

  constructor(client: ReflectorClient, options: ReflectorOptions<T>) {
    this.type = options.type;
    this.#client = client;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#log = (options.log ?? silentLog).child({ reflector: options.type.plural });
    this.#metrics = (options.metrics ?? createMetrics()).reflector;
    this.#label = { resource: options.type.plural };
    this.#cache = new ProjectedCache({ options, label: this.#label, metrics: this.#metrics, log: this.#log });
    this.store = this.#cache.store;
    this.lastActivity = () => this.#activityTime;
    this.lastProgress = () => latest(this.#activityTime, this.#attemptTime);
  }

  start(): void {
    if (this.#run) return;
    const abort = new AbortController();
    const run: Run = {
      signal: abort.signal,
      abort,
      // What changed while it was stopped is found by a list, even if the old version could still be watched.
      resourceVersion: undefined,
      listCause: 'start',
      failures: 0,
      unanswered: 0,
      expired: 0,
      nextCheckTime: this.#nextCheckTime(),
      done: Promise.resolve(),
    };
    this.#run = run;
    // One run at a time: a second one would write to the store in between.
    run.done = this.#stopping.then(() => this.#loop(run));
  }

  async stop(): Promise<void> {
    const run = this.#run;
    this.#run = undefined;
    if (run) {
      run.abort.abort(new Error('the reflector was stopped'));
      this.#stopping = run.done;
    }
    await this.#stopping;
  }

  synced(signal?: AbortSignal): Promise<void> {
    if (!signal) return this.#synced.promise;
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const onAbort = (): void => reject(signal.reason);
      signal.addEventListener('abort', onAbort, { once: true });
      this.#synced.promise.then(() => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      }, reject);
    });
  }

  async #loop(run: Run): Promise<void> {
    while (!run.signal.aborted) {
      try {
        if (run.resourceVersion === undefined) await this.#list(run);
        else await this.#watch(run);
      } catch (error) {
        if (run.signal.aborted) return;
        await this.#recover(run, error);
      }
    }
  }

  /** Reads everything, page by page, keeps the projections, and drops what is no longer there. */
  async #list(run: Run): Promise<void> {
    this.#attempt();
    this.#metrics.lists.inc({ ...this.#label, cause: run.listCause });
    const seen = new Set<string>();
    let resourceVersion = '';
    for await (const page of this.#pages(run.signal)) {
      if (run.signal.aborted) return;
      this.#activity();
      for (const raw of page.items) seen.add(this.#cache.upsert(raw));
      resourceVersion = page.resourceVersion;
    }
    if (run.signal.aborted) return;
    this.#cache.retain(seen);
    run.resourceVersion = resourceVersion;
    run.nextCheckTime = this.#nextCheckTime();
    this.#cache.store.markSynced();
    this.#synced.resolve();
  }

  #pages(signal: AbortSignal) {
    // No resourceVersion: a quorum read. '0' could be answered from a stale cache, and time would run backwards.
    return this.#client.listPages(this.type, { ...this.#selection(), limit: this.#options.pageLimit, signal });
  }

  async #watch(run: Run): Promise<void> {
    const startTime = this.#attempt();
    const cut = new AbortController();
    const onStop = (): void => cut.abort(run.signal.reason);
    run.signal.addEventListener('abort', onStop, { once: true });
    const silence = new SilenceTimer(this.#clock, this.#options.silenceLimitMs ?? 75_000, () =>
      cut.abort(new WatchCut('silent')),
    );
    this.#scheduleCheck(run, cut);
    try {
      await this.#client.watch(this.type, {
        ...this.#selection(),
        resourceVersion: run.resourceVersion ?? '',
        // As client-go does: the server ends watches cleanly, and not all at once.
        timeoutSeconds: Math.round(300 + 300 * this.#random()),
        signal: cut.signal,
        onActivity: () => {
          this.#activity();
          silence.reset();
        },
        onEvent: (event) => this.#take(run, event),
      });
      this.#metrics.watchEnds.inc({ ...this.#label, reason: 'closed' });
    } finally {
      run.signal.removeEventListener('abort', onStop);
      silence.cancel();
      // Ends what belongs to this watch: its check, and a connection that nobody reads any more.
      cut.abort();
      if (this.#lived(startTime)) {
        run.failures = 0;
        run.unanswered = 0;
        run.expired = 0;
      }
    }
    // A server that ends each watch at once, cleanly, must not get a hot loop of reconnects.
    if (!this.#lived(startTime) && !run.signal.aborted) await this.#backOff(run);
  }

  #lived(startTime: number): boolean {
    return this.#clock.monotonic() - startTime >= healthyWatchMs;
  }

  #selection() {
    const { namespace, labelSelector, fieldSelector } = this.#options;
    return { namespace, labelSelector, fieldSelector };
  }

  #take(run: Run, event: WatchEvent): void {
    if (run.signal.aborted) return;
    if (event.type === 'ERROR') throw watchEventError(`watch ${this.type.plural}`, event.object, this.#clock.wall());
    this.#metrics.events.inc({ ...this.#label, type: event.type });
    if (event.type === 'DELETED') {
      const key = objectKey(event.object.metadata);
      this.#relist?.touch(key);
      this.#cache.remove(key);
    } else if (event.type !== 'BOOKMARK') {
      // Not as the argument of the optional call: it would be evaluated only while a list is being checked.
      const key = this.#cache.upsert(event.object);
      this.#relist?.touch(key);
    }
    run.resourceVersion = event.object.metadata.resourceVersion ?? run.resourceVersion;
    // The next delay is the shortest again: the connection brings changes.
    if (event.type !== 'BOOKMARK') run.failures = 0;
  }

  #scheduleCheck(run: Run, cut: AbortController): void {
    const check = this.#clock.setTimer(run.nextCheckTime - this.#clock.monotonic(), () => {
      void this.#check(run, cut).finally(() => {
        if (!cut.signal.aborted) this.#scheduleCheck(run, cut);
      });
    });
    cut.signal.addEventListener('abort', () => check.cancel(), { once: true });
  }

  /**
   * Lists while the watch goes on, and looks for what the watch has not delivered. A miss proves the watch deaf: it is
   * cut, and a full list puts things right. Never rejects.
   */
  async #check(run: Run, cut: AbortController): Promise<void> {
    run.nextCheckTime = this.#nextCheckTime();
    const relist = new Relist();
    this.#relist = relist;
    try {
      this.#metrics.lists.inc({ ...this.#label, cause: 'check' });
      for await (const page of this.#pages(cut.signal)) {
        if (cut.signal.aborted) return;
        for (const { metadata } of page.items) {
          const key = objectKey(metadata);
          relist.saw(key, metadata.resourceVersion ?? '', this.#cache.version(key));
        }
      }
      relist.finish(this.store.keys());
      await sleep(this.#clock, this.#options.relistGraceMs ?? 5_000, cut.signal);
      if (!cut.signal.aborted) this.#judge(run, cut, relist.missed());
    } catch (error) {
      if (!cut.signal.aborted) this.#log.warn({ err: error }, 'a checking list failed; the watch goes on');
    } finally {
      if (this.#relist === relist) this.#relist = undefined;
    }
  }

  #judge(run: Run, cut: AbortController, missed: readonly string[]): void {
    if (missed.length === 0) return;
    this.#metrics.cacheMisses.inc(this.#label, missed.length);
    this.#log.warn({ count: missed.length, first: missed.slice(0, 5) }, 'the watch lost changes; listing again');
    run.resourceVersion = undefined;
    run.listCause = 'missed';
    cut.abort(new WatchCut('missed'));
  }

  async #recover(run: Run, error: unknown): Promise<void> {
    if (error instanceof WatchCut) {
      this.#metrics.watchEnds.inc({ ...this.#label, reason: error.reason });
      if (error.reason === 'silent') this.#log.info('the watch was silent for too long; resuming it');
      return;
    }
    const gone = isApiError(error, 'gone');
    this.#metrics.watchEnds.inc({ ...this.#label, reason: gone ? 'gone' : 'error' });
    if (gone) {
      this.#log.info('the version to watch from has expired; listing again');
      run.resourceVersion = undefined;
      run.listCause = 'gone';
      // The first list is due at once; a server that answers 410 to all that we do must not get a hot loop.
      run.expired += 1;
      if (run.expired === 1) return;
    }
    const retryAfterMs = Math.min(isApiError(error) ? (error.retryAfterMs ?? 0) : 0, longestRetryAfterMs);
    if (!gone) this.#log.warn({ err: error, failures: run.failures + 1 }, 'list or watch failed; retrying');
    await this.#backOff(run, retryAfterMs, this.#noteOutage(run, error) ? noAnswerCapMs : retryBackoff.capMs);
  }

  /**
   * Whether no answer came. The first one after an outage starts a fresh backoff, even if it is a refusal: a server that
   * has just started refuses everybody for a moment, and is not to be left alone for as long as the outage has taught us.
   */
  #noteOutage(run: Run, error: unknown): boolean {
    if (isApiError(error, 'transient') && error.status === undefined) {
      run.unanswered += 1;
      return true;
    }
    if (run.unanswered >= outageTries) run.failures = 0;
    run.unanswered = 0;
    return false;
  }

  async #backOff(run: Run, retryAfterMs = 0, capMs = retryBackoff.capMs): Promise<void> {
    run.failures += 1;
    const delay = backoffDelay(run.failures, { ...retryBackoff, capMs, random: this.#random });
    await sleep(this.#clock, Math.max(delay, retryAfterMs), run.signal);
  }

  #nextCheckTime(): number {
    const interval = this.#options.relistIntervalMs ?? 600_000;
    return this.#clock.monotonic() + interval * (0.9 + 0.2 * this.#random());
  }

  #activity(): void {
    this.#activityTime = this.#clock.monotonic();
  }

  #attempt(): number {
    this.#attemptTime = this.#clock.monotonic();
    return this.#attemptTime;
  }
}

function latest(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.max(a, b);
}
