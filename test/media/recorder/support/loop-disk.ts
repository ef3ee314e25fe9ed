import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { until } from './recorder-bench.js';

const run = promisify(execFile);

/** Whether real disks can be made here; tests that need them are skipped with the reason otherwise. */
export const canMount = process.getuid?.() === 0;

/** A small real disk: a file system on a loop device, with the faults that real disks have. */
export class LoopDisk {
  readonly mountPath: string;
  readonly #folder: string;
  #device = '';

  private constructor(folder: string) {
    this.#folder = folder;
    this.mountPath = join(folder, 'mount');
  }

  static async make(megabytes = 64): Promise<LoopDisk> {
    const disk = new LoopDisk(await mkdtemp(join(tmpdir(), 'understudy-disk-')));
    await mkdir(disk.mountPath);
    const image = join(disk.#folder, 'image');
    await writeFile(image, '');
    await truncate(image, megabytes * 1024 * 1024);
    await run('mkfs.ext4', ['-q', '-m', '0', image]);
    await disk.mount();
    return disk;
  }

  async mount(): Promise<void> {
    const { stdout } = await run('losetup', ['--find', '--show', join(this.#folder, 'image')]);
    this.#device = stdout.trim();
    await run('mount', ['-o', 'errors=remount-ro', this.#device, this.mountPath]);
  }

  /** Refused while a file is open, and the probe opens one again and again: tried until it hits a gap. */
  async unmount(): Promise<void> {
    await until('nobody uses the disk', () => run('umount', [this.mountPath]).catch(() => undefined));
    await run('losetup', ['--detach', this.#device]);
  }

  /** Every read and write fails from now on. */
  async die(): Promise<void> {
    await this.#checkSource();
    await run('xfs_io', ['-x', '-c', 'shutdown', this.mountPath]);
  }

  /** As after an error that the file system has found: read-only at once, whoever has files open. */
  async makeReadOnly(): Promise<void> {
    await this.#checkSource();
    await writeFile(join('/sys/fs/ext4', basename(this.#device), 'trigger_fs_error'), 'test');
  }

  /** Every write hangs from now on, until it is thawed. */
  async freeze(): Promise<void> {
    await this.#checkSource();
    await run('fsfreeze', ['--freeze', this.mountPath]);
  }

  async thaw(): Promise<void> {
    await this.#checkSource();
    await run('fsfreeze', ['--unfreeze', this.mountPath]);
  }

  /** Fills it to the last block. */
  async fill(): Promise<void> {
    await this.#checkSource();
    const args = ['if=/dev/zero', `of=${join(this.mountPath, 'filler')}`, 'bs=1M', 'status=none'];
    // It ends with "No space left on device", as it has to.
    await run('dd', args).catch(() => undefined);
  }

  /** Takes it away, whatever state a test has left it in. */
  async remove(): Promise<void> {
    if (await this.#isMounted()) {
      await run('fsfreeze', ['--unfreeze', this.mountPath]).catch(() => undefined);
      await run('umount', ['--lazy', this.mountPath]);
    }
    await run('losetup', ['--detach', this.#device]).catch(() => undefined);
    await rm(this.#folder, { recursive: true, force: true });
  }

  // The wrong path would be the disk of this very machine.
  async #checkSource(): Promise<void> {
    if (await this.#isMounted()) return;
    throw new Error(`${this.mountPath} is not mounted from ${this.#device}: nothing is done to it`);
  }

  async #isMounted(): Promise<boolean> {
    const args = ['--noheadings', '--output', 'SOURCE', '--mountpoint', this.mountPath];
    const source = await run('findmnt', args).catch(() => ({ stdout: '' }));
    return this.#device !== '' && source.stdout.trim() === this.#device;
  }
}
