import { reasons, type S3Settings } from '../../crds/index.js';
import type { ApiClient } from '../../operator/index.js';
import type { ArtifactStore, KeptBaseline, SealedBaseline } from '../artifact-store.js';
import { keyIdOf } from '../encryption/envelope.js';
import { type BackupEngine, BackupError, type BackupTarget, type FoundArtifact } from '../engine.js';
import { KeptEngine } from '../kept-engine.js';
import { sha256InSlices } from '../slices.js';
import { connectS3, type S3Connection } from './connection.js';
import { notS3, storeFailure } from './failure.js';
import { folder, headerOf, isOf, metadataOf, objectKey, targetOfKey } from './names.js';
import { upload } from './upload.js';

/** S3 takes no smaller parts, the last one excepted. */
const defaultPartBytes = 5 * 1024 * 1024;
/** It is held in memory while it is written; 64,000 cameras have some MiB. */
const defaultMaxBytes = 128 * 1024 * 1024;

export interface S3EngineOptions {
  /** Reads the Secrets with credentials, certificates and keys. */
  readonly client: Pick<ApiClient, 'get'>;
  /** Beyond this an artifact is uploaded in parts; at least 5 MiB, which is the default. */
  readonly partBytes?: number;
  /** Default 128 MiB. */
  readonly maxBytes?: number;
}

/** Keeps baselines as objects of an S3 bucket, one for each; the bucket and its Secrets stand in the target's destination. */
export function createS3Engine(options: S3EngineOptions): BackupEngine {
  return new S3Engine(new S3Store(options), options.client);
}

class S3Engine extends KeptEngine {
  readonly #store: S3Store;

  constructor(store: S3Store, client: S3EngineOptions['client']) {
    super(store, client);
    this.#store = store;
  }

  remove(target: BackupTarget, signal?: AbortSignal): Promise<void> {
    return this.#store.remove(target, signal);
  }

  list(
    place: Parameters<NonNullable<BackupEngine['list']>>[0],
    signal?: AbortSignal,
  ): AsyncGenerator<FoundArtifact, void> {
    return this.#store.list(place, signal);
  }
}

/** An object under a key. */
interface Found {
  readonly bytes: Buffer;
  readonly etag: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
}

class S3Store implements ArtifactStore {
  readonly name = 'S3';
  readonly maxBytes: number;
  readonly #api: S3EngineOptions['client'];
  readonly #partBytes: number;

  constructor({ client, partBytes = defaultPartBytes, maxBytes = defaultMaxBytes }: S3EngineOptions) {
    this.#api = client;
    this.#partBytes = partBytes;
    this.maxBytes = maxBytes;
  }

  async fetch(target: BackupTarget, signal?: AbortSignal): Promise<KeptBaseline | undefined> {
    const found = await this.#with(target, signal, (connection, key) => this.#get(connection, key, signal));
    const header = found && isOf(found.metadata, target) ? headerOf(found.metadata) : undefined;
    if (!found || !header) return undefined;
    const { bytesSha256, ...rest } = header;
    if ((await sha256InSlices(found.bytes)).toString('hex') !== bytesSha256) return undefined;
    return { header: rest, bytes: found.bytes, parts: 1, location: this.#location(target) };
  }

  put(sealed: SealedBaseline, target: BackupTarget, signal?: AbortSignal): Promise<void> {
    return this.#with(target, signal, async (connection, key) => {
      const existing = await this.#head(connection, key, signal);
      if (existing && !isOf(existing.metadata, target)) throw nameTaken(this.#location(target));
      const bytesSha256 = (await sha256InSlices(sealed.bytes)).toString('hex');
      if (existing?.metadata['understudy-bytes-sha256'] === bytesSha256) {
        // An earlier try was whole but for its answer; reading back comes next and sees for itself.
        const found = await this.#get(connection, key, signal);
        if (found?.bytes.equals(sealed.bytes)) return;
      }
      const contentType = keyIdOf(sealed.bytes) === undefined ? 'application/gzip' : 'application/octet-stream';
      const metadata = metadataOf(sealed.header, bytesSha256, target);
      const wanted = { key, bytes: sealed.bytes, contentType, metadata, replaces: existing?.etag };
      try {
        await upload(connection, wanted, this.#partBytes, signal);
      } catch (error) {
        throw isLostRace(error) ? lostRace(this.#location(target)) : error;
      }
    });
  }

  remove(target: BackupTarget, signal?: AbortSignal): Promise<void> {
    return this.#with(target, signal, async (connection, key) => {
      const existing = await this.#head(connection, key, signal);
      if (!existing || !isOf(existing.metadata, target)) return;
      const { sdk, client, settings } = connection;
      const command = new sdk.DeleteObjectCommand({ Bucket: settings.bucket, Key: key });
      await client.send(command, signal ? { abortSignal: signal } : {});
    });
  }

  async *list(
    place: Parameters<NonNullable<BackupEngine['list']>>[0],
    signal?: AbortSignal,
  ): AsyncGenerator<FoundArtifact, void> {
    const settings = settingsOf(place);
    const connection = await connectS3(this.#api, place.namespace, settings, signal);
    try {
      const Prefix = folder(settings, place.namespace, place.pool);
      const pages = connection.sdk.paginateListObjectsV2(
        { client: connection.client },
        { Bucket: settings.bucket, Prefix },
      );
      for await (const { Contents = [] } of pages) {
        for (const { Key = '', LastModified = new Date(0), Size = 0 } of Contents) {
          const target = targetOfKey(settings, Key);
          if (!target) continue;
          const whole = place.destination ? { ...target, destination: place.destination } : target;
          yield { target: whole, location: `s3://${settings.bucket}/${Key}`, modifiedTime: LastModified, bytes: Size };
        }
      }
    } catch (error) {
      throw storeFailure(error, settings, signal);
    } finally {
      connection.close();
    }
  }

  describe(target: BackupTarget): string {
    return this.#location(target);
  }

  #location(target: BackupTarget): string {
    const settings = settingsOf(target);
    return `s3://${settings.bucket}/${objectKey(settings, target)}`;
  }

  async #with<T>(
    target: BackupTarget,
    signal: AbortSignal | undefined,
    act: (connection: S3Connection, key: string) => Promise<T>,
  ): Promise<T> {
    const settings = settingsOf(target);
    const connection = await connectS3(this.#api, target.namespace, settings, signal);
    try {
      return await act(connection, objectKey(settings, target));
    } catch (error) {
      throw storeFailure(error, settings, signal);
    } finally {
      connection.close();
    }
  }

  /** GET and not HEAD where absence matters: only an answer with a body tells a missing object from a missing bucket. */
  async #get({ sdk, client, settings }: S3Connection, key: string, signal?: AbortSignal): Promise<Found | undefined> {
    try {
      const command = new sdk.GetObjectCommand({ Bucket: settings.bucket, Key: key });
      const {
        Body,
        ETag,
        Metadata = {},
        ContentLength = 0,
      } = await client.send(command, signal ? { abortSignal: signal } : {});
      if (ETag === undefined) throw notS3(settings);
      if (ContentLength > this.maxBytes) return { bytes: Buffer.alloc(0), etag: ETag, metadata: Metadata };
      const bytes = Buffer.from((await Body?.transformToByteArray()) ?? []);
      return { bytes, etag: ETag, metadata: Metadata };
    } catch (error) {
      if ((error as Error).name === 'NoSuchKey') return undefined;
      throw error;
    }
  }

  async #head(connection: S3Connection, key: string, signal?: AbortSignal): Promise<Omit<Found, 'bytes'> | undefined> {
    const { sdk, client, settings } = connection;
    try {
      const command = new sdk.HeadObjectCommand({ Bucket: settings.bucket, Key: key });
      const { ETag, Metadata = {} } = await client.send(command, signal ? { abortSignal: signal } : {});
      if (ETag === undefined) throw notS3(settings);
      return { etag: ETag, metadata: Metadata };
    } catch (error) {
      const { name, $metadata } = error as { name?: string; $metadata?: { httpStatusCode?: number } };
      if (name === 'NotFound' || $metadata?.httpStatusCode === 404) return undefined;
      // An answer to HEAD has no words; the same question by GET tells whose fault it is.
      if ($metadata?.httpStatusCode !== undefined) await this.#get(connection, key, signal);
      throw error;
    }
  }
}

function settingsOf({ destination }: Pick<BackupTarget, 'destination'>): S3Settings {
  if (destination?.s3) return destination.s3;
  throw new BackupError(
    reasons.InvalidSpec,
    "the engine is S3, and the pool's spec.backup.s3 is missing: give it a bucket and a credentialsSecretRef there, then " +
      'make another Backup',
  );
}

function isLostRace(error: unknown): boolean {
  const { name, $metadata } = error as { name?: string; $metadata?: { httpStatusCode?: number } };
  return name === 'PreconditionFailed' || name === 'ConditionalRequestConflict' || $metadata?.httpStatusCode === 412;
}

/** Another replica wrote the same Backup in between: the next try finds its artifact. */
function lostRace(location: string): BackupError {
  return new BackupError(reasons.StoreInterrupted, `${location} was written by somebody else just now`, {
    mayPass: true,
  });
}

function nameTaken(location: string): BackupError {
  return new BackupError(
    reasons.NameTaken,
    `${location} exists and is not the artifact of this Backup; it was left untouched. Remove it, or set another ` +
      'spec.backup.s3.prefix in the pool; then make another Backup',
  );
}
