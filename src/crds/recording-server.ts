import { z } from 'zod';
import { type KindDefinition, type Resource, resourceOf, shortNameRule, statusEpochRule } from './kind.js';
import { recoveryStatus, segmentOffers } from './recovery.js';
import { cel, conditions, count, dnsLabel, epoch, listMap, localRef, seconds, stringMap, time } from './schema.js';

const volume = cel(
  z.object({
    name: dnsLabel().describe(
      'Name of the volume within this server; part of the claim name when claimTemplate is used.',
    ),
    mountPath: z
      .string()
      .min(2)
      .max(200)
      .regex(/^\/[A-Za-z0-9._/-]+$/)
      .describe('Where recorder and standbys mount it. A standby fits a role only with the same mount paths (rule 4).'),
    claimName: z.string().min(1).max(253).describe('An existing PersistentVolumeClaim.').optional(),
    claimTemplate: z
      .object({
        storageClassName: z.string().max(253).describe("The cluster's default class when absent.").optional(),
        storage: z
          .string()
          .min(1)
          .max(32)
          .regex(/^[0-9]+(\.[0-9]+)?(Ki|Mi|Gi|Ti|Pi|k|M|G|T|P)?$/)
          .describe('Size, as in 100Gi.'),
      })
      .describe('A claim made on first sight and never deleted by us: <volume>-<server>.')
      .optional(),
  }),
  {
    rule: 'has(self.claimName) != has(self.claimTemplate)',
    message: 'a volume needs exactly one of claimName (an existing claim) and claimTemplate (a claim to be made)',
  },
  {
    rule: "!self.mountPath.contains('..') && !self.mountPath.contains('//') && !self.mountPath.endsWith('/')",
    message: "mountPath must be a plain absolute path without '..', '//' or a '/' at its end, as in /footage/a",
  },
  {
    rule: "!['/app', '/bin', '/boot', '/dev', '/etc', '/lib', '/lib64', '/proc', '/root', '/run', '/sbin', '/sys', '/tmp', '/usr', '/var'].exists(p, self.mountPath == p || self.mountPath.startsWith(p + '/'))",
    message: "mountPath must not hide a directory of the recorder's image; choose one such as /footage/a",
  },
);

const podTemplate = z.object({
  labels: stringMap(63).describe('Added to those of the operator, which win.').optional(),
  annotations: stringMap(4096).describe('Added to those of the operator, which win.').optional(),
  image: z.string().min(1).max(512).describe("The recorder's image; the operator's own when absent.").optional(),
  imagePullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).describe('As in a Pod.').optional(),
  imagePullSecrets: z.array(localRef()).max(8).describe('Secrets to pull the image with.').optional(),
  nodeSelector: stringMap(63).describe('Labels that the node must have.').optional(),
  tolerations: z
    .array(
      z.object({
        key: z.string().max(253).describe('Key of the taint; any when absent.').optional(),
        operator: z.enum(['Exists', 'Equal']).describe('Equal when absent.').optional(),
        value: z.string().max(253).describe('Value of the taint, for Equal.').optional(),
        effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).describe('Any when absent.').optional(),
        tolerationSeconds: z
          .int()
          .meta({ format: 'int64' })
          .describe('For NoExecute; without limit when absent.')
          .optional(),
      }),
    )
    .max(16)
    .describe('Added to the ones that every recorder has: not-ready and unreachable without limit.')
    .optional(),
  resources: z
    .object({
      requests: stringMap(32).describe('As in a Pod: cpu, memory, ephemeral-storage.').optional(),
      limits: stringMap(32).describe('As in a Pod: cpu, memory, ephemeral-storage.').optional(),
    })
    .describe("Of the recorder's container.")
    .optional(),
  securityContext: z
    .object({
      runAsUser: z.int().min(1).meta({ format: 'int64' }).describe('Never root.').optional(),
      runAsGroup: z.int().min(1).meta({ format: 'int64' }).describe('Never root.').optional(),
      fsGroup: z.int().min(1).meta({ format: 'int64' }).describe('Group that owns the volumes.').optional(),
    })
    .describe('For volumes whose files belong to another user than 10001.')
    .optional(),
  priorityClassName: z.string().max(253).describe('As in a Pod.').optional(),
  runtimeClassName: z.string().max(253).describe('As in a Pod.').optional(),
  hostNetwork: z.boolean().describe('Recorders often have a second network for cameras.').optional(),
  dnsPolicy: z
    .enum(['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'])
    .describe('As in a Pod; with hostNetwork usually ClusterFirstWithHostNet.')
    .optional(),
});

const spec = cel(
  z.object({
    type: z
      .enum(['Standard', 'Failover'])
      .default('Standard')
      .describe('Standard servers have a role of their own; Failover servers stand by (rule 6).'),
    poolRef: localRef()
      .describe('The pool that watches this server. Absent on a Standard server: not monitored (rule 7).')
      .optional(),
    standbyOrder: z
      .int()
      .min(0)
      .max(1000)
      .meta({ format: 'int32' })
      .default(100)
      .describe('Among standbys that fit, the lower goes first; ties by name.'),
    failoverTimeoutSeconds: seconds(3, 3600)
      .describe("Overrides the pool's; silence for so long is a failure.")
      .optional(),
    operatingMode: z
      .enum(['Normal', 'Maintenance'])
      .default('Normal')
      .describe(
        'Maintenance: once this server holds no role its pod goes and none comes until the mode is Normal again.',
      ),
    capacity: z
      .object({
        cameras: z.int().min(1).max(1024).meta({ format: 'int32' }).describe('Most cameras that it records at once.'),
      })
      .describe('A smaller standby takes the cameras by priority and names the rest (rule 4); unlimited when absent.')
      .optional(),
    volumes: listMap(z.array(volume).min(1).max(16), 'name').describe(
      'The material disks: all of them lost is a failure (rule 9b).',
    ),
    plugins: listMap(
      z
        .array(
          z.object({
            name: z.string().min(1).max(128).describe('As people know it.'),
            carryOver: z.enum(['Manual']).default('Manual').describe('Manual: reinstalled by hand after a failover.'),
          }),
        )
        .max(32),
      'name',
    )
      .describe('Extensions that are not part of the recorder: after a failover a person reinstalls them (rule 3).')
      .optional(),
    recorder: z
      .object({
        engine: z.enum(['ffmpeg']).default('ffmpeg').describe('What records.'),
        options: stringMap(512).describe('Of the engine, by name.').optional(),
      })
      .prefault({})
      .describe('The recording engine and its options.'),
    serviceTemplate: z
      .object({
        labels: stringMap(63).describe('Added to those of the operator, which win.').optional(),
        annotations: stringMap(4096).describe('Such as those of a load balancer.').optional(),
        type: z.enum(['ClusterIP', 'NodePort', 'LoadBalancer']).default('ClusterIP').describe('As in a Service.'),
      })
      .describe('The Service of the role, which follows its holder (rule 14).')
      .optional(),
    updateStrategy: z
      .enum(['OnDelete', 'Switchover'])
      .default('OnDelete')
      .describe(
        'OnDelete: a changed template reaches the pod when it is next made. Switchover: the role moves to a standby first, without a gap, and then the pod is made anew; while another ready standby remains.',
      ),
    podTemplate: podTemplate.describe('Where and how the recorder pod runs.').optional(),
  }),
  {
    rule: "self.type == 'Standard' || has(self.poolRef)",
    message: 'a server of type Failover needs spec.poolRef: name the FailoverPool that it stands by for',
  },
  {
    rule: 'self.volumes.all(v, self.volumes.exists_one(w, w.mountPath == v.mountPath))',
    message: 'spec.volumes: two volumes have the same mountPath; give each its own',
  },
);

const status = z.object({
  observedGeneration: z.int().min(0).meta({ format: 'int64' }).optional(),
  state: z.enum(['Pending', 'Active', 'Standby', 'Broken', 'Maintenance']).optional(),
  servingRole: z.string().max(40).describe('Role that this server records now; empty when none.').optional(),
  epoch: epoch().describe('Fencing epoch of the assignment; only grows.').optional(),
  podName: z.string().max(253).optional(),
  podUID: z.string().max(64).optional(),
  nodeName: z.string().max(253).optional(),
  everReadyTime: time()
    .describe('First time it was ready; before that a failure is NeverReady, not a failover (rule 9).')
    .optional(),
  brokenTime: time().describe('When it broke; anew when it breaks again while it proves stable.').optional(),
  healthyTime: time()
    .describe('Since when a server in the folder Broken is healthy again; a Standby once stable.')
    .optional(),
  silentStartTime: time()
    .describe('For people: when the heartbeats stopped. Decisions use a monotonic clock.')
    .optional(),
  volumes: listMap(
    z
      .array(
        z.object({
          name: z.string().max(40),
          claimName: z.string().max(253),
          claimUID: z.string().max(64).optional(),
          volumeName: z.string().max(253).optional(),
          state: z.enum(['Unknown', 'Healthy', 'Full', 'Lost', 'Replaced', 'Misconfigured']),
        }),
      )
      .max(16),
    'name',
  ).optional(),
  cameras: z
    .object({
      assigned: count(4096),
      recording: count(4096),
      leftOut: count(4096).describe('Cameras of the role that this substitute does not record.').optional(),
    })
    .optional(),
  supersededEpoch: epoch()
    .describe('Epoch at which another recorder takes over its role: cameras with one session are released for it.')
    .optional(),
  recovery: recoveryStatus.describe('The last request to recover footage; its id is remembered as handled.').optional(),
  offers: segmentOffers()
    .describe("Recorders that may fetch segments from this one's agent: those of a recovery that runs.")
    .optional(),
  conditions: conditions().optional(),
});

export const recordingServerKind = {
  kind: 'RecordingServer',
  plural: 'recordingservers',
  singular: 'recordingserver',
  shortNames: ['rsrv'],
  description: 'A recorder: a pod with its own disks that records the cameras of the role it holds.',
  spec,
  status,
  rules: [
    shortNameRule,
    {
      rule: "self.spec.type != 'Standard' || self.metadata.name.matches('^[a-z]')",
      message: 'metadata.name of a Standard server must begin with a letter: the Service of its role has the same name',
    },
    statusEpochRule,
  ],
  columns: [
    { name: 'State', type: 'string', jsonPath: '.status.state', description: 'Active, Standby, Broken or Maintenance' },
    { name: 'Role', type: 'string', jsonPath: '.status.servingRole', description: 'Role that it records now' },
    { name: 'Ready', type: 'string', jsonPath: ".status.conditions[?(@.type=='Ready')].status" },
    { name: 'Reason', type: 'string', jsonPath: ".status.conditions[?(@.type=='Ready')].reason" },
    { name: 'Recording', type: 'integer', jsonPath: '.status.cameras.recording', description: 'Cameras recorded now' },
    { name: 'Cameras', type: 'integer', jsonPath: '.status.cameras.assigned', description: 'Cameras of the role' },
    { name: 'Node', type: 'string', jsonPath: '.status.nodeName' },
    { name: 'Type', type: 'string', jsonPath: '.spec.type', priority: 1 },
    { name: 'Pool', type: 'string', jsonPath: '.spec.poolRef.name', priority: 1 },
    { name: 'Epoch', type: 'integer', jsonPath: '.status.epoch', priority: 1 },
    { name: 'Protected', type: 'string', jsonPath: ".status.conditions[?(@.type=='Protected')].reason", priority: 1 },
    {
      name: 'Cameras-reachable',
      type: 'string',
      jsonPath: ".status.conditions[?(@.type=='CamerasReachable')].reason",
      priority: 1,
    },
    {
      name: 'Standby-ready',
      type: 'string',
      jsonPath: ".status.conditions[?(@.type=='StandbyReady')].reason",
      priority: 1,
    },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
  selectableFields: ['.spec.poolRef.name', '.spec.type'],
} satisfies KindDefinition;

export const recordingServers = resourceOf(recordingServerKind);
export type RecordingServerSpec = z.infer<typeof spec>;
export type RecordingServerStatus = z.infer<typeof status>;
export type RecordingServer = Resource<RecordingServerSpec, RecordingServerStatus>;
export type ServerState = NonNullable<RecordingServerStatus['state']>;
export type VolumeState = NonNullable<RecordingServerStatus['volumes']>[number]['state'];
