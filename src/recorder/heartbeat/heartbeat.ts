import type { ApiClient, Clock, Key, Log } from '../../operator/index.js';
import { isApiError, resources, sleep } from '../../operator/index.js';
import { microTime } from '../../operator/micro-time.js';
import type { Assignment } from '../assignment/assignment.js';
import { Rounds } from '../rounds.js';
import { ClockOffset } from './clock-offset.js';
import { assignmentOf, type Lease, type LeaseNotices, noticesOf, renewalInterval, serverSecond } from './lease.js';

export interface HeartbeatOptions {
  readonly client: Pick<ApiClient, 'get' | 'patch'>;
  readonly lease: Key;
  readonly podUID: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Called with every answer; the assignment is undefined when the Lease carries none. */
  readonly onAnswer: (assignment: Assignment | undefined, notices: LeaseNotices) => void;
}

const RETRY_MS = 1000;
// With a question a second, no more than five hang at once.
const REQUEST_TIMEOUT_MS = 5000;
// Before the first answer the timeout is not known; this is the shortest that the API allows.
const SHORTEST_TIMEOUT_SECONDS = 3;

/**
 * Renews the recorder's Lease. It knows nothing of disks, cameras and engines, so nothing of theirs can delay it; a
 * failed renewal is tried again each second and never more seldom, because the operator counts the silence. One that
 * hangs is not given up for that: a slow API server takes it in the end, and an impatient client would never be heard.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #offset = new ClockOffset();
  #timeoutSeconds = SHORTEST_TIMEOUT_SECONDS;
  readonly #rounds: Rounds;
  #silent = true;
  #asked = 0;
  /** Number of the latest question that was answered: an older answer that comes later tells nothing new. */
  #answered = 0;
  #failing = false;
  #lastRenewal: Date | undefined;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#rounds = new Rounds(options.clock, () => this.#beat());
  }

  /** Our clock minus the API server's, in seconds and steps of a half. */
  get clockOffsetSeconds(): number | undefined {
    return this.#offset.seconds;
  }

  /** When the API server last took a renewal. */
  get lastRenewal(): Date | undefined {
    return this.#lastRenewal;
  }

  start(): void {
    this.#rounds.start();
  }

  stop(): void {
    this.#rounds.stop();
  }

  /** Ends the rounds with a last renewal, from which the silence is counted. Bounded by `limitMs`; never rejects. */
  async finish(limitMs: number): Promise<void> {
    this.#rounds.stop();
    if (this.#silent) return;
    const ended = new AbortController();
    await Promise.race([this.#ask().then(() => ended.abort()), sleep(this.#options.clock, limitMs, ended.signal)]);
  }

  /** A displaced pod only reads: its renewals would hide the silence of the pod that is meant. */
  setSilent(silent: boolean): void {
    const speaks = this.#silent && !silent;
    this.#silent = silent;
    // The answer has shown that this pod is the one that is meant: the renewal follows at once.
    if (speaks) this.#rounds.soon();
  }

  /** One question; resolves to the time until the next one. */
  async #beat(): Promise<number> {
    const { clock } = this.#options;
    const startedAt = clock.monotonic();
    const ended = new AbortController();
    let answered = false;
    const question = this.#ask().then((success) => {
      answered = success;
      ended.abort();
    });
    await Promise.race([question, sleep(clock, RETRY_MS, ended.signal)]);
    const interval = answered ? renewalInterval(this.#timeoutSeconds) : RETRY_MS;
    return startedAt + interval - clock.monotonic();
  }

  /** Whether it was answered; never rejects. */
  async #ask(): Promise<boolean> {
    this.#asked += 1;
    const number = this.#asked;
    try {
      const lease = this.#silent ? await this.#read() : await this.#renew();
      if (number < this.#answered) return true;
      this.#answered = number;
      this.#timeoutSeconds = lease.spec?.leaseDurationSeconds ?? SHORTEST_TIMEOUT_SECONDS;
      this.#failing = false;
      if (this.#rounds.running) this.#options.onAnswer(assignmentOf(lease), noticesOf(lease));
      return true;
    } catch (error) {
      this.#complain(error);
      return false;
    }
  }

  #read(): Promise<Lease> {
    const { client, lease } = this.#options;
    return client.get<Lease>(resources.leases, lease, { timeoutMs: REQUEST_TIMEOUT_MS });
  }

  async #renew(): Promise<Lease> {
    const { client, clock, lease: key, podUID } = this.#options;
    const sent = clock.wall();
    const patch = { spec: { holderIdentity: podUID, renewTime: microTime(sent) } };
    const lease = await client.patch<Lease>(resources.leases, key, patch, { timeoutMs: REQUEST_TIMEOUT_MS });
    this.#lastRenewal = sent;
    const serverSecondMs = serverSecond(lease);
    if (serverSecondMs !== undefined) {
      this.#offset.add({ sentMs: sent.getTime(), receivedMs: clock.wall().getTime(), serverSecondMs });
    }
    return lease;
  }

  /** One line at the begin of a silence, not one a second. */
  #complain(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    const level = this.#failing ? 'debug' : 'warn';
    const mend = isApiError(error, 'notFound')
      ? 'the operator has not made the Lease yet'
      : 'will be tried each second';
    this.#failing = true;
    this.#options.log[level]({ lease: this.#options.lease.name, error: message }, `heartbeat failed; ${mend}`);
  }
}
