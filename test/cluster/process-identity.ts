import { readdir, readFile } from 'node:fs/promises';
import { waitUntil } from './wait-until.js';

/** A process for good: its id may be given to another one after its death, its id and start time together never are. */
export interface ProcessIdentity {
  readonly pid: number;
  /** In clock ticks since boot: field 22 of /proc/PID/stat. */
  readonly startTime: string;
}

interface ProcessStat {
  readonly state: string;
  readonly startTime: string;
}

/** Reads what is needed of /proc/PID/stat. The command name, in brackets, may itself hold spaces and brackets. */
export function parseProcessStat(text: string): ProcessStat {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', startTime: fields[19] ?? '' };
}

async function statOf(pid: number): Promise<ProcessStat | undefined> {
  try {
    return parseProcessStat(await readFile(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return undefined; // it has ended
  }
}

export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const stat = await statOf(pid);
  return stat && { pid, startTime: stat.startTime };
}

/**
 * A zombie has ended, only its parent has not noticed yet; but while it still has other threads, just its first one has
 * ended, and its files and ports are still open.
 */
export async function isAlive(process: ProcessIdentity): Promise<boolean> {
  const stat = await statOf(process.pid);
  if (stat === undefined || stat.startTime !== process.startTime || stat.state === 'X') return false;
  if (stat.state !== 'Z') return true;
  return (await readdir(`/proc/${process.pid}/task`).catch(() => [])).length > 1;
}

/** Sends the signal if the process is still the same one. */
export async function signal(target: ProcessIdentity, name: NodeJS.Signals): Promise<void> {
  if (!(await isAlive(target))) return;
  try {
    process.kill(target.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Ends the processes: asks them first, and kills those that are not gone after the grace time. */
export async function endProcesses(processes: readonly ProcessIdentity[], graceMs: number): Promise<void> {
  const gone = async () => (await Promise.all(processes.map(isAlive))).every((alive) => !alive);
  if (graceMs > 0) {
    await Promise.all(processes.map((each) => signal(each, 'SIGTERM')));
    const end = performance.now() + graceMs;
    while (performance.now() < end) {
      if (await gone()) return;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
  await Promise.all(processes.map((each) => signal(each, 'SIGKILL')));
  await waitUntil('killed processes are gone', gone, {
    timeoutMs: 20_000,
    intervalMs: 20,
    hint: () => `Processes ${processes.map((each) => each.pid).join(', ')}: one hangs in the kernel (a frozen disk?).`,
  });
}

/** Every other process whose environment holds the variable with exactly this value. */
export async function findByEnvironment(variable: string, value: string): Promise<ProcessIdentity[]> {
  const found: ProcessIdentity[] = [];
  for (const { pid, value: theirs } of await readEnvironments(variable)) {
    const identity = theirs === value ? await identify(pid) : undefined;
    if (identity && (await isAlive(identity))) found.push(identity);
  }
  return found;
}

/** The different values that the variable has in the environments of all other processes. */
export async function valuesInEnvironments(variable: string): Promise<string[]> {
  return [...new Set((await readEnvironments(variable)).map(({ value }) => value))];
}

async function readEnvironments(variable: string): Promise<{ pid: number; value: string }[]> {
  const found: { pid: number; value: string }[] = [];
  for (const entry of await readdir('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    const line = environment.split('\0').find((each) => each.startsWith(`${variable}=`));
    if (line !== undefined) found.push({ pid, value: line.slice(variable.length + 1) });
  }
  return found;
}

/** The children of a process, as the kernel lists them. */
export async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return text.split(' ').filter(Boolean).map(Number);
}
