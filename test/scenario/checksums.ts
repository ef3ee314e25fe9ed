import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { relative, sep } from 'node:path';
import { OWN_FOLDER } from '../../src/recorder/footage/layout.js';
import { segmentsOn } from './segments.js';
import type { MaterialDisk } from './system.js';

/** SHA-256 of each closed segment of a camera on a disk, by its path below the disk's root. */
export async function checksumsOf(
  { disk, server }: MaterialDisk,
  role: string,
  camera: string,
): Promise<ReadonlyMap<string, string>> {
  const checksums = new Map<string, string>();
  for (const { path } of await segmentsOn(disk.mountPath, server, role, camera)) {
    const name = relative(disk.mountPath, path);
    if (name.startsWith(`${OWN_FOLDER}${sep}`)) continue;
    checksums.set(
      name,
      createHash('sha256')
        .update(await readFile(path))
        .digest('hex'),
    );
  }
  return checksums;
}
