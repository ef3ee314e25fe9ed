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
import type { CameraReach } from './health/camera-reach.js';

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
  /** status.reason, such as Evicted. */
  readonly reason?: string | undefined;
  /** status.message: the kubelet's or the node controller's words about the end of the pod. */
  readonly message?: string | undefined;
  /** When it was evicted or its container ended; by Kubernetes. */
  readonly endedTime?: string | undefined;
  /** When its deletion was asked for: deletionTimestamp lies behind it by the grace period. */
  readonly deletionStartTime?: string | undefined;
  /** Its container runs now, by the kubelet. */
  readonly containerRunning?: boolean | undefined;
  /** Since when it has no sandbox with volumes and network on its node (condition PodReadyToStartContainers=False). */
  readonly notStartedSince?: string | undefined;
  /** Why a volume can't be attached or mounted, from Events. */
  readonly mountFault?: MountFault | undefined;
}

/** A volume of a pod that can't be attached or mounted, in the words of an Event. */
export interface MountFault {
  readonly reason: 'MountFailed' | 'AttachFailed';
  readonly message: string;
  /** When it was first told. */
  readonly time?: string | undefined;
}

/** The node of the pod. Evidence for people: a fresh Lease is alive whatever the node says (law 7). */
export interface NodeSignal {
  readonly exists: boolean;
  /** Condition Ready is True. */
  readonly ready: boolean;
  /** Cordoned. */
  readonly unschedulable: boolean;
  /** Reason of the condition Ready, such as NodeStatusUnknown. */
  readonly readyReason?: string | undefined;
  /** lastTransitionTime of the condition Ready. */
  readonly readySince?: string | undefined;
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
  /** Name of the PersistentVolume that the claim is bound to. */
  readonly volumeName?: string | undefined;
  /** When the PersistentVolume came into its phase. */
  readonly volumePhaseSince?: string | undefined;
  /** The claim names a PersistentVolume that does not exist. */
  readonly volumeMissing?: boolean | undefined;
  /** The claim is known not to exist; its absence in an unsynced store is none. */
  readonly claimMissing?: boolean | undefined;
  /** When the deletion of the claim was asked for. */
  readonly claimDeletionTime?: string | undefined;
  /** The claim that the pod was made with. */
  readonly podClaim?: { readonly claimName: string; readonly claimUID: string } | undefined;
}

/** Everything known of one server at one moment. Whole, never a difference: any change may have been missed (law 4). */
export interface Signals {
  /** uid of the RecordingServer; another one makes it another server, whose observation starts anew. */
  readonly serverUID: string;
  /** status.everReadyTime is set, so it was ready before this process started. */
  readonly everReady: boolean;
  /** spec.operatingMode is Maintenance: it is not expected to start. */
  readonly inMaintenance?: boolean | undefined;
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
  /** Since when the present pod has been renewing without having reported a recording service that works or failed. */
  readonly serviceStartingAt?: Monotonic | undefined;
  /** Since when it could have become ready for the first time. */
  readonly neverReadyAt?: Monotonic | undefined;
  /** The stop that the recorder has announced and has not come back from. */
  readonly announcement?: Announcement | undefined;
  /** What else has been seen of a failure, by name, with when this replica first saw it. */
  readonly facts?: ReadonlyMap<string, SeenFact> | undefined;
  /** It has been ready once (rule 9: before that a failure is no failover). */
  readonly everReady: boolean;
  /** What was seen of the cameras that it records; absent while it stands by. */
  readonly cameraReach?: CameraReach | undefined;
}

/** A recorder's word that it stops in an orderly way and means to come back. */
export interface Announcement {
  /** uid of the pod that announced it. */
  readonly podUID: string;
  /** By the recorder's own clock; for people, and to tell one announcement from another. */
  readonly sinceTime: string;
  /** When this replica first saw it. */
  readonly seenAt: Monotonic;
  /** It worked before: only then it is given restartGraceSeconds. */
  readonly planned: boolean;
}

/** Something that was seen beside the trigger of a failure; for people. */
export interface Fact {
  readonly reason: Reason;
  /** Without running figures; at most 256 characters. */
  readonly message: string;
  /** When it began by Kubernetes' or the recorder's clock; absent: when it was first seen. */
  readonly time?: string | undefined;
  /** It goes on to be told after it has passed, until the recorder is heard again. */
  readonly lasting?: boolean | undefined;
}

/** A fact, and when this replica first saw it. */
export interface SeenFact {
  readonly fact: Fact;
  readonly seenAt: Monotonic;
}

/** Evidence in a judgement. Its time is `time`, else now less `ageMs`. */
export interface Evidence extends Omit<Fact, 'lasting'> {
  /** For how long this replica has seen it. Milliseconds. */
  readonly ageMs: number;
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
  /** A recording service that is starting for longer has failed; a server never ready for longer needs a person. */
  readonly startGraceSeconds: number;
  /** What an announced stop is given from its announcement, if that ends later than the timeout. */
  readonly restartGraceSeconds: number;
  /** None of the cameras must have been reached for so long; absent: a role never moves for its cameras. */
  readonly camerasGraceSeconds?: number | undefined;
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
  /** What is amiss, the trigger's first; empty when healthy. At most 16. */
  readonly evidence: readonly Evidence[];
  /** Time of the last heartbeat by the recorder's own clock. */
  readonly lastSeenTime?: string | undefined;
  /** How long the last heartbeat lies behind, as far as this replica has seen. Milliseconds. */
  readonly silentForMs: number;
  /**
   * It was ready once, and its heartbeat has been missing for 1.5 intervals or more, for no reason that the cluster can
   * see: what a storm counts. Never for disks and recording services.
   */
  readonly suspected: boolean;
  /** How long the trigger has held; 0 when not Broken. Milliseconds. */
  readonly brokenForMs: number;
  readonly reachable: ConditionVerdict;
  readonly storageHealthy: ConditionVerdict;
  readonly recordingServiceReady: ConditionVerdict;
  readonly clockSynced: ConditionVerdict;
  /** It has never been ready, for longer than startGraceSeconds: only a person can help. */
  readonly startOverdue?: boolean | undefined;
  readonly camerasReachable: ConditionVerdict;
  /**
   * It reaches none of its cameras, beyond the grace of spec.cameras. That is no break: what it needs is a standby that
   * reaches them. Absent while it is not so, or the pool does not ask for it.
   */
  readonly camerasLost?: CamerasLost | undefined;
  /** After so long the judgement changes by itself if nothing new is seen. Milliseconds; absent: never. */
  readonly nextCheckInMs?: number | undefined;
}

/** A recorder that works, and reaches none of its cameras. */
export interface CamerasLost {
  /** For so long beyond the grace. Milliseconds. */
  readonly forMs: number;
  /** A sentence for people, without running figures. */
  readonly evidence: string;
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
  /** Its node, or the one that its pod must wait for because its volumes are there, if that is cordoned. */
  readonly cordonedNode?: string | undefined;
  /** A drain took its pod, and the next one can't be placed before the node is uncordoned. */
  readonly drained?: boolean | undefined;
  /** Its pod is made from an older template. */
  readonly outdated?: boolean | undefined;
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
  /** When it was created, by the API server's clock; RFC 3339 in whole seconds. */
  readonly createdTime?: string | undefined;
  /** Epoch of the pool when it was begun; absent before that. */
  readonly poolEpoch?: number | undefined;
  /** Deletion was asked for. */
  readonly deleting?: boolean | undefined;
}

/** spec.backup.schedule at one moment; what a cron expression means is worked out by who gathers. */
export type ScheduleView =
  | {
      /** Schedule and time zone, as in '0 3 * * * Europe/Berlin'. */
      readonly expression: string;
      /** Its last time at or before now; absent: there was none. */
      readonly previousTime?: Date | undefined;
      /** Its next time after now; absent: there is none, as of a schedule for a year that is over. */
      readonly nextTime?: Date | undefined;
    }
  /** It can't be read; the message names the field and the mend. */
  | { readonly reason: 'InvalidSchedule' | 'UnknownTimeZone'; readonly message: string };

/** A replica of this operator that runs. */
export interface ReplicaView {
  readonly name: string;
  readonly nodeName: string;
  /** It could lead. */
  readonly ready: boolean;
}

/** A pool with its servers: what standby choice and protection look at. */
export interface PoolView {
  readonly name: string;
  readonly spec: FailoverPoolSpec;
  readonly status: FailoverPoolStatus;
  readonly servers: readonly ServerView[];
  /** Replicas of this operator that run on nodes of the cluster; absent or empty when it runs elsewhere. */
  readonly replicas?: readonly ReplicaView[] | undefined;
}

/** All inputs of a decision. Times are inputs too: a decision can be run again and gives the same. */
export interface PoolInput extends PoolView {
  /** metadata.generation. */
  readonly generation: number;
  /** Cameras of the roles in question (`rolesInQuestion`): of a quiet pool none are looked at. */
  readonly cameras: readonly CameraView[];
  /** The annotation understudy.dev/request as a person wrote it. */
  readonly request?: string | undefined;
  /** Backups that name this pool. */
  readonly backups: readonly BackupView[];
  /** Absent: spec.backup.schedule is not set. */
  readonly schedule?: ScheduleView | undefined;
  readonly now: { readonly monotonic: Monotonic; readonly wall: Date };
  /** How this replica stands with the API server; absent before its first answer. */
  readonly contact?: ApiContact | undefined;
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
export type PoolConditionType =
  | 'Ready'
  | 'StandbyAvailable'
  | 'OnSubstitute'
  | 'MovesPending'
  | 'Paused'
  | 'Reconciling'
  | 'Stalled'
  | 'FailoversHeld'
  | 'Protected'
  | 'OperatorIsolated'
  | 'BaselineCurrent'
  | 'BackupsScheduled';

/** Status without its conditions: those get their times from the reconciler. */
export type PoolRecord = Omit<FailoverPoolStatus, 'conditions' | 'observedGeneration'>;

/** A Backup to be made; making it twice is harmless, its name carries the epoch or the scheduled time. */
export type BackupOrder =
  | { readonly name: string; readonly reason: 'Failover'; readonly epoch: number }
  | { readonly name: string; readonly reason: 'Scheduled' };

/** What to do about a pool: one commit, and what follows from it. */
export interface PoolDecision {
  readonly record: PoolRecord;
  readonly conditions: Readonly<Record<PoolConditionType, ConditionVerdict>>;
  /** Condition Protected of each server that holds a role, by its name. */
  readonly protection: ReadonlyMap<string, ConditionVerdict>;
  readonly events: readonly PoolEvent[];
  /** Servers whose Lease must be read uncached, and show no new renewal, before `record` may be written (law 7). */
  readonly confirmSilence: readonly string[];
  /** Servers whose report must be read uncached, and tell nothing new, before `record` may be written (law 7). */
  readonly confirmReports: readonly string[];
  readonly createBackup?: BackupOrder | undefined;
  /** Servers whose assignment `record` changes: their projection should be written at once. */
  readonly affected: readonly string[];
  readonly memory: PoolMemory;
  /** Decide again after so long at the latest. Milliseconds; absent: on the next change. */
  readonly requeueAfterMs?: number | undefined;
}
