import type { KubeConfig } from '@kubernetes/client-node';
import { type Clock, systemClock } from '../clock.js';
import { type Log, silentLog } from '../log.js';
import { createMetrics, type Metrics } from '../metrics.js';
import { apiVersionOf, type Key, type KubeObject, type ResourceType } from '../objects.js';
import { networkError } from './classify.js';
import { ApiError, isApiError } from './error.js';
import { collectionPath, objectPath, queryString, selectors } from './paths.js';
import { PooledKubeConfig } from './pooled-kube-config.js';
import { type Call, requestName, Transport } from './transport.js';
import type {
  ApplyOptions,
  DeleteOptions,
  KubeClient,
  ListOptions,
  Page,
  RequestOptions,
  WatchEvent,
  WatchOptions,
  WriteGate,
  WriterOptions,
} from './types.js';
import { lineSplitter } from './watch-stream.js';

/** Owner of the fields that we write. */
export const fieldManager = 'understudy';

const defaultPageLimit = 500;
/** Times that `list` starts over because its `continue` token expired. */
const maxListRestarts = 3;

interface RawList {
  items?: KubeObject[] | null;
  metadata?: { resourceVersion?: string; continue?: string };
}

export interface ApiClientOptions {
  /** A plain one is wrapped; give a PooledKubeConfig to share its pool. */
  kubeConfig: KubeConfig;
  writeGate?: WriteGate | undefined;
  metrics?: Metrics | undefined;
  log?: Log | undefined;
  clock?: Clock | undefined;
  /** Most connections at once, watches included. Default 64. */
  connections?: number | undefined;
}

/** The client of one API server, over one shared connection pool. */
export function createApiClient(options: ApiClientOptions): KubeClient {
  const clock = options.clock ?? systemClock;
  const pool = PooledKubeConfig.from(options.kubeConfig, { clock, connections: options.connections });
  const log = options.log ?? silentLog;
  const metrics = options.metrics ?? createMetrics();
  return new RawClient(new Transport({ pool, clock, metrics, log, gate: options.writeGate }));
}

class RawClient implements KubeClient {
  readonly #transport: Transport;
  readonly lastServerContact: () => number | undefined;

  constructor(transport: Transport) {
    this.#transport = transport;
    this.lastServerContact = () => transport.lastContact();
  }

  get<T extends KubeObject>(type: ResourceType, key: Key, options?: RequestOptions): Promise<T> {
    return this.#object({ verb: 'get', resource: type.plural, method: 'GET', path: objectPath(type, key) }, options);
  }

  async list<T extends KubeObject>(type: ResourceType, options: ListOptions & RequestOptions = {}): Promise<Page<T>> {
    for (let restarts = 0; ; restarts++) {
      try {
        return await this.#listOnce(type, options);
      } catch (error) {
        if (!isApiError(error, 'gone') || restarts >= maxListRestarts) throw error;
      }
    }
  }

  async #listOnce<T extends KubeObject>(type: ResourceType, options: ListOptions & RequestOptions): Promise<Page<T>> {
    const items: T[] = [];
    let resourceVersion = '';
    for await (const page of this.listPages(type, options)) {
      for (const item of page.items) items.push(item as T);
      resourceVersion = page.resourceVersion;
    }
    return { items, resourceVersion };
  }

  async *listPages(
    type: ResourceType,
    options: ListOptions & RequestOptions = {},
  ): AsyncGenerator<Page<KubeObject>, void> {
    const base = collectionPath(type, options.namespace);
    const limit = options.limit ?? defaultPageLimit;
    let token: string | undefined;
    do {
      const path = base + queryString({ ...selectors(options), limit, continue: token });
      const list = (await this.#transport.json(
        { verb: 'list', resource: type.plural, method: 'GET', path },
        options,
      )) as RawList;
      yield { items: list.items ?? [], resourceVersion: list.metadata?.resourceVersion ?? '' };
      token = list.metadata?.continue || undefined;
    } while (token !== undefined);
  }

  create<T extends KubeObject>(type: ResourceType, object: T, options?: RequestOptions): Promise<T> {
    const path = requireNamespace(type, object) + queryString({ fieldManager });
    return this.#object(
      { verb: 'create', resource: type.plural, method: 'POST', path, body: typed(type, object) },
      options,
    );
  }

  replace<T extends KubeObject>(type: ResourceType, object: T, options?: RequestOptions): Promise<T> {
    const path = objectPath(type, object.metadata) + queryString({ fieldManager });
    return this.#object(
      { verb: 'update', resource: type.plural, method: 'PUT', path, body: typed(type, object) },
      options,
    );
  }

  replaceStatus<T extends KubeObject>(
    type: ResourceType,
    object: T,
    options: RequestOptions & WriterOptions = {},
  ): Promise<T> {
    const writer = { fieldManager: options.fieldManager ?? fieldManager };
    const path = objectPath(type, object.metadata, 'status') + queryString(writer);
    return this.#object(
      { verb: 'update', resource: `${type.plural}/status`, method: 'PUT', path, body: typed(type, object) },
      options,
    );
  }

  patchStatus<T extends KubeObject>(type: ResourceType, key: Key, patch: object, options?: RequestOptions): Promise<T> {
    return this.#mergePatch(`${type.plural}/status`, objectPath(type, key, 'status'), patch, options);
  }

  patch<T extends KubeObject>(type: ResourceType, key: Key, patch: object, options?: RequestOptions): Promise<T> {
    return this.#mergePatch(type.plural, objectPath(type, key), patch, options);
  }

  apply<T extends KubeObject>(type: ResourceType, object: T, options: RequestOptions & ApplyOptions = {}): Promise<T> {
    const query = queryString({
      fieldManager: options.fieldManager ?? fieldManager,
      force: options.force ?? true,
      dryRun: options.dryRun === true ? 'All' : undefined,
    });
    const path = objectPath(type, object.metadata) + query;
    const contentType = 'application/apply-patch+yaml';
    return this.#object(
      { verb: 'apply', resource: type.plural, method: 'PATCH', path, contentType, body: typed(type, object) },
      options,
    );
  }

  async delete(type: ResourceType, key: Key, options: RequestOptions & DeleteOptions = {}): Promise<void> {
    const { uid, resourceVersion, gracePeriodSeconds } = options;
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      gracePeriodSeconds,
      preconditions: uid === undefined && resourceVersion === undefined ? undefined : { uid, resourceVersion },
    };
    await this.#transport.json(
      { verb: 'delete', resource: type.plural, method: 'DELETE', path: objectPath(type, key), body },
      options,
    );
  }

  async watch(type: ResourceType, options: WatchOptions): Promise<void> {
    const call = watchCall(type, options);
    const answer = await this.#transport.open(call, options.signal);
    options.onActivity();
    const takeChunk = lineSplitter((line) => options.onEvent(parseEvent(call, line)));
    try {
      for await (const chunk of answer.body) {
        if (options.signal.aborted) break;
        this.#transport.heard();
        options.onActivity();
        takeChunk(chunk as Buffer);
      }
    } catch (error) {
      if (options.signal.aborted) throw options.signal.reason;
      throw error instanceof ApiError ? error : networkError(requestName(call), error);
    }
    if (options.signal.aborted) throw options.signal.reason;
  }

  withWriteGate(gate: WriteGate): KubeClient {
    return new RawClient(this.#transport.behind(gate));
  }

  close(): Promise<void> {
    return this.#transport.close();
  }

  #mergePatch<T>(resource: string, path: string, patch: object, options: RequestOptions | undefined): Promise<T> {
    const contentType = 'application/merge-patch+json';
    const withManager = path + queryString({ fieldManager });
    return this.#object(
      { verb: 'patch', resource, method: 'PATCH', path: withManager, contentType, body: patch },
      options,
    );
  }

  async #object<T>(call: Call, options: RequestOptions | undefined): Promise<T> {
    return (await this.#transport.json(call, options)) as T;
  }
}

function watchCall(type: ResourceType, options: WatchOptions): Call {
  const query = queryString({
    ...selectors(options),
    watch: true,
    allowWatchBookmarks: true,
    resourceVersion: options.resourceVersion,
    timeoutSeconds: options.timeoutSeconds,
  });
  const path = collectionPath(type, options.namespace) + query;
  return { verb: 'watch', resource: type.plural, method: 'GET', path };
}

/** A line that can't be read means that an event is lost: the watch must end, so that it is resumed before it. */
function parseEvent(call: Call, line: string): WatchEvent {
  try {
    return JSON.parse(line) as WatchEvent;
  } catch (cause) {
    throw networkError(requestName(call), cause);
  }
}

/** The API server wants apiVersion and kind in every body; typed list items do not carry them. */
function typed<T extends KubeObject>(type: ResourceType, object: T): T {
  if (object.apiVersion !== undefined && object.kind !== undefined) return object;
  return { apiVersion: apiVersionOf(type), kind: type.kind, ...object };
}

function requireNamespace(type: ResourceType, object: KubeObject): string {
  if (type.namespaced && !object.metadata.namespace) {
    throw new TypeError(`${type.kind} ${object.metadata.name} is namespaced: give its namespace`);
  }
  return collectionPath(type, object.metadata.namespace);
}
