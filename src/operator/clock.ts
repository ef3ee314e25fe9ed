/** A timer that can be called off; calling it off twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void;
}

/**
 * Time as the machinery sees it. Every deadline is taken on the monotonic clock, because the wall clock of a node can
 * jump either way; the wall clock is only for what people or other processes read.
 */
export interface Clock {
  /** Milliseconds since an arbitrary start; never goes back. */
  monotonic(): number;
  /** What the wall clock shows. */
  wall(): Date;
  /** Calls `fn` once after `ms` milliseconds; negative counts as 0. */
  setTimer(ms: number, fn: () => void): Timer;
}

/** Node truncates a longer delay to 1 ms, so a longer timer is walked in steps. */
const longestTimer = 2 ** 31 - 1;

/** The clock of this process. Its timers do not keep the process alive by themselves: a server or `startProcess` does. */
export const systemClock: Clock = {
  monotonic: () => performance.now(),
  wall: () => new Date(),
  setTimer(ms, fn) {
    let left = Math.max(0, ms);
    let handle: NodeJS.Timeout;
    const arm = (): void => {
      const step = Math.min(left, longestTimer);
      left -= step;
      handle = setTimeout(left > 0 ? arm : fn, step);
      handle.unref();
    };
    arm();
    return { cancel: () => clearTimeout(handle) };
  },
};

/**
 * Waits `ms` milliseconds of `clock`, or less when `signal` aborts.
 * Never rejects: callers look at their signal after every await anyhow.
 */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const finish = (): void => {
      timer.cancel();
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const timer = clock.setTimer(ms, finish);
    signal?.addEventListener('abort', finish, { once: true });
  });
}
