import type { CompletedPart } from '@aws-sdk/client-s3';
import { sha256InSlices } from '../slices.js';
import type { S3Connection } from './connection.js';

/** What is put where. */
export interface Upload {
  readonly key: string;
  readonly bytes: Buffer;
  readonly contentType: string;
  readonly metadata: Record<string, string>;
  /** ETag of the object that may be replaced; undefined: there must be none. Another replica may have been faster. */
  readonly replaces: string | undefined;
}

/**
 * Puts an object, in one request or, beyond `partBytes`, in parts. S3 shows an object only when it is whole; the server
 * compares a SHA-256 of what arrives, in each request.
 */
export async function upload(
  connection: S3Connection,
  wanted: Upload,
  partBytes: number,
  signal?: AbortSignal,
): Promise<void> {
  if (wanted.bytes.length <= partBytes) await putWhole(connection, wanted, signal);
  else await putInParts(connection, wanted, partBytes, signal);
}

function conditionOf({ replaces }: Upload): { IfMatch: string } | { IfNoneMatch: string } {
  return replaces === undefined ? { IfNoneMatch: '*' } : { IfMatch: replaces };
}

async function putWhole(connection: S3Connection, wanted: Upload, signal?: AbortSignal): Promise<void> {
  const { sdk, client } = connection;
  const command = new sdk.PutObjectCommand({
    ...place(connection, wanted),
    ...conditionOf(wanted),
    Body: wanted.bytes,
    ContentType: wanted.contentType,
    Metadata: wanted.metadata,
    ChecksumSHA256: (await sha256InSlices(wanted.bytes)).toString('base64'),
  });
  await client.send(command, abort(signal));
}

async function putInParts(
  connection: S3Connection,
  wanted: Upload,
  partBytes: number,
  signal?: AbortSignal,
): Promise<void> {
  const { sdk, client } = connection;
  const where = place(connection, wanted);
  await abortAbandoned(connection, wanted.key, signal);
  const { UploadId } = await client.send(
    new sdk.CreateMultipartUploadCommand({
      ...where,
      ContentType: wanted.contentType,
      Metadata: wanted.metadata,
      ChecksumAlgorithm: 'SHA256',
    }),
    abort(signal),
  );
  try {
    const Parts = await putParts(connection, wanted, UploadId, partBytes, signal);
    await client.send(
      new sdk.CompleteMultipartUploadCommand({
        ...where,
        ...conditionOf(wanted),
        UploadId,
        MultipartUpload: { Parts },
      }),
      abort(signal),
    );
  } catch (error) {
    // What can't be aborted now is aborted by the next try, or by the lifecycle rule of the bucket.
    await client.send(new sdk.AbortMultipartUploadCommand({ ...where, UploadId })).catch(() => undefined);
    throw error;
  }
}

async function putParts(
  { sdk, client, settings }: S3Connection,
  wanted: Upload,
  UploadId: string | undefined,
  partBytes: number,
  signal?: AbortSignal,
): Promise<CompletedPart[]> {
  const parts: CompletedPart[] = [];
  for (let start = 0; start < wanted.bytes.length; start += partBytes) {
    const Body = wanted.bytes.subarray(start, start + partBytes);
    const PartNumber = parts.length + 1;
    const ChecksumSHA256 = (await sha256InSlices(Body)).toString('base64');
    const { ETag } = await client.send(
      new sdk.UploadPartCommand({
        ...{ Bucket: settings.bucket, Key: wanted.key, UploadId, PartNumber },
        ...{ Body, ChecksumSHA256 },
      }),
      abort(signal),
    );
    parts.push({ PartNumber, ETag, ChecksumSHA256 });
  }
  return parts;
}

/** Parts of tries that died lie there unseen and cost money: those under this very key go. */
async function abortAbandoned(
  { sdk, client, settings }: S3Connection,
  key: string,
  signal?: AbortSignal,
): Promise<void> {
  const Bucket = settings.bucket;
  const { Uploads = [] } = await client.send(
    new sdk.ListMultipartUploadsCommand({ Bucket, Prefix: key }),
    abort(signal),
  );
  for (const { Key, UploadId } of Uploads) {
    if (Key !== key) continue;
    await client.send(new sdk.AbortMultipartUploadCommand({ Bucket, Key, UploadId }), abort(signal)).catch((error) => {
      if ((error as Error).name !== 'NoSuchUpload') throw error;
    });
  }
}

function place({ settings }: S3Connection, { key }: Upload): { Bucket: string; Key: string } {
  return { Bucket: settings.bucket, Key: key };
}

function abort(signal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  return signal ? { abortSignal: signal } : {};
}
