import { type Reason, reasons, type S3Settings, s3CredentialKeys } from '../../crds/index.js';
import { isApiError } from '../../operator/index.js';
import { BackupError } from '../engine.js';

interface Verdict {
  readonly reason: Reason;
  /** What was wrong, and what to do. */
  readonly text: string;
  readonly mayPass?: boolean;
}

/** What an error of the S3 client tells, whatever server it comes from. */
interface Symptoms {
  /** Code of S3 or of Node; '' when there is none. */
  readonly code: string;
  /** 0: no answer came. */
  readonly status: number;
  readonly message: string;
}

const unresolved = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_NODATA', 'EAI_NONAME']);
const unreachable = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ETIMEDOUT']);
const untrusted =
  /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_(VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT(_LOCALLY)?)|CERT_\w+|ERR_TLS_CERT_ALTNAME_INVALID|ERR_SSL_.*CERT.*)$/;
const wrongProtocol = /^(EPROTO|HPE_\w+|ERR_SSL_\w+)$/;
const refusedCredentials = new Set([
  'InvalidAccessKeyId',
  'XAdminUserNotFound',
  'SignatureDoesNotMatch',
  'ExpiredToken',
  'InvalidToken',
  'TokenRefreshRequired',
]);
const full = /^(InsufficientStorage|XMinioStorageFull|.*QuotaExceeded|EntityTooLargeForQuota)$/;
const throttled = new Set(['SlowDown', 'Throttling', 'ThrottlingException', 'RequestTimeout', 'TooManyRequests']);

/** Says what is wrong with the store and what to do. Hands on what is none of the store's: aborts, ApiErrors. */
export function storeFailure(error: unknown, settings: S3Settings, signal?: AbortSignal): unknown {
  if (error instanceof BackupError || isApiError(error)) return error;
  if (signal?.aborted) return signal.reason;
  const seen = symptoms(error);
  const verdict = unanswered(seen, settings) ?? answered(seen, settings) ?? unknown(seen, settings);
  return new BackupError(verdict.reason, verdict.text, { mayPass: verdict.mayPass ?? false, cause: error });
}

function symptoms(error: unknown): Symptoms {
  const {
    name = '',
    code,
    Code,
    message = '',
    $metadata,
    errors,
  } = error as {
    name?: string;
    code?: unknown;
    Code?: unknown;
    message?: string;
    $metadata?: { httpStatusCode?: number };
    errors?: unknown[];
  };
  // Node tries all addresses of a name, and tells all failures.
  if (Array.isArray(errors) && errors.length > 0) return symptoms(errors[0]);
  const text = [code, Code].find((one) => typeof one === 'string');
  return {
    code: typeof text === 'string' ? text : name,
    status: $metadata?.httpStatusCode ?? 0,
    message: message.slice(0, 300),
  };
}

const whereOf = ({ endpoint, region }: S3Settings): string => endpoint ?? `AWS in ${region}`;
const then = 'then make another Backup';

function unanswered({ code, status, message }: Symptoms, settings: S3Settings): Verdict | undefined {
  const where = whereOf(settings);
  if (unresolved.has(code)) {
    return {
      reason: reasons.EndpointNotResolved,
      text: `the host name of ${where} is not known to DNS (${code}): correct spec.backup.s3.endpoint, or DNS`,
      mayPass: true,
    };
  }
  if (untrusted.test(code)) {
    return {
      reason: reasons.CertificateNotTrusted,
      text:
        `the certificate of ${where} is not trusted (${code}): put the one that signed it under ca.crt into the Secret that ` +
        `spec.backup.s3.caSecretRef names, or renew it; ${then}`,
    };
  }
  if (wrongProtocol.test(code) || /Parse Error|wrong version number/.test(message)) {
    return {
      reason: reasons.EndpointNotUnderstood,
      text: `what answers at ${where} does not speak as the URL says (${code}): correct http or https and the port in spec.backup.s3.endpoint; ${then}`,
    };
  }
  const connecting = code === 'TimeoutError' && /connect/i.test(message);
  if (unreachable.has(code) || connecting) {
    return {
      reason: reasons.EndpointUnreachable,
      text: `nothing answers at ${where} (${code}): see whether it runs, and whether a NetworkPolicy or the port is in the way`,
      mayPass: true,
    };
  }
  return status === 0 && code !== 'BadDigest' ? interrupted(code, message, where) : undefined;
}

function answered({ code, status, message }: Symptoms, settings: S3Settings): Verdict | undefined {
  const { bucket, credentialsSecretRef } = settings;
  const where = whereOf(settings);
  if (code === 'NoSuchBucket') {
    return {
      reason: reasons.BucketNotFound,
      text: `the bucket ${bucket} does not exist at ${where}: create it, or correct spec.backup.s3.bucket; ${then}`,
    };
  }
  if (refusedCredentials.has(code)) {
    return {
      reason: reasons.CredentialsRefused,
      text:
        `${where} refuses the credentials of Secret ${credentialsSecretRef.name} (${code}): correct ` +
        `${s3CredentialKeys.accessKeyId} and ${s3CredentialKeys.secretAccessKey} in it; ${then}`,
    };
  }
  if (full.test(code) || status === 507) {
    return {
      reason: reasons.StorageFull,
      text: `${where} has no room left for the bucket ${bucket} (${code}): free space or raise the quota; ${then}`,
    };
  }
  if (code === 'AccessDenied' || status === 403) {
    return {
      reason: reasons.AccessDenied,
      text:
        `the credentials of Secret ${credentialsSecretRef.name} may not use the bucket ${bucket} (${code}: ${message}): allow them ` +
        `GetObject, PutObject, DeleteObject, ListBucket, AbortMultipartUpload and ListBucketMultipartUploads; ${then}`,
    };
  }
  if (status === 400 && /html|unmarshal|deserialization/i.test(message)) return notUnderstood(code, where);
  return status >= 500 || status === 429 || throttled.has(code) ? interrupted(code, message, where) : undefined;
}

/** An answer that no S3 server gives. */
export function notS3(settings: S3Settings): BackupError {
  const { reason, text } = notUnderstood('no ETag', whereOf(settings));
  return new BackupError(reason, text);
}

function notUnderstood(code: string, where: string): Verdict {
  return {
    reason: reasons.EndpointNotUnderstood,
    text: `what answers at ${where} is no S3 server (${code}): correct spec.backup.s3.endpoint; ${then}`,
  };
}

function interrupted(code: string, message: string, where: string): Verdict {
  return {
    reason: reasons.StoreInterrupted,
    text: `${where} went away in the middle, is out of order, or hears http where TLS is expected (${code}: ${message}). Nothing half-written counts`,
    mayPass: true,
  };
}

function unknown({ code, status, message }: Symptoms, settings: S3Settings): Verdict {
  return {
    reason: reasons.EngineRefused,
    text: `${whereOf(settings)} refused with ${status} ${code}: ${message}; mend that, ${then}`,
  };
}
