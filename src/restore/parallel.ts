import { setTimeout as wait } from 'node:timers/promises';
import { type ApiError, isApiError } from '../operator/index.js';

/** Requests that run at once: beyond this an API server gains nothing, and an operator that fails over must get its turn. */
const width = 16;
/** A request is tried so often. */
const tries = 6;
/** Before the second try; doubles with each further one. Milliseconds. */
const firstDelayMs = 250;

/** Does the work for every item, a bounded number at once. After the first error nothing new is begun, and it is thrown. */
export async function inParallel<T>(items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const left = items[Symbol.iterator]();
  let failed = false;
  const lane = async (): Promise<void> => {
    for (let next = left.next(); !next.done && !failed; next = left.next()) {
      try {
        await work(next.value);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: width }, lane));
  const broken = lanes.find((result) => result.status === 'rejected');
  if (broken !== undefined) throw broken.reason;
}

/**
 * Repeats what may go well the next time: no answer, an overloaded server. Only for requests that may be done twice.
 * `pause`: milliseconds to wait.
 */
export async function persistently<T>(
  request: () => Promise<T>,
  pause: (ms: number) => Promise<unknown> = wait,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await request();
    } catch (error) {
      if (attempt >= tries || !worthAnother(error)) throw error;
      await pause(Math.max(error.retryAfterMs ?? 0, firstDelayMs * 2 ** (attempt - 1)));
    }
  }
}

/** Server-side apply answers 500 for a field that the schema does not have: that stays so. */
function worthAnother(error: unknown): error is ApiError {
  return isApiError(error, 'transient', 'tooManyRequests') && !isUndeclaredField(error);
}

/** The target's schema lacks a field of the object: its CRDs are older than the baseline. */
export function isUndeclaredField(error: unknown): error is ApiError {
  return isApiError(error) && /field not declared in schema/.test(error.message);
}
