import { readFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';

/** USER_HZ of Linux, in which /proc/stat counts. */
const TICKS_A_SECOND = 100;
const SAMPLE_MS = 250;

/** The machine on which a run was made, for the page. */
export function machineSize(): string {
  return `${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`;
}

/** Remembers how much of this machine its host has taken, from when it is made until it is closed. */
export class ProcessorWatch {
  readonly #samples: { readonly atMs: number; readonly stolen: number }[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor() {
    const sample = async (): Promise<void> => {
      const stolen = await stolenTicks();
      this.#samples.push({ atMs: Date.now(), stolen });
    };
    this.#timer = setInterval(() => void sample(), SAMPLE_MS);
    this.#timer.unref();
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

  close(): void {
    clearInterval(this.#timer);
  }
}

/** Since boot, over all cores: from the first line of /proc/stat, where its eighth figure is "steal". */
async function stolenTicks(): Promise<number> {
  const [line = ''] = (await readFile('/proc/stat', 'utf8')).split('\n');
  return Number(line.trim().split(/\s+/)[8] ?? 0);
}
