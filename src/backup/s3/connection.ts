import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { S3Client } from '@aws-sdk/client-s3';
import { CA_KEY, reasons, type S3Settings, s3CredentialKeys } from '../../crds/index.js';
import type { ApiClient } from '../../operator/index.js';
import { BackupError } from '../engine.js';
import { readSecret } from '../secret-reading.js';

/** The S3 client's module, loaded when the first pool uses it: the others need not pay for it. */
export type Sdk = typeof import('@aws-sdk/client-s3');

export interface S3Connection {
  readonly sdk: Sdk;
  readonly client: S3Client;
  readonly settings: S3Settings;
  close(): void;
}

/** Milliseconds. Short enough that a deadline of 20 s leaves room for another try. */
const connectTimeoutMs = 5_000;
/** Silence of the server in the middle of a request. Milliseconds. */
const silenceTimeoutMs = 10_000;
/** Tries of one request, by the S3 client itself; what still fails then is tried again by the work queue. */
const maxAttempts = 2;

/**
 * A connection for one operation. Credentials and certificates are read for it, so a rotation is seen at once. Throws
 * BackupError when one of them is missing.
 */
export async function connectS3(
  api: Pick<ApiClient, 'get'>,
  namespace: string,
  settings: S3Settings,
  signal?: AbortSignal,
): Promise<S3Connection> {
  const credentials = await readCredentials(api, namespace, settings, signal);
  const ca = await readCa(api, namespace, settings, signal);
  const sdk = await import('@aws-sdk/client-s3');
  const httpsAgent = new HttpsAgent({ keepAlive: true, maxSockets: 4, ...(ca === undefined ? {} : { ca }) });
  const httpAgent = new HttpAgent({ keepAlive: true, maxSockets: 4 });
  const client = new sdk.S3Client({
    region: settings.region,
    ...(settings.endpoint === undefined ? {} : { endpoint: settings.endpoint }),
    forcePathStyle: settings.pathStyle,
    credentials,
    maxAttempts,
    // We give a SHA-256 with what we send, and compare every byte of what we get.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // Settings of the machine's files and environment are none of the pool's.
    followRegionRedirects: false,
    requestHandler: { connectionTimeout: connectTimeoutMs, socketTimeout: silenceTimeoutMs, httpAgent, httpsAgent },
  });
  return { sdk, client, settings, close: () => client.destroy() };
}

async function readCredentials(
  api: Pick<ApiClient, 'get'>,
  namespace: string,
  settings: S3Settings,
  signal?: AbortSignal,
): Promise<{ accessKeyId: string; secretAccessKey: string; sessionToken?: string }> {
  const { name } = settings.credentialsSecretRef;
  const data = await readSecret(api, { namespace, name }, signal);
  const text = (key: string): string | undefined => data?.[key]?.toString('utf8').trim() || undefined;
  const accessKeyId = text(s3CredentialKeys.accessKeyId);
  const secretAccessKey = text(s3CredentialKeys.secretAccessKey);
  const sessionToken = text(s3CredentialKeys.sessionToken);
  if (accessKeyId && secretAccessKey)
    return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
  const lacking = accessKeyId ? s3CredentialKeys.secretAccessKey : s3CredentialKeys.accessKeyId;
  throw new BackupError(
    reasons.CredentialsMissing,
    `spec.backup.s3.credentialsSecretRef: Secret ${name} in namespace ${namespace} ` +
      `${data ? `has no key ${lacking}` : 'does not exist'}; create it with the keys ${s3CredentialKeys.accessKeyId} and ` +
      `${s3CredentialKeys.secretAccessKey}, then make another Backup`,
  );
}

async function readCa(
  api: Pick<ApiClient, 'get'>,
  namespace: string,
  settings: S3Settings,
  signal?: AbortSignal,
): Promise<string | undefined> {
  if (!settings.caSecretRef) return undefined;
  const { name } = settings.caSecretRef;
  const data = await readSecret(api, { namespace, name }, signal);
  const pem = data?.[CA_KEY]?.toString('utf8');
  if (pem?.includes('-----BEGIN CERTIFICATE-----')) return pem;
  throw new BackupError(
    reasons.CredentialsMissing,
    `spec.backup.s3.caSecretRef: Secret ${name} in namespace ${namespace} ` +
      `${data ? `holds no PEM certificate under ${CA_KEY}` : 'does not exist'}; put it there, then make another Backup`,
  );
}
