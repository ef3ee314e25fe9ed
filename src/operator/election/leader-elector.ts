import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { ApiError, isApiError } from '../api/error.js';
import type { KubeClient, RequestOptions } from '../api/types.js';
import { type Clock, sleep, systemClock } from '../clock.js';
import { deepEqual } from '../deep-equal.js';
import { type Log, silentLog } from '../log.js';
import { createMetrics, type Metrics } from '../metrics.js';
import { microTime } from '../micro-time.js';
import type { Key } from '../objects.js';
import { resources } from '../resources.js';
import type { Lease, LeaseSpec } from './lease.js';
import { type LeaderElector, LeadershipLostError } from './types.js';

export interface LeaderElectorOptions {
  /** Not behind the write gate that this elector is. */
  client: Pick<KubeClient, 'get' | 'create' | 'replace'>;
  lease: Key & { namespace: string };
  /** Default: host name and a random part, unique to the process. */
  identity?: string | undefined;
  /** How long others wait without seeing a renewal. Milliseconds, whole seconds, default 15,000. */
  leaseDurationMs?: number | undefined;
  /** How long this process may write after its last renewal. Milliseconds, default 10,000; less than the duration. */
  renewDeadlineMs?: number | undefined;
  /** Between two tries. Milliseconds, default 2,000; less than the renew deadline / 2.2. */
  retryPeriodMs?: number | undefined;
  clock?: Clock | undefined;
  random?: (() => number) | undefined;
  metrics?: Metrics | undefined;
  log?: Log | undefined;
}

/** Waits between tries to acquire are stretched by up to this factor, so that replicas do not try in step. */
const acquireJitter = 1.2;

/** The election of client-go (15 s / 10 s / 2 s) on one Lease. */
export function createLeaderElector(options: LeaderElectorOptions): LeaderElector {
  return new LeaseElector(options);
}

class LeaseElector implements LeaderElector {
  readonly identity: string;
  readonly isLeader: () => boolean;
  readonly #client: LeaderElectorOptions['client'];
  readonly #key: Key & { namespace: string };
  readonly #durationMs: number;
  readonly #deadlineMs: number;
  readonly #retryMs: number;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #metrics: Metrics['process'];
  readonly #log: Log;
  readonly #started: (() => void)[] = [];
  readonly #stopped: (() => void)[] = [];
  /** The Lease as last read or written, and when, on our clock, its spec was first seen like this. */
  #observed: { lease: Lease; time: number } | undefined;
  /** Start of the last request that renewed; undefined: not the leader. */
  #renewedTime: number | undefined;

  constructor(options: LeaderElectorOptions) {
    this.identity = options.identity ?? `${hostname()}_${randomUUID()}`;
    this.#client = options.client;
    this.#key = options.lease;
    this.#durationMs = options.leaseDurationMs ?? 15_000;
    this.#deadlineMs = options.renewDeadlineMs ?? 10_000;
    this.#retryMs = options.retryPeriodMs ?? 2_000;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#metrics = (options.metrics ?? createMetrics()).process;
    this.#log = (options.log ?? silentLog).child({ lease: `${options.lease.namespace}/${options.lease.name}` });
    this.isLeader = () => this.remainingMs() > 0;
    this.#checkTimes();
  }

  onStartedLeading(fn: () => void): void {
    this.#started.push(fn);
  }

  onStoppedLeading(fn: () => void): void {
    this.#stopped.push(fn);
  }

  remainingMs(): number {
    if (this.#renewedTime === undefined) return 0;
    return Math.max(0, this.#renewedTime + this.#deadlineMs - this.#clock.monotonic());
  }

  assertOpen(): void {
    // Asked at each write, on the clock of now: after a stall of the event loop no timer has fired yet.
    if (this.isLeader()) return;
    throw new ApiError('writeRefused', `${this.identity} does not lead (or has not renewed in time): nothing was sent`);
  }

  async run(signal: AbortSignal): Promise<void> {
    await this.#acquire(signal);
    if (this.#renewedTime === undefined) return;
    this.#log.info({ identity: this.identity }, 'started leading');
    this.#metrics.leader.set({ name: this.#key.name }, 1);
    this.#call(this.#started);
    try {
      await this.#renewUntil(signal);
    } finally {
      // The gate shuts before anybody is told, and before the Lease is given back.
      this.#renewedTime = undefined;
      this.#metrics.leader.set({ name: this.#key.name }, 0);
      this.#call(this.#stopped);
    }
    await this.#release();
  }

  async #acquire(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (await this.#tryAcquireOrRenew(signal)) return;
      } catch (error) {
        if (!signal.aborted) this.#log.warn({ err: error }, 'could not read or take the Lease; trying again');
      }
      await sleep(this.#clock, this.#retryMs * (1 + acquireJitter * this.#random()), signal);
    }
  }

  /** Resolves when `signal` aborts; rejects when leadership is lost. */
  async #renewUntil(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(this.#clock, Math.min(this.#retryMs, this.remainingMs()), signal);
      if (signal.aborted) return;
      if (!this.isLeader()) throw new LeadershipLostError(`no renewal within ${this.#deadlineMs} ms`);
      try {
        if (!(await this.#tryAcquireOrRenew(signal)) && !this.#mayStillHold()) {
          throw new LeadershipLostError(`the Lease is held by ${this.#observed?.lease.spec?.holderIdentity}`);
        }
      } catch (error) {
        if (error instanceof LeadershipLostError) throw error;
        if (!signal.aborted) this.#log.warn({ err: error, leftMs: this.remainingMs() }, 'could not renew the Lease');
      }
    }
  }

  #mayStillHold(): boolean {
    return this.#observed === undefined || this.#observed.lease.spec?.holderIdentity === this.identity;
  }

  /** True when the Lease is ours now. Throws what the API throws. */
  async #tryAcquireOrRenew(signal: AbortSignal): Promise<boolean> {
    const lease = await this.#leaseToWrite(signal);
    // A Lease that somebody deleted still binds us: its holder may write until its renew deadline.
    const binding = lease ?? this.#observed?.lease;
    if (binding && this.#heldByAnother(binding)) return false;
    if (!lease) {
      const created = { metadata: { ...this.#key }, spec: this.#nextSpec(undefined) };
      return await this.#write((options) => this.#client.create<Lease>(resources.leases, created, options), signal);
    }
    const next = { ...lease, spec: { ...lease.spec, ...this.#nextSpec(lease.spec) } };
    return await this.#write((options) => this.#client.replace<Lease>(resources.leases, next, options), signal);
  }

  /** The Lease to base a write on; undefined when there is none. A holder trusts what it wrote last (one request). */
  async #leaseToWrite(signal: AbortSignal): Promise<Lease | undefined> {
    const known = this.#observed?.lease;
    if (known?.spec?.holderIdentity === this.identity && this.#renewedTime !== undefined) return known;
    try {
      const lease = await this.#client.get<Lease>(resources.leases, this.#key, this.#requestOptions(signal));
      this.#observe(lease);
      return lease;
    } catch (error) {
      if (!isApiError(error, 'notFound')) throw error;
      return undefined;
    }
  }

  async #write(send: (options: RequestOptions) => Promise<Lease>, signal: AbortSignal): Promise<boolean> {
    // The lease counts from before the request: others may see the renewal earlier than we see its answer.
    const startTime = this.#clock.monotonic();
    try {
      this.#observe(await send(this.#requestOptions(signal)));
      this.#renewedTime = startTime;
      return true;
    } catch (error) {
      // Whatever happened to this write, the version that we know may be old now.
      this.#observed = this.#renewedTime === undefined ? this.#observed : undefined;
      if (!isApiError(error, 'conflict', 'alreadyExists')) throw error;
      if (this.#renewedTime !== undefined) await this.#leaseToWrite(signal);
      return false;
    }
  }

  #observe(lease: Lease): void {
    // Only spec counts: who puts a label on the Lease does not renew it.
    if (this.#observed && deepEqual(this.#observed.lease.spec, lease.spec)) this.#observed.lease = lease;
    else this.#observed = { lease, time: this.#clock.monotonic() };
  }

  /** Judged by our own observation alone: `renewTime` is on the holder's wall clock. */
  #heldByAnother(lease: Lease): boolean {
    const holder = lease.spec?.holderIdentity;
    if (!holder || holder === this.identity || !this.#observed) return false;
    const durationMs = (lease.spec?.leaseDurationSeconds ?? this.#durationMs / 1000) * 1000;
    return this.#clock.monotonic() < this.#observed.time + durationMs;
  }

  #nextSpec(before: LeaseSpec | undefined): LeaseSpec {
    const now = microTime(this.#clock.wall());
    const renewal = { leaseDurationSeconds: this.#durationMs / 1000, renewTime: now };
    if (before?.holderIdentity === this.identity) return renewal;
    const leaseTransitions = (before?.leaseTransitions ?? 0) + (before ? 1 : 0);
    return { ...renewal, holderIdentity: this.identity, acquireTime: now, leaseTransitions };
  }

  /** Gives the Lease back, so that the next leader need not wait it out. Best effort: it expires by itself. */
  async #release(): Promise<void> {
    const lease = this.#observed?.lease;
    if (lease?.spec?.holderIdentity !== this.identity) return;
    const now = microTime(this.#clock.wall());
    const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: now, acquireTime: now };
    try {
      await this.#client.replace<Lease>(
        resources.leases,
        { ...lease, spec },
        {
          timeoutMs: this.#deadlineMs / 2,
        },
      );
      this.#log.info('gave the Lease back');
    } catch (error) {
      this.#log.warn({ err: error }, 'could not give the Lease back; it expires by itself');
    } finally {
      this.#observed = undefined;
    }
  }

  /**
   * Two tries must fit into the renew deadline, and none may outlive it: leadership is lost on time, hanging request or
   * not. A renewal under way is not aborted by a shutdown: giving the Lease back needs to know what became of it.
   */
  #requestOptions(signal: AbortSignal): RequestOptions {
    const timeoutMs = this.#deadlineMs / 2;
    return this.isLeader() ? { timeoutMs: Math.min(timeoutMs, this.remainingMs()) } : { signal, timeoutMs };
  }

  #call(listeners: readonly (() => void)[]): void {
    for (const listener of listeners) {
      try {
        listener();
      } catch (error) {
        this.#log.error({ err: error }, 'a listener of the leader election threw');
      }
    }
  }

  #checkTimes(): void {
    const lease = `${this.#key.namespace}/${this.#key.name}`;
    if (this.#durationMs % 1000 !== 0 || this.#durationMs < 1000) {
      throw new RangeError(`Lease ${lease}: leaseDurationMs ${this.#durationMs}: give whole seconds, at least 1`);
    }
    if (this.#deadlineMs >= this.#durationMs) {
      throw new RangeError(`Lease ${lease}: renewDeadlineMs must be less than leaseDurationMs, or two could write`);
    }
    if (this.#retryMs * (1 + acquireJitter) >= this.#deadlineMs) {
      throw new RangeError(`Lease ${lease}: renewDeadlineMs must be more than ${1 + acquireJitter} x retryPeriodMs`);
    }
  }
}
