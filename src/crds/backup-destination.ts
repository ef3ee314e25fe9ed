import { z } from 'zod';
import { labels } from './labels.js';
import { cel, localRef } from './schema.js';
import { veleroSettings } from './velero.js';

/** Where baselines can be kept. */
export const backupEngines = ['Secret', 'S3', 'Velero'] as const;
export type BackupEngineName = (typeof backupEngines)[number];

/** Keys of the Secret that `s3.credentialsSecretRef` names: the ones that object bucket claims and most charts use. */
export const s3CredentialKeys = {
  accessKeyId: 'AWS_ACCESS_KEY_ID',
  secretAccessKey: 'AWS_SECRET_ACCESS_KEY',
  /** Optional. */
  sessionToken: 'AWS_SESSION_TOKEN',
} as const;
/** Key of the Secret that `s3.caSecretRef` names: PEM, one certificate or several. */
export const CA_KEY = 'ca.crt';
/** Key of the Secret that `encryption.keySecretRef` names with which new baselines are encrypted. */
export const ENCRYPTION_KEY = 'key';

/** A bucket of an S3 server, and how to get at it. Holds names of Secrets and nothing of their contents. */
export const s3Settings = () =>
  z.object({
    endpoint: cel(
      z
        .string()
        .min(1)
        .max(512)
        .describe('URL of the server, as in https://s3.example:9000; absent: that of AWS in the region.'),
      {
        rule: "isURL(self) && self.matches('^https?://[^@?#]+$')",
        message:
          's3.endpoint must be a URL that begins with http:// or https:// and holds no credentials, query or fragment',
      },
    ).optional(),
    region: z.string().min(1).max(64).default('us-east-1').describe('Region that requests are signed for.'),
    bucket: z
      .string()
      .min(3)
      .max(63)
      .regex(/^[a-z0-9][a-z0-9.-]*[a-z0-9]$/)
      .describe('It must exist; it is never created.'),
    prefix: z
      .string()
      .max(256)
      .regex(/^([A-Za-z0-9_.-]+(\/[A-Za-z0-9_.-]+)*)?$/)
      .default('')
      .describe('Folders before the names of the objects, without a slash at either end.'),
    pathStyle: z
      .boolean()
      .default(true)
      .describe('True: the bucket stands in the path of the URL. False: in its host name, which DNS must know.'),
    credentialsSecretRef: localRef().describe(
      `Secret with ${s3CredentialKeys.accessKeyId}, ${s3CredentialKeys.secretAccessKey} and, if need be, ${s3CredentialKeys.sessionToken}; read each time, so a rotation needs no restart.`,
    ),
    caSecretRef: localRef()
      .describe(`Secret with the certificates to trust under ${CA_KEY} (PEM), instead of the public ones.`)
      .optional(),
  });

/** AES-256-GCM before a baseline is kept anywhere. */
export const encryptionSettings = () =>
  z.object({
    keySecretRef: localRef().describe(
      `Secret whose ${ENCRYPTION_KEY} holds 32 random bytes, as they are or in base64. Older keys beside it under other names are used to read older baselines. Without it no baseline can be read: keep a copy elsewhere.`,
    ),
    includeSecrets: z
      .boolean()
      .default(false)
      .describe(
        `Keep the contents of the Secrets that cameras and recorders refer to as well, not only their names: of those that carry the label ${labels.includeInBaselines}: "true".`,
      ),
  });

/** Where one baseline lies, so that it can be read after its pool has changed or is gone. */
export const backupDestination = () =>
  z.object({
    engine: z.enum(backupEngines),
    s3: s3Settings().optional(),
    velero: veleroSettings().optional(),
    encryption: encryptionSettings().optional(),
  });

export type S3Settings = z.infer<ReturnType<typeof s3Settings>>;
export type EncryptionSettings = z.infer<ReturnType<typeof encryptionSettings>>;
export type BackupDestination = z.infer<ReturnType<typeof backupDestination>>;
