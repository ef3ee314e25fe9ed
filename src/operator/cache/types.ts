import type { Selection } from '../api/types.js';
import type { Clock } from '../clock.js';
import type { Log } from '../log.js';
import type { Metrics } from '../metrics.js';
import type { KubeObject, ResourceType } from '../objects.js';

/** A read-only view of what a reflector holds: projected values by 'namespace/name' (or 'name'). */
export interface Store<T> {
  get(key: string): T | undefined;
  list(): Iterable<T>;
  /** The values whose index function returned `value`; throws for an index that was not declared. */
  byIndex(index: string, value: string): readonly T[];
  keys(): Iterable<string>;
  readonly size: number;
  /** True once the first list is in; stays true. */
  readonly synced: boolean;
}

export interface ReflectorOptions<T> extends Selection {
  type: ResourceType;
  /** Keeps only what is used; must hold all that the caller needs, metadata included. Must be pure. */
  project(raw: KubeObject): T;
  indexes?: Record<string, (value: T) => readonly string[]>;
  /**
   * Called after the store has changed; `next` is undefined for a deletion. Synchronous and O(1): it must only enqueue.
   * What it throws is logged and counted, and does not stop the reflector.
   */
  onChange?(key: string, next: T | undefined, previous: T | undefined): void;
  /** A watch that carries no byte for so long is cut and resumed. Milliseconds, default 75,000 (bookmarks: 60 s). */
  silenceLimitMs?: number;
  /** Time between lists that check the watch, +- 10 %. Milliseconds, default 600,000. */
  relistIntervalMs?: number;
  /** How long a watch may lag behind a checking list before a difference counts as missed. Default 5,000. */
  relistGraceMs?: number;
  /** Objects a page. Default 500. */
  pageLimit?: number;
  clock?: Clock;
  random?: () => number;
  log?: Log;
  metrics?: Metrics;
}

/** Keeps a Store level with the API server, by list and watch. */
export interface Reflector<T> {
  readonly type: ResourceType;
  readonly store: Store<T>;
  /** Does nothing when it already runs. */
  start(): void;
  /** Resolves when nothing of it runs any more; no callback comes after the call. It can be started again. */
  stop(): Promise<void>;
  /** Resolves after the first list; rejects with the signal's reason. */
  synced(signal?: AbortSignal): Promise<void>;
  /** Monotonic milliseconds of the last data from the API server. */
  readonly lastActivity: () => number | undefined;
  /** Monotonic milliseconds of the last data or the last attempt to get some: is the loop itself alive? */
  readonly lastProgress: () => number | undefined;
}
