// Stands between an operator and a real API server on loopback, for faults that the server can't be made to give at will.
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestOptions,
  type Server,
  type ServerResponse,
  request as sendPlain,
} from 'node:http';
import { type Agent, request as sendSecure } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { lineSplitter } from '../../../src/operator/api/watch-stream.js';
import { type Fault, type Injection, statusBody, type WatchFault, type WatchInjection } from './faults.js';
import { type ApiRequest, identityOf, isWrite, readRequest } from './request.js';
import { isChange, WatchPipe } from './watch-pipe.js';

/** Where the API server is, and by which agent it is reached (TLS and client certificate; undefined for plain HTTP). */
export interface Upstream {
  readonly origin: string;
  readonly agent?: Agent;
}

/** A write as it went. */
export interface WriteRecord {
  readonly replica: string;
  readonly identity: string;
  /** How many writes of the same identity came before it. */
  readonly occurrence: number;
  readonly request: ApiRequest;
  /** `performance.now()` when it arrived. */
  readonly time: number;
  /** Status of the API server; undefined while it has not answered, or was never asked. */
  status?: number;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

interface Armed {
  readonly injection: Injection;
  seen: number;
  hit: number;
}

export class FaultProxy {
  readonly writes: WriteRecord[] = [];
  /** Kinds of which a watch has brought a change since `noteChanges`, as plurals. */
  readonly changedKinds = new Set<string>();
  readonly #upstream: Upstream;
  readonly #server: Server;
  readonly #sockets = new Map<Socket, string>();
  readonly #pipes = new Set<WatchPipe>();
  readonly #armed: Armed[] = [];
  readonly #watchFaults: WatchInjection[] = [];
  readonly #dead = new Set<string>();
  readonly #frozen = new Map<string, PromiseWithResolvers<void>>();
  readonly #lists = new Map<string, Answer>();
  readonly #stale = new Map<string, Answer>();
  readonly #staleFor = new Set<string>();

  private constructor(upstream: Upstream) {
    this.#upstream = upstream;
    this.#server = createServer((incoming, response) => {
      this.#handle(incoming, response).catch((error: unknown) => fail(response, error));
    });
    this.#server.keepAliveTimeout = 60_000;
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.set(socket, '');
      socket.on('close', () => this.#sockets.delete(socket));
      // A client that goes away in the middle is an ordinary end here.
      socket.on('error', () => socket.destroy());
    });
  }

  static async start(upstream: Upstream): Promise<FaultProxy> {
    const proxy = new FaultProxy(upstream);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  /** The address for a replica: by it the proxy tells the replicas apart. */
  urlOf(replica: string): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/${replica}`;
  }

  /** Arms a fault; gives back whether it has hit as often as it should. */
  inject(injection: Injection): () => boolean {
    const armed: Armed = { injection, seen: 0, hit: 0 };
    this.#armed.push(armed);
    return () => armed.hit >= (injection.times ?? 1);
  }

  /** Present and future watches suffer it until `heal`. */
  injectIntoWatches(injection: WatchInjection): void {
    this.#watchFaults.push(injection);
    for (const pipe of this.#pipes) if (concerns(injection, pipe)) pipe.suffer(injection.fault);
  }

  /** From now on `changedKinds` collects anew. */
  noteChanges(): void {
    this.changedKinds.clear();
  }

  /** No armed fault hits any more, and events come as they are. What a fault has destroyed stays destroyed. */
  heal(): void {
    this.#armed.length = 0;
    this.#watchFaults.length = 0;
    this.#staleFor.clear();
    for (const pipe of this.#pipes) pipe.suffer(undefined);
  }

  /** Ends the present watches of a kind, or of all, with code 410 as an event. Gives their number. */
  expireWatches(resource?: string): number {
    const hit = [...this.#pipes].filter((pipe) => resource === undefined || pipe.resource === resource);
    for (const pipe of hit) pipe.expire();
    return hit.length;
  }

  cutWatches(resource?: string): void {
    for (const pipe of this.#pipes) if (resource === undefined || pipe.resource === resource) pipe.cut();
  }

  /**
   * Keeps what each list that was ever made would answer now, to be served later as an old answer. Without it the old
   * answer is the first that the list ever got.
   */
  async snapshotLists(): Promise<void> {
    for (const url of this.#lists.keys()) {
      const request = { method: 'GET', url, body: Buffer.alloc(0) };
      this.#stale.set(url, await this.#ask(request, {}));
    }
  }

  /** The next lists of a kind, or of all, get the kept answer; until `heal`. */
  serveStaleLists(resource: string | undefined): void {
    this.#staleFor.add(resource ?? '*');
  }

  /** The process behind it has died: its connections end, and nothing of it is ever sent on again. */
  kill(replica: string): void {
    this.#dead.add(replica);
    for (const [socket, owner] of this.#sockets) if (owner === replica) socket.destroy();
  }

  /** The process behind it stands still: nothing that was sent to it is read. */
  freeze(replica: string): void {
    this.#frozen.set(replica, Promise.withResolvers<void>());
  }

  thaw(replica: string): void {
    this.#frozen.get(replica)?.resolve();
    this.#frozen.delete(replica);
  }

  async close(): Promise<void> {
    for (const replica of this.#frozen.keys()) this.thaw(replica);
    for (const socket of this.#sockets.keys()) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await readRequest(incoming);
    this.#sockets.set(incoming.socket, request.replica);
    if (this.#dead.has(request.replica)) {
      response.destroy();
      return;
    }
    const record = isWrite(request) ? this.#record(request) : undefined;
    const armed = this.#armedFor(request);
    const answer = await this.#suffer(request, incoming.headers, response, record, armed?.injection);
    if (answer === undefined) return;
    await this.#frozen.get(request.replica)?.promise;
    if (!response.destroyed) reply(response, answer);
  }

  #record(request: ApiRequest): WriteRecord {
    const identity = identityOf(request);
    const occurrence = this.writes.filter((write) => write.identity === identity).length;
    const record: WriteRecord = { replica: request.replica, identity, occurrence, request, time: performance.now() };
    this.writes.push(record);
    return record;
  }

  #armedFor(request: ApiRequest): Armed | undefined {
    for (const armed of this.#armed) {
      const { matches, skip = 0, times = 1 } = armed.injection;
      if (armed.hit >= times || !matches(request)) continue;
      armed.seen += 1;
      if (armed.seen <= skip) continue;
      armed.hit += 1;
      return armed;
    }
    return undefined;
  }

  /** The answer for the client; undefined when it gets none, or was served already. */
  async #suffer(
    request: ApiRequest,
    headers: IncomingHttpHeaders,
    response: ServerResponse,
    record: WriteRecord | undefined,
    injection: Injection | undefined,
  ): Promise<Answer | undefined> {
    const fault = injection?.fault;
    if (fault !== undefined && !isSentOn(fault)) {
      injection?.onHit?.(request);
      return withoutServer(fault, response);
    }
    if (fault?.kind === 'detain') {
      injection?.onHit?.(request);
      await fault.until;
    }
    if (request.verb === 'watch') {
      this.#openWatch(request, headers, response);
      return undefined;
    }
    const answer = this.#staleAnswer(request) ?? (await this.#ask(request, headers));
    // The first answer is kept: the oldest past that there is.
    if (request.verb === 'list' && !this.#lists.has(request.url)) this.#lists.set(request.url, answer);
    if (record) record.status = answer.status;
    if (fault === undefined || fault.kind === 'detain') return answer;
    injection?.onHit?.(request);
    if (fault.kind === 'cutAfter') response.destroy();
    return fault.kind === 'pass' ? answer : undefined;
  }

  #staleAnswer(request: ApiRequest): Answer | undefined {
    if (request.verb !== 'list') return undefined;
    const wanted = this.#staleFor.has('*') || this.#staleFor.has(request.resource);
    return wanted ? (this.#stale.get(request.url) ?? this.#lists.get(request.url)) : undefined;
  }

  #ask(request: Pick<ApiRequest, 'method' | 'url' | 'body'>, headers: IncomingHttpHeaders): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const sent = this.#send(request, headers, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) }),
        );
      });
      sent.on('error', reject);
    });
  }

  #send(
    { method, url, body }: Pick<ApiRequest, 'method' | 'url' | 'body'>,
    headers: IncomingHttpHeaders,
    onAnswer: (answer: IncomingMessage) => void,
  ) {
    const { origin, agent } = this.#upstream;
    const { host: _host, connection: _connection, 'transfer-encoding': _encoding, ...kept } = headers;
    const options: RequestOptions = {
      method,
      headers: { ...kept, ...(body.length > 0 ? { 'content-length': String(body.length) } : {}) },
      ...(agent === undefined ? {} : { agent }),
    };
    const target = new URL(url, origin);
    const sent =
      target.protocol === 'https:' ? sendSecure(target, options, onAnswer) : sendPlain(target, options, onAnswer);
    sent.end(body.length > 0 ? body : undefined);
    return sent;
  }

  #openWatch(request: ApiRequest, headers: IncomingHttpHeaders, response: ServerResponse): void {
    const sent = this.#send(request, headers, (answer) => {
      response.writeHead(answer.statusCode ?? 500, { 'content-type': 'application/json' });
      response.flushHeaders();
      const pipe = new WatchPipe(request.replica, request.resource, response, () => sent.destroy());
      const fault = this.#watchFaultFor(pipe);
      if (fault !== undefined) pipe.suffer(fault);
      this.#pipes.add(pipe);
      response.on('close', () => {
        this.#pipes.delete(pipe);
        sent.destroy();
      });
      const split = lineSplitter((line) => this.#pass(pipe, line));
      answer.on('data', split);
      answer.on('end', () => pipe.finish());
      answer.on('error', () => pipe.cut());
    });
    sent.on('error', () => response.destroy());
    response.on('close', () => sent.destroy());
  }

  #watchFaultFor(pipe: WatchPipe): WatchFault | undefined {
    return this.#watchFaults.find((injection) => concerns(injection, pipe))?.fault;
  }

  /** A process that stands still reads nothing; what was sent lies in its socket, in order. */
  #pass(pipe: WatchPipe, line: string): void {
    if (isChange(line)) this.changedKinds.add(pipe.resource);
    const frozen = this.#frozen.get(pipe.replica);
    if (frozen === undefined) pipe.take(line);
    else void frozen.promise.then(() => pipe.take(line));
  }
}

function concerns({ resource }: WatchInjection, pipe: WatchPipe): boolean {
  return resource === undefined || resource === pipe.resource;
}

function isSentOn({ kind }: Fault): boolean {
  return kind === 'pass' || kind === 'cutAfter' || kind === 'hangAfter' || kind === 'detain';
}

function withoutServer(fault: Fault, response: ServerResponse): Answer | undefined {
  if (fault.kind === 'cutBefore') response.destroy();
  if (fault.kind !== 'answer') return undefined;
  const { status, reason, retryAfterSeconds } = fault;
  return {
    status,
    headers: retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) },
    body: Buffer.from(JSON.stringify(statusBody(status, reason, retryAfterSeconds))),
  };
}

function reply(response: ServerResponse, { status, headers, body }: Answer): void {
  const kept = Object.fromEntries(
    ['retry-after', 'warning'].flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])),
  );
  response.writeHead(status, { ...kept, 'content-type': 'application/json', 'content-length': body.length }).end(body);
}

/** The API server itself could not be reached: for the operator that is a cut connection. */
function fail(response: ServerResponse, _error: unknown): void {
  response.destroy();
}
