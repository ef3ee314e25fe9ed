import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { isApiError } from '../api/error.js';
import type { ApiClient } from '../api/types.js';
import { type Clock, sleep, systemClock } from '../clock.js';
import { type Log, silentLog } from '../log.js';
import { createMetrics, type Metrics } from '../metrics.js';
import { microTime } from '../micro-time.js';
import { resources } from '../resources.js';
import { type EventObject, eventObject, type Reporter, seriesKey } from './event-object.js';
import { TokenBucket } from './token-bucket.js';
import type { EventInput, EventRecorder } from './types.js';

export interface EventRecorderOptions {
  client: Pick<ApiClient, 'create' | 'patch'>;
  /** `reportingController`, such as 'understudy.dev/operator'. */
  controller: string;
  /** `reportingInstance`; default: the host name. */
  instance?: string | undefined;
  /** Requests a second in the long run. Default 5. */
  perSecond?: number | undefined;
  /** Requests at once. Default 50. */
  burst?: number | undefined;
  /** Repeats within so long of the last one are one series. Milliseconds, default 360,000, as client-go. */
  seriesMs?: number | undefined;
  /** Shortest time between two writes of one series. Milliseconds, default 30,000. */
  refreshMs?: number | undefined;
  clock?: Clock | undefined;
  metrics?: Metrics | undefined;
  log?: Log | undefined;
}

/** An EventRecorder that can be emptied before the process ends. */
export interface FlushingEventRecorder extends EventRecorder {
  /** Sends what is waiting, counts of series included, without regard to the rate; gives up when `signal` aborts. Never rejects. */
  flush(signal: AbortSignal): Promise<void>;
}

/** One happening and its repeats. */
interface Series {
  readonly key: string;
  readonly object: EventObject;
  count: number;
  /** What the API server knows. */
  writtenCount: number;
  lastTime: number;
  lastWall: Date;
  writtenTime: number;
  queued: boolean;
  /** A timer will write what is not written by then. */
  refreshing: boolean;
}

/** More series than these at once are dropped: an operator that floods etcd with Events helps nobody. */
const maxSeries = 1_000;
const maxTries = 3;

/** Records events.k8s.io/v1 Events. */
export function createEventRecorder(options: EventRecorderOptions): FlushingEventRecorder {
  return new SeriesRecorder(options);
}

class SeriesRecorder implements FlushingEventRecorder {
  readonly #client: EventRecorderOptions['client'];
  readonly #reporter: Reporter;
  readonly #seriesMs: number;
  readonly #refreshMs: number;
  readonly #clock: Clock;
  readonly #metrics: Metrics['process']['events'];
  readonly #log: Log;
  readonly #bucket: TokenBucket;
  readonly #series = new Map<string, Series>();
  readonly #queue: Series[] = [];
  #sending: Promise<void> | undefined;
  #flushing: AbortSignal | undefined;
  /** Ends the present pause. */
  #wake = (): void => undefined;

  constructor(options: EventRecorderOptions) {
    this.#client = options.client;
    this.#reporter = { controller: options.controller, instance: options.instance ?? hostname() };
    this.#seriesMs = options.seriesMs ?? 360_000;
    this.#refreshMs = options.refreshMs ?? 30_000;
    this.#clock = options.clock ?? systemClock;
    this.#metrics = (options.metrics ?? createMetrics()).process.events;
    this.#log = options.log ?? silentLog;
    this.#bucket = new TokenBucket(this.#clock, options.perSecond ?? 5, options.burst ?? 50);
  }

  event(event: EventInput): void {
    try {
      this.#record(event);
    } catch (error) {
      this.#metrics.inc({ result: 'failed' });
      this.#log.error({ err: error, reason: event.reason }, 'an event could not be recorded');
    }
  }

  async flush(signal: AbortSignal): Promise<void> {
    this.#flushing = signal;
    this.#wake();
    for (const series of this.#series.values()) if (series.count > series.writtenCount) this.#enqueue(series);
    // What began before the flush does not know its signal.
    await Promise.race([this.#sending, aborted(signal)]);
    this.#flushing = undefined;
  }

  #record(event: EventInput): void {
    const now = this.#clock.monotonic();
    const key = seriesKey(event);
    const known = this.#series.get(key);
    if (known && now - known.lastTime <= this.#seriesMs) {
      this.#repeat(known, now);
      return;
    }
    this.#forgetOld(now);
    if (this.#series.size >= maxSeries) {
      this.#metrics.inc({ result: 'dropped' });
      return;
    }
    const wall = this.#clock.wall();
    const object = eventObject(event, this.#reporter, wall, randomBytes(8).toString('hex'));
    const series = {
      key,
      refreshing: false,
      object,
      count: 1,
      writtenCount: 0,
      lastTime: now,
      lastWall: wall,
      writtenTime: now,
      queued: false,
    };
    this.#series.set(key, series);
    this.#enqueue(series);
  }

  #repeat(series: Series, now: number): void {
    series.count += 1;
    series.lastTime = now;
    series.lastWall = this.#clock.wall();
    this.#metrics.inc({ result: 'aggregated' });
    if (!series.queued && !series.refreshing) this.#refreshLater(series, now);
  }

  /** Repeats are written at most once in the refresh time; those of a series that went quiet, too. */
  #refreshLater(series: Series, now: number): void {
    series.refreshing = true;
    this.#clock.setTimer(series.writtenTime + this.#refreshMs - now, () => {
      series.refreshing = false;
      if (series.count > series.writtenCount) this.#enqueue(series);
    });
  }

  #forgetOld(now: number): void {
    for (const [key, series] of this.#series) {
      if (!series.queued && now - series.lastTime > this.#seriesMs) this.#series.delete(key);
    }
  }

  #enqueue(series: Series): void {
    if (series.queued) return;
    series.queued = true;
    this.#queue.push(series);
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined;
    });
  }

  async #sendAll(): Promise<void> {
    // A turn later, so that `#sending` is set, and what is recorded in one go counts as one.
    await Promise.resolve();
    for (let series = this.#queue.shift(); series; series = this.#queue.shift()) {
      await this.#waitForTurn();
      series.queued = false;
      if (this.#flushing?.aborted) this.#metrics.inc({ result: 'dropped' });
      else await this.#send(series);
    }
  }

  /** The rate limit; a flush does not wait for it, since it is bounded by `maxSeries` and its own signal. */
  async #waitForTurn(): Promise<void> {
    while (!this.#flushing) {
      const waitMs = this.#bucket.take();
      if (waitMs === 0) return;
      await this.#pause(waitMs);
    }
  }

  /** Ends early when a flush begins, or its signal aborts. */
  async #pause(ms: number): Promise<void> {
    if (this.#flushing) {
      await sleep(this.#clock, Math.min(ms, 500), this.#flushing);
      return;
    }
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    await sleep(this.#clock, ms, woken.signal);
  }

  async #send(series: Series): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await this.#write(series);
        return;
      } catch (error) {
        if (this.#flushing?.aborted) return;
        const again = isApiError(error, 'transient', 'tooManyRequests') && tries < maxTries;
        if (!again) {
          this.#metrics.inc({ result: 'failed' });
          // A repeat starts anew.
          this.#series.delete(series.key);
          this.#log.warn({ err: error, reason: series.object.reason }, 'an event was not written');
          return;
        }
        await this.#pause(error.retryAfterMs ?? 500 * tries);
      }
    }
  }

  async #write(series: Series): Promise<void> {
    const { count } = series;
    const options = { signal: this.#flushing };
    const { object } = series;
    if (series.writtenCount === 0) {
      const first = count === 1 ? object : { ...object, series: this.#seriesField(series) };
      await this.#client.create(resources.events, first, options);
      this.#metrics.inc({ result: 'created' });
    } else {
      try {
        await this.#client.patch(resources.events, object.metadata, { series: this.#seriesField(series) }, options);
        this.#metrics.inc({ result: 'patched' });
      } catch (error) {
        // Events live for an hour: the series outlived its Event.
        if (!isApiError(error, 'notFound')) throw error;
        series.writtenCount = 0;
        return await this.#write(series);
      }
    }
    series.writtenCount = count;
    series.writtenTime = this.#clock.monotonic();
  }

  #seriesField(series: Series): { count: number; lastObservedTime: string } {
    return { count: series.count, lastObservedTime: microTime(series.lastWall) };
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
