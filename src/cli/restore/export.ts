import { createHash } from 'node:crypto';
import { access, rename, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { type Baseline, encodeBaseline } from '../../backup/index.js';
import { CHECKSUM_SUFFIX, RestoreRefused } from '../../restore/index.js';

/** What was written. */
export interface Exported {
  readonly bytes: number;
  /** Hex, of the uncompressed baseline as it was written. */
  readonly sha256: string;
  /** Secrets whose contents the baseline holds and the file does not. */
  readonly leftOut: number;
}

/**
 * Writes a baseline and its checksum to files that nobody else may read; one that is there already is left alone. The
 * name appears only when the bytes are whole. What an engine has encrypted is readable in the file: so the contents of
 * Secrets are written only when they were asked for.
 */
export async function writeExport(
  path: string,
  baseline: Baseline,
  { withSecrets }: { readonly withSecrets: boolean },
): Promise<Exported> {
  await demandFree(path);
  const { secretContents = [], ...bare } = baseline;
  const { json, packed, sha256 } = await encodeBaseline(withSecrets ? baseline : bare);
  const bytes = path.endsWith('.gz') ? packed : json;
  const checksum = createHash('sha256').update(bytes).digest('hex');
  await writeWhole(`${path}${CHECKSUM_SUFFIX}`, `${checksum}  ${basename(path)}\n`);
  await writeWhole(path, bytes);
  return { bytes: bytes.length, sha256, leftOut: withSecrets ? 0 : secretContents.length };
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
