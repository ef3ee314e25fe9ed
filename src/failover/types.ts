import type {
  BackupSpec,
  CameraAssignmentSpec,
  CameraAssignmentStatus,
  FailoverPoolSpec,
  FailoverPoolStatus,
  Gap,
  Reason,
  RecorderReportStatus,
  RecordingServerSpec,
  RecordingServerStatus,
  Trigger,
} from '../crds/index.js';

/** Milliseconds on this replica's monotonic clock. Never compared with another replica's, never stored. */
export type Monotonic = number;

// --- signals: what the API server says about one server right now

/** The recorder's Lease. A renewal is known by its `renewTime`: annotations written by us change only the version. */
export interface LeaseSignal {
  readonly uid?: string | undefined;
  readonly resourceVersion: string;
  /** As the agent wrote it; absent before the first renewal. Compared for equality only: clocks differ. */
  readonly renewTime?: string | undefined;
  /** Timeout by which the agent sets its cadence at its next renewal. Seconds. */
  readonly leaseDurationSeconds: number;
  /** uid of the pod that renewed last. */
  readonly holderIdentity?: string | undefined;
}

/** The pod of a server. */
export interface PodSignal {
  readonly uid: string;
  readonly phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';
  readonly deletionTimestamp?: string | undefined;
  /** Condition Ready is True. */
  readonly ready: boolean;
  /** Why its container waits, such as CrashLoopBackOff or ImagePullBackOff. */
  readonly waitingReason?: string | undefined;
  readonly waitingMessage?: string | undefined;
  /** The scheduler's words while the pod has no node. */
  readonly unschedulableMessage?: string | undefined;
  readonly nodeName?: string | undefined;
}

/** The node of the pod. Evidence for people: a fresh Lease is alive whatever the node says (law 7). */
export interface NodeSignal {
  readonly exists: boolean;
  /** Condition Ready is True. */
  readonly ready: boolean;
  /** Cordoned. */
  readonly unschedulable: boolean;
}

/** A material volume as the cluster sees it. */
export interface VolumeSignal {
  /** Name in spec.volumes. */
  readonly name: string;
  readonly claimName: string;
  /** Absent when the claim does not exist. */
  readonly claimUID?: string | undefined;
  readonly claimPhase?: 'Pending' | 'Bound' | 'Lost' | undefined;
  readonly volumePhase?: 'Pending' | 'Available' | 'Bound' | 'Released' | 'Failed' | undefined;
}

/** Everything known of one server at one moment. Whole, never a difference: any change may have been missed (law 4). */
export interface Signals {
  /** uid of the RecordingServer; another one makes it another server, whose observation starts anew. */
  readonly serverUID: string;
  /** status.everReadyTime is set, so it was ready before this process started. */
  readonly everReady: boolean;
  readonly lease?: LeaseSignal | undefined;
  readonly report?: RecorderReportStatus | undefined;
  readonly pod?: PodSignal | undefined;
  readonly node?: NodeSignal | undefined;
  /** One for each of spec.volumes. */
  readonly volumes: readonly VolumeSignal[];
}

// --- observation: the signals folded over time by one replica

/** The last renewal that this replica has seen. */
export interface Renewal {
  readonly renewTime: string;
  /** Timeout in the Lease when this renewal was seen: the cadence that the agent has read. Seconds. */
  readonly leaseDurationSeconds: number;
  /** When this replica saw it. */
  readonly seenAt: Monotonic;
  /** False for the one found at first sight: it may be of any age, so it proves no life. */
  readonly witnessed: boolean;
}

/** What one replica has seen of one server. Immutable; made by `observe`. */
export interface Observation {
  readonly serverUID: string;
  readonly signals: Signals;
  readonly renewal?: Renewal | undefined;
  /** Since when the present Lease object has been there: without one nobody can renew, and silence proves nothing. */
  readonly leaseSeenAt?: Monotonic | undefined;
  /** Since when every material disk has been lost without a break. */
  readonly disksLostAt?: Monotonic | undefined;
  /** Since when the agent itself has reported the recording service as failed without a break. */
  readonly serviceFailedAt?: Monotonic | undefined;
  /** Since when the container can't run, without having been ready in between. */
  readonly containerFailedAt?: Monotonic | undefined;
  /** It has been ready once (rule 9: before that a failure is no failover). */
  readonly everReady: boolean;
}

/** How this replica stands with the API server; see `foldContact`. */
export interface ApiContact {
  /** Since when answers have come without a gap. Timers never count time before it. */
  readonly since: Monotonic;
  /** The last answer. */
  readonly last: Monotonic;
}

/** What judges a server: its own timeout, else its pool's, else the defaults. Seconds. */
export interface HealthSettings {
  readonly timeoutSeconds: number;
  readonly storageGraceSeconds: number;
  readonly recordingServiceGraceSeconds: number;
}

// --- health

/**
 * - Unknown: not enough has been seen yet; nothing is decided by it.
 * - NeverReady: it has not been ready once, so its failure is no failover.
 * - Healthy: heartbeats arrive, disks take writes, the service runs.
 * - Late: something is amiss, but its time has not passed.
 * - Broken: one of the triggers of rule 9 holds.
 */
export type Verdict = 'Unknown' | 'NeverReady' | 'Healthy' | 'Late' | 'Broken';

/** A condition without its times; the reconciler adds them. */
export interface ConditionVerdict {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: Reason;
  /** Holds no running figures: it changes only when the matter changes (law 8). */
  readonly message: string;
}

/** One judgement, for the server's conditions and for the pool's decisions alike. */
export interface ServerHealth {
  readonly verdict: Verdict;
  /** Set when Broken. Never ServerDeleted: that is the pool's to see. */
  readonly trigger?: Trigger | undefined;
  /** Sentences for people; empty when healthy. At most 16, each at most 256 characters. */
  readonly evidence: readonly string[];
  /** Time of the last heartbeat by the recorder's own clock. */
  readonly lastSeenTime?: string | undefined;
  /** How long the last heartbeat lies behind, as far as this replica has seen. Milliseconds. */
  readonly silentForMs: number;
  /** How long the trigger has held; 0 when not Broken. Milliseconds. */
  readonly brokenForMs: number;
  readonly reachable: ConditionVerdict;
  readonly storageHealthy: ConditionVerdict;
  readonly recordingServiceReady: ConditionVerdict;
  readonly clockSynced: ConditionVerdict;
  /** After so long the judgement changes by itself if nothing new is seen. Milliseconds; absent: never. */
  readonly nextCheckInMs?: number | undefined;
}

// --- the pool

/** A server as the pool's rules see it. */
export interface ServerView {
  readonly name: string;
  readonly uid: string;
  readonly spec: RecordingServerSpec;
  readonly status?: RecordingServerStatus | undefined;
  /** Deletion was asked for. */
  readonly deleting: boolean;
  /** spec.poolRef names this pool. A holder that left the pool is seen too, and is not a member. */
  readonly member: boolean;
  readonly health: ServerHealth;
  /** uid of its pod, if it has one. */
  readonly podUID?: string | undefined;
  readonly nodeName?: string | undefined;
  /** Its last report, from whichever pod. */
  readonly report?: RecorderReportStatus | undefined;
  /** The assignment on its Lease: what is left of a role when all statuses were lost. */
  readonly leaseAssignment?: Assignment | undefined;
}

/** A camera as the pool's rules see it. */
export interface CameraView {
  readonly name: string;
  readonly spec: {
    readonly serverRef: { readonly name: string };
    readonly source: Pick<CameraAssignmentSpec['source'], 'type'>;
    readonly priority: CameraAssignmentSpec['priority'];
  };
  readonly boundTo?: CameraAssignmentStatus['boundTo'] | undefined;
  /** Its ledger, and whether its present recorder has told of it; for the totals in the pool's history. */
  readonly ledger?: { readonly gaps: readonly Gap[]; readonly settled: boolean } | undefined;
}

/** A Backup as the pool's rules see it. */
export interface BackupView {
  readonly name: string;
  readonly spec: BackupSpec;
  readonly outcome: 'Running' | 'Complete' | 'Failed';
  /** Of condition Failed. */
  readonly message?: string | undefined;
}

/** A pool with its servers: what standby choice and protection look at. */
export interface PoolView {
  readonly name: string;
  readonly spec: FailoverPoolSpec;
  readonly status: FailoverPoolStatus;
  readonly servers: readonly ServerView[];
}

/** All inputs of a decision. Times are inputs too: a decision can be run again and gives the same. */
export interface PoolInput extends PoolView {
  /** metadata.generation. */
  readonly generation: number;
  /** Cameras of the roles in question (`rolesInQuestion`): of a quiet pool none are looked at. */
  readonly cameras: readonly CameraView[];
  /** Backups that name this pool. */
  readonly backups: readonly BackupView[];
  readonly now: { readonly monotonic: Monotonic; readonly wall: Date };
  /** `memory` of the last decision; empty after a restart, so all waits start again from zero (law 7). */
  readonly memory: PoolMemory;
}

/** When each bounded wait began on this replica, by a name such as `acknowledge/7`. */
export type PoolMemory = ReadonlyMap<string, Monotonic>;

/** Role and fencing epoch of a server; role is empty when it has none. */
export interface Assignment {
  readonly role: string;
  readonly epoch: number;
}

/** Something that happened, for people; published only after the commit. */
export interface PoolEvent {
  /** Server that it is about; the pool itself when absent. */
  readonly server?: string | undefined;
  /** Another server in it, such as the standby. */
  readonly related?: string | undefined;
  readonly type: 'Normal' | 'Warning';
  readonly reason: Reason;
  /** CamelCase: what was done. */
  readonly action: string;
  readonly note: string;
}

/** Names of the pool's conditions. */
export type PoolConditionType = 'Ready' | 'StandbyAvailable' | 'OnSubstitute' | 'Paused' | 'Reconciling' | 'Stalled';

/** Status without its conditions: those get their times from the reconciler. */
export type PoolRecord = Omit<FailoverPoolStatus, 'conditions' | 'observedGeneration'>;

/** A Backup to be made; making it twice is harmless, its name carries the epoch. */
export interface BackupOrder {
  readonly name: string;
  readonly epoch: number;
}

/** What to do about a pool: one commit, and what follows from it. */
export interface PoolDecision {
  readonly record: PoolRecord;
  readonly conditions: Readonly<Record<PoolConditionType, ConditionVerdict>>;
  readonly events: readonly PoolEvent[];
  /** Servers whose Lease must be read uncached, and show no new renewal, before `record` may be written (law 7). */
  readonly confirmSilence: readonly string[];
  readonly createBackup?: BackupOrder | undefined;
  /** Servers whose assignment `record` changes: their projection should be written at once. */
  readonly affected: readonly string[];
  readonly memory: PoolMemory;
  /** Decide again after so long at the latest. Milliseconds; absent: on the next change. */
  readonly requeueAfterMs?: number | undefined;
}
