import { type Clock, systemClock, type Timer } from '../../../src/operator/index.js';

/** The clock of a process that can be stopped (SIGSTOP): time goes on, but no timer fires before it runs again. */
export class FreezableClock implements Clock {
  readonly monotonic = systemClock.monotonic;
  readonly wall = systemClock.wall;
  #frozen = false;
  #overdue: (() => void)[] = [];

  setTimer(ms: number, fn: () => void): Timer {
    let cancelled = false;
    const fire = (): void => {
      if (cancelled) return;
      if (this.#frozen) this.#overdue.push(fire);
      else fn();
    };
    const timer = systemClock.setTimer(ms, fire);
    return {
      cancel: () => {
        cancelled = true;
        timer.cancel();
      },
    };
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  freeze(): void {
    this.#frozen = true;
  }

  /** All that has become due meanwhile fires at once. */
  thaw(): void {
    this.#frozen = false;
    const overdue = this.#overdue;
    this.#overdue = [];
    for (const fire of overdue) fire();
  }
}
