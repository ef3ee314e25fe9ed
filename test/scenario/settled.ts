import { setTimeout as pause } from 'node:timers/promises';
import type { Chronicle } from './chronicle.js';

const STILL_MS = 4_000;
const HANG_MS = 180_000;

/** Waits until nothing in the namespace has changed for some seconds: a system at rest. */
export async function settled(chronicle: Chronicle): Promise<void> {
  let lastChange = performance.now();
  const noted = () => {
    lastChange = performance.now();
  };
  chronicle.onChange(noted);
  const end = performance.now() + HANG_MS;
  while (performance.now() - lastChange < STILL_MS) {
    if (performance.now() > end) throw new Error('the statuses in the namespace change without end');
    await pause(100);
  }
}
