import { z } from 'zod';
import { backupDestination, backupEngines } from './backup-destination.js';
import { type KindDefinition, type Resource, resourceOf } from './kind.js';
import { cel, conditions, count, epoch, localRef, time } from './schema.js';
import { veleroRecord } from './velero.js';

const spec = cel(
  z.object({
    poolRef: localRef().describe('The pool whose system is fixed; it may be gone later.'),
    reason: z
      .enum(['Failover', 'Manual', 'Scheduled'])
      .default('Manual')
      .describe(
        'Failover: made by the operator after a takeover (rule 12). Scheduled: made by it by spec.backup.schedule of the pool.',
      ),
    engine: z
      .enum(backupEngines)
      .describe(
        "Secret: beside the Backup, in Secrets <backup>-<n>. S3: in the bucket that the pool's spec.backup.s3 names. Velero: in a Velero Backup of the namespace. Absent: as the pool says.",
      )
      .optional(),
    epoch: epoch().describe('Of a Failover baseline: the takeover that it fixes.').optional(),
  }),
  { rule: 'self == oldSelf', message: 'spec of a Backup is immutable; create another Backup instead' },
  {
    rule: "(self.reason == 'Failover') == has(self.epoch)",
    message: 'spec.epoch belongs to reason Failover, which only the operator uses; leave both out for a manual backup',
  },
);

const status = z.object({
  observedGeneration: z.int().min(0).meta({ format: 'int64' }).optional(),
  startTime: time().optional(),
  completionTime: time().optional(),
  poolEpoch: epoch()
    .describe('Of the pool when the baseline was begun: what was decided up to then is in it.')
    .optional(),
  destination: backupDestination()
    .describe('Where the baseline is kept, written down before it is: with this it can be read without its pool.')
    .optional(),
  artifact: z
    .object({
      location: z
        .string()
        .max(1024)
        .describe('Where it lies, as in secret/pool-3-0 ... secret/pool-3-2 or s3://bucket/key.'),
      parts: count(1024),
      bytes: z.int().min(0).meta({ format: 'int64' }).describe('As they lie there: compressed, perhaps encrypted.'),
      uncompressedBytes: z.int().min(0).meta({ format: 'int64' }),
      sha256: z.string().max(64).describe('Of the uncompressed baseline.'),
      formatVersion: count(1000),
      servers: count(100000),
      cameras: count(1000000),
      secrets: count(1000000).describe('Secrets whose contents it holds; absent or 0: it only names them.').optional(),
      keyId: z.string().max(64).describe('Of the key that it is encrypted with; absent: it is not.').optional(),
    })
    .optional(),
  velero: veleroRecord()
    .describe('Of engine Velero: the Velero Backup that holds the baseline. There is no artifact beside it.')
    .optional(),
  conditions: conditions().optional(),
});

export const backupKind = {
  kind: 'Backup',
  plural: 'backups',
  singular: 'backup',
  shortNames: ['rbak'],
  description: 'A system baseline: what it takes to stand the recording system up again. It holds no footage.',
  spec,
  status,
  rules: [
    {
      rule: 'self.metadata.name.size() <= 63',
      message: 'metadata.name must be at most 63 characters: a label on the Secrets of the baseline carries it',
    },
  ],
  columns: [
    { name: 'Pool', type: 'string', jsonPath: '.spec.poolRef.name' },
    { name: 'Reason', type: 'string', jsonPath: '.spec.reason' },
    { name: 'Complete', type: 'string', jsonPath: ".status.conditions[?(@.type=='Complete')].status" },
    { name: 'Bytes', type: 'integer', jsonPath: '.status.artifact.bytes' },
    { name: 'Cameras', type: 'integer', jsonPath: '.status.artifact.cameras' },
    {
      name: 'Stale',
      type: 'string',
      jsonPath: ".status.conditions[?(@.type=='Stale')].status",
      description: 'Roles moved while it was made',
      priority: 1,
    },
    { name: 'Message', type: 'string', jsonPath: ".status.conditions[?(@.type=='Ready')].message", priority: 1 },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
  selectableFields: ['.spec.poolRef.name'],
} satisfies KindDefinition;

export const backups = resourceOf(backupKind);
export type BackupSpec = z.infer<typeof spec>;
export type BackupStatus = z.infer<typeof status>;
export type Backup = Resource<BackupSpec, BackupStatus>;
