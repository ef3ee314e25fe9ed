import { watchEventError } from '../api/classify.js';
import { isApiError } from '../api/error.js';
import type { KubeClient, WatchEvent } from '../api/types.js';
import { backoffDelay } from '../backoff.js';
import { sleep, systemClock } from '../clock.js';
import { silentLog } from '../log.js';
import { createMetrics } from '../metrics.js';
import { type KubeObject, objectKey, type ResourceType } from '../objects.js';
import { IndexedStore } from './indexed-store.js';
import { Relist } from './relist.js';
import { SilenceTimer } from './silence-timer.js';
import type { Reflector, ReflectorOptions, Store } from './types.js';

type ReflectorClient = Pick<KubeClient, 'listPages' | 'watch'>;
type ListCause = 'start' | 'gone' | 'missed' | 'check';

/** First retry after at most 100 ms: a reconnect is on the path of a failover. */
const retryBackoff = { baseMs: 100, capMs: 30_000 };
/** A watch that lived so long, or delivered something, has earned a fresh backoff. */
const healthyWatchMs = 5_000;
/** A longer Retry-After is taken for a fault of whoever sent it: deaf for hours is not an answer. */
const longestRetryAfterMs = 120_000;

/** What one run of a reflector, from start to stop, remembers. Callbacks of an older run never count. */
interface Run {
  readonly signal: AbortSignal;
  readonly abort: AbortController;
  /** Where the watch goes on; undefined: list first. */
  resourceVersion: string | undefined;
  listCause: ListCause;
  failures: number;
  /** Versions that expired since the last watch that delivered something. */
  expired: number;
  /** The present watch has delivered something. */
  delivered: boolean;
  nextCheckTime: number;
  done: Promise<void>;
}

/** Thrown to end a watch that has been silent too long, or proved to have lost a change. */
class WatchCut extends Error {
  override readonly name = 'WatchCut';
  readonly reason: 'silent' | 'missed';

  constructor(reason: 'silent' | 'missed') {
    super(`watch cut: ${reason}`);
    this.reason = reason;
  }
}

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
  readonly #store: IndexedStore<T>;
  /** Versions of objects that `project` threw on: known, though not held. */
  readonly #unprojected = new Map<string, string>();
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
    this.#store = new IndexedStore(options.indexes);
    this.store = this.#store;
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
      expired: 0,
      delivered: false,
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
      for (const raw of page.items) seen.add(this.#upsert(raw));
      resourceVersion = page.resourceVersion;
    }
    if (run.signal.aborted) return;
    for (const key of [...this.#store.keys()]) if (!seen.has(key)) this.#remove(key);
    run.resourceVersion = resourceVersion;
    run.nextCheckTime = this.#nextCheckTime();
    this.#store.markSynced();
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
    run.delivered = false;
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
    }
    if (run.delivered || this.#clock.monotonic() - startTime >= healthyWatchMs) {
      run.failures = 0;
      run.expired = 0;
    }
    // A server that ends each watch at once, cleanly, must not get a hot loop of reconnects.
    else if (!run.signal.aborted) await this.#backOff(run);
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
      this.#remove(key);
    } else if (event.type !== 'BOOKMARK') {
      // Not as the argument of the optional call: it would be evaluated only while a list is being checked.
      const key = this.#upsert(event.object);
      this.#relist?.touch(key);
    }
    run.resourceVersion = event.object.metadata.resourceVersion ?? run.resourceVersion;
    run.delivered = true;
    run.failures = 0;
    run.expired = 0;
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
          relist.saw(key, metadata.resourceVersion ?? '', this.#held(key));
        }
      }
      relist.finish(this.#store.keys());
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
    await this.#backOff(run, retryAfterMs);
  }

  async #backOff(run: Run, retryAfterMs = 0): Promise<void> {
    run.failures += 1;
    const delay = backoffDelay(run.failures, { ...retryBackoff, random: this.#random });
    await sleep(this.#clock, Math.max(delay, retryAfterMs), run.signal);
  }

  /** Projects and stores an object; returns its key. The same version again changes nothing. */
  #upsert(raw: KubeObject): string {
    const key = objectKey(raw.metadata);
    const version = raw.metadata.resourceVersion ?? '';
    if (version !== '' && this.#held(key) === version) return key;
    try {
      const next = this.#options.project(raw);
      const previous = this.#store.set(key, next, version);
      this.#unprojected.delete(key);
      this.#metrics.objects.set(this.#label, this.#store.size);
      this.#tell(key, next, previous);
    } catch (error) {
      this.#unprojected.set(key, version);
      this.#callbackFailed(key, error);
    }
    return key;
  }

  #held(key: string): string | undefined {
    return this.#unprojected.get(key) ?? this.#store.version(key);
  }

  #remove(key: string): void {
    const had = this.#store.version(key) !== undefined;
    this.#unprojected.delete(key);
    const previous = this.#store.delete(key);
    this.#metrics.objects.set(this.#label, this.#store.size);
    if (had) this.#tell(key, undefined, previous);
  }

  /** client-node swallows what a callback throws as if it were a parse error; here it is seen. */
  #tell(key: string, next: T | undefined, previous: T | undefined): void {
    try {
      this.#options.onChange?.(key, next, previous);
    } catch (error) {
      this.#callbackFailed(key, error);
    }
  }

  #callbackFailed(key: string, error: unknown): void {
    this.#metrics.callbackErrors.inc(this.#label);
    this.#log.error({ err: error, key }, 'a reflector callback threw; the reflector goes on');
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
