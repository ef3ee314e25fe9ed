// A fake of time: tests need deadlines of minutes to pass at once, and exactly when they say so.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock, Timer } from '../../../src/operator/clock.js';

interface Pending {
  dueTime: number;
  order: number;
  fn: () => void;
}

/** A clock that stands still until `advance` moves it. Timers fire in the order of their due times. */
export class FakeClock implements Clock {
  #now = 0;
  #order = 0;
  readonly #startWall: number;
  readonly #timers = new Set<Pending>();

  constructor(wall = new Date('2026-01-02T03:04:05.678Z')) {
    this.#startWall = wall.getTime();
  }

  monotonic(): number {
    return this.#now;
  }

  wall(): Date {
    return new Date(this.#startWall + this.#now);
  }

  setTimer(ms: number, fn: () => void): Timer {
    const pending = { dueTime: this.#now + Math.max(0, ms), order: this.#order++, fn };
    this.#timers.add(pending);
    return { cancel: () => void this.#timers.delete(pending) };
  }

  /** Timers that have not fired. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Milliseconds until the next timer fires; undefined when there is none. */
  get nextTimerMs(): number | undefined {
    const next = this.#next(Number.POSITIVE_INFINITY);
    return next ? next.dueTime - this.#now : undefined;
  }

  /** Moves time forward, firing what is due on the way and letting promises settle before each step. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (let next = this.#next(end); next; next = this.#next(end)) {
      this.#now = Math.max(this.#now, next.dueTime);
      this.#timers.delete(next);
      next.fn();
      await settle();
    }
    this.#now = end;
    await settle();
  }

  /** Moves time without firing anything: what a stalled event loop sees when it wakes up. */
  stall(ms: number): void {
    this.#now += ms;
  }

  #next(end: number): Pending | undefined {
    let next: Pending | undefined;
    for (const timer of this.#timers) {
      if (timer.dueTime > end) continue;
      if (!next || timer.dueTime < next.dueTime || (timer.dueTime === next.dueTime && timer.order < next.order)) {
        next = timer;
      }
    }
    return next;
  }
}

/** Lets promise chains run dry. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await nextTurn();
}
