import type { MaterialDisk } from '../system.js';
import type { Fault } from './fault.js';

/**
 * A disk dies: every read and write answers EIO. Healing repairs it, for which the pod that mounts it must be gone
 * (NodeDisk.repair).
 */
export async function killDisk({ disk }: MaterialDisk): Promise<Fault> {
  await disk.shutdown();
  return { heal: () => disk.repair() };
}

/**
 * The kernel makes a disk read-only because of an error on it: every write answers EROFS. Healing repairs it, for which
 * the pod that mounts it must be gone (NodeDisk.repair).
 */
export async function remountReadOnly({ disk }: MaterialDisk): Promise<Fault> {
  await disk.makeReadOnly();
  return { heal: () => disk.repair() };
}

/** A file of somebody else takes all the space that is free on a disk. */
export async function fillDisk({ disk }: MaterialDisk): Promise<Fault> {
  await disk.fill();
  return { heal: () => disk.unfill() };
}

/** A disk hangs: what writes to it waits in the kernel, and can't even be killed. */
export async function hangDisk({ disk }: MaterialDisk): Promise<Fault> {
  await disk.freeze();
  return { heal: () => disk.thaw() };
}

/** The same fault for several disks at once; healed one after the other. */
export async function everyDisk(
  disks: readonly MaterialDisk[],
  strike: (disk: MaterialDisk) => Promise<Fault>,
): Promise<Fault> {
  const faults = await Promise.all(disks.map(strike));
  return {
    heal: async () => {
      for (const fault of faults) await fault.heal();
    },
  };
}
