import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { exists } from './exists.js';

const root = '/sys/fs/cgroup';

async function isUnified(): Promise<boolean> {
  return exists(join(root, 'cgroup.controllers'));
}

/** The folders below which a cgroup path exists: one with cgroup v2, one a controller with v1. */
async function hierarchies(): Promise<string[]> {
  if (await isUnified()) return [root];
  const entries = await readdir(root, { withFileTypes: true }).catch(() => []);
  // A link (cpu -> cpu,cpuacct) is the same hierarchy by a second name.
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(root, entry.name));
}

/** Makes the cgroup, for example `understudy-0/node-1`, in every hierarchy, so that a kubelet can take it as its root. */
export async function makeCgroup(path: string): Promise<void> {
  const unified = await isUnified();
  for (const hierarchy of await hierarchies()) {
    let folder = hierarchy;
    for (const part of path.split('/')) {
      folder = join(folder, part);
      if (unified) await delegateControllers(dirname(folder));
      await mkdir(folder, { recursive: true });
      // A new cpuset is empty, and nothing can run in it before it has processors and memory.
      if (await exists(join(folder, 'cpuset.cpus'))) await inheritCpuset(folder);
    }
    if (unified) await delegateControllers(folder);
  }
}

/**
 * Gives a cgroup the weight of so many ordinary processes of this machine. Nodes and control plane are machines of their
 * own elsewhere; here all pods together would weigh as much as a single thread of the API server.
 */
export async function weighCgroup(path: string, processes: number): Promise<void> {
  for (const hierarchy of await hierarchies()) {
    const [shares, weight] = ['cpu.shares', 'cpu.weight'].map((file) => join(hierarchy, path, file));
    // An ordinary process weighs 1024 with cgroup v1, and 100 with v2.
    if (shares && (await exists(shares))) await writeFile(shares, String(Math.min(262_144, 1024 * processes)));
    if (weight && (await exists(weight))) await writeFile(weight, String(Math.min(10_000, 100 * processes)));
  }
}

async function inheritCpuset(folder: string): Promise<void> {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    const own = (await readFile(join(folder, file), 'utf8')).trim();
    if (own !== '') continue;
    const parent = (await readFile(join(dirname(folder), file), 'utf8')).trim();
    // With cgroup v2 the root has no such file content to hand down, and an empty one already means "all".
    if (parent !== '') await writeFile(join(folder, file), parent);
  }
}

async function delegateControllers(folder: string): Promise<void> {
  const controllers = (await readFile(join(folder, 'cgroup.controllers'), 'utf8')).trim().split(' ').filter(Boolean);
  const wanted = controllers.map((each) => `+${each}`).join(' ');
  if (wanted) await writeFile(join(folder, 'cgroup.subtree_control'), wanted);
}

/** The folders of every cgroup whose first path part passes the test, in all hierarchies. */
export async function findCgroups(accepts: (name: string) => boolean): Promise<string[]> {
  const found: string[] = [];
  for (const hierarchy of await hierarchies()) {
    for (const name of await readdir(hierarchy).catch(() => [])) {
      if (accepts(name)) found.push(join(hierarchy, name));
    }
  }
  return found;
}

/** The processes in a cgroup folder and in those below it. */
export async function processesIn(folder: string): Promise<number[]> {
  const own = await readFile(join(folder, 'cgroup.procs'), 'utf8').catch(() => '');
  const below = await Promise.all((await subfolders(folder)).map(processesIn));
  return [...own.split('\n').filter(Boolean).map(Number), ...below.flat()];
}

/** Removes a cgroup folder and those below it. One that still has processes cannot be removed: that throws EBUSY. */
export async function removeCgroup(folder: string): Promise<void> {
  for (const below of await subfolders(folder)) await removeCgroup(below);
  await rmdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}

async function subfolders(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name));
}
