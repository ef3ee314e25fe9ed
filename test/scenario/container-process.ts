import { readdir, readFile } from 'node:fs/promises';

/** The recorder's process in a pod; ffmpeg and probes run below it. Throws when there is none. */
export function containerProcess(podUID: string): Promise<number> {
  return programIn(podUID, '/app/recorder.js');
}

/** The operator's process in a pod. Throws when there is none. */
export function operatorProcess(podUID: string): Promise<number> {
  return programIn(podUID, '/app/operator.js');
}

/** By the pod's uid in the path of its cgroups, which no process can leave, and by the program among its arguments. */
async function programIn(podUID: string, program: string): Promise<number> {
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const cgroups = await readFile(`/proc/${entry}/cgroup`, 'utf8').catch(() => '');
    if (!cgroups.includes(`pod${podUID}`)) continue;
    const command = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '');
    if (command.split('\0').includes(program)) return Number(entry);
  }
  throw new Error(`no ${program} of pod ${podUID} runs on this machine`);
}
