import { z } from 'zod';
import { backupEngines, encryptionSettings, s3Settings } from './backup-destination.js';
import { backupScheduleStatus, baselinePolicyFields, timeZoneNeedsSchedule } from './baseline-policy.js';
import { gapLength } from './gap.js';
import { type KindDefinition, type Resource, resourceOf, shortNameRule, statusEpochRule } from './kind.js';
import { cel, conditions, count, epoch, listMap, seconds, time } from './schema.js';
import { veleroEncryptsNothing, veleroSettings } from './velero.js';

/** Why a role moves (rule 9), as it stands in status and events. */
export const triggers = [
  'Unreachable',
  'AllDisksLost',
  'RecordingServiceFailed',
  'ServerDeleted',
  'CamerasUnreachable',
] as const;
export type Trigger = (typeof triggers)[number];

/** Why a role moves although nothing is broken: planned moves, in the order in which they are begun. */
export const moveCauses = ['Requested', 'Maintenance', 'NodeCordoned', 'TemplateUpdated', 'Failback'] as const;
export type MoveCause = (typeof moveCauses)[number];
export type Cause = Trigger | MoveCause;

const cause = () => z.enum([...triggers, ...moveCauses]);
const requestId = () => z.string().max(63).describe('Id of the request that asked for it.').optional();

const serverName = () => z.string().min(1).max(40);
/** What was seen of a failure. Frozen as it was first seen: nothing in it changes by itself. */
const evidenceEntry = z.object({
  reason: z.string().max(64).describe('One of the fixed reasons.').optional(),
  message: z.string().max(256),
  time: time().describe(
    "When it began, as far as is known: by Kubernetes, by the recorder's own clock, or when it was first seen.",
  ),
});
const evidence = () => z.array(evidenceEntry).max(16);

const spec = z.object({
  failoverTimeoutSeconds: seconds(3, 3600)
    .default(30)
    .describe('Silence of a server for so long is a failure (rule 9a).'),
  storageGraceSeconds: seconds(0, 3600).default(5).describe('All disks must have been lost for so long (rule 9b).'),
  recordingServiceGraceSeconds: seconds(0, 3600)
    .default(30)
    .describe('The recording service must have failed for so long (rule 9c).'),
  startGraceSeconds: seconds(0, 3600)
    .default(120)
    .describe(
      'A recording service that is starting for longer has failed (rule 9c); a server that has not been ready once after so long waits for a person.',
    ),
  restartGraceSeconds: seconds(0, 3600)
    .default(60)
    .describe(
      'A recorder that has announced its stop is given so long to come back, if that is longer than the timeout.',
    ),
  failback: z
    .object({
      mode: z
        .enum(['None', 'Automatic', 'Manual'])
        .default('None')
        .describe(
          'None: the repaired server becomes a standby and the substitute stays active (rule 2). Automatic: the role goes home once the home has been healthy for stableSeconds. Manual: it goes home on request (rule 16).',
        ),
      stableSeconds: seconds(0, 86400)
        .default(300)
        .describe('Healthy for so long before a repaired server is a standby.'),
    })
    .prefault({})
    .describe('What becomes of a repaired server.'),
  moveOnCordon: z
    .boolean()
    .default(true)
    .describe(
      'Roles leave a cordoned node, so that a drain can go on. False: a drain waits until a person moves them by a request.',
    ),
  compatibility: z
    .object({
      version: z
        .enum(['Exact', 'SameMinor', 'Any'])
        .default('SameMinor')
        .describe("How far a standby's recorder version may differ from the home's (rule 4)."),
    })
    .prefault({})
    .describe('Which standbys fit.'),
  storm: z
    .object({
      maxUnreachablePercent: z
        .int()
        .min(1)
        .max(100)
        .meta({ format: 'int32' })
        .default(50)
        .describe('Failovers of silent servers are held when more of the nodes than this are silent; 100: never held.'),
      holdSeconds: seconds(0, 3600)
        .default(60)
        .describe('A hold ends by itself after so long without a gap in the contact with the API server.'),
    })
    .prefault({})
    .describe('When many servers fall silent at once, the network is more likely at fault than they.'),
  backup: cel(
    z.object({
      engine: z
        .enum(backupEngines)
        .default('Secret')
        .describe(
          'Where baselines are kept. Secret: beside the Backup. S3: in the bucket of backup.s3. Velero: Velero makes and keeps them.',
        ),
      s3: s3Settings().describe('The bucket, for engine S3.').optional(),
      velero: veleroSettings().describe('For engine Velero; absent: all defaults.').optional(),
      encryption: encryptionSettings()
        .describe('Encrypts baselines before they are kept in Secrets or S3; Velero keeps its own.')
        .optional(),
      deadlineSeconds: seconds(1, 3600)
        .default(20)
        .describe('After this the queue goes on without the baseline, loudly.'),
      ...baselinePolicyFields(),
    }),
    timeZoneNeedsSchedule,
    {
      // The API server evaluates it upon the default {} as well, before the defaults in it are there.
      rule: "!has(self.engine) || self.engine != 'S3' || has(self.s3)",
      message:
        'spec.backup.engine is S3, and spec.backup.s3 is missing: give it a bucket and a credentialsSecretRef, or use engine Secret',
      fieldPath: '.s3',
    },
    veleroEncryptsNothing,
  )
    .prefault({})
    .describe('The system baselines: one after each takeover (rule 12), and more by a schedule.'),
  cameras: z
    .object({
      failoverWhenUnreachable: z
        .boolean()
        .default(false)
        .describe('A role none of whose cameras its recorder reaches moves to a standby that reaches them.'),
      graceSeconds: seconds(5, 3600).default(60).describe('None of the cameras must have been reached for so long.'),
      writeKilobytesPerSecond: z
        .int()
        .min(1)
        .max(100_000)
        .meta({ format: 'int32' })
        .default(1000)
        .describe("What one camera writes at most: a standby's disks must bear the largest role's cameras."),
    })
    .prefault({})
    .describe('Cameras that can not be reached, and what standbys must be able to record.'),
  paused: z.boolean().default(false).describe('Nothing is moved; what is broken goes on being reported.'),
});

const current = z.object({
  role: serverName(),
  server: serverName().describe('The previous holder; broken, unless the move is a planned one.'),
  standby: serverName().describe('Who takes over.'),
  epoch: epoch(),
  step: z.enum(['TakingOver', 'BackingUp']),
  trigger: cause(),
  requestId: requestId(),
  evidence: evidence().optional(),
  lastSeenTime: time().describe('Last heartbeat of the broken holder.').optional(),
  brokenTime: time().describe('When it was judged broken; absent for a planned move.').optional(),
  committedTime: time(),
  acknowledgedTime: time().describe('The standby has read its new role.').optional(),
  boundTime: time().describe("Every camera's status names the new holder.").optional(),
  recordingTime: time().describe('The takeover was proved, or its bounded wait has ended.').optional(),
  failingBefore: z
    .array(z.string().max(63))
    .max(1024)
    .describe('Cameras that were not recorded before the fault or the move: no proof is asked of them.')
    .optional(),
  unproved: z.array(z.string().max(63)).max(64).describe('Cameras without proof when the wait ended.').optional(),
  backupName: z.string().max(253).optional(),
  backupStartTime: time().optional(),
});

const role = cel(
  z.object({
    name: serverName().describe('The home server.'),
    holder: serverName(),
    holderUID: z
      .string()
      .max(64)
      .describe('uid of the holding RecordingServer: a namesake is another server.')
      .optional(),
    previousHolder: serverName().optional(),
    epoch: epoch(),
    startTime: time(),
    handedOverTime: time()
      .describe('When the previous holder may stop: the new one has proved recording, or the wait has ended.')
      .optional(),
    homeUID: z.string().max(64).optional(),
    cause: cause().describe('Why it moved last.').optional(),
  }),
  {
    rule: 'self.epoch >= oldSelf.epoch',
    message: 'a role must not go back to an older epoch: a newer decision has been written; read the pool again',
    fieldPath: '.epoch',
  },
);

const historyEntry = z.object({
  epoch: epoch(),
  role: serverName(),
  from: serverName(),
  to: serverName(),
  trigger: cause(),
  requestId: requestId(),
  evidence: evidence().optional(),
  outcome: z
    .enum(['Completed', 'BaselineFailed', 'BaselineLate', 'Superseded', 'Abandoned'])
    .describe('Abandoned: a planned move that could not be proved; the role went back to `from`, which never stopped.'),
  message: z.string().max(1024).describe('Why it was abandoned.').optional(),
  lastSeenTime: time().optional(),
  brokenTime: time().optional(),
  committedTime: time(),
  acknowledgedTime: time().optional(),
  boundTime: time().optional(),
  recordingTime: time().optional(),
  backedUpTime: time().optional(),
  backupName: z.string().max(253).optional(),
  unproved: z.array(z.string().max(63)).max(64).optional(),
  gapSeconds: gapLength()
    .describe('The longest gap of a camera by this failover; absent until its cameras have told. In tenths.')
    .optional(),
  camerasWithGap: count(4096).describe('Cameras with a gap by this failover.').optional(),
});

const hold = z.object({
  startTime: time().describe('Since when failovers of silent servers are held.'),
  untilTime: time().describe('When it ends by itself; later if the API server stops answering.').optional(),
  releasedTime: time().describe('Since when they are served again although the storm lasts.').optional(),
  reason: z.enum(['Elapsed', 'Requested']).describe('Why it was released.').optional(),
});

const status = z.object({
  observedGeneration: z.int().min(0).meta({ format: 'int64' }).optional(),
  epoch: epoch().describe('Highest epoch decided; only grows.').optional(),
  current: current.describe('The failover that runs now; one at a time (rule 13).').optional(),
  queue: listMap(
    z
      .array(
        z.object({
          server: serverName(),
          role: serverName(),
          trigger: z.enum(triggers),
          evidence: evidence().optional(),
          brokenTime: time(),
          lastSeenTime: time().optional(),
          waitingFor: z.string().max(1024).describe('Why its turn has not come.').optional(),
        }),
      )
      .max(256),
    'server',
  )
    .describe('Broken servers in the order in which they will be served (rule 13).')
    .optional(),
  roles: listMap(z.array(role).max(1024), 'name').describe('Every role that has ever moved.').optional(),
  hold: hold.describe('The storm hold, as long as the storm lasts.').optional(),
  restore: z
    .object({
      sha256: z.string().max(64).describe('Of the baseline that is restored.'),
      startTime: time(),
      renewTime: time().describe('Of a long restore: it was still at work then.').optional(),
    })
    .describe('A restore has brought the roles back and is not finished: until then nothing is decided.')
    .optional(),
  counts: z
    .object({ active: count(4096), standby: count(4096), broken: count(4096), maintenance: count(4096) })
    .optional(),
  history: z.array(historyEntry).max(20).describe('The last failovers, newest first.').optional(),
  lastRequest: z
    .object({
      id: z.string().max(63),
      command: z.string().max(256),
      outcome: z.enum(['Running', 'Done', 'Refused', 'Failed']),
      message: z.string().max(1024),
      time: time().describe('When it came to this outcome.'),
    })
    .describe('The last request of a person, by the annotation understudy.dev/request; each id is handled once.')
    .optional(),
  backupSchedule: backupScheduleStatus().optional(),
  conditions: conditions().optional(),
});

export const failoverPoolKind = {
  kind: 'FailoverPool',
  plural: 'failoverpools',
  singular: 'failoverpool',
  shortNames: ['fop'],
  description: 'Recorders and the standbys that take their place. Who holds which role is decided in its status.',
  spec,
  status,
  rules: [shortNameRule, statusEpochRule],
  columns: [
    { name: 'Ready', type: 'string', jsonPath: ".status.conditions[?(@.type=='Ready')].status" },
    { name: 'Active', type: 'integer', jsonPath: '.status.counts.active' },
    { name: 'Standby', type: 'integer', jsonPath: '.status.counts.standby' },
    { name: 'Broken', type: 'integer', jsonPath: '.status.counts.broken' },
    {
      name: 'Failing-over',
      type: 'string',
      jsonPath: '.status.current.server',
      description: 'Server whose role is moving now',
    },
    { name: 'To', type: 'string', jsonPath: '.status.current.standby' },
    { name: 'Step', type: 'string', jsonPath: '.status.current.step' },
    { name: 'Queue', type: 'string', jsonPath: '.status.queue[*].server', description: 'Broken servers that wait' },
    { name: 'On-substitute', type: 'string', jsonPath: ".status.conditions[?(@.type=='OnSubstitute')].status" },
    {
      name: 'Standby-available',
      type: 'string',
      jsonPath: ".status.conditions[?(@.type=='StandbyAvailable')].reason",
      priority: 1,
    },
    { name: 'Protected', type: 'string', jsonPath: ".status.conditions[?(@.type=='Protected')].reason", priority: 1 },
    { name: 'Held', type: 'string', jsonPath: ".status.conditions[?(@.type=='FailoversHeld')].reason", priority: 1 },
    {
      name: 'Operator',
      type: 'string',
      jsonPath: ".status.conditions[?(@.type=='OperatorIsolated')].reason",
      description: 'Whether the operator runs on other nodes than the recorders',
      priority: 1,
    },
    {
      name: 'Moves-pending',
      type: 'string',
      jsonPath: ".status.conditions[?(@.type=='MovesPending')].reason",
      priority: 1,
    },
    { name: 'Last-baseline', type: 'string', jsonPath: '.status.history[0].backupName', priority: 1 },
    {
      name: 'Baseline-current',
      type: 'string',
      jsonPath: ".status.conditions[?(@.type=='BaselineCurrent')].reason",
      priority: 1,
    },
    { name: 'Epoch', type: 'integer', jsonPath: '.status.epoch', priority: 1 },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
  selectableFields: [],
} satisfies KindDefinition;

export const failoverPools = resourceOf(failoverPoolKind);
export type FailoverPoolSpec = z.infer<typeof spec>;
export type FailoverPoolStatus = z.infer<typeof status>;
export type FailoverPool = Resource<FailoverPoolSpec, FailoverPoolStatus>;
export type CurrentFailover = z.infer<typeof current>;
export type Role = z.infer<typeof role>;
export type QueueEntry = NonNullable<FailoverPoolStatus['queue']>[number];
export type HistoryEntry = z.infer<typeof historyEntry>;
export type EvidenceEntry = z.infer<typeof evidenceEntry>;
export type StormHold = z.infer<typeof hold>;
export type BackupSchedule = NonNullable<FailoverPoolStatus['backupSchedule']>;
export type LastRequest = NonNullable<FailoverPoolStatus['lastRequest']>;
