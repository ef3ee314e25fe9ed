import { reasons } from '../../crds/index.js';
import type { ConditionVerdict, Observation, Signals } from '../types.js';
import { clusterFault, volumeLost } from './disks.js';
import { containerCannotRun } from './observation.js';
import { currentReport } from './report.js';
import type { Silence } from './silence.js';

/** A recorder's clock may differ from the API server's by so much. Seconds. */
const CLOCK_TOLERANCE_SECONDS = 1;

/** A condition about which nothing is known yet. */
export function unseen(message: string): ConditionVerdict {
  return { status: 'Unknown', reason: reasons.NotYetObserved, message };
}

/** Condition Reachable: do heartbeats arrive? */
export function reachable(observation: Observation, silence: Silence): ConditionVerdict {
  const { renewal, everReady, leaseSeenAt, announcement } = observation;
  if (announcement !== undefined && silence.awaitedForMs > 0) {
    const message = `It announced at ${announcement.sinceTime} that it stops, and is awaited back`;
    return { status: 'Unknown', reason: reasons.Restarting, message };
  }
  const last = renewal === undefined ? 'No heartbeat has ever come' : `No heartbeat since ${renewal.renewTime}`;
  if (silence.fresh) return { status: 'True', reason: reasons.HeartbeatFresh, message: 'Heartbeats arrive' };
  if (leaseSeenAt === undefined) return unseen('It has no Lease yet');
  if (silence.silentForMs >= silence.timeoutMs) {
    const reason = everReady ? reasons.Unreachable : reasons.NeverReady;
    return { status: 'False', reason, message: `${last}; the timeout is ${silence.timeoutMs / 1000} s` };
  }
  if (silence.late) return { status: 'Unknown', reason: reasons.HeartbeatLate, message: last };
  return unseen('No heartbeat has been seen by this operator yet');
}

function namesInState(signals: Signals, ...states: string[]): string {
  const volumes = currentReport(signals)?.volumes ?? [];
  return volumes
    .filter((volume) => states.includes(volume.state))
    .map((volume) => (volume.message === undefined ? volume.name : `${volume.name} (${volume.message})`))
    .join(', ');
}

function storageFault(signals: Signals): ConditionVerdict | undefined {
  const report = currentReport(signals);
  const lost = signals.volumes.filter((volume) => volumeLost(volume, report));
  const names = lost.map((volume) => volume.name).join(', ');
  const replaced = namesInState(signals, 'Replaced');
  const misconfigured = namesInState(signals, 'Misconfigured');
  const full = namesInState(signals, 'Full');
  if (lost.length > 0 && lost.length === signals.volumes.length)
    return { status: 'False', reason: reasons.AllDisksLost, message: `Every disk is lost: ${names}` };
  if (replaced !== '')
    return { status: 'False', reason: reasons.VolumeReplaced, message: `Not the disk that belongs here: ${replaced}` };
  if (lost.length > 0)
    return { status: 'False', reason: reasons.SomeDisksLost, message: `Lost: ${names}; it records on the others` };
  if (misconfigured !== '')
    return { status: 'False', reason: reasons.VolumeMisconfigured, message: `Not writable: ${misconfigured}` };
  if (full !== '') return { status: 'False', reason: reasons.DiskFull, message: `Full: ${full}` };
  return claimsAtRisk(signals);
}

/** The disks take footage, but the cluster has lost, deleted or replaced what they belong to: a restart loses them. */
function claimsAtRisk(signals: Signals): ConditionVerdict | undefined {
  const report = currentReport(signals);
  const faults = signals.volumes.map((volume) => clusterFault(volume, report)).filter((fault) => fault !== undefined);
  const [first] = faults;
  if (first === undefined) return undefined;
  const what = faults.map(({ message }) => message).join('; ');
  const message = `Its disks still take footage, and would be lost with its pod: ${what}; move its role before the pod ends`;
  return { status: 'False', reason: first.reason, message };
}

/** Condition StorageHealthy: do all material disks take writes? Some lost is degraded, not broken (rule 9b). */
export function storageHealthy({ signals }: Observation): ConditionVerdict {
  const fault = storageFault(signals);
  if (fault !== undefined) return fault;
  const reported = currentReport(signals)?.volumes ?? [];
  const known = signals.volumes.every((volume) =>
    reported.some((candidate) => candidate.name === volume.name && candidate.state !== 'Unknown'),
  );
  if (!known) return unseen('The recorder has not reported on all its disks yet');
  return { status: 'True', reason: reasons.DisksHealthy, message: 'All disks answer' };
}

/** Condition RecordingServiceReady: can the recording service initialise and write (rule 9c)? */
export function recordingServiceReady({ signals, everReady }: Observation): ConditionVerdict {
  const service = currentReport(signals)?.recordingService;
  if (containerCannotRun(signals.pod)) {
    const { waitingReason = '', waitingMessage = '' } = signals.pod ?? {};
    const reason = everReady ? reasons.RecordingServiceFailed : reasons.ContainerCannotStart;
    return { status: 'False', reason, message: `${waitingReason}: ${waitingMessage}`.replace(/: $/, '') };
  }
  if (service === undefined) return unseen('The recorder has not reported its recording service yet');
  if (service.state === 'Failed')
    return { status: 'False', reason: reasons.RecordingServiceFailed, message: service.message ?? 'It has failed' };
  if (service.state === 'Stopping')
    return { status: 'Unknown', reason: reasons.Restarting, message: 'The recorder was asked to stop' };
  if (service.state === 'Starting')
    return { status: 'Unknown', reason: reasons.Starting, message: 'The recording service is starting' };
  return { status: 'True', reason: reasons.ServiceRunning, message: 'The recording service works' };
}

/** Condition ClockSynced: a skewed clock puts footage under the wrong time. */
export function clockSynced({ signals }: Observation): ConditionVerdict {
  const offset = currentReport(signals)?.clockOffsetSeconds;
  if (offset === undefined) return unseen('The recorder has not compared its clock yet');
  if (Math.abs(offset) > CLOCK_TOLERANCE_SECONDS) {
    const side = offset > 0 ? 'ahead of' : 'behind';
    const message = `The recorder's clock is ${Math.abs(offset)} s ${side} the API server's; set it by NTP`;
    return { status: 'False', reason: reasons.ClockSkewed, message };
  }
  return { status: 'True', reason: reasons.AsExpected, message: 'The clock is right' };
}
