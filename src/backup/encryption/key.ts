import { createHmac, hkdfSync } from 'node:crypto';
import { CA_KEY, ENCRYPTION_KEY, type EncryptionSettings, reasons } from '../../crds/index.js';
import type { ApiClient } from '../../operator/index.js';
import { BackupError } from '../engine.js';
import { readSecret } from '../secret-reading.js';
import { slices } from '../slices.js';

const keyBytes = 32;
const nonceBytes = 12;
const keyIdBytes = 8;

/** A key as it is used: what is derived from the 32 bytes of the Secret, each for one purpose. */
export interface EncryptionKey {
  /** Tells keys apart and gives nothing of them away. 16 hex characters. */
  readonly id: string;
  readonly cipherKey: Buffer;
  /**
   * 12 bytes that depend on key and content: equal contents give equal bytes, so that a repeated try writes the same
   * artifact, and different contents never share a nonce.
   */
  nonceOf(content: Buffer): Promise<Buffer>;
}

/** The key for new baselines, and all that may have been used for older ones. */
export interface KeyRing {
  readonly current: EncryptionKey;
  readonly all: readonly EncryptionKey[];
}

export function encryptionKey(secret: Uint8Array): EncryptionKey {
  const derive = (purpose: string, bytes: number): Buffer =>
    Buffer.from(hkdfSync('sha256', secret, '', `understudy.dev/baseline ${purpose}`, bytes));
  const nonceKey = derive('nonce', keyBytes);
  return {
    id: derive('key id', keyIdBytes).toString('hex'),
    cipherKey: derive('aes-256-gcm', keyBytes),
    nonceOf: async (content) => {
      const mac = createHmac('sha256', nonceKey);
      for await (const slice of slices(content)) mac.update(slice);
      return mac.digest().subarray(0, nonceBytes);
    },
  };
}

/** Reads the keys from their Secret, each time anew. Throws BackupError when there is no usable current key. */
export async function readKeys(
  client: Pick<ApiClient, 'get'>,
  namespace: string,
  settings: EncryptionSettings,
  signal?: AbortSignal,
): Promise<KeyRing> {
  const { name } = settings.keySecretRef;
  const missing = (what: string): BackupError =>
    new BackupError(
      reasons.EncryptionKeyMissing,
      `spec.backup.encryption.keySecretRef: ${what}. Put 32 random bytes there, as in: kubectl -n ${namespace} create secret ` +
        `generic ${name} --from-literal=${ENCRYPTION_KEY}="$(openssl rand -base64 32)"; then make another Backup`,
    );
  const data = await readSecret(client, { namespace, name }, signal);
  if (!data) throw missing(`Secret ${name} does not exist in namespace ${namespace}`);
  const current = parseKey(data[ENCRYPTION_KEY]);
  if (!current) throw missing(`the key ${ENCRYPTION_KEY} of Secret ${name} is missing or is not 32 bytes`);
  const older = Object.entries(data)
    .filter(([key]) => key !== ENCRYPTION_KEY && key !== CA_KEY)
    .flatMap(([, value]) => parseKey(value) ?? []);
  return { current, all: [current, ...older] };
}

/** 32 bytes as they are, or in base64 with any white space at the end; undefined for anything else. */
export function parseKey(value: Buffer | undefined): EncryptionKey | undefined {
  if (value?.length === keyBytes) return encryptionKey(value);
  const text = value?.toString('latin1').trim() ?? '';
  if (!/^[A-Za-z0-9+/]{43}=$/.test(text)) return undefined;
  return encryptionKey(Buffer.from(text, 'base64'));
}
