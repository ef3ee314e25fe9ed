import type { Clock, Timer } from '../../operator/clock.js';

/** A place in the queue of connects, or a connect under way. */
export interface Ticket {
  /** The connect has ended, well or badly, or is no longer wanted. May be called more than once. */
  release(): void;
}

export interface ConnectGateOptions {
  readonly clock: Clock;
  /** Connects under way at once, default 16. */
  readonly limit?: number;
  /** Milliseconds between two starts, default 30. */
  readonly spacingMs?: number;
  /** A connect gives its place back after this long, so that dead cameras do not hold up live ones. Default 4,000. */
  readonly holdMs?: number;
}

interface Entry extends Ticket {
  readonly rank: number;
  readonly begin: () => void;
  state: 'waiting' | 'inFlight' | 'over';
  timer: Timer | undefined;
}

/** Lets cameras connect a few at a time, by rank: 64 at once are key frames, firewall states and logins all together. */
export class ConnectGate {
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #spacingMs: number;
  readonly #holdMs: number;
  #waiting: Entry[] = [];
  #inFlight = 0;
  #nextStart = 0;
  #timer: Timer | undefined;

  constructor(options: ConnectGateOptions) {
    this.#clock = options.clock;
    this.#limit = options.limit ?? 16;
    this.#spacingMs = options.spacingMs ?? 30;
    this.#holdMs = options.holdMs ?? 4000;
  }

  /** Calls `begin` when it is this connect's turn; lower ranks first, first come first served within a rank. */
  request(rank: number, begin: () => void): Ticket {
    const entry: Entry = { rank, begin, state: 'waiting', timer: undefined, release: () => this.#release(entry) };
    const behind = this.#waiting.findIndex((other) => other.rank > rank);
    this.#waiting.splice(behind < 0 ? this.#waiting.length : behind, 0, entry);
    this.#schedule();
    return entry;
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#waiting.length === 0 || this.#inFlight >= this.#limit) return;
    this.#timer = this.#clock.setTimer(Math.max(0, this.#nextStart - this.#clock.monotonic()), () => this.#admit());
  }

  #admit(): void {
    this.#timer = undefined;
    const entry = this.#inFlight < this.#limit ? this.#waiting.shift() : undefined;
    if (entry === undefined) return;
    entry.state = 'inFlight';
    this.#inFlight += 1;
    this.#nextStart = this.#clock.monotonic() + this.#spacingMs;
    entry.timer = this.#clock.setTimer(this.#holdMs, () => this.#release(entry));
    entry.begin();
    this.#schedule();
  }

  #release(entry: Entry): void {
    if (entry.state === 'waiting') this.#waiting = this.#waiting.filter((other) => other !== entry);
    if (entry.state === 'inFlight') this.#inFlight -= 1;
    entry.state = 'over';
    entry.timer?.cancel();
    this.#schedule();
  }
}
