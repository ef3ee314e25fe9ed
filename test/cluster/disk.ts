import { constants } from 'node:fs';
import { mkdir, open, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Journal } from './journal.js';
import { isWithin, listMounts } from './mounts.js';
import { run, tryRun } from './run-command.js';
import { waitUntil } from './wait-until.js';

/** A disk of a node: ext4 on a loop device of its own. */
export interface NodeDisk {
  readonly name: string;
  /** The same path on this machine and on its node; only that node's pods should be given it. */
  readonly mountPath: string;
  readonly device: string;
  /**
   * The disk dies: from now on every read and write of it answers "Input/output error" (EIO), and what was not synced
   * yet is lost. Note that stat, readdir and statfs still succeed.
   */
  shutdown(): Promise<void>;
  /** The disk hangs: every write of it waits in the kernel, and a process that waits so cannot even be killed. */
  freeze(): Promise<void>;
  /** The disk answers again. */
  thaw(): Promise<void>;
  /**
   * The kernel finds an error on the disk and makes its file system read-only at once, whoever has files open for
   * writing: every write answers EROFS, although the mount's options still say rw. Only repair() undoes it.
   */
  makeReadOnly(): Promise<void>;
  /** A file of somebody else takes all the space that is free, to the last block. */
  fill(): Promise<void>;
  /** That file is taken away. */
  unfill(): Promise<void>;
  /**
   * The disk is replaced by itself, repaired: unmounted, its journal replayed, checked, and mounted again. Every pod
   * that mounts it must be gone before: a pod that still mounts the dead file system keeps it dead, and a new mount of
   * the same device joins the dead one. It waits 30 seconds for them, then throws and says so.
   */
  repair(): Promise<void>;
}

export interface DiskInput {
  readonly name: string;
  readonly sizeMiB: number;
  readonly nodeName: string;
  readonly clusterFolder: string;
  readonly journal: Journal;
}

/** Mounts made below it are seen by every node at once, and so is their end (see mountDiskRoot). */
export const disksFolder = (clusterFolder: string) => join(clusterFolder, 'disks');

/**
 * Makes the folder of all disks a shared mount. The nodes' mount namespaces are slaves of it: a disk can be plugged in
 * while the node runs, and none of them keeps a dead file system alive that was unmounted here.
 */
export async function mountDiskRoot(clusterFolder: string, journal: Journal): Promise<void> {
  const path = disksFolder(clusterFolder);
  await mkdir(path, { recursive: true });
  journal.record({ kind: 'mount', path });
  await run('mount', ['--bind', path, path]);
  // Private first: where the root is shared, the disks would be mounted in every service of the machine as well.
  await run('mount', ['--make-private', path]);
  await run('mount', ['--make-shared', path]);
}

/** Makes a disk of the given size, which takes up no more of this machine's disk than is written to it, and mounts it. */
export async function addDisk(input: DiskInput): Promise<NodeDisk> {
  if (!/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/.test(input.name)) throw new Error(`"${input.name}" is no disk name.`);
  if (!Number.isInteger(input.sizeMiB) || input.sizeMiB < 8) throw new Error('A disk has at least 8 MiB.');
  const folder = join(input.clusterFolder, 'nodes', input.nodeName, 'disk-images');
  const backingFile = join(folder, `${input.name}.ext4`);
  const mountPath = join(disksFolder(input.clusterFolder), input.nodeName, input.name);
  await mkdir(folder, { recursive: true });
  await mkdir(mountPath, { recursive: true });
  const image = await open(backingFile, 'wx').catch(() => {
    throw new Error(`${input.nodeName} has a disk ${input.name} already.`);
  });
  await image.truncate(input.sizeMiB * 1024 * 1024);
  await image.close();
  await run('mkfs.ext4', ['-q', '-F', '-m', '0', '-E', 'lazy_itable_init=0,lazy_journal_init=0', backingFile]);
  input.journal.record({ kind: 'loop', backingFile });
  const device = (await run('losetup', ['--find', '--show', backingFile])).trim();
  input.journal.record({ kind: 'mount', path: mountPath });
  await mount(device, mountPath);
  return {
    name: input.name,
    mountPath,
    device,
    shutdown: () => shutdownFileSystem(device, backingFile, mountPath),
    freeze: async () => {
      await assertOurs(device, backingFile, mountPath);
      await run('fsfreeze', ['--freeze', mountPath]);
    },
    thaw: async () => {
      await run('fsfreeze', ['--unfreeze', mountPath]);
    },
    makeReadOnly: async () => {
      await assertOurs(device, backingFile, mountPath);
      await failReadOnly(device, mountPath);
    },
    fill: async () => {
      await assertOurs(device, backingFile, mountPath);
      await fillUp(mountPath);
    },
    unfill: () => rm(fillerIn(mountPath), { force: true }),
    repair: () => repairFileSystem(device, backingFile, mountPath),
  };
}

async function mount(device: string, path: string): Promise<void> {
  await run('mount', ['-t', 'ext4', device, path]);
}

async function shutdownFileSystem(device: string, backingFile: string, path: string): Promise<void> {
  await assertOurs(device, backingFile, path);
  // Without its flag for flushing: the log stays as it is, as in a power cut.
  await run('xfs_io', ['-x', '-c', 'shutdown', path]);
}

/**
 * Asked for by `remount,ro` it would be refused as long as a recorder has a file open for writing; a disk with an error
 * does not ask either.
 */
async function failReadOnly(device: string, path: string): Promise<void> {
  await run('mount', ['-o', 'remount,errors=remount-ro', path]);
  await writeFile(join('/sys/fs/ext4', basename(device), 'trigger_fs_error'), 'made read-only by a test');
}

const fillerIn = (path: string) => join(path, 'somebody-elses-file');
const FILLED_BYTES = 64 * 1024;
const FILL_ROUNDS = 10;

/** In several rounds: the file's own bookkeeping takes blocks too, and others write at the same time. */
async function fillUp(path: string): Promise<void> {
  const filler = fillerIn(path);
  await writeFile(filler, '');
  for (let round = 0; round < FILL_ROUNDS; round += 1) {
    const { bavail, bsize } = await statfs(path);
    if (bavail * bsize < FILLED_BYTES) return;
    const held = (await stat(filler)).blocks * 512;
    // It ends with "No space left on device" and keeps what it got.
    await tryRun('fallocate', ['--length', String(held + bavail * bsize), filler]);
  }
}

/** The wrong path is the root disk of this machine, and a device's number may have been given to another file. */
async function assertOurs(device: string, backingFile: string, path: string): Promise<void> {
  const mounted = (await listMounts()).filter((each) => each.path === path).at(-1);
  if (mounted?.source !== device) {
    throw new Error(`${path} is not the mount of ${device} but of ${mounted?.source ?? 'nothing'}: nothing was done.`);
  }
  const file = (await run('losetup', ['--list', '--noheadings', '--output', 'BACK-FILE', device])).trim();
  if (file !== backingFile) throw new Error(`${device} is ${file}, not ${backingFile}: nothing was done.`);
}

async function repairFileSystem(device: string, backingFile: string, path: string): Promise<void> {
  if ((await listMounts()).some((each) => each.path === path)) {
    await assertOurs(device, backingFile, path);
    await run('umount', [path]);
  }
  await waitUntil(`nothing uses ${device} any more`, () => isFree(device), {
    timeoutMs: 30_000,
    hint: () => `A pod still mounts ${path}, and so keeps the dead file system alive. Delete the pod first.`,
  });
  // Code 1 says that errors were corrected, which after a power cut is as it should be.
  await run('e2fsck', ['-p', '-f', device]).catch((error: { exitCode?: number }) => {
    if (error.exitCode !== 1) throw error;
  });
  await mount(device, path);
}

/** The kernel gives a block device exclusively only while no file system on it is alive, in any mount namespace. */
async function isFree(device: string): Promise<boolean> {
  try {
    const handle = await open(device, constants.O_RDONLY | constants.O_EXCL);
    await handle.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EBUSY') return false;
    throw error;
  }
}

/** For the power cut of a node: shuts down every disk that is mounted, and leaves those that are dead already. */
export async function cutDisks(clusterFolder: string, disks: readonly NodeDisk[]): Promise<void> {
  const mounts = await listMounts();
  const mounted = disks.filter((disk) => mounts.some((each) => each.path === disk.mountPath));
  for (const disk of mounted) {
    if (!isWithin(disk.mountPath, disksFolder(clusterFolder))) throw new Error(`${disk.mountPath} is no disk of ours.`);
    await disk.shutdown();
  }
  await thawAll(mounted.map((disk) => disk.mountPath));
}

/** What waits for a frozen disk cannot be killed; thawed, it can. One that is not frozen stays as it is. */
export async function thawAll(paths: readonly string[]): Promise<void> {
  for (const path of paths) await tryRun('fsfreeze', ['--unfreeze', path], { timeoutMs: 10_000 });
}
