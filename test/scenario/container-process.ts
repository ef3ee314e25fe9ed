import { readdir, readFile } from 'node:fs/promises';

/** The recorder's process in a pod, by the pod's uid in its environment; ffmpeg and probes run below it. */
export async function containerProcess(podUID: string): Promise<number> {
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const environment = await readFile(`/proc/${entry}/environ`, 'utf8').catch(() => '');
    const command = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '');
    const isOfPod = environment.split('\0').includes(`UNDERSTUDY_POD_UID=${podUID}`);
    if (isOfPod && command.split('\0').includes('/app/recorder.js')) return Number(entry);
  }
  throw new Error(`no recorder of pod ${podUID} runs on this machine`);
}
