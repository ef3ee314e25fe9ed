import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { clusterFolder } from '../cluster/paths.js';
import { run } from '../cluster/run-command.js';
import type { MaterialDisk } from './system.js';

/** A disk whose files can be read now. */
export interface ReadableDisk {
  readonly server: string;
  readonly folder: string;
}

/** The disks as they are: for those that work. */
export function mounted(disks: readonly MaterialDisk[]): ReadableDisk[] {
  return disks.map(({ server, disk }) => ({ server, folder: disk.mountPath }));
}

/** A dead disk's content, taken to a workbench. */
export interface DiskCopy extends ReadableDisk {
  release(): Promise<void>;
}

/**
 * Copies what has really reached a disk and mounts the copy: a disk that answers every call with an error, or whose
 * node is off, can be read without touching it. The copy lies in the cluster's folder and ends with the cluster at the
 * latest.
 */
export async function copyOf(clusterName: string, material: MaterialDisk): Promise<DiskCopy> {
  const { server, disk } = material;
  const image = (await run('losetup', ['--noheadings', '--output', 'BACK-FILE', disk.device])).trim();
  if (image === '') throw new Error(`${disk.device} of ${server} is no loop device, so its content can't be copied`);
  const bench = join(clusterFolder(clusterName), 'workbench', disk.name);
  const [copy, folder] = [join(bench, 'disk.img'), join(bench, 'content')];
  await mkdir(folder, { recursive: true });
  await run('cp', ['--sparse=always', image, copy]);
  // Writable: the log of a file system that was cut off must be replayed before anything can be read.
  await run('mount', ['-o', 'loop', copy, folder]);
  const release = async () => {
    await run('umount', [folder]);
    await rm(bench, { recursive: true });
  };
  return { server, folder, release };
}
