import type { LeaseSignal, Monotonic, Observation, PodSignal, Renewal, Signals } from '../types.js';
import { foldAnnouncement } from './announcement.js';
import { foldCameraReach } from './camera-reach.js';
import { allDisksLost } from './disks.js';
import { factsOf, foldFacts } from './evidence.js';
import { currentReport } from './report.js';

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

/** Whether the container waits for something that does not pass by itself. */
export function containerCannotRun(pod: PodSignal | undefined): boolean {
  return pod?.waitingReason !== undefined && deadlyWaitingReasons.has(pod.waitingReason);
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

/** A recorder that failed and then stops in an orderly way has not recovered by that. */
function serviceFailing(before: Observation | undefined, signals: Signals): boolean {
  const state = currentReport(signals)?.recordingService?.state;
  return state === 'Failed' || (state === 'Stopping' && before?.serviceFailedAt !== undefined);
}

/**
 * The present pod renews, and has said neither that its recording service works nor that it failed. Counted from its
 * first renewal: what comes before (an image, a volume) is silence.
 */
function serviceStarting({ pod, lease, report }: Signals): boolean {
  if (pod === undefined || lease?.holderIdentity !== pod.uid) return false;
  const state = currentReport({ pod, report })?.recordingService?.state;
  return state !== 'Ready' && state !== 'Failed';
}

/**
 * Folds the present signals of a server into what this replica has seen of it. Called at every change of a signal, with
 * all of them; calling it twice with the same is harmless. The first observation of a server starts every timer at
 * zero (law 7), as does a server of the same name with another uid.
 */
export function observe(previous: Observation | undefined, signals: Signals, now: Monotonic): Observation {
  const before = previous?.serverUID === signals.serverUID ? previous : undefined;
  const renewal = foldRenewal(before, signals.lease, now);
  const heard = renewal !== before?.renewal;
  const everReady = before?.everReady === true || signals.everReady || looksReady(signals);
  const samePod = before?.signals.pod?.uid === signals.pod?.uid;
  return {
    serverUID: signals.serverUID,
    signals,
    renewal,
    leaseSeenAt: foldLeaseSeenAt(before, signals.lease, now),
    disksLostAt: since(allDisksLost(signals), before?.disksLostAt, now),
    serviceFailedAt: since(serviceFailing(before, signals), before?.serviceFailedAt, now),
    containerFailedAt: since(containerFailing(before, signals), before?.containerFailedAt, now),
    serviceStartingAt: since(serviceStarting(signals), samePod ? before?.serviceStartingAt : undefined, now),
    neverReadyAt: since(!everReady && signals.inMaintenance !== true, before?.neverReadyAt, now),
    announcement: foldAnnouncement(before, signals, now),
    facts: foldFacts(before?.facts, factsOf(signals), heard, now),
    everReady,
    cameraReach: foldCameraReach(before?.cameraReach, currentReport(signals), now),
  };
}
