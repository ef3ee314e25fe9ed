/** Delays that double from `baseMs` up to `capMs`; each is drawn from its upper half, so that replicas spread out. */
export interface BackoffOptions {
  baseMs: number;
  capMs: number;
  /** 0 <= r < 1. */
  random: () => number;
}

/** The delay before retry number `failures` (1 for the first), in milliseconds. */
export function backoffDelay(failures: number, options: BackoffOptions): number {
  const doublings = Math.min(failures - 1, 40);
  const full = Math.min(options.capMs, options.baseMs * 2 ** doublings);
  return full * (0.5 + options.random() / 2);
}
