import { reasons } from '../../crds/index.js';
import { type ApiClient, ApiError, isApiError, resources } from '../../operator/index.js';
import type { ArtifactStore, KeptBaseline, SealedBaseline } from '../artifact-store.js';
import { type BackupEngine, BackupError, type BackupTarget } from '../engine.js';
import { KeptEngine } from '../kept-engine.js';
import {
  ownerOf,
  type PartHeader,
  type PartSecret,
  partBytesOf,
  partHeader,
  partName,
  partSecrets,
  samePart,
} from './parts.js';

/** A Secret takes 1 MiB of data; the rest is room for what admission adds. Bytes. */
const defaultPartBytes = 900 * 1024;
/** As many as `status.artifact.parts` can say. */
const maxParts = 1024;

export interface SecretEngineOptions {
  /** Get, create and delete are used; never list or watch, so that the operator need not read every Secret. */
  readonly client: Pick<ApiClient, 'get' | 'create' | 'delete'>;
  /** Bytes of a part before base64, at most 1,048,576. Default 921,600. */
  readonly partBytes?: number;
}

/** Keeps baselines in immutable Secrets `<backup>-<n>` beside the Backup. */
export function createSecretEngine(options: SecretEngineOptions): BackupEngine {
  const { client, partBytes = defaultPartBytes } = options;
  return new KeptEngine(new SecretStore(client, partBytes), client);
}

class SecretStore implements ArtifactStore {
  readonly name = 'Secret';
  readonly maxBytes: number;
  readonly #client: SecretEngineOptions['client'];
  readonly #partBytes: number;

  constructor(client: SecretEngineOptions['client'], partBytes: number) {
    this.#client = client;
    this.#partBytes = partBytes;
    this.maxBytes = maxParts * partBytes;
  }

  async fetch(target: BackupTarget, signal?: AbortSignal): Promise<KeptBaseline | undefined> {
    const first = await this.#get(target, 0, signal);
    const header = first && ownerOf(first, target) === 'ours' ? partHeader(first) : undefined;
    if (header === undefined || header.parts > maxParts) return undefined;
    const bytes = await this.#readParts(target, header, signal);
    return bytes && { header, bytes, parts: header.parts, location: location(target, header.parts) };
  }

  async put(sealed: SealedBaseline, target: BackupTarget, signal?: AbortSignal): Promise<void> {
    const wanted = partSecrets(sealed, target, this.#partBytes);
    const present = await this.#present(target, wanted.length, signal);
    await this.#removeStale(present, wanted, signal);
    for (const [part, secret] of wanted.entries()) {
      const existing = present[part];
      if (!existing || !isWanted(existing, secret, target)) await this.#create(secret, target, signal);
    }
  }

  describe(target: BackupTarget): string {
    return `what lies in ${location(target, 1)} and following`;
  }

  async #get(target: BackupTarget, part: number, signal?: AbortSignal): Promise<PartSecret | undefined> {
    try {
      const key = { namespace: target.namespace, name: partName(target.name, part) };
      return await this.#client.get<PartSecret>(resources.secrets, key, { signal });
    } catch (error) {
      if (isApiError(error, 'notFound')) return undefined;
      throw error;
    }
  }

  async #readParts(target: BackupTarget, header: PartHeader, signal?: AbortSignal): Promise<Buffer | undefined> {
    const bytes: Buffer[] = [];
    for (let part = 0; part < header.parts; part++) {
      const secret = await this.#get(target, part, signal);
      const own = secret && ownerOf(secret, target) === 'ours' ? partBytesOf(secret, part, header) : undefined;
      if (own === undefined) return undefined;
      bytes.push(own);
    }
    return Buffer.concat(bytes);
  }

  /**
   * What lies under the names of the parts, and what an earlier, longer try left beyond them: parts are made from the
   * first on and deleted from the last on, so the first gap ends the search.
   */
  async #present(target: BackupTarget, count: number, signal?: AbortSignal): Promise<(PartSecret | undefined)[]> {
    const present: (PartSecret | undefined)[] = [];
    for (let part = 0; part < maxParts; part++) {
      const secret = await this.#get(target, part, signal);
      const foreign = secret !== undefined && ownerOf(secret, target) === 'foreign';
      if (part < count && foreign) throw nameTaken(secret);
      if (part >= count && (secret === undefined || foreign)) break;
      present.push(secret);
    }
    return present;
  }

  /** Immutable Secrets can't be changed, only replaced. The uid makes sure that nobody else's is deleted. */
  async #removeStale(
    present: readonly (PartSecret | undefined)[],
    wanted: readonly PartSecret[],
    signal?: AbortSignal,
  ): Promise<void> {
    for (const [part, secret] of [...present.entries()].reverse()) {
      const replacement = wanted[part];
      if (!secret || (replacement && sameOwnerAndPart(secret, replacement))) continue;
      const { namespace, name, uid } = secret.metadata;
      try {
        await this.#client.delete(resources.secrets, { namespace, name }, { signal, ...(uid ? { uid } : {}) });
      } catch (error) {
        // Gone already, or replaced by somebody: creating it comes next and sees for itself.
        if (!isApiError(error, 'notFound', 'conflict')) throw error;
      }
    }
  }

  async #create(secret: PartSecret, target: BackupTarget, signal?: AbortSignal): Promise<void> {
    try {
      await this.#client.create(resources.secrets, secret, { signal });
    } catch (error) {
      if (!isApiError(error, 'alreadyExists')) throw error;
      await this.#accept(secret, target, error, signal);
    }
  }

  /** An earlier request of ours whose answer was lost may have made the very same Secret. */
  async #accept(secret: PartSecret, target: BackupTarget, cause: ApiError, signal?: AbortSignal): Promise<void> {
    const { namespace, name } = secret.metadata;
    const existing = await this.#client.get<PartSecret>(resources.secrets, { namespace, name }, { signal });
    if (ownerOf(existing, target) === 'foreign') throw nameTaken(existing);
    if (isWanted(existing, secret, target)) return;
    throw new ApiError('conflict', `Secret ${name} holds an older try that is still being deleted`, { cause });
  }
}

function isWanted(existing: PartSecret, wanted: PartSecret, target: BackupTarget): boolean {
  return ownerOf(existing, target) === 'ours' && samePart(existing, wanted) && !existing.metadata.deletionTimestamp;
}

function sameOwnerAndPart(existing: PartSecret, wanted: PartSecret): boolean {
  const uid = (secret: PartSecret): string | undefined => secret.metadata.ownerReferences?.[0]?.uid;
  return uid(existing) === uid(wanted) && samePart(existing, wanted);
}

function location(target: BackupTarget, parts: number): string {
  const first = `secret/${partName(target.name, 0)}`;
  return parts === 1 ? first : `${first} ... secret/${partName(target.name, parts - 1)}`;
}

function nameTaken({ metadata }: PartSecret): BackupError {
  return new BackupError(
    reasons.NameTaken,
    `Secret ${metadata.name} exists and is not part of this Backup; it was left untouched. ` +
      'Create a Backup with another name, or remove that Secret, delete this Backup and create it again',
  );
}
