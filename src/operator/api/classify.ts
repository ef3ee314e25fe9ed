import { ApiError, type ApiErrorKind } from './error.js';

/** The parts of the API server's `Status` object that decide what an error means. */
interface StatusBody {
  message?: string;
  reason?: string;
  code?: number;
  details?: { retryAfterSeconds?: number; causes?: { reason?: string }[] };
}

const kindByStatus: Record<number, ApiErrorKind> = {
  400: 'invalid',
  // Tokens rotate and authentication webhooks fail for a while: a 401 is worth another try.
  401: 'transient',
  403: 'forbidden',
  404: 'notFound',
  408: 'transient',
  409: 'conflict',
  410: 'gone',
  422: 'invalid',
  429: 'tooManyRequests',
};

function isStatusBody(value: unknown): value is StatusBody {
  return typeof value === 'object' && value !== null;
}

/** Reads a Status object out of an answer's body; anything else (a proxy's HTML) gives an empty one. */
function parseStatus(body: unknown): StatusBody {
  if (isStatusBody(body)) return body;
  if (typeof body !== 'string') return {};
  try {
    const parsed: unknown = JSON.parse(body);
    return isStatusBody(parsed) ? parsed : {};
  } catch {
    return {};
  }
}

function hasCause(status: StatusBody, reason: string): boolean {
  return status.details?.causes?.some((cause) => cause.reason === reason) ?? false;
}

function kindOf(code: number, status: StatusBody): ApiErrorKind {
  // A create in a namespace that is being deleted is a 403 with this cause; the plain 403 is a missing permission.
  if (code === 403 && hasCause(status, 'NamespaceTerminating')) return 'namespaceTerminating';
  if (code === 409 && status.reason === 'AlreadyExists') return 'alreadyExists';
  // After a restore of etcd the server may be behind the version we hold; waiting for it would take for ever.
  if (hasCause(status, 'ResourceVersionTooLarge')) return 'gone';
  if (code >= 500) return 'transient';
  return kindByStatus[code] ?? 'terminal';
}

/** Retry-After is seconds or an HTTP date. */
function parseRetryAfter(header: string | undefined, now: Date): number | undefined {
  if (header === undefined) return undefined;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now.getTime());
}

export interface FailedAnswer {
  /** What was asked, for the message: 'get pods default/a'. */
  request: string;
  status: number;
  /** Text of the answer, or a Status object taken from a watch. */
  body: unknown;
  retryAfter?: string | undefined;
  now: Date;
}

/** The ApiError for an answer that is no success. */
export function answerError(answer: FailedAnswer): ApiError {
  const status = parseStatus(answer.body);
  const retryAfterSeconds = status.details?.retryAfterSeconds;
  const retryAfterMs =
    parseRetryAfter(answer.retryAfter, answer.now) ??
    (retryAfterSeconds === undefined || retryAfterSeconds <= 0 ? undefined : retryAfterSeconds * 1000);
  const text = status.message ?? (typeof answer.body === 'string' ? answer.body.slice(0, 200).trim() : '');
  return new ApiError(
    kindOf(answer.status, status),
    `${answer.request}: HTTP ${answer.status}${text ? `: ${text}` : ''}`,
    {
      status: answer.status,
      retryAfterMs,
      reason: status.reason,
    },
  );
}

/** The ApiError for an `ERROR` event inside a watch, whose object is a Status. */
export function watchEventError(request: string, object: unknown, now: Date): ApiError {
  const code = isStatusBody(object) && typeof object.code === 'number' ? object.code : 500;
  return answerError({ request, status: code, body: object, now });
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

const droppedConnection = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

/** A kept-alive connection that the server closed while we sent on it. */
export function isDroppedConnection(error: unknown): boolean {
  return isNetworkError(error) && droppedConnection.has(error.reason ?? '');
}

function isNetworkError(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status === undefined;
}

/** The ApiError for a request that got no answer. */
export function networkError(request: string, cause: unknown): ApiError {
  const code = codeOf(cause);
  const text = cause instanceof Error ? cause.message : String(cause);
  const kind = code === 'UND_ERR_INVALID_ARG' ? 'terminal' : 'transient';
  return new ApiError(kind, `${request}: no answer from the API server: ${text}`, { reason: code, cause });
}
