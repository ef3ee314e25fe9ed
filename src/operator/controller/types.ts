import type { Log } from '../log.js';

/** What a reconcile asks for. `requeueAfterMs`: run again after so long at the latest; nothing: wait for a change. */
export interface Result {
  requeueAfterMs?: number;
}

/** What a reconcile gets besides its key. `signal` aborts on shutdown, lost leadership, or its time-out. */
export interface ReconcileContext {
  readonly signal: AbortSignal;
  readonly log: Log;
}

/**
 * Brings the object with this key to where it should be. Level-based: it gets a key, never an event. Never runs twice
 * at once for one key. When it throws, it runs again after the key's backoff and its Result is void; a TerminalError is
 * not retried until the next change.
 */
// biome-ignore lint/suspicious/noConfusingVoidType: a reconcile that asks for nothing may simply end.
export type Reconcile = (key: string, context: ReconcileContext) => Promise<Result | void>;

/** Thrown by a reconcile that can't succeed before something changes: no retry until the next enqueue. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
}

/** Runs one reconcile function over a work queue. */
export interface Controller {
  readonly name: string;
  /** May be called before `start`: keys are kept, once each. */
  enqueue(key: string): void;
  /** Enqueues after `ms`; of several due times of one key the earliest counts. */
  enqueueAfter(key: string, ms: number): void;
  /** What has failed is tried again at once, with a fresh backoff: for when the API server answers again. */
  retryNow(): void;
  start(): void;
  /**
   * Takes no more keys, finishes those that are ready, and resolves. With `abort` (or once it aborts) running
   * reconciles get their signal aborted and ready keys are dropped.
   */
  stop(abort?: AbortSignal): Promise<void>;
  /** True when no key is ready or running (delayed ones don't count). */
  readonly idle: () => boolean;
}
