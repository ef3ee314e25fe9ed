import { z } from 'zod';
import { type KindDefinition, type Resource, resourceOf, statusEpochRule } from './kind.js';
import { count, epoch, listMap, time } from './schema.js';

const volume = z.object({
  name: z.string().max(40),
  mountPath: z.string().max(200),
  state: z.enum(['Unknown', 'Healthy', 'Full', 'Lost', 'Replaced', 'Misconfigured']),
  sinceTime: time(),
  message: z.string().max(512).optional(),
  claimUID: z.string().max(64).describe('As found in the identity marker on the volume.').optional(),
  serverUID: z.string().max(64).optional(),
  fileSystem: z.string().max(32).describe('Type, as in ext4 or xfs.').optional(),
  freePercent: z
    .int()
    .min(0)
    .max(100)
    .meta({ format: 'int32' })
    .describe('In steps of 5, so that it seldom changes.')
    .optional(),
  sizeBytes: z.int().min(0).meta({ format: 'int64' }).optional(),
  writeMegabytesPerSecond: z
    .int()
    .min(0)
    .max(100_000)
    .meta({ format: 'int32' })
    .describe('As measured while it stood by, in coarse steps.')
    .optional(),
});

const camera = z.object({
  name: z.string().max(63),
  state: z.enum(['Waiting', 'Connecting', 'Recording', 'Failed', 'Stopped']),
  sinceTime: time().describe('When it came into this state.'),
  startTime: time().describe('When its first bytes reached the disk, in state Recording.').optional(),
  lastFrameTime: time().describe('Time of its last bytes when it left state Recording.').optional(),
  volume: z.string().max(40).optional(),
  error: z.string().max(256).describe('Without credentials.').optional(),
  failure: z
    .enum(['Unreachable', 'Rejected', 'SessionLimit', 'Credentials', 'Local'])
    .describe(
      'Whose fault the last failure was. Unreachable: no connection, or it broke. Rejected: the camera answers, but not with a stream. SessionLimit: it has no session left. Credentials: its Secret can not be read. Local: disk or engine.',
    )
    .optional(),
});

const cameraNames = () => z.array(z.string().max(63)).max(64);

const reachability = z.object({
  checkedTime: time().describe('When this was last found otherwise than before.'),
  cameras: count(100_000).describe("Cameras of the pool's roles."),
  total: count(256).describe('Those of them that are probed: all, or a sample of each role, priority High first.'),
  reachable: count(256),
  unreachable: cameraNames().describe('The first of those that do not answer, or not with a stream.'),
  noCredentials: cameraNames().describe('The first of those whose Secret can not be read.'),
  roles: listMap(
    z.array(z.object({ name: z.string().max(40), total: count(256), reachable: count(256) })).max(64),
    'name',
  )
    .describe('Roles of which not all probed cameras were reached.')
    .optional(),
  asked: listMap(
    z
      .array(
        z.object({
          id: z.string().max(128).describe('The question: the role, and the time when its cameras were lost.'),
          total: count(64).describe('Cameras of the role that were tried.'),
          reachable: count(64),
        }),
      )
      .max(16),
    'id',
  )
    .describe("Answers to the operator's questions whether it reaches the cameras of a role now.")
    .optional(),
});

const status = z.object({
  role: z.string().max(40).describe('Role acknowledged; empty when none.').optional(),
  epoch: epoch().describe('Epoch acknowledged; only grows.').optional(),
  mode: z.enum(['Idle', 'Shadow', 'Record']).optional(),
  podUID: z.string().max(64).optional(),
  version: z.string().max(64).describe("The recorder's version.").optional(),
  engine: z.string().max(128).describe('Engine and its version.').optional(),
  clockOffsetSeconds: z.number().describe("Recorder's clock minus the API server's, in steps of a half.").optional(),
  recordingService: z
    .object({
      state: z
        .enum(['Starting', 'Ready', 'Failed', 'Stopping'])
        .describe('Stopping: the recorder was asked to end, and announces it.'),
      sinceTime: time(),
      message: z.string().max(512).optional(),
    })
    .optional(),
  volumes: listMap(z.array(volume).max(16), 'name').optional(),
  cameras: listMap(z.array(camera).max(1024), 'name').optional(),
  reachability: reachability
    .describe("What an idle recorder found when it asked its pool's cameras, slowly and without taking a session.")
    .optional(),
});

export const recorderReportKind = {
  kind: 'RecorderReport',
  plural: 'recorderreports',
  singular: 'recorderreport',
  shortNames: ['rrep'],
  description: "A recorder's own word about itself. Written by its agent on change; people do not write it.",
  spec: undefined,
  status,
  rules: [statusEpochRule],
  columns: [
    { name: 'Role', type: 'string', jsonPath: '.status.role' },
    { name: 'Epoch', type: 'integer', jsonPath: '.status.epoch' },
    { name: 'Mode', type: 'string', jsonPath: '.status.mode' },
    { name: 'Service', type: 'string', jsonPath: '.status.recordingService.state' },
    { name: 'Volumes', type: 'string', jsonPath: '.status.volumes[*].state' },
    { name: 'Version', type: 'string', jsonPath: '.status.version', priority: 1 },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
  selectableFields: [],
} satisfies KindDefinition;

export const recorderReports = resourceOf(recorderReportKind);
export type RecorderReportStatus = z.infer<typeof status>;
export type RecorderReport = Omit<Resource<never, RecorderReportStatus>, 'spec'>;
export type ReportedCamera = z.infer<typeof camera>;
export type ReportedVolume = z.infer<typeof volume>;
export type Reachability = z.infer<typeof reachability>;
