// A fake API server on loopback, for faults that a real one can't be made to give: hang, cut, half-open, 410, 429, 5xx.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import { objectKey, type ResourceType } from '../../../src/operator/objects.js';
import { applyMergePatch, type Change, LoopbackStore, Refusal, type StoredObject } from './loopback-store.js';

export interface RecordedRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  body: unknown;
  /** `performance.now()` when it arrived. */
  time: number;
}

export type Fault =
  /** Never answers. */
  | { kind: 'hang' }
  /** Destroys the connection before answering. */
  | { kind: 'cut' }
  /** Does what was asked, then destroys the connection instead of answering. */
  | { kind: 'cutAfter' }
  /** Answers with this status. */
  | { kind: 'status'; status: number; headers?: Record<string, string>; body?: unknown }
  /** Answers 200 to a watch, and its first line is this text. */
  | { kind: 'line'; text: string }
  /** Answers 200 to a watch and ends it cleanly at once. */
  | { kind: 'end' }
  /** Waits for the promise, then does what was asked. */
  | { kind: 'wait'; until: Promise<unknown> };

interface Rule {
  matches: (request: RecordedRequest) => boolean;
  fault: Fault;
  times: number;
}

interface OpenWatch {
  collection: string;
  response: ServerResponse;
  /** Half-open: the connection stays, nothing comes any more. */
  mute: boolean;
}

interface Target {
  collection: string;
  namespace: string | undefined;
  name: string | undefined;
  status: boolean;
}

export const isWatch = (request: RecordedRequest): boolean => request.query.get('watch') === 'true';
export const isList = (request: RecordedRequest): boolean =>
  request.method === 'GET' && !isWatch(request) && parsePath(request.path).name === undefined;

export class LoopbackApiServer {
  readonly store = new LoopbackStore();
  readonly requests: RecordedRequest[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #watches = new Set<OpenWatch>();
  readonly #rules: Rule[] = [];
  readonly #arrivals = new Set<() => void>();
  #connections = 0;

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#handle(request, response).catch((error: unknown) => refuse(response, error));
    });
    this.#server.keepAliveTimeout = 60_000;
    this.#server.on('connection', (socket: Socket) => {
      this.#connections += 1;
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  static async start(): Promise<LoopbackApiServer> {
    const server = new LoopbackApiServer();
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  /** All TCP connections that were ever made. */
  get connections(): number {
    return this.#connections;
  }

  get openWatches(): number {
    return this.#watches.size;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  kubeConfig(user: object = { name: 'tester', token: 'valid' }): KubeConfig {
    const config = new KubeConfig();
    config.loadFromOptions({
      clusters: [{ name: 'loopback', server: this.url, skipTLSVerify: true }],
      users: [user],
      contexts: [{ name: 'loopback', cluster: 'loopback', user: 'tester' }],
      currentContext: 'loopback',
    });
    return config;
  }

  /** The next `times` requests that match get the fault. */
  fail(matches: (request: RecordedRequest) => boolean, fault: Fault, times = 1): void {
    this.#rules.push({ matches, fault, times });
  }

  /** Takes back all faults that have not been used. */
  heal(): void {
    this.#rules.length = 0;
  }

  /** Writes an object and tells the watches. */
  put(type: ResourceType, object: StoredObject): StoredObject {
    return this.#publish(this.#write(type, object)).object;
  }

  /** Writes an object, and no watch ever hears of it. */
  putUnseen(type: ResourceType, object: StoredObject): void {
    this.store.forget(this.#write(type, object));
  }

  remove(type: ResourceType, key: string): void {
    this.#publish(this.store.remove(collectionOf(type), key));
  }

  /** Deletes an object, and no watch ever hears of it. */
  removeUnseen(type: ResourceType, key: string): void {
    this.store.forget(this.store.remove(collectionOf(type), key));
  }

  /** Sends a bookmark at the present version to all watches. */
  bookmark(): void {
    const object = { metadata: { resourceVersion: String(this.store.version) } };
    for (const watch of this.#watches) this.#send(watch, { type: 'BOOKMARK', object });
  }

  /** Sends an ERROR event with this Status code to all watches. */
  sendError(code: number, status: object = {}): void {
    for (const watch of this.#watches)
      this.#send(watch, { type: 'ERROR', object: { kind: 'Status', code, ...status } });
  }

  /** Writes raw bytes into all watches. */
  sendBytes(bytes: Buffer): void {
    for (const watch of this.#watches) watch.response.write(bytes);
  }

  /** Ends all watches cleanly, as the server does after `timeoutSeconds`. */
  endWatches(): void {
    for (const watch of this.#watches) watch.response.end();
  }

  /** Destroys the connections of all watches. */
  cutWatches(): void {
    for (const watch of this.#watches) watch.response.socket?.destroy();
  }

  /** Makes the present watches half-open: nothing ever comes through them again. */
  muteWatches(): void {
    for (const watch of this.#watches) watch.mute = true;
  }

  count(matches: (request: RecordedRequest) => boolean): number {
    return this.requests.filter(matches).length;
  }

  /** Resolves once `condition` is true, looked at with each request; rejects after `ms`. */
  async until(condition: () => boolean, what: string, ms = 5_000): Promise<void> {
    const deadline = performance.now() + ms;
    while (!condition()) {
      if (performance.now() > deadline) throw new Error(`did not happen within ${ms} ms: ${what}`);
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          this.#arrivals.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, 10);
        this.#arrivals.add(wake);
      });
    }
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #write(type: ResourceType, object: StoredObject): Change {
    const { resourceVersion: _, ...metadata } = object.metadata;
    return this.store.write(collectionOf(type), objectKey(metadata), { ...object, metadata });
  }

  #publish(change: Change): Change {
    for (const watch of this.#watches) if (watch.collection === change.collection) this.#send(watch, change);
    return change;
  }

  #send(watch: OpenWatch, event: { type: string; object: unknown }): void {
    if (!watch.mute) watch.response.write(`${JSON.stringify({ type: event.type, object: event.object })}\n`);
  }

  async #handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await record(incoming);
    this.requests.push(request);
    for (const wake of this.#arrivals) wake();
    const fault = this.#nextFault(request);
    if (fault && (await this.#suffer(fault, response))) return;
    if (isWatch(request)) this.#openWatch(request, response);
    else {
      const result = this.#answer(request);
      if (fault?.kind === 'cutAfter') response.socket?.destroy();
      else reply(response, 200, result);
    }
  }

  #nextFault(request: RecordedRequest): Fault | undefined {
    const rule = this.#rules.find(({ matches, times }) => times > 0 && matches(request));
    if (!rule) return undefined;
    rule.times -= 1;
    return rule.fault;
  }

  /** True when the fault was the answer. */
  async #suffer(fault: Fault, response: ServerResponse): Promise<boolean> {
    if (fault.kind === 'wait') await fault.until;
    if (fault.kind === 'cut') response.socket?.destroy();
    if (fault.kind === 'end') response.writeHead(200).end();
    if (fault.kind === 'line') response.writeHead(200).write(`${fault.text}\n`);
    if (fault.kind === 'status') {
      const body = fault.body ?? { kind: 'Status', code: fault.status, message: 'injected' };
      reply(response, fault.status, body, fault.headers);
    }
    return fault.kind !== 'wait' && fault.kind !== 'cutAfter';
  }

  #openWatch(request: RecordedRequest, response: ServerResponse): void {
    const { collection } = parsePath(request.path);
    const from = Number(request.query.get('resourceVersion'));
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    if (this.store.isExpired(from)) {
      const object = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' };
      response.end(`${JSON.stringify({ type: 'ERROR', object })}\n`);
      return;
    }
    const watch: OpenWatch = { collection, response, mute: false };
    this.#watches.add(watch);
    response.on('close', () => this.#watches.delete(watch));
    for (const change of this.store.since(collection, from)) this.#send(watch, change);
  }

  #answer(request: RecordedRequest): unknown {
    const target = parsePath(request.path);
    if (request.method === 'GET' && target.name === undefined) return this.#list(request, target);
    if (request.method === 'GET') return this.store.get(target.collection, keyOf(target));
    if (request.method === 'DELETE') return this.#delete(request, target);
    const before = this.store.collection(target.collection).get(keyOf(target));
    const object = nextObject(request, target, before);
    if (target.collection.endsWith('/leases') || target.collection.endsWith('/events')) checkMicroTimes(object);
    return this.#publish(this.store.write(target.collection, objectKey(object.metadata), object)).object;
  }

  #list(request: RecordedRequest, target: Target): unknown {
    const keys = [...this.store.collection(target.collection).keys()].sort();
    const inScope = keys.filter((key) => !target.namespace || key.startsWith(`${target.namespace}/`));
    const start = Number(request.query.get('continue') ?? 0);
    const limit = Number(request.query.get('limit') ?? inScope.length) || inScope.length;
    const page = inScope.slice(start, start + limit);
    const next = start + limit < inScope.length ? String(start + limit) : undefined;
    return {
      kind: 'List',
      metadata: { resourceVersion: String(this.store.version), continue: next },
      items: page.map((key) => this.store.get(target.collection, key)),
    };
  }

  #delete(request: RecordedRequest, target: Target): unknown {
    const before = this.store.get(target.collection, keyOf(target));
    const { preconditions } = (request.body ?? {}) as { preconditions?: { uid?: string; resourceVersion?: string } };
    const { uid, resourceVersion } = preconditions ?? {};
    if ((uid ?? before.metadata.uid) !== before.metadata.uid) throw new Refusal(409, 'Conflict', 'uid differs');
    if ((resourceVersion ?? before.metadata.resourceVersion) !== before.metadata.resourceVersion) {
      throw new Refusal(409, 'Conflict', 'resourceVersion differs');
    }
    return this.#publish(this.store.remove(target.collection, keyOf(target))).object;
  }
}

function collectionOf(type: ResourceType): string {
  return `${type.group === '' ? '' : `${type.group}/`}${type.version}/${type.plural}`;
}

function parsePath(path: string): Target {
  const parts = path.split('/').slice(1);
  const [root, ...rest] = parts;
  const prefix = rest.splice(0, root === 'api' ? 1 : 2).join('/');
  const namespace = rest[0] === 'namespaces' && rest.length > 2 ? rest.splice(0, 2)[1] : undefined;
  const [plural, name, subresource] = rest;
  return { collection: `${prefix}/${plural}`, namespace, name, status: subresource === 'status' };
}

function keyOf(target: Target): string {
  return objectKey({ namespace: target.namespace, name: target.name ?? '' });
}

function nextObject(request: RecordedRequest, target: Target, before: StoredObject | undefined): StoredObject {
  const body = request.body as StoredObject;
  if (request.method === 'POST') {
    if (before) throw new Refusal(409, 'AlreadyExists', 'already exists');
    return { ...body, metadata: { ...body.metadata, ...(target.namespace ? { namespace: target.namespace } : {}) } };
  }
  const applies = request.headers['content-type'] === 'application/apply-patch+yaml';
  if (!before && !applies) throw new Refusal(404, 'NotFound', `${keyOf(target)} not found`);
  const merged = request.method === 'PUT' ? body : (applyMergePatch(before, body) as StoredObject);
  if (!target.status || !before) return merged;
  return { ...before, metadata: merged.metadata, status: merged.status };
}

/** As the real one: Go's MicroTime parses exactly six digits. */
function checkMicroTimes(object: StoredObject): void {
  const text = JSON.stringify(object);
  for (const [, field, value] of text.matchAll(/"(renewTime|acquireTime|eventTime|lastObservedTime)":"([^"]*)"/g)) {
    if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/.test(value ?? '')) {
      throw new Refusal(400, 'BadRequest', `parsing ${field} "${value}": not a MicroTime`);
    }
  }
}

async function record(incoming: IncomingMessage): Promise<RecordedRequest> {
  const time = performance.now();
  const url = new URL(incoming.url ?? '/', 'http://loopback');
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  const body: unknown = text === '' ? undefined : JSON.parse(text);
  const { method = 'GET', headers } = incoming;
  return { method, path: url.pathname, query: url.searchParams, headers, body, time };
}

function reply(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

function refuse(response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) return;
  const refusal = error instanceof Refusal ? error : new Refusal(500, 'InternalError', String(error));
  reply(response, refusal.code, {
    kind: 'Status',
    code: refusal.code,
    reason: refusal.reason,
    message: refusal.message,
  });
}
