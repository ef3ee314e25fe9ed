import type { ApiClient, Clock, Key, Log, Timer } from '../../operator/index.js';
import { isApiError, resources } from '../../operator/index.js';
import { microTime } from '../../operator/micro-time.js';
import type { Assignment } from '../assignment/assignment.js';
import { ClockOffset } from './clock-offset.js';
import { assignmentOf, type Lease, renewalInterval, serverSecond } from './lease.js';

export interface HeartbeatOptions {
  readonly client: Pick<ApiClient, 'get' | 'patch'>;
  readonly lease: Key;
  readonly podUID: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Called with every answer; the assignment is undefined when the Lease carries none. */
  readonly onAnswer: (assignment: Assignment | undefined) => void;
}

const RETRY_MS = 1000;
const REQUEST_TIMEOUT_MS = 1000;
// Before the first answer the timeout is not known; this is the shortest that the API allows.
const SHORTEST_TIMEOUT_SECONDS = 3;

/**
 * Renews the recorder's Lease. It knows nothing of disks, cameras and engines, so nothing of theirs can delay it; a
 * failed renewal is tried again each second and never more seldom, because the operator counts the silence.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #offset = new ClockOffset();
  #timeoutSeconds = SHORTEST_TIMEOUT_SECONDS;
  #timer: Timer | undefined;
  #running = false;
  #silent = true;
  #failing = false;
  #lastRenewal: Date | undefined;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
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
    if (this.#running) return;
    this.#running = true;
    this.#schedule(0);
  }

  stop(): void {
    this.#running = false;
    this.#timer?.cancel();
  }

  /** A displaced pod only reads: its renewals would hide the silence of the pod that is meant. */
  setSilent(silent: boolean): void {
    if (this.#silent && !silent && this.#running) this.#schedule(0);
    this.#silent = silent;
  }

  #schedule(ms: number): void {
    this.#timer?.cancel();
    this.#timer = this.#options.clock.setTimer(ms, () => void this.#beat());
  }

  async #beat(): Promise<void> {
    const { clock } = this.#options;
    const startedAt = clock.monotonic();
    const readOnly = this.#silent;
    const answered = await this.#ask();
    if (!this.#running) return;
    // The answer has shown that this pod is the one that is meant: the renewal follows at once.
    if (answered && readOnly && !this.#silent) return this.#schedule(0);
    const interval = answered ? renewalInterval(this.#timeoutSeconds) : RETRY_MS;
    this.#schedule(startedAt + interval - clock.monotonic());
  }

  async #ask(): Promise<boolean> {
    try {
      const silent = this.#silent;
      const lease = silent ? await this.#read() : await this.#renew();
      this.#timeoutSeconds = lease.spec?.leaseDurationSeconds ?? SHORTEST_TIMEOUT_SECONDS;
      this.#failing = false;
      if (this.#running) this.#options.onAnswer(assignmentOf(lease));
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
