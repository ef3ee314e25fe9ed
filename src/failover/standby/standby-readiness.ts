import { type Reason, type RecorderReportStatus, reasons } from '../../crds/index.js';
import { heldRoles } from '../roles.js';
import type { ConditionVerdict, PoolView, ServerView } from '../types.js';
import { misfit } from './compatibility.js';
import { modelOf } from './standby-choice.js';

/** Names in a message. */
const NAMED = 5;

/** What the readiness of a standby is judged by. */
export interface StandbyInput {
  readonly pool: PoolView;
  readonly server: ServerView;
  /** Cameras of the pool's largest role that a substitute would record. */
  readonly largestRole: number;
  /** Why the image of its pod can't be had, as the pod tells; absent when it is there. */
  readonly imageMissing?: string | undefined;
}

/** The standing conditions of a server that holds no role. */
export interface StandbyVerdicts {
  /** Rule 4: it fits the roles of its pool. */
  readonly compatible: ConditionVerdict;
  /** Cameras, credentials, disks and image are as a takeover needs them. */
  readonly ready: ConditionVerdict;
}

const yes = (reason: Reason, message: string): ConditionVerdict => ({ status: 'True', reason, message });
const no = (reason: Reason, message: string): ConditionVerdict => ({ status: 'False', reason, message });

function listed(names: readonly string[]): string {
  return names.length > NAMED
    ? `${names.slice(0, NAMED).join(', ')} and ${names.length - NAMED} more`
    : names.join(', ');
}

/** Rule 4: which of the pool's roles it could not serve, whoever is healthy or busy at this moment. */
function compatible({ pool, server }: StandbyInput): ConditionVerdict {
  const roles = heldRoles(pool);
  const misfits = roles.flatMap((role) => {
    const found = misfit(pool.spec.compatibility.version, modelOf(pool, role), server);
    return found === undefined ? [] : [{ role: role.name, ...found }];
  });
  const [first] = misfits;
  if (first === undefined) return yes(reasons.Fits, 'It fits every role of its pool');
  if (misfits.every(({ reason }) => reason === reasons.NotReported))
    return { status: 'Unknown', reason: reasons.NotReported, message: first.message };
  // The reason that concerns most roles; of two, the one whose role comes first.
  const counted = misfits.map(({ reason }) => misfits.filter((other) => other.reason === reason).length);
  const worst = misfits[counted.indexOf(Math.max(...counted))] ?? first;
  const names = listed(misfits.map(({ role }) => role));
  return no(worst.reason, `It does not fit ${misfits.length} of ${roles.length} roles (${names}): ${worst.message}`);
}

/** Rule 4, "similar hardware": each volume gets its share of the cameras, so the slowest one decides. */
function tooSlow({ pool, server, largestRole }: StandbyInput, report: RecorderReportStatus): string | undefined {
  const rates = (report.volumes ?? []).map(({ writeMegabytesPerSecond }) => writeMegabytesPerSecond);
  const measured = rates.filter((rate) => rate !== undefined);
  if (measured.length === 0 || measured.length < rates.length) return undefined;
  const cameras = Math.min(largestRole, server.spec.capacity?.cameras ?? largestRole);
  const needed = Math.ceil((cameras * pool.spec.cameras.writeKilobytesPerSecond) / 1000);
  const borne = Math.min(...measured) * measured.length;
  if (borne >= needed) return undefined;
  return (
    `Its disks bear ${borne} MB/s, and ${cameras} cameras may write ${needed} MB/s; use faster disks, set ` +
    'spec.capacity.cameras, or lower the spec.cameras.writeKilobytesPerSecond of the pool'
  );
}

function recordedCameras({ servers }: PoolView): Set<string> {
  const reported = servers.flatMap(({ report }) => report?.cameras ?? []);
  return new Set(reported.filter(({ state }) => state === 'Recording').map(({ name }) => name));
}

/** Cameras that somebody records and this standby does not reach. One that nobody reaches is the camera's fault. */
function cutOffFrom({ pool }: StandbyInput, { reachability }: RecorderReportStatus): string[] {
  if (reachability === undefined || reachability.unreachable.length === 0) return [];
  const recorded = recordedCameras(pool);
  return reachability.unreachable.filter((name) => recorded.has(name));
}

/** Condition StandbyReady: a takeover that would fail is known before it is needed. The first thing to mend is named. */
function ready(input: StandbyInput): ConditionVerdict {
  const { server, imageMissing } = input;
  if (imageMissing !== undefined) return no(reasons.ImageMissing, imageMissing);
  const report = server.podUID !== undefined && server.report?.podUID === server.podUID ? server.report : undefined;
  if (report === undefined)
    return { status: 'Unknown', reason: reasons.NotYetObserved, message: 'Its recorder has not reported yet' };
  const slow = tooSlow(input, report);
  if (slow !== undefined) return no(reasons.DiskTooSlow, slow);
  const { noCredentials = [] } = report.reachability ?? {};
  if (noCredentials.length > 0) {
    const message = `It can't read the Secrets of ${listed(noCredentials)}; create them with keys username and password`;
    return no(reasons.CredentialsUnreadable, message);
  }
  const missing = cutOffFrom(input, report);
  if (missing.length > 0) {
    const message = `It does not reach cameras that are recorded now: ${listed(missing)}; look at its camera network`;
    return no(reasons.CamerasUnreachable, message);
  }
  const measured = report.volumes?.every((volume) => volume.writeMegabytesPerSecond !== undefined) === true;
  if (report.reachability === undefined || !measured) {
    const message = 'It has not tried all cameras and disks yet';
    return { status: 'Unknown', reason: reasons.NotYetObserved, message };
  }
  return yes(reasons.Prepared, 'It reaches the cameras, reads their Secrets, and its disks bear the largest role');
}

/** Judges a server that holds no role. Pure; the messages hold no running figures. */
export function standbyVerdicts(input: StandbyInput): StandbyVerdicts {
  return { compatible: compatible(input), ready: ready(input) };
}
