import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A recorded file of one camera. */
export interface Segment {
  readonly path: string;
  /** Server on whose disk it lies. */
  readonly server: string;
  readonly epoch: number;
  /** Folder of one writer: one start of a recorder. */
  readonly writer: string;
  /** Last write, wall clock in milliseconds. */
  readonly modifiedMs: number;
}

const WRITER_FOLDER = /^e(\d+)-(.+)$/;

/** The segments of a camera below the root of one disk, written at or after `sinceMs`. */
export async function segmentsOn(root: string, server: string, role: string, camera: string, sinceMs = 0) {
  const folder = join(root, role, camera);
  const found: Segment[] = [];
  for (const writer of await entriesOf(folder)) {
    const epoch = WRITER_FOLDER.exec(writer)?.[1];
    if (epoch === undefined) continue;
    for (const name of await entriesOf(join(folder, writer))) {
      if (!name.endsWith('.ts')) continue;
      const path = join(folder, writer, name);
      const modifiedMs = await modifiedOf(path);
      if (modifiedMs === undefined || modifiedMs < sinceMs) continue;
      found.push({ path, server, epoch: Number(epoch), writer, modifiedMs });
    }
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function entriesOf(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Undefined when retention has removed the file since its folder was read. */
async function modifiedOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mtimeMs;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
