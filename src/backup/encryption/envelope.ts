import { createCipheriv, createDecipheriv } from 'node:crypto';
import { reasons } from '../../crds/index.js';
import { BackupError } from '../engine.js';
import { slices } from '../slices.js';
import type { EncryptionKey, KeyRing } from './key.js';

/**
 * An encrypted artifact: the 8 characters `USTDYENC`, one byte for the version of this layout (1), 8 bytes key id, 12
 * bytes nonce, the AES-256-GCM ciphertext of the gzip file, 16 bytes tag. The first 29 bytes are authenticated too.
 */
const magic = Buffer.from('USTDYENC\x01', 'latin1');
const idEnd = magic.length + 8;
const headerBytes = idEnd + 12;
const tagBytes = 16;
const algorithm = 'aes-256-gcm';

/** Encrypts, between slices of which other work gets its turn. Equal contents and keys yield equal bytes. */
export async function encrypt(content: Buffer, key: EncryptionKey): Promise<Buffer> {
  const nonce = await key.nonceOf(content);
  const header = Buffer.concat([magic, Buffer.from(key.id, 'hex'), nonce]);
  const cipher = createCipheriv(algorithm, key.cipherKey, nonce).setAAD(header);
  const pieces: Buffer[] = [header];
  for await (const slice of slices(content)) pieces.push(cipher.update(slice));
  pieces.push(cipher.final(), cipher.getAuthTag());
  return Buffer.concat(pieces);
}

/** Id of the key that bytes are encrypted with; undefined when they are not encrypted (or their head is damaged). */
export function keyIdOf(bytes: Buffer): string | undefined {
  const encrypted = bytes.length >= headerBytes + tagBytes && bytes.subarray(0, magic.length).equals(magic);
  return encrypted ? bytes.subarray(magic.length, idEnd).toString('hex') : undefined;
}

/**
 * Undoes `encrypt`. Undefined when the bytes are damaged. Throws BackupError `EncryptionKeyDiffers` when they are
 * encrypted with a key that is not in the ring: those are as good as ever.
 */
export async function decrypt(bytes: Buffer, keys: KeyRing): Promise<Buffer | undefined> {
  const id = keyIdOf(bytes);
  if (id === undefined) return undefined;
  const key = keys.all.find((candidate) => candidate.id === id);
  if (!key) throw keyDiffers(id, keys);
  const decipher = createDecipheriv(algorithm, key.cipherKey, bytes.subarray(idEnd, headerBytes));
  decipher.setAAD(bytes.subarray(0, headerBytes)).setAuthTag(bytes.subarray(-tagBytes));
  const pieces: Buffer[] = [];
  for await (const slice of slices(bytes.subarray(headerBytes, -tagBytes))) pieces.push(decipher.update(slice));
  try {
    return Buffer.concat([...pieces, decipher.final()]);
  } catch {
    // The tag does not fit: with the right key that means damage.
    return undefined;
  }
}

function keyDiffers(id: string, keys: KeyRing): BackupError {
  const known = keys.all.map((key) => key.id).join(', ');
  return new BackupError(
    reasons.EncryptionKeyDiffers,
    `the baseline is encrypted with the key ${id}, and the Secret of the keys holds ${known}. It is not damaged: put the ` +
      'key that was used then into that Secret, under any name beside the present one',
  );
}
