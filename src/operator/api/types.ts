import type { Key, KubeObject, ResourceType } from '../objects.js';

/** Options of every request. */
export interface RequestOptions {
  /** Aborts the request; it then throws the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Longest time for the whole request, body included, in milliseconds. Default 10,000. */
  timeoutMs?: number | undefined;
}

/** What to list or watch. */
export interface Selection {
  /** All namespaces when absent. */
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
}

/** Whose write it is. */
export interface WriterOptions {
  /** Owner of the fields that are written. Default 'understudy'. */
  fieldManager?: string | undefined;
}

export interface ApplyOptions extends WriterOptions {
  /** Takes over fields that others own with another value; else such a field is a `conflict`. Default true. */
  force?: boolean | undefined;
  /** The server does all but keep it: defaults, schema, rules, admission, conflicts. */
  dryRun?: boolean | undefined;
}

export interface ListOptions extends Selection {
  /** Objects a page. Default 500. */
  limit?: number | undefined;
}

/** One page of a list. */
export interface Page<T> {
  items: T[];
  /** The version at which a watch can go on; the same on every page of a list. */
  resourceVersion: string;
}

export interface DeleteOptions {
  /** Deletes only the object with this uid; else `conflict`. */
  uid?: string | undefined;
  /** Deletes only this version of the object; else `conflict`. */
  resourceVersion?: string | undefined;
  gracePeriodSeconds?: number | undefined;
}

/** Refuses writes while this process may not write. */
export interface WriteGate {
  /** Throws ApiError of kind `writeRefused` when shut. */
  assertOpen(): void;
  /** Milliseconds for which a write sent now is still covered; a write's time-out is cut to it. */
  remainingMs?(): number;
}

/**
 * Uncached access to the API server. Objects are raw JSON; every request has a time-out; all failures are ApiErrors.
 * Every write goes through the write gate.
 */
export interface ApiClient {
  get<T extends KubeObject>(type: ResourceType, key: Key, options?: RequestOptions): Promise<T>;
  /** Pages by itself; starts over when a `continue` token has expired. */
  list<T extends KubeObject>(type: ResourceType, options?: ListOptions & RequestOptions): Promise<Page<T>>;
  create<T extends KubeObject>(type: ResourceType, object: T, options?: RequestOptions): Promise<T>;
  /** PUT of `/status`; with `metadata.resourceVersion` it is a compare-and-set (`conflict` when stale). */
  replaceStatus<T extends KubeObject>(
    type: ResourceType,
    object: T,
    options?: RequestOptions & WriterOptions,
  ): Promise<T>;
  /** Merge patch of `/status`; `patch` is the whole body, such as `{ status: {...} }`. */
  patchStatus<T extends KubeObject>(type: ResourceType, key: Key, patch: object, options?: RequestOptions): Promise<T>;
  /** Merge patch. */
  patch<T extends KubeObject>(type: ResourceType, key: Key, patch: object, options?: RequestOptions): Promise<T>;
  /** Server-side apply. A field that the server's schema does not know is refused, never dropped. */
  apply<T extends KubeObject>(type: ResourceType, object: T, options?: RequestOptions & ApplyOptions): Promise<T>;
  delete(type: ResourceType, key: Key, options?: RequestOptions & DeleteOptions): Promise<void>;
  /**
   * Monotonic milliseconds of the last answer that served us, or of data of a watch; undefined before the first. HTTP 401,
   * 403, 429 and 5xx serve nobody.
   */
  readonly lastServerContact: () => number | undefined;
}

/** An event of a watch, as the server sent it. */
export type WatchEvent =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; object: KubeObject }
  | { type: 'ERROR'; object: unknown };

export interface WatchOptions extends Selection {
  resourceVersion: string;
  /** After how many seconds the server ends the watch cleanly. */
  timeoutSeconds: number;
  signal: AbortSignal;
  /** Called for every event, in order. What it throws ends the watch with that error. */
  onEvent(event: WatchEvent): void;
  /** Called for every piece of data and for the answer's head: the connection lives. */
  onActivity(): void;
}

/** The whole client: what reflectors and leader election need besides ApiClient. */
export interface KubeClient extends ApiClient {
  /** PUT of the whole object; with `metadata.resourceVersion` it is a compare-and-set. */
  replace<T extends KubeObject>(type: ResourceType, object: T, options?: RequestOptions): Promise<T>;
  /** The pages of one list, as they come; throws ApiError `gone` when a `continue` token has expired. */
  listPages(type: ResourceType, options?: ListOptions & RequestOptions): AsyncGenerator<Page<KubeObject>, void>;
  /** Resolves when the server ends the watch; throws ApiError, or the signal's reason. */
  watch(type: ResourceType, options: WatchOptions): Promise<void>;
  /** The same client, pool and metrics behind a write gate. Closing either closes both. */
  withWriteGate(gate: WriteGate): KubeClient;
  /** Ends open requests and closes the connections. */
  close(): Promise<void>;
}
