import type { Dispatcher } from 'undici';
import type { Clock } from '../clock.js';
import type { Log } from '../log.js';
import type { Metrics } from '../metrics.js';
import { answerError, isDroppedConnection, networkError } from './classify.js';
import { ApiError } from './error.js';
import type { PooledKubeConfig } from './pooled-kube-config.js';
import type { RequestOptions, WriteGate } from './types.js';

/** client-go's names of the verbs, as RBAC knows them, plus 'apply'. */
export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'apply' | 'delete';

export interface Call {
  verb: Verb;
  /** Plural of the kind, with '/status' for the subresource: a metrics label. */
  resource: string;
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With its query. */
  path: string;
  contentType?: string;
  body?: object;
}

/** An open answer with status 200. */
export type OpenAnswer = Dispatcher.ResponseData;

const defaultTimeoutMs = 10_000;
/**
 * Answers by which a server that is there serves nobody. One that has just started gives them until it has read its
 * accounts and roles: taken for contact, they would begin waits that nobody can meet yet.
 */
const refusals: ReadonlySet<number> = new Set([401, 403, 429]);
const reads: ReadonlySet<Verb> = new Set(['get', 'list', 'watch']);
/** Distinct warnings of the server that are remembered as already logged. */
const maxWarnings = 100;

export interface TransportParts {
  pool: PooledKubeConfig;
  clock: Clock;
  metrics: Metrics;
  log: Log;
  gate?: WriteGate | undefined;
}

/** Sends requests: gate, credentials, time-out, metrics, classification of what comes back. */
export class Transport {
  readonly #parts: TransportParts;
  readonly #contact: { time: number | undefined; warnings: Set<string> };

  constructor(parts: TransportParts, contact?: { time: number | undefined; warnings: Set<string> }) {
    this.#parts = parts;
    this.#contact = contact ?? { time: undefined, warnings: new Set() };
  }

  /** The same transport behind a gate; contact and warnings are shared. */
  behind(gate: WriteGate): Transport {
    return new Transport({ ...this.#parts, gate }, this.#contact);
  }

  get clock(): Clock {
    return this.#parts.clock;
  }

  lastContact(): number | undefined {
    return this.#contact.time;
  }

  /** The server has sent something on an answer that stays open: it is as alive as by a new answer. */
  heard(): void {
    this.#contact.time = this.clock.monotonic();
  }

  close(): Promise<void> {
    return this.#parts.pool.close();
  }

  /** Sends the call and parses the JSON answer, once. */
  async json(call: Call, options: RequestOptions = {}): Promise<unknown> {
    const stop = this.#parts.metrics.api.requestSeconds.startTimer({ verb: call.verb });
    try {
      return await this.#withTimeout(call, options, (signal) => this.#exchange(call, signal));
    } finally {
      stop();
    }
  }

  /** Opens a watch; the time-out covers the answer's head only, `signal` the whole. */
  async open(call: Call, signal: AbortSignal, headTimeoutMs = defaultTimeoutMs): Promise<OpenAnswer> {
    const ending = new AbortController();
    const onAbort = (): void => ending.abort(signal.reason);
    if (signal.aborted) throw signal.reason;
    signal.addEventListener('abort', onAbort, { once: true });
    const timer = this.clock.setTimer(headTimeoutMs, () => ending.abort(timeoutError(call, headTimeoutMs)));
    try {
      return await this.#send(call, ending.signal);
    } catch (error) {
      signal.removeEventListener('abort', onAbort);
      throw error;
    } finally {
      timer.cancel();
    }
  }

  async #withTimeout<R>(call: Call, options: RequestOptions, run: (signal: AbortSignal) => Promise<R>): Promise<R> {
    const { signal } = options;
    if (signal?.aborted) throw signal.reason;
    const timeoutMs = this.#timeout(call, options);
    const ending = new AbortController();
    const onAbort = (): void => ending.abort(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    const timer = this.clock.setTimer(timeoutMs, () => ending.abort(timeoutError(call, timeoutMs)));
    try {
      return await run(ending.signal);
    } finally {
      timer.cancel();
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** A write must not reach the server after another process may have taken over: the gate bounds its time-out. */
  #timeout(call: Call, options: RequestOptions): number {
    const wanted = options.timeoutMs ?? defaultTimeoutMs;
    const { gate } = this.#parts;
    if (!gate || reads.has(call.verb)) return wanted;
    this.#assertOpen(call, gate);
    return gate.remainingMs ? Math.min(wanted, gate.remainingMs()) : wanted;
  }

  #assertOpen(call: Call, gate: WriteGate): void {
    try {
      gate.assertOpen();
    } catch (error) {
      this.#count(call, 'refused');
      throw error;
    }
  }

  async #exchange(call: Call, signal: AbortSignal): Promise<unknown> {
    const answer = await this.#sendAgainIfSafe(call, signal);
    try {
      return JSON.parse(await answer.body.text());
    } catch (cause) {
      if (signal.aborted) throw signal.reason;
      throw networkError(requestName(call), cause);
    }
  }

  async #sendAgainIfSafe(call: Call, signal: AbortSignal): Promise<OpenAnswer> {
    try {
      return await this.#send(call, signal);
    } catch (error) {
      // 401: nothing was done with the request. Token files rotate; client-node caches them for 60 s.
      const again = error instanceof ApiError && error.status === 401;
      // A kept-alive connection that the server closed meanwhile: harmless to repeat for reads.
      if (!again && !(reads.has(call.verb) && isDroppedConnection(error))) throw error;
      // The gate may have shut while the first try was under way.
      if (!reads.has(call.verb) && this.#parts.gate) this.#assertOpen(call, this.#parts.gate);
      return await this.#send(call, signal);
    }
  }

  /** Resolves with an open answer of status 2xx; everything else throws. */
  async #send(call: Call, signal: AbortSignal): Promise<OpenAnswer> {
    const { pool } = this.#parts;
    let answer: OpenAnswer;
    try {
      const { dispatcher, origin, basePath, headers } = await pool.connection();
      if (signal.aborted) throw signal.reason;
      answer = await dispatcher.request({
        origin,
        path: basePath + call.path,
        method: call.method,
        headers: requestHeaders(call, headers),
        body: call.body === undefined ? null : JSON.stringify(call.body),
        signal,
      });
    } catch (error) {
      this.#count(call, 'error');
      if (signal.aborted) throw signal.reason;
      if (error instanceof ApiError) throw error;
      pool.renewCredentials(false);
      throw networkError(requestName(call), error);
    }
    this.#note(call, answer);
    if (answer.statusCode < 300) return answer;
    throw await this.#failure(call, answer, signal);
  }

  async #failure(call: Call, answer: OpenAnswer, signal: AbortSignal): Promise<unknown> {
    if (answer.statusCode === 401) this.#parts.pool.renewCredentials(true);
    let body = '';
    try {
      body = await answer.body.text();
    } catch (error) {
      if (signal.aborted) return signal.reason;
      this.#parts.log.debug({ err: error, request: requestName(call) }, 'the body of an error answer was cut');
    }
    return answerError({
      request: requestName(call),
      status: answer.statusCode,
      body,
      retryAfter: headerText(answer.headers['retry-after']),
      now: this.clock.wall(),
    });
  }

  #note(call: Call, answer: OpenAnswer): void {
    this.#count(call, String(answer.statusCode));
    if (answer.statusCode < 500 && !refusals.has(answer.statusCode)) this.heard();
    const warning = headerText(answer.headers.warning);
    if (warning === undefined || this.#contact.warnings.has(warning)) return;
    if (this.#contact.warnings.size < maxWarnings) this.#contact.warnings.add(warning);
    this.#parts.log.warn({ request: requestName(call), warning }, 'the API server warns');
  }

  #count(call: Call, code: string): void {
    this.#parts.metrics.api.requests.inc({ verb: call.verb, resource: call.resource, code });
  }
}

/** What was asked, without its query: the first words of every error message. */
export function requestName(call: Call): string {
  const query = call.path.indexOf('?');
  return `${call.verb} ${query < 0 ? call.path : call.path.slice(0, query)}`;
}

function timeoutError(call: Call, timeoutMs: number): ApiError {
  return new ApiError('transient', `${requestName(call)}: no answer within ${Math.round(timeoutMs)} ms`, {
    reason: 'RequestTimeout',
  });
}

function headerText(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(', ') : header;
}

function requestHeaders(call: Call, headers: Readonly<Record<string, string>>): Record<string, string> {
  return call.body === undefined
    ? { ...headers, accept: 'application/json' }
    : { ...headers, accept: 'application/json', 'content-type': call.contentType ?? 'application/json' };
}
