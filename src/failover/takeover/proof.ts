import type { CurrentFailover, RecorderReportStatus, ReportedCamera, Trigger } from '../../crds/index.js';
import { camerasOfRole, substituteShare } from '../cameras.js';
import { findServer } from '../roles.js';
import type { CameraView, PoolView, ServerView } from '../types.js';

/**
 * A camera that failed so shortly before the fault was seen may have failed by it: a dying disk stops a camera before
 * the probe notices. Milliseconds.
 */
const FAULT_MARGIN_MS = 10_000;

/** Whose word it is, and the pod that may speak for it. */
type Speaker = Pick<ServerView, 'report' | 'podUID'>;

/** The holder's own word about this role at this epoch or a later one; of its present pod only. */
function wordOf(holder: Speaker, role: string, epoch: number): RecorderReportStatus | undefined {
  const { report, podUID } = holder;
  const current = report !== undefined && podUID !== undefined && report.podUID === podUID;
  return current && report.role === role && (report.epoch ?? 0) >= epoch ? report : undefined;
}

/** The holder has read that it serves the role. */
export function acknowledged(holder: Speaker, role: string, epoch: number): boolean {
  return wordOf(holder, role, epoch) !== undefined;
}

/**
 * Whether an attempt that failed says something of the camera. It does not when nothing can be written at all: a standby
 * whose own disks or engine fail must not free the previous holder, which may be recording again (law 6).
 */
function couldWrite({ volumes = [], recordingService }: RecorderReportStatus): boolean {
  const dead = volumes.filter(({ state }) => state === 'Lost' || state === 'Replaced');
  return recordingService?.state !== 'Failed' && (volumes.length === 0 || dead.length < volumes.length);
}

/** Cameras of which this word is proof: recorded, or tried in an attempt that says something of the camera. */
function camerasTried(word: RecorderReportStatus | undefined): string[] {
  const counts = (state: ReportedCamera['state']): boolean =>
    state === 'Recording' || (state === 'Failed' && word !== undefined && couldWrite(word));
  return (word?.cameras ?? []).filter(({ state }) => counts(state)).map(({ name }) => name);
}

/**
 * The cameras without proof: neither recorded nor reported as tried. Analogue ones, those that stay behind, and those
 * that were failing before the fault are not asked for.
 */
export function camerasWithoutProof(
  holder: ServerView,
  role: { readonly name: string; readonly epoch: number },
  cameras: readonly CameraView[],
  failingBefore: readonly string[],
): string[] {
  const excused = new Set([...camerasTried(wordOf(holder, role.name, role.epoch)), ...failingBefore]);
  const asked = substituteShare(camerasOfRole(cameras, role.name), holder.spec.capacity?.cameras).taken;
  return asked.map((camera) => camera.name).filter((name) => !excused.has(name));
}

/**
 * Whether a home says that it records its own role again, at this epoch or a later one, camera by camera; analogue ones
 * are not asked for. To have read the role is not enough: until it has connected, whoever stands in must go on (law 6).
 */
export function recordsOwnRole(
  home: Speaker & Pick<ServerView, 'name'>,
  epoch: number,
  cameras: readonly Pick<CameraView, 'name' | 'spec'>[],
): boolean {
  const word = wordOf(home, home.name, epoch);
  const tried = camerasTried(word);
  const asked = cameras.filter(({ spec }) => spec.serverRef.name === home.name && spec.source.type === 'IP');
  return word !== undefined && asked.every(({ name }) => tried.includes(name));
}

/** The cameras of a role that a server records by its own word; `states`: which of its words are asked for. */
function camerasIn(holder: Speaker, role: string, epoch: number, state: 'Recording' | 'Failed'): Set<string> {
  const reported = wordOf(holder, role, epoch)?.cameras ?? [];
  return new Set(reported.filter((camera) => camera.state === state).map(({ name }) => name));
}

/** Cameras that move with a role to this server: its home records all but analogue ones. */
export function camerasThatMove(to: ServerView, role: string, cameras: readonly CameraView[]): string[] {
  const all = camerasOfRole(cameras, role);
  const moving =
    to.name === role
      ? all.filter(({ spec }) => spec.source.type === 'IP')
      : substituteShare(all, to.spec.capacity?.cameras).taken;
  return moving.map(({ name }) => name);
}

/** The cameras that the holder does not record when a planned move begins: no proof is asked of them. */
export function notRecordedBefore(
  holder: ServerView,
  to: ServerView,
  role: string,
  cameras: readonly CameraView[],
): string[] {
  const recorded = camerasIn(holder, role, 0, 'Recording');
  return camerasThatMove(to, role, cameras).filter((name) => !recorded.has(name));
}

/**
 * Law 6 for planned moves: the cameras that the previous holder records and the new one does not yet. One that fails at
 * the previous holder too by now has failed by itself and holds nothing up.
 */
export function camerasNotTakenOver(
  view: Pick<PoolView, 'servers'> & { readonly cameras: readonly CameraView[] },
  current: CurrentFailover,
  to: ServerView,
): string[] {
  const source = findServer(view, current.server);
  const excused = new Set([
    ...(current.failingBefore ?? []),
    ...(source === undefined ? [] : camerasIn(source, current.role, 0, 'Failed')),
  ]);
  const recorded = camerasIn(to, current.role, current.epoch, 'Recording');
  return camerasThatMove(to, current.role, view.cameras).filter((name) => !recorded.has(name) && !excused.has(name));
}

/** Cameras of a role that a server records by its word, and another does not by its own. */
export function recordedOnlyAt(
  here: Speaker,
  there: Speaker,
  role: { readonly name: string; readonly epoch: number },
): string[] {
  const recorded = camerasIn(there, role.name, role.epoch, 'Recording');
  return [...camerasIn(here, role.name, 0, 'Recording')].filter((name) => !recorded.has(name));
}

/** When the fault began by the recorder's own clock; undefined when it could not say. */
function faultStart(report: RecorderReportStatus, trigger: Trigger): number | undefined {
  if (trigger === 'AllDisksLost') {
    const lost = (report.volumes ?? []).filter(({ state }) => state === 'Lost' || state === 'Replaced');
    return lost.length === 0 ? undefined : Math.min(...lost.map(({ sinceTime }) => Date.parse(sinceTime)));
  }
  const { recordingService } = report;
  if (trigger !== 'RecordingServiceFailed' || recordingService?.state !== 'Failed') return undefined;
  return Date.parse(recordingService.sinceTime);
}

/** Cameras that failed before the fault, by the broken holder's last report: no proof is asked of them. */
export function failingBefore(broken: ServerView | undefined, role: string, trigger: Trigger): string[] {
  const report = broken?.report;
  // Of cameras that were lost all together proof is asked: that they are recorded is what the role moved for.
  if (report === undefined || report.role !== role || trigger === 'CamerasUnreachable') return [];
  const start = faultStart(report, trigger);
  const before = (time: string): boolean => start === undefined || Date.parse(time) < start - FAULT_MARGIN_MS;
  return (report.cameras ?? [])
    .filter(({ state, sinceTime }) => state === 'Failed' && before(sinceTime))
    .map(({ name }) => name);
}
