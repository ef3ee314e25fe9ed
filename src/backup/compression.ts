import { promisify } from 'node:util';
import { constants, gunzip, gzip } from 'node:zlib';

const pack = promisify(gzip);
const unpack = promisify(gunzip);

/** Byte of the gzip header that names the operating system (RFC 1952), and its value for 'unknown'. */
const osByte = 9;
const unknownOs = 255;

/** Compresses off the event loop; the same bytes yield the same bytes wherever it runs. */
export async function compress(bytes: Buffer): Promise<Buffer> {
  const packed = await pack(bytes, { level: constants.Z_BEST_COMPRESSION });
  packed[osByte] = unknownOs;
  return packed;
}

/** Undoes `compress`. Rejects when the bytes are damaged, or would unpack to more than `maxBytes`. */
export function decompress(bytes: Buffer, maxBytes: number): Promise<Buffer> {
  return unpack(bytes, { maxOutputLength: maxBytes });
}
