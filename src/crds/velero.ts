import { z } from 'zod';
import { type CelRule, count, seconds } from './schema.js';

/** Where Velero is, and what it is asked for. */
export const veleroSettings = () =>
  z.object({
    namespace: z
      .string()
      .min(1)
      .max(63)
      .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/)
      .default('velero')
      .describe(
        'Where Velero runs and its Backups lie. The chart gives the operator its rights there: velero.enabled.',
      ),
    storageLocation: z
      .string()
      .min(1)
      .max(253)
      .describe('BackupStorageLocation that holds the baseline; absent: the default one.')
      .optional(),
    includeSecrets: z
      .boolean()
      .default(false)
      .describe(
        'Every Secret of the namespace as well, with its contents, which only the bucket can encrypt, and whether or not their writers have consented. False: none; cameras and recorders name theirs.',
      ),
    timeoutSeconds: seconds(30, 86400)
      .default(3600)
      .describe('What Velero has not ended after so long has failed here; in Velero it goes on.'),
  });

/** `spec.backup.encryption` promises what nobody keeps when Velero writes the bucket. */
export const veleroEncryptsNothing: CelRule = {
  rule: "!has(self.engine) || self.engine != 'Velero' || !has(self.encryption)",
  message:
    'spec.backup.engine is Velero, which writes its bucket by itself and not with the key of spec.backup.encryption: leave encryption out and encrypt the bucket, or use engine S3',
  fieldPath: '.encryption',
};

/** `status.velero` of a Backup. */
export const veleroRecord = () =>
  z.object({
    namespace: z.string().max(63),
    backupName: z.string().max(253).describe('The Velero Backup, as `velero backup describe` takes it.'),
    uid: z.string().max(64),
    phase: z.string().max(64).describe('As Velero says it; only Completed counts as complete.'),
    items: count(2147483647).describe('Objects in it, as Velero counts them.').optional(),
    errors: count(2147483647).optional(),
    warnings: count(2147483647).optional(),
  });

export type VeleroSettings = z.infer<ReturnType<typeof veleroSettings>>;
export type VeleroRecord = z.infer<ReturnType<typeof veleroRecord>>;

/** What holds for a pool that names engine Velero and nothing else. */
export const defaultVeleroSettings: Readonly<VeleroSettings> = veleroSettings().parse({});
