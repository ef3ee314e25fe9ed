import { readFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';

/** Share of this machine's processor time that its host has taken since `before`. */
export async function stolenSince(before: ProcessorTimes): Promise<number> {
  const now = await processorTimes();
  return (now.stolen - before.stolen) / Math.max(1, now.all - before.all);
}

/** In ticks since boot. */
export interface ProcessorTimes {
  readonly all: number;
  readonly stolen: number;
}

/** Reads the first line of /proc/stat. */
export async function processorTimes(): Promise<ProcessorTimes> {
  const [line = ''] = (await readFile('/proc/stat', 'utf8')).split('\n');
  // user nice system idle iowait irq softirq steal; what follows is counted in user and nice already.
  const ticks = line.trim().split(/\s+/).slice(1, 9).map(Number);
  return { all: ticks.reduce((sum, each) => sum + each, 0), stolen: ticks[7] ?? 0 };
}

/** The machine on which a run was made, for the page. */
export function machineSize(): string {
  return `${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`;
}
