import { setTimeout as pause } from 'node:timers/promises';

export interface WaitOptions {
  /** How long the condition may take, in milliseconds. */
  readonly timeoutMs: number;
  /** Between two looks at the condition, in milliseconds; 50 unless given. */
  readonly intervalMs?: number;
  /** Added to the error when the time is over: where to look. */
  readonly hint?: () => string | Promise<string>;
}

/** Waits until the condition gives a value that is not undefined or false, and gives that value. Throws when late. */
export async function waitUntil<T>(
  what: string,
  condition: () => Promise<T | undefined | false> | T | undefined | false,
  options: WaitOptions,
): Promise<T> {
  const end = performance.now() + options.timeoutMs;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > end) {
      const hint = options.hint ? ` ${await options.hint()}` : '';
      throw new Error(`Waited ${Math.round(options.timeoutMs / 1000)} s in vain until ${what}.${hint}`);
    }
    await pause(options.intervalMs ?? 50);
  }
}
