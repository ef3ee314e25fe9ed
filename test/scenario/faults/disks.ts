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
