/** What an API error means to the caller, whatever its code was. */
export type ApiErrorKind =
  | 'notFound'
  | 'conflict'
  | 'alreadyExists'
  | 'gone'
  | 'tooManyRequests'
  | 'forbidden'
  | 'invalid'
  | 'transient'
  | 'namespaceTerminating'
  | 'writeRefused'
  | 'terminal';

export interface ApiErrorDetails {
  /** HTTP status; absent when no answer came. */
  status?: number | undefined;
  /** How long the server asks us to wait, in milliseconds. */
  retryAfterMs?: number | undefined;
  /** `reason` of the API server's Status, or a fixed word of ours. */
  reason?: string | undefined;
  cause?: unknown;
}

/**
 * The one error that the API client throws (aborts by the caller's own signal excepted: those throw the signal's
 * reason).
 *
 * - `transient`: no answer, a time-out, 401, 408 or 5xx; the write may or may not have been done. Worth a retry.
 * - `tooManyRequests`: 429; `retryAfterMs` says when to come back.
 * - `gone`: 410, or a resourceVersion the server cannot serve: list again.
 * - `namespaceTerminating`: nothing can be created there any more: end the work, do not retry.
 * - `writeRefused`: our own write gate is shut (leadership not held). Nothing was sent.
 * - `invalid`: 400 or 422: the request itself is wrong; the message names the field.
 * - `terminal`: the server will never accept this (405, 406, 413, 415 ...).
 */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly kind: ApiErrorKind;
  readonly status?: number;
  readonly retryAfterMs?: number;
  readonly reason?: string;

  constructor(kind: ApiErrorKind, message: string, details: ApiErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.kind = kind;
    if (details.status !== undefined) this.status = details.status;
    if (details.retryAfterMs !== undefined) this.retryAfterMs = details.retryAfterMs;
    if (details.reason !== undefined) this.reason = details.reason;
  }
}

/** True for an ApiError, of one of `kinds` if any are given. */
export function isApiError(error: unknown, ...kinds: ApiErrorKind[]): error is ApiError {
  return error instanceof ApiError && (kinds.length === 0 || kinds.includes(error.kind));
}
