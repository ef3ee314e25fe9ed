/** One answer of the API server: its clock, in whole seconds, somewhere between sending and receiving. */
export interface ClockSample {
  /** Our wall clock in milliseconds since 1970. */
  readonly sentMs: number;
  readonly receivedMs: number;
  /** The server's clock, cut down to a full second, in milliseconds since 1970. */
  readonly serverSecondMs: number;
}

interface Bounds {
  readonly low: number;
  readonly high: number;
}

const SAMPLES = 20;
const SAMPLES_NEEDED = 3;
const STEP_SECONDS = 0.5;
// A new figure must be clearly nearer than the last one, or the report would be written again and again.
const STICKINESS_SECONDS = 0.4;

/**
 * Our clock minus the API server's. A single answer tells it to a second only; each further one cuts the interval in
 * which it can lie. An empty interval means that a clock was set, and the measure starts again.
 */
export class ClockOffset {
  #bounds: Bounds[] = [];
  #reported: number | undefined;

  add(sample: ClockSample): void {
    const bounds = {
      low: (sample.sentMs - sample.serverSecondMs - 1000) / 1000,
      high: (sample.receivedMs - sample.serverSecondMs) / 1000,
    };
    this.#bounds = [...this.#bounds, bounds].slice(-SAMPLES);
    if (width(intersection(this.#bounds)) < 0) this.#bounds = [bounds];
    this.#settle();
  }

  /** Seconds in steps of a half; undefined before there are enough answers. */
  get seconds(): number | undefined {
    return this.#reported;
  }

  #settle(): void {
    if (this.#bounds.length < SAMPLES_NEEDED) return;
    const { low, high } = intersection(this.#bounds);
    const middle = (low + high) / 2;
    if (this.#reported !== undefined && Math.abs(middle - this.#reported) <= STICKINESS_SECONDS) return;
    // "+ 0" turns a negative zero into the zero that JSON gives back.
    this.#reported = Math.round(middle / STEP_SECONDS) * STEP_SECONDS + 0;
  }
}

function intersection(bounds: readonly Bounds[]): Bounds {
  return { low: Math.max(...bounds.map(({ low }) => low)), high: Math.min(...bounds.map(({ high }) => high)) };
}

function width({ low, high }: Bounds): number {
  return high - low;
}
