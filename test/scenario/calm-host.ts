import { once } from 'node:events';
import { cpus } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { ProcessorWatch } from './machine.js';

/** So long all processors are asked for at once: what is withheld is only seen of what is wanted. Milliseconds. */
const ASK_MS = 1_000;
const PAUSE_MS = 8_000;
/** Less than this share withheld counts as calm, 0 to 1. */
const CALM = 0.3;

/** Waits until the host gives this machine its processors, for so many milliseconds at most. */
export async function calmHost(processor: Pick<ProcessorWatch, 'withheldShare'>, limitMs: number): Promise<void> {
  const end = performance.now() + limitMs;
  for (;;) {
    const startMs = Date.now();
    await Promise.all(cpus().map(() => compute(ASK_MS)));
    const share = processor.withheldShare(startMs, Date.now());
    if (share < CALM || performance.now() + PAUSE_MS > end) return;
    await wait(PAUSE_MS);
  }
}

async function compute(ms: number): Promise<void> {
  const worker = new Worker(`const end = Date.now() + ${ms}; while (Date.now() < end);`, { eval: true });
  await once(worker, 'exit');
}

/** Bounds what is waited for again and again. */
export class Patience {
  readonly #onceMs: number;
  #leftMs: number;

  constructor({ onceMs, inAllMs }: { readonly onceMs: number; readonly inAllMs: number }) {
    this.#onceMs = onceMs;
    this.#leftMs = inAllMs;
  }

  /** Calls `wait` with how long it may take. */
  async spend(wait: (limitMs: number) => Promise<void>): Promise<void> {
    const start = performance.now();
    await wait(Math.max(0, Math.min(this.#onceMs, this.#leftMs)));
    this.#leftMs -= performance.now() - start;
  }
}
