/**
 * Every reason that a condition, an Event or a held-back step can carry. Reasons are API: scripts and alerts match
 * them, so a change of one is a breaking change. Each has one meaning, wherever it appears.
 */
export const reasons = {
  // --- general
  /** All is as it should be. */
  AsExpected: 'AsExpected',
  /** Nothing is known yet: the first observation is still to come. */
  NotYetObserved: 'NotYetObserved',
  /** The spec can't work as it stands; the message names the field and the mend. */
  InvalidSpec: 'InvalidSpec',
  /** Another object with the same name stands in the way and is not ours. */
  NameTaken: 'NameTaken',
  /** The API server refused a write for want of permission. */
  NotPermitted: 'NotPermitted',

  // --- RecordingServer: references and start
  /** spec.poolRef names a pool that does not exist. */
  PoolNotFound: 'PoolNotFound',
  /** A volume names a claim that does not exist. */
  ClaimNotFound: 'ClaimNotFound',
  /** Two servers name the same claim; the one created first keeps it. */
  ClaimInUse: 'ClaimInUse',
  /** The claim waits for its volume. */
  ClaimPending: 'ClaimPending',
  /** The pod is not placed on a node yet; the message carries the scheduler's words. */
  Unschedulable: 'Unschedulable',
  /** The pod is being made or is starting. */
  Starting: 'Starting',
  /** The server has not been ready once, so its failure is no failover (rule 9). */
  NeverReady: 'NeverReady',
  /** The recorder's container can't start; the message says why (image, configuration). */
  ContainerCannotStart: 'ContainerCannotStart',

  // --- RecordingServer: health
  /** Heartbeats arrive. */
  HeartbeatFresh: 'HeartbeatFresh',
  /** Heartbeats are late, but the timeout has not passed. */
  HeartbeatLate: 'HeartbeatLate',
  /** Trigger (a) of rule 9: no heartbeat for longer than the timeout. */
  Unreachable: 'Unreachable',
  /** Trigger (b) of rule 9: every material disk is lost. */
  AllDisksLost: 'AllDisksLost',
  /** Trigger (c) of rule 9: the recording service can't initialise or write for local reasons. */
  RecordingServiceFailed: 'RecordingServiceFailed',
  /** The server object was deleted while it held another server's role. */
  ServerDeleted: 'ServerDeleted',
  /** Some disks are lost, not all: it goes on recording on the others. */
  SomeDisksLost: 'SomeDisksLost',
  /** A disk is full beyond what retention can free. A full disk is never a dead disk. */
  DiskFull: 'DiskFull',
  /** A volume carries another identity than ours: swapped, or mounted without its disk. */
  VolumeReplaced: 'VolumeReplaced',
  /** A volume refuses us for want of permission. */
  VolumeMisconfigured: 'VolumeMisconfigured',
  /** All disks answer. */
  DisksHealthy: 'DisksHealthy',
  /** The recording service works. */
  ServiceRunning: 'ServiceRunning',
  /** The recorder's clock differs from the API server's by more than a second. */
  ClockSkewed: 'ClockSkewed',
  /** Operation is as wanted: it holds no role and stands by. */
  StandingBy: 'StandingBy',
  /** It records its role. */
  Recording: 'Recording',
  /** It takes over a role right now. */
  TakingOver: 'TakingOver',
  /** It was broken, is healthy again, and must stay so for failback.stableSeconds. */
  Stabilising: 'Stabilising',
  /** A substitute records its role. */
  ReplacedBySubstitute: 'ReplacedBySubstitute',
  /** operatingMode is Maintenance. */
  InMaintenance: 'InMaintenance',
  /** In maintenance, and its pod is gone: disks and node may be worked on. */
  PodGone: 'PodGone',
  /** In maintenance, but the pod has not ended yet. */
  PodStillRunning: 'PodStillRunning',
  /** In maintenance, but it still holds a role, which keeps its pod. */
  HoldsRole: 'HoldsRole',
  /** The pod is made from an older template; updateStrategy says when it is replaced. */
  TemplateOutdated: 'TemplateOutdated',

  // --- RecordingServer: evidence, planned restarts
  /** The recorder has announced that it stops, and is awaited back for restartGraceSeconds. */
  Restarting: 'Restarting',
  /** The node of its pod does not exist any more. */
  NodeGone: 'NodeGone',
  /** The node of its pod is not ready, or its kubelet is not heard. Never a failure by itself. */
  NodeNotReady: 'NodeNotReady',
  /** It has no pod. */
  NoPod: 'NoPod',
  /** Its pod was evicted. */
  PodEvicted: 'PodEvicted',
  /** Its pod has ended otherwise. */
  PodEnded: 'PodEnded',
  /** Its pod is being deleted; on a lost node nobody can confirm that it has ended. */
  PodTerminating: 'PodTerminating',
  /** Its pod has a node, but no sandbox with its volumes and network there. */
  PodNotStarted: 'PodNotStarted',
  /** A volume of its pod can't be mounted; the message carries the kubelet's words. */
  MountFailed: 'MountFailed',
  /** A volume of its pod can't be attached to the node; the message carries the controller's words. */
  AttachFailed: 'AttachFailed',
  /** A disk does not take writes, by the recorder's own probe. */
  DiskLost: 'DiskLost',
  /** The claim has lost its volume for good (phase Lost). */
  ClaimLost: 'ClaimLost',
  /** The claim was deleted. While its mounted disk takes footage nothing is lost; after the pod has ended, it is. */
  ClaimDeleted: 'ClaimDeleted',
  /** The claim is being deleted: it goes as soon as the pod ends. */
  ClaimTerminating: 'ClaimTerminating',
  /** The claim under this name is another one (uid) than the pod was made with. */
  ClaimReplaced: 'ClaimReplaced',
  /** The PersistentVolume of the claim has failed. */
  VolumeFailed: 'VolumeFailed',
  /** The claim is bound to a PersistentVolume that does not exist. */
  VolumeMissing: 'VolumeMissing',

  // --- RecordingServer: protection
  /** A standby would take over. */
  StandbyReady: 'StandbyReady',
  /** No poolRef: nobody watches it (rule 7). */
  NotMonitored: 'NotMonitored',
  /** It is a standby; only servers with a role are protected (rule 15). */
  NoRole: 'NoRole',
  /** Its pool is paused. */
  PoolPaused: 'PoolPaused',
  /** Plugins named in spec.plugins have to be reinstalled by hand on the substitute (rule 3). */
  ReinstallByHand: 'ReinstallByHand',
  /** No plugins are named. */
  NoPlugins: 'NoPlugins',

  // --- standby choice: why a candidate was not chosen (rule 4)
  /** It mounts other paths than the home server. */
  MountPathsDiffer: 'MountPathsDiffer',
  /** Its volumes have another file system type. */
  FileSystemDiffers: 'FileSystemDiffers',
  /** Its recorder version does not fit compatibility.version. */
  VersionDiffers: 'VersionDiffers',
  /** What it mounts and runs has not been reported yet. */
  NotReported: 'NotReported',
  /** It records a role already. */
  Busy: 'Busy',
  /** It is broken, late or not ready. */
  NotHealthy: 'NotHealthy',
  /** It has recorded this role until now, and that is what broke. */
  IsBrokenHolder: 'IsBrokenHolder',
  /** It took this role in the running failover and did not acknowledge or died. */
  DidNotAcknowledge: 'DidNotAcknowledge',
  /** It fits. */
  Fits: 'Fits',

  // --- cameras of a server, and readiness of a standby
  /** Every camera that it records, or has probed as a standby, answers. */
  AllReachable: 'AllReachable',
  /** Some cameras do not answer; the message counts and names them. */
  SomeUnreachable: 'SomeUnreachable',
  /** No camera answers this recorder: look at its camera network before the cameras. */
  AllUnreachable: 'AllUnreachable',
  /** The recorder does not reach the cameras that it has to record, or would have to. */
  CamerasUnreachable: 'CamerasUnreachable',
  /** Cameras, credentials, disks and image are as a takeover needs them. */
  Prepared: 'Prepared',
  /** Its disks would not bear the cameras of the largest role (spec.cameras.writeKilobytesPerSecond). */
  DiskTooSlow: 'DiskTooSlow',
  /** Secrets with camera logins can't be read by this recorder. */
  CredentialsUnreadable: 'CredentialsUnreadable',
  /** The image of its pod can't be pulled. */
  ImageMissing: 'ImageMissing',
  /** A role whose cameras its recorder does not reach waits: no standby reaches them either. */
  NoStandbyReachesCameras: 'NoStandbyReachesCameras',
  /** The camera allows fewer sessions than are asked of it just now, mostly one of the recorder before. */
  CameraSessionLimit: 'CameraSessionLimit',

  // --- FailoverPool
  /** At least one standby is ready. */
  StandbyAvailable: 'StandbyAvailable',
  /** The pool has no server that could stand by (rule 6). */
  NoStandby: 'NoStandby',
  /** There are standbys, but none is healthy, free and compatible; the message says why for each. */
  NoCompatibleStandby: 'NoCompatibleStandby',
  /** A queued server waits for the failover that runs now (rule 13). */
  FailoverRunning: 'FailoverRunning',
  /** Every role is recorded by its home. */
  AllAtHome: 'AllAtHome',
  /** Some roles are recorded by substitutes; the message names them. */
  OnSubstitute: 'OnSubstitute',
  /** A failover or its baseline runs. */
  FailingOver: 'FailingOver',
  /** spec.paused. */
  Paused: 'Paused',
  /** Not paused. */
  NotPaused: 'NotPaused',

  // --- FailoverPool: storm hold
  /** A queued server waits until the storm hold ends. */
  FailoversHeld: 'FailoversHeld',
  /** Too many nodes fell silent at once: failovers of silent servers are held. */
  StormHold: 'StormHold',
  /** The storm lasts, but its hold was released: by itself after storm.holdSeconds, or by a person. */
  HoldReleased: 'HoldReleased',
  /** Enough nodes are heard again: the hold has ended. */
  StormOver: 'StormOver',
  /** No storm: failovers are served as they come. */
  NoStorm: 'NoStorm',

  // --- FailoverPool: protection and the operator's own place
  /** After the loss of any one recorder or any one node every camera would be recorded. */
  AllSurvivable: 'AllSurvivable',
  /** Some single failures would leave cameras unrecorded; the message names them. */
  NotSurvivable: 'NotSurvivable',
  /** One node runs recorders and every ready replica of the operator: with it nobody would be left to move the roles. */
  OperatorAtRisk: 'OperatorAtRisk',
  /** No replica of the operator shares a node with a recorder of the pool (rule 8). */
  OnOtherNodes: 'OnOtherNodes',
  /** A replica of the operator runs on the node of a recorder. */
  SharesNode: 'SharesNode',
  /** All replicas of the operator run on one node. */
  OneNode: 'OneNode',
  /** Operator and recorders have fewer than three nodes between them (rule 8). */
  TooFewMachines: 'TooFewMachines',

  // --- FailoverPool: baselines
  /** The newest baseline shows the pool as the last takeover left it. */
  BaselineCurrent: 'BaselineCurrent',
  /** The pool has no complete baseline. */
  NoBaseline: 'NoBaseline',
  /** Baselines are made by spec.backup.schedule. */
  Scheduled: 'Scheduled',
  /** spec.backup.schedule is not set: baselines are made after takeovers and by hand. */
  NotScheduled: 'NotScheduled',
  /** spec.backup.schedule can't be read, or names a day that never comes; nothing else in the pool is disturbed. */
  InvalidSchedule: 'InvalidSchedule',
  /** spec.backup.timeZone names no time zone that this operator knows. */
  UnknownTimeZone: 'UnknownTimeZone',
  /** A scheduled baseline is ordered. */
  BackupScheduled: 'BackupScheduled',

  // --- Events of a failover
  /** A server was judged broken and took its place in the queue. */
  ServerBroken: 'ServerBroken',
  /** It recovered before its turn and left the queue. */
  RecoveredBeforeTurn: 'RecoveredBeforeTurn',
  /** The role has been given to a standby: the commit. */
  TakeoverCommitted: 'TakeoverCommitted',
  /** The standby records; the previous holder may stop. */
  TakeoverProved: 'TakeoverProved',
  /** The wait for proof has ended; the message names the cameras without it. */
  TakeoverUnproved: 'TakeoverUnproved',
  /** The standby in the middle of a takeover failed; the next one gets the role. */
  TakeoverSuperseded: 'TakeoverSuperseded',
  /** The failover and its baseline are done. */
  FailoverCompleted: 'FailoverCompleted',
  /** The new baseline could not be made; the queue goes on all the same. */
  BaselineFailed: 'BaselineFailed',
  /** The new baseline was not complete at its deadline; the queue goes on all the same. */
  BaselineLate: 'BaselineLate',
  /** A pool without memory (re-applied, restored) took over the holders that it found, above every visible epoch. */
  EpochSeeded: 'EpochSeeded',
  /** A restore brings roles, servers and cameras back: until it is finished the pool decides nothing. */
  Restoring: 'Restoring',
  /** A restore was not finished in time: the pool decides again, with what there is; run the restore again. */
  RestoreUnfinished: 'RestoreUnfinished',
  /** A broken server is healthy again and stands by (rule 2). */
  RepairedToStandby: 'RepairedToStandby',
  /** The broken home was deleted; its substitute goes on recording. */
  HomeDeleted: 'HomeDeleted',

  // --- planned moves
  /** A role should move and can't yet; the message says what it waits for. */
  MoveWaiting: 'MoveWaiting',
  /** A role should move, and only a person may say when; the message holds the command. */
  AwaitingPerson: 'AwaitingPerson',
  /** The home is healthy again and must stay so for failback.stableSeconds before its role goes home. */
  AwaitingStability: 'AwaitingStability',
  /** The home broke again soon after its role had gone home: the next failback is a person's. */
  FlappedRecently: 'FlappedRecently',
  /** Every role is where it should be. */
  NoMoves: 'NoMoves',
  /** A planned move or its baseline runs; nothing is unrecorded. */
  Moving: 'Moving',
  /** The role has been given to another server by plan: the commit. */
  MoveCommitted: 'MoveCommitted',
  /** The planned move and its baseline are done. */
  MoveCompleted: 'MoveCompleted',
  /** The planned move could not be proved; the role went back to its holder, which never stopped recording. */
  MoveAbandoned: 'MoveAbandoned',
  /** A person's request can't be done; status.lastRequest says why and what to do. */
  RequestRefused: 'RequestRefused',
  /** The node is cordoned: nothing moves there by plan, and a pod that waits for it is no failure. */
  NodeCordoned: 'NodeCordoned',
  /** A substitute was made a Standard server in Git and serves a role of its own name now. */
  SubstituteAdopted: 'SubstituteAdopted',
  /** A role has neither a home nor a camera any more; its holder stands by again. */
  RoleEnded: 'RoleEnded',

  // --- CameraAssignment
  /** The camera is assigned to a running recorder. */
  Bound: 'Bound',
  /** spec.serverRef names a server that does not exist. */
  ServerNotFound: 'ServerNotFound',
  /** spec.serverRef names a server of type Failover, which has no role of its own. */
  ServerHasNoRole: 'ServerHasNoRole',
  /** The recorder of its role is not running. */
  HolderNotRunning: 'HolderNotRunning',
  /** An analogue camera hangs on a capture card in the home server and stays behind (rule 5). */
  AnalogNotTransferable: 'AnalogNotTransferable',
  /** priority is Never: it is not transferred. */
  PriorityNever: 'PriorityNever',
  /** The substitute's capacity is used up by cameras of higher priority (rule 4). */
  CapacityExceeded: 'CapacityExceeded',
  /** The recorder connects to the camera. */
  Connecting: 'Connecting',
  /** The recorder can't record the camera; the message says why. */
  CameraFailed: 'CameraFailed',
  /** The recorder of its role is broken, and no standby has taken over yet. */
  HolderBroken: 'HolderBroken',
  /** The recorder of its role has been silent too short to be broken; whether it records is not known. */
  HolderSilent: 'HolderSilent',
  /** Recorded by its home server. */
  AtHome: 'AtHome',

  // --- footage recovery (rule 10)
  /** This server has footage of a role that it lost, from a time that is missing on the present holder. */
  FootageRecoverable: 'FootageRecoverable',
  /** It has no footage from a time that is missing elsewhere. */
  NothingToRecover: 'NothingToRecover',
  /** The present holder has copied it. */
  FootageRecovered: 'FootageRecovered',
  /** A person's request to recover footage can't be done; the message says why and what to write. */
  RecoveryRefused: 'RecoveryRefused',
  /** The recovery has begun. */
  RecoveryRunning: 'RecoveryRunning',
  /** All footage that could be had has been copied and verified. */
  RecoveryDone: 'RecoveryDone',
  /** The recovery was given up; the message says why. */
  RecoveryFailed: 'RecoveryFailed',

  // --- Backup
  /** The baseline is being made. */
  InProgress: 'InProgress',
  /** The baseline is complete and its checksum has been read back. */
  Complete: 'Complete',
  /** The baseline could not be made; the message says why and what to do. */
  Failed: 'Failed',
  /** The pool's status does not show the takeover that this baseline should fix; the pool was re-created meanwhile. */
  TakeoverNotVisible: 'TakeoverNotVisible',
  /** What was read back differs from what was written. */
  ChecksumMismatch: 'ChecksumMismatch',
  /** The engine refused: quota, size or permission; the message carries its words. */
  EngineRefused: 'EngineRefused',
  /** A try has failed for a reason that may pass (condition Ready has it), and is repeated until spec.backup.retrySeconds of the pool are over. */
  Retrying: 'Retrying',
  /** It could not be made within spec.backup.retrySeconds of the pool because the API server was in the way; the message carries its words. */
  DeadlineExceeded: 'DeadlineExceeded',
  /** A role moved while the baseline was made: what it holds lies before the move, or half-way through it. */
  RolesMoved: 'RolesMoved',
  /** The operator has deleted an old baseline by spec.backup.retain of its pool. */
  BaselinePruned: 'BaselinePruned',
  /** An old baseline could not be deleted; the message says why. */
  PruningFailed: 'PruningFailed',
  /** The baseline is larger than the engine can keep. */
  BaselineTooLarge: 'BaselineTooLarge',
  /** The Secret with the credentials of the store, or a key in it, is missing. */
  CredentialsMissing: 'CredentialsMissing',
  /** The store does not know the credentials, or their signature is wrong. */
  CredentialsRefused: 'CredentialsRefused',
  /** The store knows the credentials, and they may not do this. */
  AccessDenied: 'AccessDenied',
  /** The bucket does not exist. */
  BucketNotFound: 'BucketNotFound',
  /** The disk or the quota of the store is full. */
  StorageFull: 'StorageFull',
  /** The host name of the store is not known to DNS. Tried again. */
  EndpointNotResolved: 'EndpointNotResolved',
  /** Nothing answers at the address of the store. Tried again. */
  EndpointUnreachable: 'EndpointUnreachable',
  /** What answers at the address of the store is no S3 server, or speaks TLS where none is expected, or the reverse. */
  EndpointNotUnderstood: 'EndpointNotUnderstood',
  /** The certificate of the store is not trusted. */
  CertificateNotTrusted: 'CertificateNotTrusted',
  /** The store went away in the middle, or was out of order. Nothing half-written counts; tried again. */
  StoreInterrupted: 'StoreInterrupted',
  /** The Secret with the encryption key, or the key in it, is missing or no key. */
  EncryptionKeyMissing: 'EncryptionKeyMissing',
  /** The baseline is encrypted with a key that is not at hand; it is not damaged. */
  EncryptionKeyDiffers: 'EncryptionKeyDiffers',
  /** Velero's kinds or its namespace are not there. */
  VeleroNotInstalled: 'VeleroNotInstalled',
  /** Velero has no BackupStorageLocation of that name, or none by default. */
  StorageLocationNotFound: 'StorageLocationNotFound',
  /** Velero can't use its BackupStorageLocation, or may only read it. Tried again where that may pass. */
  StorageLocationUnavailable: 'StorageLocationUnavailable',
  /** Velero is at work on the baseline, or has not begun. */
  VeleroInProgress: 'VeleroInProgress',
  /** Velero was not done at spec.backup.deadlineSeconds of the pool. It goes on, and is followed. */
  VeleroLate: 'VeleroLate',
  /** Velero was not done after spec.backup.velero.timeoutSeconds. It may go on, and is not followed any more. */
  VeleroTimedOut: 'VeleroTimedOut',
  /** Velero refused the request; the message carries its words. */
  VeleroValidationFailed: 'VeleroValidationFailed',
  /** Velero could not save every object: what there is does not count as a baseline. */
  VeleroPartiallyFailed: 'VeleroPartiallyFailed',
  /** Velero could not make the baseline; the message carries its words. */
  VeleroFailed: 'VeleroFailed',
  /** Somebody deleted the Velero Backup before it was complete. */
  VeleroBackupDeleted: 'VeleroBackupDeleted',
  /** Velero has not deleted what holds an old baseline. */
  VeleroDeletionFailed: 'VeleroDeletionFailed',
} as const;

/** One of the fixed reasons. */
export type Reason = (typeof reasons)[keyof typeof reasons];
