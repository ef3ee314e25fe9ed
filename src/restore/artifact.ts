import { sha256 } from '../backup/baseline.js';
import { decompress } from '../backup/compression.js';
import {
  BASELINE_FORMAT,
  type Baseline,
  decodeBaseline,
  decrypt,
  type EncryptionKey,
  encodeBaseline,
  keyIdOf,
} from '../backup/index.js';
import { judgeShape } from './baseline-shape.js';
import { RestoreRefused } from './refusal.js';

/** Largest baseline that is unpacked: seven times that of 64,000 cameras. A bomb of zeros ends here. Bytes. */
const maxBytes = 256 * 1024 * 1024;

/** A baseline that was checked and may be restored. */
export interface RestoreArtifact {
  readonly baseline: Baseline;
  /** Hex, of the uncompressed bytes, as in `Backup.status.artifact.sha256`. */
  readonly sha256: string;
  /** Uncompressed bytes. */
  readonly bytes: number;
  /** Worth a look, and no obstacle. */
  readonly notes: readonly string[];
}

/** What the caller knows of the artifact beforehand. */
export interface ExpectedArtifact {
  /** Hex; of the uncompressed bytes. */
  readonly sha256?: string | undefined;
  /** Hex; of the bytes as they are given, as `sha256sum` prints it. */
  readonly fileSha256?: string | undefined;
  /** Name of the pool that it should be of. */
  readonly pool?: string | undefined;
  /** Of an encrypted one. */
  readonly key?: EncryptionKey | undefined;
}

/**
 * Opens a baseline: the canonical JSON, its gzip, or that encrypted, as it lies in a bucket. Throws RestoreRefused ('Artifact') with the mend for anything that is
 * not whole, not ours, or not what was expected.
 */
export async function openArtifact(bytes: Buffer, expected: ExpectedArtifact = {}): Promise<RestoreArtifact> {
  if (bytes.length === 0) throw refused('it is empty; take another copy');
  if (expected.fileSha256 !== undefined) compare('file', sha256(bytes), expected.fileSha256);
  const open = await decrypted(bytes, expected.key);
  const json = isGzip(open) ? await unpacked(open) : open;
  const checksum = sha256(json);
  if (expected.sha256 !== undefined) compare('baseline', checksum, expected.sha256);
  const baseline = decoded(json);
  const { problems, notes } = judgeShape(baseline);
  if (problems.length > 0)
    throw new RestoreRefused(
      'Artifact',
      problems.map((problem) => `the baseline: ${problem}`),
    );
  if (expected.pool !== undefined && expected.pool !== baseline.pool.name) {
    throw refused(`it is of pool ${baseline.pool.name}, not of ${expected.pool}; choose the baseline of that pool`);
  }
  const untouched = (await encodeBaseline(baseline)).sha256 === checksum;
  const edited =
    'the bytes are not as they were written (reformatted or edited by hand): no checksum of a Backup vouches for them';
  return { baseline, sha256: checksum, bytes: json.length, notes: untouched ? notes : [...notes, edited] };
}

function refused(what: string): RestoreRefused {
  return new RestoreRefused('Artifact', [`the baseline can't be used: ${what}`]);
}

async function decrypted(bytes: Buffer, key: EncryptionKey | undefined): Promise<Buffer> {
  const id = keyIdOf(bytes);
  if (id === undefined) return bytes;
  if (key === undefined) throw refused(`it is encrypted with the key ${id}; give the file with that key: --key-file`);
  if (key.id !== id) throw refused(`it is encrypted with the key ${id}, and the file of --key-file holds ${key.id}`);
  const open = await decrypt(bytes, { current: key, all: [key] });
  if (open === undefined) throw refused('it is damaged: its key fits, and its bytes are not those that were written');
  return open;
}

function isGzip(bytes: Buffer): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

async function unpacked(bytes: Buffer): Promise<Buffer> {
  try {
    return await decompress(bytes, maxBytes);
  } catch (error) {
    throw refused(`${gzipFault(error)}; take another copy`);
  }
}

function gzipFault(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'Z_BUF_ERROR') return `its gzip is cut off`;
  if (code === 'ERR_BUFFER_TOO_LARGE') return `it unpacks to more than ${maxBytes} bytes, which no baseline has`;
  return `its gzip is damaged (${error instanceof Error ? error.message : String(error)})`;
}

function compare(what: 'file' | 'baseline', found: string, wanted: string): void {
  if (found === wanted.trim().toLowerCase()) return;
  throw refused(`the sha256 of the ${what} is ${found}, and ${wanted} was expected: it is damaged or another one`);
}

function decoded(json: Buffer): Baseline {
  try {
    return decodeBaseline(json);
  } catch (error) {
    const readable = !(error instanceof SyntaxError) && !(error instanceof TypeError);
    if (readable) throw refused(error instanceof Error ? error.message : String(error));
    // The parser's own message quotes the file, which may be anything.
    throw refused(
      `it is no JSON, or is cut off: a baseline is one JSON object of format ${BASELINE_FORMAT}, as it is or as gzip`,
    );
  }
}
