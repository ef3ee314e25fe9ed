import { createHash, type Hash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Bytes that are hashed or encrypted without a pause: a few milliseconds at most. */
const sliceBytes = 1024 * 1024;

/** The parts of `bytes`, between which other work gets its turn. */
export async function* slices(bytes: Buffer): AsyncGenerator<Buffer, void> {
  for (let start = 0; start < bytes.length; start += sliceBytes) {
    if (start > 0) await nextTurn();
    yield bytes.subarray(start, start + sliceBytes);
  }
}

/** SHA-256 of any number of bytes, without holding up anything else. */
export async function sha256InSlices(bytes: Buffer): Promise<Buffer> {
  return (await hashed(createHash('sha256'), bytes)).digest();
}

async function hashed(hash: Hash, bytes: Buffer): Promise<Hash> {
  for await (const slice of slices(bytes)) hash.update(slice);
  return hash;
}
