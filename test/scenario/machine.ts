import { readFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';

/** USER_HZ of Linux, in which /proc/stat counts. */
const TICKS_A_SECOND = 100;
const SAMPLE_MS = 250;

/** The machine on which a run was made, for the page. */
export function machineSize(): string {
  return `${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`;
}

/** Processor time since boot over all cores, in ticks, at a moment of wall clock (milliseconds). */
export interface ProcessorSample extends Ticks {
  readonly atMs: number;
}

interface Ticks {
  /** Wanted, and given to others by the host. */
  readonly stolen: number;
  readonly used: number;
}

/** Remembers how much of this machine its host has taken, from when it is made until it is closed. */
export class ProcessorWatch {
  readonly #samples: ProcessorSample[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor() {
    const sample = async (): Promise<void> => {
      const ticks = await ticksSinceBoot();
      this.#samples.push({ atMs: Date.now(), ...ticks });
    };
    this.#timer = setInterval(() => void sample(), SAMPLE_MS);
    this.#timer.unref();
  }

  /** All that was seen, the oldest first, four a second. */
  get samples(): readonly ProcessorSample[] {
    return this.#samples;
  }

  /**
   * Processor time that was taken between two moments of wall clock (milliseconds), over all cores. Seconds. As much may
   * be missing on the path of one step after the other: that is on one core at any time, and it may have been its.
   */
  stolenSeconds(startMs: number, endMs: number): number {
    const before = this.#samples.findLast(({ atMs }) => atMs <= startMs) ?? this.#samples[0];
    const after = this.#samples.find(({ atMs }) => atMs >= endMs) ?? this.#samples.at(-1);
    return Math.max(0, ((after?.stolen ?? 0) - (before?.stolen ?? 0)) / TICKS_A_SECOND);
  }

  /** The same as a share of all its time, 0 to 1. */
  stolenShare(startMs: number, endMs: number): number {
    return (1000 * this.stolenSeconds(startMs, endMs)) / Math.max(1, (endMs - startMs) * cpus().length);
  }

  /** What was taken as a share of what was wanted, 0 to 1: idle time is neither. */
  withheldShare(startMs: number, endMs: number): number {
    const within = this.#samples.filter(({ atMs }) => atMs >= startMs && atMs <= endMs);
    return withheldBetween(within[0], within.at(-1)).share;
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

/** Between two samples: the share of the wanted time that was taken, 0 to 1, and how much was wanted, in cores. */
export function withheldBetween(from?: ProcessorSample, to?: ProcessorSample): { share: number; wantedCores: number } {
  if (from === undefined || to === undefined) return { share: 0, wantedCores: 0 };
  const stolen = to.stolen - from.stolen;
  const wanted = stolen + to.used - from.used;
  const elapsedMs = Math.max(1, to.atMs - from.atMs);
  return { share: wanted > 0 ? stolen / wanted : 0, wantedCores: (1000 * wanted) / TICKS_A_SECOND / elapsedMs };
}

/** From the first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal. Nothing on other systems. */
async function ticksSinceBoot(): Promise<Ticks> {
  if (process.platform !== 'linux') return { stolen: 0, used: 0 };
  const [line = ''] = (await readFile('/proc/stat', 'utf8')).split('\n');
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, stolen = 0] = line
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return { stolen, used: user + nice + system + irq + softirq };
}
