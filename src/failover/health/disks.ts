import { type RecorderReportStatus, reasons } from '../../crds/index.js';
import type { Fact, Signals, VolumeSignal } from '../types.js';
import { currentReport } from './report.js';

type Report = RecorderReportStatus | undefined;

const reported = (volume: VolumeSignal, report: Report) =>
  report?.volumes?.find((candidate) => candidate.name === volume.name);

/**
 * uid of the claim that the recorder's disk belongs to: as its pod was made, else as its identity marker says. Undefined
 * when the spec names another claim by now: the pod is outdated then, and nobody has replaced anything.
 */
function claimInUse(volume: VolumeSignal, report: Report): string | undefined {
  const { podClaim, claimName } = volume;
  if (podClaim !== undefined) return podClaim.claimName === claimName ? podClaim.claimUID : undefined;
  return reported(volume, report)?.claimUID || undefined;
}

/** The cluster has lost the claim or its volume: a pod that starts now would get no disk. */
function lostByCluster(volume: VolumeSignal): boolean {
  return (
    volume.claimPhase === 'Lost' ||
    volume.volumePhase === 'Failed' ||
    volume.volumeMissing === true ||
    volume.claimMissing === true
  );
}

/**
 * What the cluster says against a disk. Identity is the uid: a claim that was made again under its name is another
 * disk, which the running pod does not have yet.
 */
export function clusterFault(volume: VolumeSignal, report: Report): Fact | undefined {
  const { name, claimName, claimUID, volumeName } = volume;
  if (volume.claimMissing === true)
    return { reason: reasons.ClaimDeleted, message: `disk ${name}: claim ${claimName} does not exist` };
  const inUse = claimInUse(volume, report);
  if (claimUID !== undefined && inUse !== undefined && inUse !== claimUID) {
    const message = `disk ${name}: claim ${claimName} is another one (uid ${claimUID}) than the pod has (uid ${inUse})`;
    return { reason: reasons.ClaimReplaced, message };
  }
  if (volume.claimPhase === 'Lost')
    return { reason: reasons.ClaimLost, message: `disk ${name}: claim ${claimName} has lost its volume ${volumeName}` };
  if (volume.volumePhase === 'Failed') {
    const message = `disk ${name}: PersistentVolume ${volumeName} has failed`;
    return { reason: reasons.VolumeFailed, message, time: volume.volumePhaseSince };
  }
  if (volume.volumeMissing === true) {
    const message = `disk ${name}: claim ${claimName} is bound to PersistentVolume ${volumeName}, which does not exist`;
    return { reason: reasons.VolumeMissing, message };
  }
  if (volume.claimDeletionTime === undefined) return undefined;
  const message = `disk ${name}: claim ${claimName} is being deleted; it goes when the pod ends`;
  return { reason: reasons.ClaimTerminating, message, time: volume.claimDeletionTime };
}

/**
 * Whether a disk is lost. The agent's probe reads and writes the very disk, so its word goes before the cluster's: a
 * claim can be Lost, deleted or replaced while its mounted disk goes on taking footage. Full and misconfigured disks
 * are not lost. A replaced claim is a disk all the same: whether it is ours, the identity marker on it says.
 */
export function volumeLost(volume: VolumeSignal, report: Report): boolean {
  const state = reported(volume, report)?.state;
  if (state === 'Lost' || state === 'Replaced') return true;
  if (state === 'Healthy' || state === 'Full') return false;
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
