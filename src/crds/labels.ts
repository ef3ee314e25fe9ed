import { GROUP } from './kind.js';

/** Labels and annotations on the objects that we write. */
export const labels = {
  server: `${GROUP}/server`,
  pool: `${GROUP}/pool`,
  /** On the pod that serves a role, and on no other: the role's Service selects it. */
  servingRole: `${GROUP}/serving-role`,
  /** On every pod that records a role, until it may stop: what the PodDisruptionBudget protects. */
  recordingRole: `${GROUP}/recording-role`,
  backup: `${GROUP}/backup`,
  /** On a Velero Backup, which lies in another namespace than the Backup whose baseline it is. */
  backupNamespace: `${GROUP}/backup-namespace`,
  backupUid: `${GROUP}/backup-uid`,
  /** Hash of the pod as built, to see drift although admission may have rewritten the live pod. */
  templateHash: `${GROUP}/template-hash`,
  /** On the recorder's Lease: the assignment, read back with each renewal so that a deaf watch can't hang a takeover. */
  leaseServingRole: `${GROUP}/serving-role`,
  leaseEpoch: `${GROUP}/epoch`,
  leaseAssignedPodUid: `${GROUP}/assigned-pod-uid`,
  /** On the Lease of a recorder whose role another takes over: the other's epoch; '' when it no longer holds. */
  leaseSupersededEpoch: `${GROUP}/superseded-epoch`,
  /** On the Lease of a standby: `<role>/<time>`, cameras that it has to probe at once; '' for none. */
  leaseProbe: `${GROUP}/probe`,
  /** On a substitute, by a person: the epoch for which the plugins were reinstalled by hand (rule 3). */
  pluginsReinstalled: `${GROUP}/plugins-reinstalled`,
  /** By a person, on a FailoverPool or a RecordingServer: `<id> <command>`; status answers and remembers the id. */
  request: `${GROUP}/request`,
  /** On a Secret, by whoever may write it: 'true' lets encrypted baselines hold its contents. */
  includeInBaselines: `${GROUP}/include-in-baselines`,
  managedBy: 'app.kubernetes.io/managed-by',
  name: 'app.kubernetes.io/name',
  instance: 'app.kubernetes.io/instance',
  component: 'app.kubernetes.io/component',
  partOf: 'app.kubernetes.io/part-of',
} as const;

/** Field manager of everything the operator applies. */
export const FIELD_MANAGER = 'understudy';
/** The recorder agent's one port: /healthz, /readyz, /status and, by TLS, /segments. */
export const AGENT_PORT = 8780;
/** User and group of operator and recorder containers. */
export const RUN_AS = 10001;

/** Names of the objects that belong to a server; the server's name is at most 40 characters, so all are valid. */
export const childNames = {
  pod: (server: string) => server,
  lease: (server: string) => `understudy-${server}`,
  report: (server: string) => server,
  access: (server: string) => `understudy-recorder-${server}`,
  disruptionBudget: (server: string) => `understudy-${server}`,
  claim: (volume: string, server: string) => `${volume}-${server}`,
  /** A role is named after its home server, and so is the Service that follows its holder (rule 14). */
  roleService: (role: string) => role,
  poolAccess: (pool: string) => `understudy-pool-${pool}`,
  baseline: (pool: string, epoch: number) => `${pool}-${epoch}`,
  /** By the time that the schedule names, to the minute and in UTC, so that whoever makes it makes the same one. */
  scheduledBaseline: (pool: string, scheduled: Date) =>
    `${pool}-${scheduled.toISOString().slice(0, 16).replace(/[-:]/g, '').toLowerCase()}z`,
} as const;
