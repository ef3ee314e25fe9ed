import type { RecorderReport, RecorderReportStatus } from '../../crds/recorder-report.js';
import { recorderReports } from '../../crds/recorder-report.js';
import type { ApiClient, Clock, Key, Log, Timer } from '../../operator/index.js';
import { isApiError, mergePatch } from '../../operator/index.js';

export interface ReportWriterOptions {
  readonly client: Pick<ApiClient, 'get' | 'patchStatus'>;
  readonly report: Key;
  readonly clock: Clock;
  readonly log: Log;
  /** The status as it should be now, given the epoch that has been acknowledged; undefined to write nothing now. */
  readonly build: (acknowledgedEpoch: number) => RecorderReportStatus | undefined;
  /** Whether some camera has neither recorded nor failed yet: the proof of a takeover is not complete. */
  readonly unproved: () => boolean;
}

const LEAST_INTERVAL_MS = 1000;
// Changes come in crowds: an order, and as soon as they are listed its cameras. Told in two reports, the second would
// stand in the way of the one that proves the recording.
const GATHER_MS = 100;
// While cameras connect: they come a few at a time, and each report of some makes the others wait for the next one.
const GATHER_PROOF_MS = 300;
const RETRY_MS = 1000;
// What the API server calls wrong stays wrong until something changes.
const REFUSED_RETRY_MS = 5000;
const REQUEST_TIMEOUT_MS = 3000;

/**
 * Writes the RecorderReport on change, at most once a second, and nothing when nothing has changed. Once in a takeover
 * it does not wait for the second to pass: when the last camera has recorded or failed. That proof is what the handover,
 * the baseline and the next in the queue wait for.
 */
export class ReportWriter {
  readonly #options: ReportWriterOptions;
  /** As the API server last returned it. */
  #current: RecorderReport | undefined;
  #timer: Timer | undefined;
  #lastWrite = Number.NEGATIVE_INFINITY;
  #writing: Promise<void> | undefined;
  #changed = false;
  #proofAwaited = false;
  #running = true;
  #urgent = false;
  #complained = '';

  constructor(options: ReportWriterOptions) {
    this.#options = options;
  }

  /** Something may have changed. */
  changed(): void {
    this.#changed = true;
    const unproved = this.#options.unproved();
    this.#proofAwaited ||= unproved;
    if (this.#writing !== undefined || !this.#running) return;
    if (this.#proofAwaited && !unproved) {
      this.#proofAwaited = false;
      this.#schedule(0);
    } else if (this.#timer === undefined) {
      const wait = this.#lastWrite + LEAST_INTERVAL_MS - this.#options.clock.monotonic();
      this.#schedule(Math.max(unproved ? GATHER_PROOF_MS : GATHER_MS, wait));
    }
  }

  /** Writes what is to be told at once, without regard to the interval: the recorder announces that it ends. */
  announce(): void {
    this.#changed = true;
    // A write that is under way was begun before the announcement: another one follows it.
    if (this.#writing !== undefined) this.#urgent = true;
    else if (this.#running) this.#schedule(0);
  }

  /** Writes the last word without regard to the interval; resolves when it was written or has failed. */
  async finish(): Promise<void> {
    this.#running = false;
    this.#timer?.cancel();
    await this.#writing;
    await this.#write();
  }

  #schedule(ms: number): void {
    this.#timer?.cancel();
    this.#timer = this.#options.clock.setTimer(ms, () => {
      this.#timer = undefined;
      this.#writing = this.#write().then((retryMs) => {
        this.#writing = undefined;
        if (!this.#running) return;
        if (this.#urgent) this.#schedule(0);
        else if (retryMs !== undefined) this.#schedule(retryMs);
        else if (this.#changed) this.changed();
      });
    });
  }

  /** Resolves to the time after which it has to be tried again; never rejects. */
  async #write(): Promise<number | undefined> {
    this.#changed = false;
    this.#urgent = false;
    const { client, report, log } = this.#options;
    try {
      const options = { timeoutMs: REQUEST_TIMEOUT_MS };
      this.#current ??= await client.get<RecorderReport>(recorderReports, report, options);
      const next = this.#options.build(this.#current.status?.epoch ?? 0);
      const status = next === undefined ? undefined : mergePatch(this.#current.status ?? {}, next);
      if (status === undefined) return undefined;
      this.#lastWrite = this.#options.clock.monotonic();
      const { uid } = this.#current.metadata;
      this.#current = await client.patchStatus<RecorderReport>(
        recorderReports,
        report,
        { metadata: { uid }, status },
        options,
      );
      this.#complained = '';
      return undefined;
    } catch (error) {
      this.#current = undefined;
      const message = error instanceof Error ? error.message : String(error);
      if (message !== this.#complained) log.warn({ report: report.name, error: message }, 'report not written yet');
      this.#complained = message;
      return isApiError(error, 'invalid', 'terminal') ? REFUSED_RETRY_MS : RETRY_MS;
    }
  }
}
