import type { ApiRequest } from './request.js';

/** What happens to one request that has an answer with an end: everything but a watch. */
export type Fault =
  /** None: the moment alone counts, for what `onHit` does. */
  | { readonly kind: 'pass' }
  /** The connection ends before the request was sent on: never applied. */
  | { readonly kind: 'cutBefore' }
  /** The connection ends after the API server has answered: applied, and the client sees an error. */
  | { readonly kind: 'cutAfter' }
  /** Never sent on, and no byte comes: the client's own time-out has to end it. */
  | { readonly kind: 'hangBefore' }
  /** Applied, and no byte comes. */
  | { readonly kind: 'hangAfter' }
  /** Answered by the proxy, never sent on. */
  | { readonly kind: 'answer'; readonly status: number; readonly reason: string; readonly retryAfterSeconds?: number }
  /** Stays in the network: sent on when the promise resolves, whether or not the client still waits. */
  | { readonly kind: 'detain'; readonly until: Promise<unknown> };

/** A fault for requests that match. */
export interface Injection {
  readonly matches: (request: ApiRequest) => boolean;
  readonly fault: Fault;
  /** Matching requests that pass before the first one is hit; default 0. */
  readonly skip?: number;
  /** Requests that are hit; default 1. */
  readonly times?: number;
  /** Called when a request is hit: before it for what is never sent on, after the API server's answer otherwise. */
  readonly onHit?: (request: ApiRequest) => unknown;
}

/** What happens to the events of watches. */
export type WatchFault =
  /** All events come so much later. Milliseconds. */
  | { readonly kind: 'lag'; readonly ms: number }
  /** Events are held back for so long and then only the last one of each object comes: no one sees what was between. */
  | { readonly kind: 'coalesce'; readonly ms: number }
  /** The next events are lost, and the connection goes on as if nothing were. */
  | { readonly kind: 'lose'; readonly count: number }
  /** Half-open: nothing comes any more, not even its end. */
  | { readonly kind: 'mute' };

export interface WatchInjection {
  /** Plural of the kind; undefined: every kind. */
  readonly resource: string | undefined;
  readonly fault: WatchFault;
}

/** A Status as the API server words it. */
export function statusBody(code: number, reason: string, retryAfterSeconds?: number): object {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    message: `injected ${code} ${reason}`,
    reason,
    code,
    ...(retryAfterSeconds === undefined ? {} : { details: { retryAfterSeconds } }),
  };
}
