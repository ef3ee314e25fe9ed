import type {
  CameraAssignmentStatus,
  Gap,
  RecorderReportStatus,
  ReportedCamera,
  ReportedGap,
} from '../../crds/index.js';
import {
  addGaps,
  changeGaps,
  gapFromReport,
  gapOf,
  type Ledger,
  takeoverAt,
  withRecovered,
  withTrueStart,
} from '../../failover/gaps/gaps.js';
import type { ServerHealth } from '../../failover/types.js';
import type { RoleState } from '../roles.js';

/** What is known of a recorder that may have recorded the camera before. */
export interface Evidence {
  readonly report: RecorderReportStatus | undefined;
  /** Undefined once the server is gone. */
  readonly health: ServerHealth | undefined;
}

/** A camera with its past. */
export interface PastInput {
  readonly name: string;
  readonly role: RoleState;
  readonly previous: CameraAssignmentStatus | undefined;
  /** As it is bound now. */
  readonly boundTo: CameraAssignmentStatus['boundTo'];
  readonly evidenceOf: (server: string) => Evidence;
}

/** The last time of which a recording is proved, and by whom; the server is not known of statuses of older versions. */
export interface Proof {
  readonly time: string;
  readonly server?: string | undefined;
}

export interface LedgerInput extends PastInput {
  readonly openSince: Proof | undefined;
  /** It is recorded now. */
  readonly recorded: boolean;
  /** The holder's word, if it counts. */
  readonly report: RecorderReportStatus | undefined;
}

/** Who had the camera before its present recorder; undefined when that is the same one. */
function predecessor({ previous, boundTo, role }: PastInput): string | undefined {
  const before = previous?.boundTo?.server;
  const former = before !== undefined && before !== boundTo?.server ? before : role.role?.previousHolder;
  return former === boundTo?.server ? undefined : former;
}

/** Where a recorder's footage of the camera ends, as it found it on its own disks after it had lost the role. */
function footageEnd(report: RecorderReportStatus | undefined, role: string, name: string, before: number) {
  const { formerRole } = report ?? {};
  const found = formerRole?.role === role ? formerRole.cameras.find((camera) => camera.name === name) : undefined;
  return found !== undefined && found.epoch < before ? found.endTime : undefined;
}

/** Nothing of it runs any more, whatever its last report says. A failed recording service alone stops no recording. */
function isGone(health: ServerHealth | undefined): boolean {
  if (health === undefined || health.reachable.status === 'False') return true;
  return health.verdict === 'Broken' && health.reachable.status !== 'True';
}

/**
 * The last proof that the predecessor recorded the camera. Undefined while it goes on (an overlap, law 6), and when it
 * has never recorded it. What the pool keeps of the failover goes before what is seen now: after a restart of the
 * operator it still says the same.
 */
function lastProof(input: PastInput, server: string): string | undefined {
  const { name, role, previous, evidenceOf } = input;
  const { report, health } = evidenceOf(server);
  const failover = takeoverAt(role.pool?.status, role.name, role.epoch);
  const lastSeen = failover?.from === server ? failover.lastSeenTime : undefined;
  const word = report?.role === role.name ? report.cameras?.find((camera) => camera.name === name) : undefined;
  if (word !== undefined) {
    if (word.state !== 'Recording') return word.lastFrameTime;
    const silent = failover?.from === server && failover.trigger === 'Unreachable';
    return silent ? (lastSeen ?? health?.lastSeenTime) : isGone(health) ? health?.lastSeenTime : undefined;
  }
  const wasRecorded = previous?.recording?.startTime !== undefined && previous.boundTo?.server === server;
  return (
    footageEnd(report, role.name, name, role.epoch) ?? (wasRecorded ? (lastSeen ?? failover?.brokenTime) : undefined)
  );
}

/** The present recorder has recorded it until now, by its status; at whichever epoch. */
function recordedByPresent({ previous, boundTo }: PastInput): boolean {
  const { server } = previous?.boundTo ?? {};
  return previous?.recording?.startTime !== undefined && server !== undefined && server === boundTo?.server;
}

/**
 * Since when nobody records the camera, as far as is proved, and who recorded it until then. Kept in status.recording
 * from the moment on at which the binding is written, so that nothing is lost by a restart in between, and no write is
 * needed for it.
 */
export function openSince(input: PastInput): Proof | undefined {
  const { previous, boundTo, evidenceOf } = input;
  const { startTime, lastSegmentTime, lastServer } = previous?.recording ?? {};
  if (lastSegmentTime !== undefined) return { time: lastSegmentTime, server: lastServer };
  if (recordedByPresent(input) && boundTo !== undefined && startTime !== undefined) {
    // Its report tells when that ended; until it does, its last heartbeat counts. It may lie before the first bytes.
    const { lastSeenTime = startTime } = evidenceOf(boundTo.server).health ?? {};
    const time = Date.parse(lastSeenTime) > Date.parse(startTime) ? lastSeenTime : startTime;
    return { time, server: boundTo.server };
  }
  const server = predecessor(input);
  const time = server === undefined ? undefined : lastProof(input, server);
  return time === undefined ? undefined : { time, server };
}

/** First bytes that end a gap, with what the recorder tells of the time before them. */
type FirstBytes = Pick<ReportedGap, 'endTime' | 'causes'>;

/**
 * A recorder that keeps no ledger of its own tells two times only: its last bytes before a break, and its first ones
 * after it.
 */
function betweenTimes(input: LedgerInput, camera: ReportedCamera): { start?: Proof | undefined; first?: FirstBytes } {
  const { previous, openSince: open, boundTo } = input;
  const { startTime, lastFrameTime } = camera;
  if (startTime === undefined || previous?.recording?.startTime === startTime) return {};
  const own = lastFrameTime === undefined ? undefined : { time: lastFrameTime, server: boundTo?.server };
  return { start: recordedByPresent(input) ? own : open, first: { endTime: startTime, causes: [] } };
}

/** The first bytes since the role came to this recorder at this epoch, unless they have been booked. */
function sinceRoleCame(input: LedgerInput, camera: ReportedCamera): { start?: Proof | undefined; first?: FirstBytes } {
  const { previous, role, openSince: open } = input;
  const first = camera.gaps?.find(({ startTime, epoch }) => startTime === undefined && epoch === role.epoch);
  const booked = recordedByPresent(input) && previous?.boundTo?.epoch === role.epoch;
  return booked || first === undefined ? {} : { start: open, first };
}

/** The gap that ends with the camera's first bytes on its present recorder. */
function acquisition(input: LedgerInput, camera: ReportedCamera): Gap | undefined {
  const { role, boundTo, previous } = input;
  const { start, first } = camera.gaps === undefined ? betweenTimes(input, camera) : sinceRoleCame(input, camera);
  if (start === undefined || first === undefined) return undefined;
  const from = start.server === boundTo?.server ? undefined : start.server;
  // Only the first recording at an epoch ends a failover: later gaps are this recorder's own.
  const booked = (previous?.gaps ?? []).some(({ epoch }) => epoch === role.epoch);
  const { endTime, causes } = first;
  return gapOf({
    epoch: role.epoch,
    ...(from === undefined ? {} : { from }),
    startTime: start.time,
    endTime,
    causes,
    takeover: booked ? undefined : takeoverAt(role.pool?.status, role.name, role.epoch),
    otherwise: from === undefined ? 'CameraFailed' : 'Timeout',
  });
}

/**
 * The camera's gaps (rule 11). What has ended is written together with the transition to recording, so that it costs no
 * write of its own; each gap is known by its epoch and its time, so that a report heard twice books it once.
 */
export function ledgerOf(input: LedgerInput): Ledger {
  const { previous, name, role, report, recorded, evidenceOf } = input;
  const known: Ledger = { gaps: previous?.gaps ?? [], totalSeconds: previous?.gapSecondsTotal ?? 0 };
  const corrected = changeGaps(known, (gap) => {
    const end = gap.from && footageEnd(evidenceOf(gap.from).report, role.name, name, gap.epoch);
    return end ? withTrueStart(gap, end) : gap;
  });
  const filled = (report?.recovery?.filled ?? []).filter((stretch) => stretch.camera === name);
  const recovered = changeGaps(corrected, (gap) => filled.reduce(withRecovered, gap));
  const camera = report?.cameras?.find((entry) => entry.name === name);
  if (camera === undefined) return recovered;
  const own = (camera.gaps ?? []).filter(({ epoch }) => epoch === role.epoch).map(gapFromReport);
  return addGaps(recovered, [recorded ? acquisition(input, camera) : undefined, ...own]);
}
