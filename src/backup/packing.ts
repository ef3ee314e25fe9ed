import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Baseline } from './baseline.js';
import { canonicalJson } from './canonical-json.js';
import { Compressor } from './compression.js';

/** A baseline as compressed bytes: some MiB at most, although its JSON may have 50. */
export interface PackedBaseline {
  /** gzip of the canonical JSON. */
  readonly packed: Buffer;
  /** Hex, of the JSON. */
  readonly sha256: string;
  /** Of the JSON. */
  readonly uncompressedBytes: number;
  readonly servers: number;
  readonly cameras: number;
  /** Secrets whose contents it holds. */
  readonly secrets: number;
}

/** A baseline without its cameras, which are too many to be held as objects. */
export type BaselineHead = Omit<Baseline, 'cameras'>;

/** Text that is made before it is handed on. Characters. */
const pieceLength = 64 * 1024;

/**
 * The canonical bytes of a baseline, compressed and with their checksum, made piece by piece: the same bytes as those of
 * `encodeBaseline`. `cameras` are canonical texts, by name. `onJson` sees the JSON as it goes by.
 */
export async function packBaseline(
  head: BaselineHead,
  cameras: Iterable<string>,
  onJson?: (piece: Buffer) => void,
): Promise<PackedBaseline> {
  const hash = createHash('sha256');
  const compressor = new Compressor();
  let uncompressedBytes = 0;
  let cameraCount = 0;
  const counted = function* (): Generator<string, void> {
    for (const camera of cameras) {
      cameraCount += 1;
      yield camera;
    }
  };
  for (const text of pieces(tokens(head, counted()))) {
    const bytes = Buffer.from(text);
    hash.update(bytes);
    uncompressedBytes += bytes.length;
    onJson?.(bytes);
    await compressor.write(bytes);
    await nextTurn();
  }
  return {
    packed: await compressor.finish(),
    sha256: hash.digest('hex'),
    uncompressedBytes,
    servers: head.servers.length,
    cameras: cameraCount,
    secrets: head.secretContents?.length ?? 0,
  };
}

/** The canonical JSON in short texts, each made when it is asked for. */
function* tokens(head: BaselineHead, cameras: Iterable<string>): Generator<string, void> {
  const fields = Object.entries({ ...head, cameras: undefined }).sort(([a], [b]) => (a < b ? -1 : 1));
  let separator = '{';
  for (const [key, value] of fields) {
    if (key !== 'cameras' && value === undefined) continue;
    yield `${separator}${JSON.stringify(key)}:`;
    if (key === 'cameras') yield* list(cameras);
    else if (Array.isArray(value)) yield* list(canonicalTexts(value));
    else yield canonicalJson(value);
    separator = ',';
  }
  yield '}\n';
}

/** Each as canonical JSON, made when it is asked for. */
export function* canonicalTexts(items: readonly unknown[]): Generator<string, void> {
  for (const item of items) yield canonicalJson(item);
}

function* list(texts: Iterable<string>): Generator<string, void> {
  let separator = '[';
  for (const text of texts) {
    yield separator + text;
    separator = ',';
  }
  yield separator === '[' ? '[]' : ']';
}

/** Puts short texts together to pieces that are worth a turn of their own. */
function* pieces(texts: Iterable<string>): Generator<string, void> {
  let piece: string[] = [];
  let length = 0;
  for (const text of texts) {
    piece.push(text);
    length += text.length;
    if (length < pieceLength) continue;
    yield piece.join('');
    piece = [];
    length = 0;
  }
  if (length > 0) yield piece.join('');
}
