import type { RecorderReportStatus } from '../crds/index.js';
import { foldCameraReach } from './camera-reach.js';
import type { LeaseSignal, Monotonic, Observation, PodSignal, Renewal, Signals, VolumeSignal } from './types.js';

/** Container states from which a recorder does not come back without something being mended. */
const deadlyWaitingReasons: ReadonlySet<string> = new Set([
  'CrashLoopBackOff',
  'CreateContainerConfigError',
  'CreateContainerError',
  'ErrImageNeverPull',
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'RunContainerError',
  'StartError',
]);

/** The report, if the present pod wrote it: another pod's word says nothing about this one. */
export function currentReport(signals: Pick<Signals, 'report' | 'pod'>): RecorderReportStatus | undefined {
  const { report, pod } = signals;
  return report !== undefined && pod !== undefined && report.podUID === pod.uid ? report : undefined;
}

/** Whether the container waits for something that does not pass by itself. */
export function containerCannotRun(pod: PodSignal | undefined): boolean {
  return pod?.waitingReason !== undefined && deadlyWaitingReasons.has(pod.waitingReason);
}

/** The cluster has lost the claim or its volume. */
function lostByCluster(volume: VolumeSignal): boolean {
  return volume.claimPhase === 'Lost' || volume.volumePhase === 'Failed';
}

/**
 * Whether a volume is lost. The agent's probe reads and writes the very disk, so its word goes before the cluster's:
 * a claim can be Lost while its mounted disk goes on taking footage. Full and misconfigured disks are not lost.
 */
export function volumeLost(volume: VolumeSignal, report: RecorderReportStatus | undefined): boolean {
  const reported = report?.volumes?.find((candidate) => candidate.name === volume.name)?.state;
  if (reported === 'Lost' || reported === 'Replaced') return true;
  if (reported === 'Healthy' || reported === 'Full') return false;
  return lostByCluster(volume);
}

/** Rule 9b: every material disk is lost. */
export function allDisksLost(signals: Signals): boolean {
  const report = currentReport(signals);
  return signals.volumes.length > 0 && signals.volumes.every((volume) => volumeLost(volume, report));
}

/** Rule 9b without the agent's word: what the cluster alone says. */
export function allDisksLostByCluster(signals: Signals): boolean {
  return signals.volumes.length > 0 && signals.volumes.every(lostByCluster);
}

function foldRenewal(before: Observation | undefined, lease: LeaseSignal | undefined, now: Monotonic) {
  if (lease?.renewTime === undefined || lease.renewTime === before?.renewal?.renewTime) return before?.renewal;
  const renewal: Renewal = {
    renewTime: lease.renewTime,
    leaseDurationSeconds: lease.leaseDurationSeconds,
    seenAt: now,
    witnessed: before?.leaseSeenAt !== undefined,
  };
  return renewal;
}

/** A Lease that was deleted and made again starts the silence anew: in between nobody could renew. */
function foldLeaseSeenAt(before: Observation | undefined, lease: LeaseSignal | undefined, now: Monotonic) {
  if (lease === undefined) return undefined;
  return before?.signals.lease?.uid === lease.uid ? (before?.leaseSeenAt ?? now) : now;
}

/** Keeps the start of a state that goes on; undefined while it does not hold. */
function since(holds: boolean, before: Monotonic | undefined, now: Monotonic): Monotonic | undefined {
  return holds ? (before ?? now) : undefined;
}

/**
 * Between two crashes a container runs for a moment; that is no recovery. Only a container that has become ready has
 * recovered.
 */
function containerFailing(before: Observation | undefined, signals: Signals): boolean {
  if (containerCannotRun(signals.pod)) return true;
  const samePod = before?.signals.pod?.uid === signals.pod?.uid;
  return before?.containerFailedAt !== undefined && samePod && signals.pod?.ready === false;
}

function looksReady(signals: Signals): boolean {
  return signals.lease?.renewTime !== undefined && currentReport(signals)?.recordingService?.state === 'Ready';
}

/**
 * Folds the present signals of a server into what this replica has seen of it. Called at every change of a signal, with
 * all of them; calling it twice with the same is harmless. The first observation of a server starts every timer at
 * zero (law 7), as does a server of the same name with another uid.
 */
export function observe(previous: Observation | undefined, signals: Signals, now: Monotonic): Observation {
  const before = previous?.serverUID === signals.serverUID ? previous : undefined;
  const serviceFailed = currentReport(signals)?.recordingService?.state === 'Failed';
  return {
    serverUID: signals.serverUID,
    signals,
    renewal: foldRenewal(before, signals.lease, now),
    leaseSeenAt: foldLeaseSeenAt(before, signals.lease, now),
    disksLostAt: since(allDisksLost(signals), before?.disksLostAt, now),
    serviceFailedAt: since(serviceFailed, before?.serviceFailedAt, now),
    containerFailedAt: since(containerFailing(before, signals), before?.containerFailedAt, now),
    everReady: before?.everReady === true || signals.everReady || looksReady(signals),
    cameraReach: foldCameraReach(before?.cameraReach, currentReport(signals), now),
  };
}
