import { z } from 'zod';
import { type KindDefinition, type Resource, resourceOf, statusEpochRule } from './kind.js';
import { epoch, listMap, time } from './schema.js';

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
});

const camera = z.object({
  name: z.string().max(63),
  state: z.enum(['Waiting', 'Connecting', 'Recording', 'Failed', 'Stopped']),
  sinceTime: time().describe('When it came into this state.'),
  startTime: time().describe('When its first bytes reached the disk, in state Recording.').optional(),
  lastFrameTime: time().describe('Time of its last bytes when it left state Recording.').optional(),
  volume: z.string().max(40).optional(),
  error: z.string().max(256).describe('Without credentials.').optional(),
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
