import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { constants, createGunzip, createGzip, gunzip } from 'node:zlib';

const unpack = promisify(gunzip);

/** Byte of the gzip header that names the operating system (RFC 1952), and its value for 'unknown'. */
const osByte = 9;
const unknownOs = 255;

/** Compresses piece by piece, off the event loop; the same bytes in whatever pieces yield the same bytes anywhere. */
export class Compressor {
  readonly #gzip = createGzip({ level: constants.Z_BEST_COMPRESSION });
  readonly #pieces: Buffer[] = [];
  readonly #ended: Promise<unknown>;

  constructor() {
    this.#gzip.on('data', (piece: Buffer) => this.#pieces.push(piece));
    this.#ended = once(this.#gzip, 'end');
    // Seen by `finish`; a compressor that is given up must not end the process.
    this.#ended.catch(() => undefined);
  }

  /** Resolves when more may come: what has not been compressed yet is held in memory. */
  async write(bytes: Buffer): Promise<void> {
    if (!this.#gzip.write(bytes)) await once(this.#gzip, 'drain');
  }

  async finish(): Promise<Buffer> {
    this.#gzip.end();
    await this.#ended;
    const packed = Buffer.concat(this.#pieces);
    packed[osByte] = unknownOs;
    return packed;
  }
}

/** Undoes `Compressor`. Rejects when the bytes are damaged, or would unpack to more than `maxBytes`. */
export function decompress(bytes: Buffer, maxBytes: number): Promise<Buffer> {
  return unpack(bytes, { maxOutputLength: maxBytes });
}

/** Hands the unpacked bytes to `take`, piece by piece. Rejects when they are damaged. */
export async function decompressInPieces(bytes: Buffer, take: (piece: Buffer) => void): Promise<void> {
  await pipeline([bytes], createGunzip({ chunkSize: 64 * 1024 }), async (pieces: AsyncIterable<Buffer>) => {
    for await (const piece of pieces) take(piece);
  });
}
