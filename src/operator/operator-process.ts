import type { Reflector } from './cache/types.js';
import { type Clock, sleep } from './clock.js';
import type { Controller } from './controller/types.js';
import type { LeaderElector } from './election/types.js';
import type { FlushingEventRecorder } from './events/event-recorder.js';
import {
  eventLoopBeat,
  type HealthCheck,
  type HealthServer,
  startHealthServer,
  stuckReflectors,
  unsyncedReflectors,
} from './health-server.js';
import type { Log } from './log.js';
import type { Metrics } from './metrics.js';
import type { Lifecycle } from './process-shell.js';

export interface HealthOptions {
  /** 0: any free port. */
  port: number;
  host?: string | undefined;
  /** More checks of `/healthz`. */
  live?: readonly HealthCheck[] | undefined;
  /** More checks of `/readyz`. */
  ready?: readonly HealthCheck[] | undefined;
  /** A watch loop without a sign of life for so long fails `/healthz`. Milliseconds, default 300,000. */
  stuckLimitMs?: number | undefined;
}

/** What a process is made of. */
export interface ProcessParts {
  /** Run on every replica. */
  reflectors: readonly Reflector<unknown>[];
  /** Run on the leader only. */
  controllers: readonly Controller[];
  /** Absent: this process always leads. */
  elector?: LeaderElector | undefined;
  /** Called when leadership is won, before the controllers start. */
  onLeading?: (() => void) | undefined;
  events?: FlushingEventRecorder | undefined;
  /** Closed last. */
  client?: { close(): Promise<void> } | undefined;
  health?: HealthOptions | undefined;
  log: Log;
  metrics: Metrics;
  clock: Clock;
  /** How long ready and running reconciles may take to end before they are aborted. Milliseconds. */
  drainMs: number;
  /** Longest time for all of the shutdown. Milliseconds. */
  shutdownMs: number;
}

/** The order in which a process starts and stops. `stop` never rejects, and never takes longer than `shutdownMs`. */
export class OperatorProcess implements Lifecycle {
  readonly #parts: ProcessParts;
  readonly #log: Log;
  readonly #ending = new AbortController();
  readonly #electing = new AbortController();
  /** Rejects when leadership is lost; never resolves while the process should go on. */
  readonly #failed = Promise.withResolvers<never>();
  readonly #beat;
  #election: Promise<void> | undefined;
  #health: HealthServer | undefined;
  #unhook: () => void;

  constructor(parts: ProcessParts) {
    this.#parts = parts;
    this.#log = parts.log;
    this.#beat = eventLoopBeat(parts.clock);
    this.#unhook = parts.metrics.onScrape(() => this.#reportAges());
    // Whoever is interested gets the rejection; nobody being so must not end the process in another way.
    this.#failed.promise.catch(() => undefined);
  }

  /** Rejects with the error for which the process must end non-zero. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  get healthPort(): number | undefined {
    return this.#health?.port;
  }

  /** Resolves once every reflector is synced and the election (or, without one, the work) has begun. */
  async start(): Promise<void> {
    await this.#serveHealth();
    for (const reflector of this.#parts.reflectors) reflector.start();
    try {
      await Promise.all(this.#parts.reflectors.map((reflector) => reflector.synced(this.#ending.signal)));
    } catch (error) {
      if (this.#ending.signal.aborted) return;
      throw error;
    }
    this.#log.info('all caches are filled');
    // Only now: a replica that can't list must not hold the lead.
    this.#beginLeading();
  }

  async stop(): Promise<void> {
    this.#log.info('shutting down');
    this.#ending.abort(new Error('the process is shutting down'));
    const { clock, shutdownMs } = this.#parts;
    const done = new AbortController();
    await Promise.race([
      this.#shutDown().finally(() => done.abort()),
      sleep(clock, shutdownMs, done.signal).then(() => {
        if (!done.signal.aborted)
          this.#log.error({ shutdownMs }, 'the shutdown took too long; ending without the rest');
      }),
    ]);
  }

  /** Aborts what the controllers do: leadership is lost, and every further write would be refused anyhow. */
  async abandon(): Promise<void> {
    this.#ending.abort(new Error('leadership is lost'));
    const ended = this.#stopControllers(AbortSignal.abort());
    await Promise.race([ended, sleep(this.#parts.clock, 1_000)]);
  }

  async #serveHealth(): Promise<void> {
    const { health, metrics, reflectors, clock } = this.#parts;
    if (!health) return;
    const live = [stuckReflectors(reflectors, clock, health.stuckLimitMs), this.#beat.check, ...(health.live ?? [])];
    const ready = [unsyncedReflectors(reflectors), () => this.#endingCheck(), ...(health.ready ?? [])];
    this.#health = await startHealthServer({
      port: health.port,
      host: health.host,
      metrics,
      live: () => live.flatMap((check) => check()),
      ready: () => ready.flatMap((check) => check()),
      log: this.#log,
    });
    this.#log.info({ port: this.#health.port }, 'serving /healthz, /readyz and /metrics');
  }

  #endingCheck(): readonly string[] {
    return this.#ending.signal.aborted ? ['shutting down'] : [];
  }

  #beginLeading(): void {
    const { elector } = this.#parts;
    if (!elector) {
      this.#lead();
      return;
    }
    elector.onStartedLeading(() => this.#lead());
    this.#election = elector.run(this.#electing.signal);
    this.#election.catch((error: unknown) => this.#failed.reject(error));
  }

  #lead(): void {
    try {
      this.#parts.onLeading?.();
      if (!this.#ending.signal.aborted) for (const controller of this.#parts.controllers) controller.start();
    } catch (error) {
      this.#failed.reject(error);
    }
  }

  async #shutDown(): Promise<void> {
    const { drainMs, clock, events, reflectors, client } = this.#parts;
    await this.#step('drain the controllers', () => this.#drain(clock, drainMs));
    await this.#step('flush the events', () => this.#bounded(2_000, (signal) => events?.flush(signal)));
    await this.#step('give the lease back', () => this.#stopElection());
    await this.#step('stop the reflectors', () => Promise.all(reflectors.map((reflector) => reflector.stop())));
    await this.#step('close the health server', async () => this.#health?.close());
    await this.#step('close the connections', async () => client?.close());
    this.#beat.stop();
    this.#unhook();
  }

  /** A step that fails must not keep the others from being done. */
  async #step(name: string, run: () => Promise<unknown>): Promise<void> {
    try {
      await run();
    } catch (error) {
      this.#log.error({ err: error, step: name }, 'a step of the shutdown failed');
    }
  }

  async #drain(clock: Clock, drainMs: number): Promise<void> {
    await this.#bounded(drainMs, async (signal) => {
      // Reconciles that were told to abort and do not are left behind after a second more: the gate shuts on them.
      const tooLong = sleepAfter(signal, clock, 1_000);
      await Promise.race([this.#stopControllers(signal), tooLong]);
    });
  }

  #stopControllers(abort: AbortSignal): Promise<unknown> {
    return Promise.all(this.#parts.controllers.map((controller) => controller.stop(abort)));
  }

  async #stopElection(): Promise<void> {
    this.#electing.abort(new Error('the process is shutting down'));
    await this.#election?.catch(() => undefined);
  }

  /** Runs something with a signal that aborts after `ms`. */
  async #bounded(ms: number, run: (signal: AbortSignal) => Promise<unknown> | undefined): Promise<void> {
    const bound = new AbortController();
    const timer = this.#parts.clock.setTimer(ms, () => bound.abort(new Error(`not done within ${ms} ms`)));
    try {
      await run(bound.signal);
    } finally {
      timer.cancel();
    }
  }

  #reportAges(): void {
    const now = this.#parts.clock.monotonic();
    for (const { type, lastActivity } of this.#parts.reflectors) {
      const time = lastActivity();
      if (time === undefined) continue;
      this.#parts.metrics.reflector.activityAge.set({ resource: type.plural }, (now - time) / 1000);
    }
  }
}

/** Resolves `ms` after `signal` has aborted. */
async function sleepAfter(signal: AbortSignal, clock: Clock, ms: number): Promise<void> {
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await sleep(clock, ms);
}
