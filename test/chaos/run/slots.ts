import type { StallWatch } from './stalls.js';

/** How soon to look again whether the machine has room. Milliseconds. */
const lookMs = 100;
/** So many go on whatever the machine says: they can't be what makes it late. */
const fewest = 2;

/** Lets so many things go on side by side, in the order in which they come, and fewer while the machine is late. */
export class Slots {
  readonly #most: number;
  readonly #stalls: Pick<StallWatch, 'busy'>;
  #running = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(most: number, stalls: Pick<StallWatch, 'busy'>) {
    this.#most = most;
    this.#stalls = stalls;
  }

  /** Resolves with what the work gives, once it has had its turn. `size`: so many things does it do at once. */
  async run<T>(work: () => Promise<T>, size = 1): Promise<T> {
    const turn = this.#last.then(() => this.#room(size));
    this.#last = turn;
    await turn;
    try {
      return await work();
    } finally {
      this.#running -= size;
    }
  }

  async #room(size: number): Promise<void> {
    const full = (): boolean => this.#running > 0 && this.#running + size > this.#most;
    while (full() || (this.#running >= fewest && this.#stalls.busy))
      await new Promise((resolve) => setTimeout(resolve, lookMs));
    this.#running += size;
  }
}
