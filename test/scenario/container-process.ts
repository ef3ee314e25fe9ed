import { readdir, readFile } from 'node:fs/promises';

/** The recorder's process in a pod; ffmpeg and probes run below it. Throws when there is none. */
export async function containerProcess(podUID: string): Promise<number> {
  const [process] = await programsOf('/app/recorder.js', [podUID]);
  if (process === undefined) throw new Error(`no recorder of pod ${podUID} runs on this machine`);
  return process.pid;
}

/** The operator's processes in those of the pods in which it runs now. */
export function operatorProcesses(podUIDs: readonly string[]): Promise<PodProcess[]> {
  return programsOf('/app/operator.js', podUIDs);
}

/** A pod's process, seen from this machine. */
export interface PodProcess {
  readonly podUID: string;
  readonly pid: number;
}

/** By the program among its arguments, and by the pod's uid in the path of its cgroups, which no process can leave. */
async function programsOf(program: string, podUIDs: readonly string[]): Promise<PodProcess[]> {
  const found: PodProcess[] = [];
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const command = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '');
    if (!command.split('\0').includes(program)) continue;
    const cgroups = await readFile(`/proc/${entry}/cgroup`, 'utf8').catch(() => '');
    const podUID = podUIDs.find((uid) => cgroups.includes(`pod${uid}`));
    if (podUID !== undefined) found.push({ podUID, pid: Number(entry) });
  }
  return found;
}
