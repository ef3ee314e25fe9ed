import { z } from 'zod';
import { gapEntry, gapLength, MOST_GAPS } from './gap.js';
import { type KindDefinition, type Resource, resourceOf } from './kind.js';
import { cel, conditions, dnsLabel, epoch, seconds, time } from './schema.js';

const source = cel(
  z.object({
    type: z
      .enum(['IP', 'Analog'])
      .default('IP')
      .describe('Analog cameras hang on a capture card and are not transferred (rule 5).'),
    url: z
      .string()
      .min(1)
      .max(1024)
      .regex(/^rtsps?:\/\/.+$/)
      .describe('RTSP address without user and password.')
      .optional(),
    credentialsSecretRef: z
      .object({ name: z.string().min(1).max(253).describe('Name in the same namespace.') })
      .describe('Secret of the same namespace with the keys username and password.')
      .optional(),
    transport: z.enum(['TCP', 'UDP']).default('TCP').describe('How the RTP packets travel.'),
    maxSessions: z
      .int()
      .min(1)
      .max(64)
      .meta({ format: 'int32' })
      .describe('Sessions that the camera allows at once.')
      .optional(),
    connectTimeoutSeconds: seconds(1, 60).default(5).describe('An attempt to connect ends after so long.'),
    audio: z.boolean().default(false).describe('Records sound, too.'),
    captureCard: z.string().max(128).describe('For people: where the analogue camera is plugged in.').optional(),
  }),
  {
    rule: "self.type != 'IP' || has(self.url)",
    message: 'spec.source.url is needed for a camera of type IP, as in rtsp://camera.example/stream1',
  },
  {
    rule: "!has(self.url) || !self.url.matches('^rtsps?://[^/?#]*@')",
    message:
      'spec.source.url must not hold a user or password; put them into a Secret and name it in credentialsSecretRef',
  },
);

const spec = z.object({
  serverRef: z
    .object({ name: dnsLabel().describe('Name in the same namespace.') })
    .describe('Home role: the server that records this camera when nothing is broken.'),
  source: source.describe('Where its pictures come from.'),
  recording: z
    .object({
      mode: z.enum(['Continuous']).default('Continuous').describe('Continuous: always.'),
      segmentSeconds: seconds(2, 300).default(10).describe('Length of a file.'),
      retentionSeconds: seconds(60, 315360000).default(604800).describe('Footage older than this is deleted.'),
    })
    .prefault({})
    .describe('What is kept, and for how long.'),
  priority: z
    .enum(['High', 'Normal', 'Low', 'Never'])
    .default('Normal')
    .describe('Who is recorded first, and who is left out on a smaller standby. Never: not transferred.'),
});

const boundTo = z.object({
  role: z.string().max(40),
  server: z.string().max(40),
  podName: z.string().max(253).optional(),
  epoch: epoch(),
  startTime: time(),
});

const status = cel(
  z.object({
    observedGeneration: z.int().min(0).meta({ format: 'int64' }).optional(),
    boundTo: boundTo.optional(),
    recording: z
      .object({
        startTime: time()
          .describe('Since when it has been recorded without a break; absent while it is not.')
          .optional(),
        lastSegmentTime: time().describe('Last bytes of the recording that has ended.').optional(),
        lastServer: z.string().max(40).describe('The recorder that wrote them.').optional(),
      })
      .describe('Changed on transitions only.')
      .optional(),
    gaps: z
      .array(gapEntry)
      .max(MOST_GAPS)
      .describe('The last times without recording, oldest first (rule 11). Written with the transition to recording.')
      .optional(),
    gapSecondsTotal: gapLength().describe('All gaps ever, those that were closed left out. In tenths.').optional(),
    conditions: conditions().optional(),
  }),
  {
    // An Analog camera is unbound and later bound again, and a camera may move to another role: only within one role, and only while bound, must the epoch not fall.
    rule: 'has(self.boundTo) && has(oldSelf.boundTo) && self.boundTo.role == oldSelf.boundTo.role ? self.boundTo.epoch >= oldSelf.boundTo.epoch : true',
    message:
      'status.boundTo.epoch must not fall within a role: a newer binding has been written; read the camera again',
  },
);

export const cameraAssignmentKind = {
  kind: 'CameraAssignment',
  plural: 'cameraassignments',
  singular: 'cameraassignment',
  shortNames: ['cam'],
  description: 'A camera and the server that is its home.',
  spec,
  status,
  rules: [
    {
      rule: 'self.metadata.name.size() <= 63',
      message: 'metadata.name must be at most 63 characters: a folder on every recorder is named after it',
    },
  ],
  columns: [
    { name: 'Home', type: 'string', jsonPath: '.spec.serverRef.name' },
    { name: 'Recorded-by', type: 'string', jsonPath: '.status.boundTo.server' },
    { name: 'Recording', type: 'string', jsonPath: ".status.conditions[?(@.type=='Recording')].status" },
    { name: 'Reason', type: 'string', jsonPath: ".status.conditions[?(@.type=='Recording')].reason" },
    {
      name: 'Since',
      type: 'date',
      jsonPath: '.status.recording.startTime',
      description: 'How long it has been recorded without a break',
    },
    { name: 'On-substitute', type: 'string', jsonPath: ".status.conditions[?(@.type=='OnSubstitute')].status" },
    { name: 'Epoch', type: 'integer', jsonPath: '.status.boundTo.epoch', priority: 1 },
    {
      name: 'Gap-seconds',
      type: 'number',
      jsonPath: '.status.gapSecondsTotal',
      description: 'Not recorded in all, and not recovered',
      priority: 1,
    },
    { name: 'Priority', type: 'string', jsonPath: '.spec.priority', priority: 1 },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
  selectableFields: ['.spec.serverRef.name', '.status.boundTo.server'],
} satisfies KindDefinition;

export const cameraAssignments = resourceOf(cameraAssignmentKind);
export type CameraAssignmentSpec = z.infer<typeof spec>;
export type CameraAssignmentStatus = z.infer<typeof status>;
export type CameraAssignment = Resource<CameraAssignmentSpec, CameraAssignmentStatus>;
