import {
  type CameraAssignmentStatus,
  type Reason,
  type RecorderReportStatus,
  type RecordingServer,
  type ReportedCamera,
  type Role,
  reasons,
} from '../../crds/index.js';
import type { ServerHealth } from '../../failover/types.js';
import type { RoleState } from '../roles.js';
import type { CameraViewSpec } from '../views.js';
import type { Binding } from './binding.js';
import type { Proof } from './ledger.js';

/**
 * A holder's fault is shown on each of its cameras only once it has lasted so long: a takeover is usually committed
 * within a second, and two writes a camera are all that a failover may cost.
 */
export const FAULT_SHOWN_AFTER_MS = 10_000;
/** Silence that is no failure yet, by a long timeout, is shown after so long. */
export const SILENCE_SHOWN_AFTER_MS = 30_000;

type RecordingTimes = NonNullable<CameraAssignmentStatus['recording']>;

export interface RecordingInput {
  readonly name: string;
  readonly spec: CameraViewSpec;
  readonly binding: Binding;
  readonly role: RoleState;
  /** Last report of the holder, from whichever pod and epoch. */
  readonly report: RecorderReportStatus | undefined;
  readonly health: ServerHealth | undefined;
  readonly previous: CameraAssignmentStatus | undefined;
  /** Last proof that anybody recorded it, while nobody does; see `openSince`. */
  readonly openSince?: Proof | undefined;
}

/** Whether a camera is recorded, by what can be proved. */
export interface Recording {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: Reason;
  readonly message: string;
  /** It is on its way; nobody has to do anything. */
  readonly reconciling: boolean;
  readonly times?: RecordingTimes | undefined;
  /** Milliseconds after which time alone changes this. */
  readonly nextCheckInMs?: number | undefined;
}

type Verdict = Omit<Recording, 'times'>;

const verdict = (status: Verdict['status'], reason: Reason, message: string, reconciling = false): Verdict => ({
  status,
  reason,
  message,
  reconciling,
});

/**
 * A substitute that is adopted in Git holds, for its cameras, the role of its own name, and speaks of the one that it has
 * served until it has read that. Its recordings go on all the while, so what it says of a camera is true.
 */
function isBeingAdopted(role: RoleState, holder: RecordingServer, report: RecorderReportStatus): boolean {
  const { role: spokenOf = '', epoch = 0 } = report;
  if (holder.metadata.name !== role.name || spokenOf === '' || spokenOf === role.name) return false;
  return spokenOf === holder.status?.servingRole || epoch < role.epoch;
}

/**
 * Only the word of the very pod that holds the role proves anything, and only if it was spoken in the role's present
 * epoch, or of the same recordings before their recorder was adopted.
 */
export function matchingReport(
  role: RoleState,
  holder: RecordingServer | undefined,
  report: RecorderReportStatus | undefined,
): RecorderReportStatus | undefined {
  if (!report || !holder || report.podUID === undefined || report.podUID !== holder.status?.podUID) return undefined;
  const present = report.role === role.name && report.epoch === role.epoch;
  return present || isBeingAdopted(role, holder, report) ? report : undefined;
}

function byHealth(
  holder: string,
  health: ServerHealth | undefined,
): Verdict | { readonly nextCheckInMs: number } | undefined {
  if (!health) return undefined;
  if (health.verdict === 'Broken') {
    if (health.brokenForMs < FAULT_SHOWN_AFTER_MS) return { nextCheckInMs: FAULT_SHOWN_AFTER_MS - health.brokenForMs };
    // An isolated recorder goes on recording to its own disk (law 6), so silence alone denies nothing.
    const status = health.trigger === 'Unreachable' ? 'Unknown' : 'False';
    return verdict(
      status,
      reasons.HolderBroken,
      `${holder} is broken (${health.trigger}) and nobody has taken over yet`,
    );
  }
  if (health.verdict !== 'Late' || health.reachable.reason !== reasons.HeartbeatLate) return undefined;
  if (health.silentForMs < SILENCE_SHOWN_AFTER_MS) {
    return { nextCheckInMs: SILENCE_SHOWN_AFTER_MS - health.silentForMs };
  }
  return verdict('Unknown', reasons.HolderSilent, `${holder} is silent; whether it records is not known`);
}

function byReported(
  camera: ReportedCamera,
  holder: string,
  failedBefore: Reason | undefined,
  failure: string,
): Verdict {
  switch (camera.state) {
    case 'Recording':
      return verdict('True', reasons.Recording, `Recorded by ${holder}`);
    case 'Failed': {
      const reason = camera.failure === 'SessionLimit' ? reasons.CameraSessionLimit : reasons.CameraFailed;
      return verdict('False', reason, camera.error ?? 'The camera failed; the recorder gave no reason');
    }
    case 'Stopped':
      return verdict('False', reasons.HolderNotRunning, `${holder} has stopped recording it`);
    default:
      // A dead camera goes from Failed to Connecting and back at every attempt; that is no transition worth a write.
      return failedBefore !== undefined
        ? verdict('False', failedBefore, failure)
        : verdict('False', reasons.Connecting, `${holder} connects to the camera`, true);
  }
}

/** A role that its home has got back without anybody to take it from is only not reported yet. */
function isTakenOver({ name, holder, previousHolder, handedOverTime }: Role): boolean {
  return handedOverTime === undefined && (holder !== name || previousHolder !== undefined);
}

function notReported({ role }: RecordingInput, holder: string): Verdict {
  if (role.role && isTakenOver(role.role)) {
    return verdict('False', reasons.TakingOver, `${holder} takes over and has not reported yet`, true);
  }
  return verdict('False', reasons.Connecting, `${holder} has not reported since it started`, true);
}

function judged(input: RecordingInput): Verdict {
  const { binding, role, spec, previous, name } = input;
  if (!binding.boundTo || !binding.bound) {
    return verdict('False', binding.reason, binding.message, !binding.stalled && binding.boundTo !== undefined);
  }
  if (spec.source.type === 'Analog') {
    const message = 'Recorded by the capture card of its home server, which reports nothing to us';
    return verdict('Unknown', reasons.NotYetObserved, message);
  }
  const holder = binding.boundTo.server;
  const health = byHealth(holder, input.health);
  if (health && 'status' in health) return health;
  const reported = matchingReport(role, role.holder, input.report)?.cameras?.find((camera) => camera.name === name);
  const before = previous?.conditions?.find((condition) => condition.type === 'Recording');
  const sameHolder = previous?.boundTo?.epoch === binding.boundTo.epoch && previous.boundTo.server === holder;
  const failures: readonly Reason[] = [reasons.CameraFailed, reasons.CameraSessionLimit];
  const failedBefore = sameHolder ? failures.find((reason) => reason === before?.reason) : undefined;
  const result = reported
    ? byReported(reported, holder, failedBefore, before?.message ?? '')
    : notReported(input, holder);
  return health ? { ...result, nextCheckInMs: health.nextCheckInMs } : result;
}

/** Changed on transitions only: a status that followed every segment would be a write every few seconds a camera. */
function timesOf(input: RecordingInput, result: Verdict): RecordingTimes | undefined {
  const reported = matchingReport(input.role, input.role.holder, input.report)?.cameras?.find(
    (camera) => camera.name === input.name,
  );
  if (result.status === 'True' && reported) return { startTime: reported.startTime ?? reported.sinceTime };
  // Without a start time while nobody proves that it is recorded: kubectl shows it as "recorded for so long".
  // While it says Recording, its last frame is that of an earlier break.
  const own = reported?.state === 'Recording' ? undefined : reported?.lastFrameTime;
  const server = input.binding.boundTo?.server;
  const last = own !== undefined && server !== undefined ? { time: own, server } : input.openSince;
  return last && { lastSegmentTime: last.time, ...(last.server === undefined ? {} : { lastServer: last.server }) };
}

export function recordingOf(input: RecordingInput): Recording {
  const result = judged(input);
  return { ...result, times: timesOf(input, result) };
}
