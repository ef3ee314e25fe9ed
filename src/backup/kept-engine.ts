import { createHash } from 'node:crypto';
import { reasons } from '../crds/index.js';
import type { ApiClient } from '../operator/index.js';
import type { ArtifactStore, KeptBaseline, SealedBaseline } from './artifact-store.js';
import { BASELINE_FORMAT_VERSION, decodeBaseline, sha256 } from './baseline.js';
import { decompress, decompressInPieces } from './compression.js';
import { decrypt, encrypt, keyIdOf } from './encryption/envelope.js';
import { readKeys } from './encryption/key.js';
import { type Artifact, type BackupEngine, BackupError, type BackupTarget, type StoredBaseline } from './engine.js';
import type { PackedBaseline } from './packing.js';

type Counts = NonNullable<KeptBaseline['header']['counts']>;

/** An engine over a store: what is the same for all of them. `client` reads the Secrets of encryption keys. */
export class KeptEngine implements BackupEngine {
  readonly name: BackupEngine['name'];
  readonly maxBytes: number;
  readonly #store: ArtifactStore;
  readonly #client: Pick<ApiClient, 'get'>;

  constructor(store: ArtifactStore, client: Pick<ApiClient, 'get'>) {
    this.name = store.name;
    this.maxBytes = store.maxBytes;
    this.#store = store;
    this.#client = client;
  }

  async read(target: BackupTarget, signal?: AbortSignal): Promise<StoredBaseline | undefined> {
    const kept = await this.#store.fetch(target, signal);
    const packed = kept && (await this.#opened(kept, target, signal));
    if (!packed) return undefined;
    // Damaged bytes are no baseline, as absent ones are none; both are written anew.
    const json = await decompress(packed, kept.header.uncompressedBytes).catch(() => undefined);
    if (json === undefined || sha256(json) !== kept.header.sha256) return undefined;
    const { servers, cameras, secretContents } = decodeBaseline(json);
    const counts = { servers: servers.length, cameras: cameras.length, secrets: secretContents?.length ?? 0 };
    return { json, artifact: artifactOf(kept, counts) };
  }

  async check(target: BackupTarget, signal?: AbortSignal): Promise<Artifact | undefined> {
    const kept = await this.#store.fetch(target, signal);
    const counts = kept?.header.counts;
    if (!kept || !counts) return undefined;
    try {
      const packed = await this.#opened(kept, target, signal);
      return packed && (await holds(packed, kept)) ? artifactOf(kept, counts) : undefined;
    } catch (error) {
      // Nobody could read it any more, and its state is still there to be written with the present key.
      if (error instanceof BackupError && error.reason === reasons.EncryptionKeyDiffers) return undefined;
      throw error;
    }
  }

  async write(baseline: PackedBaseline, target: BackupTarget, signal?: AbortSignal): Promise<Artifact> {
    const sealed = await this.#sealed(baseline, target, signal);
    if (sealed.bytes.length > this.maxBytes) throw tooLarge(sealed.bytes.length, this.maxBytes, this.name);
    await this.#store.put(sealed, target, signal);
    const kept = await this.#store.fetch(target, signal);
    // Byte by byte: what was sealed is known to be good, so what equals it is.
    if (kept?.header.sha256 === baseline.sha256 && kept.bytes.equals(sealed.bytes)) return artifactOf(kept, baseline);
    throw new BackupError(
      reasons.ChecksumMismatch,
      `${this.#store.describe(target)} does not hold what was written: something changed it at once; find it (an ` +
        'admission webhook, a rule of the bucket?), delete this Backup and create another',
    );
  }

  async #sealed(baseline: PackedBaseline, target: BackupTarget, signal?: AbortSignal): Promise<SealedBaseline> {
    const { sha256, uncompressedBytes, servers, cameras, secrets, packed } = baseline;
    const header = { sha256, uncompressedBytes, counts: { servers, cameras, secrets } };
    const settings = target.destination?.encryption;
    if (settings) {
      const keys = await readKeys(this.#client, target.namespace, settings, signal);
      return { header, bytes: await encrypt(packed, keys.current) };
    }
    if (secrets === 0) return { header, bytes: packed };
    throw new BackupError(
      reasons.InvalidSpec,
      'a baseline with the contents of Secrets must be encrypted: set spec.backup.encryption.keySecretRef of its pool',
    );
  }

  /** The compressed bytes; undefined when they are damaged. */
  async #opened(kept: KeptBaseline, target: BackupTarget, signal?: AbortSignal): Promise<Buffer | undefined> {
    const id = keyIdOf(kept.bytes);
    if (id === undefined) return kept.bytes;
    const settings = target.destination?.encryption;
    if (!settings) {
      throw new BackupError(
        reasons.EncryptionKeyMissing,
        `${kept.location} is encrypted with the key ${id}, and nothing names the Secret that holds it: give the Secret`,
      );
    }
    return decrypt(kept.bytes, await readKeys(this.#client, target.namespace, settings, signal));
  }
}

/** True when the compressed bytes unpack to what their header says; nothing is held. */
async function holds(packed: Buffer, { header }: KeptBaseline): Promise<boolean> {
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    await decompressInPieces(packed, (piece) => {
      bytes += piece.length;
      hash.update(piece);
    });
  } catch {
    return false;
  }
  return bytes === header.uncompressedBytes && hash.digest('hex') === header.sha256;
}

function artifactOf(kept: KeptBaseline, { servers, cameras, secrets }: Counts): Artifact {
  const keyId = keyIdOf(kept.bytes);
  return {
    location: kept.location,
    parts: kept.parts,
    bytes: kept.bytes.length,
    uncompressedBytes: kept.header.uncompressedBytes,
    sha256: kept.header.sha256,
    formatVersion: BASELINE_FORMAT_VERSION,
    servers,
    cameras,
    ...(secrets > 0 ? { secrets } : {}),
    ...(keyId === undefined ? {} : { keyId }),
  };
}

function tooLarge(bytes: number, maxBytes: number, engine: string): BackupError {
  return new BackupError(
    reasons.BaselineTooLarge,
    `the baseline has ${bytes} bytes compressed and the engine ${engine} takes ${maxBytes}; spread the servers over ` +
      'several pools, or use another engine',
  );
}
