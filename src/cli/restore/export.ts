import { createHash } from 'node:crypto';
import { access, rename, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { encodeBaseline } from '../../backup/index.js';
import { CHECKSUM_SUFFIX, RestoreRefused, type RestoreSource } from '../../restore/index.js';

/**
 * Writes a baseline and its checksum to files that nobody else may read; one that is there already is left alone. The
 * name appears only when the bytes are whole. Returns the number of bytes.
 */
export async function writeExport(path: string, { artifact }: RestoreSource): Promise<number> {
  await demandFree(path);
  const { json, packed } = await encodeBaseline(artifact.baseline);
  const bytes = path.endsWith('.gz') ? packed : json;
  const checksum = createHash('sha256').update(bytes).digest('hex');
  await writeWhole(`${path}${CHECKSUM_SUFFIX}`, `${checksum}  ${basename(path)}\n`);
  await writeWhole(path, bytes);
  return bytes.length;
}

async function demandFree(path: string): Promise<void> {
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  if (isThere) throw new RestoreRefused('Artifact', [`${path} is there already; give another --output`]);
}

async function writeWhole(path: string, content: string | Buffer): Promise<void> {
  const unfinished = `${path}.unfinished`;
  await writeFile(unfinished, content, { mode: 0o600, flush: true });
  await rename(unfinished, path);
}
