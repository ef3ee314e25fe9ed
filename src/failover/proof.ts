import type { RecorderReportStatus, ReportedCamera, Trigger } from '../crds/index.js';
import { camerasOfRole, substituteShare } from './cameras.js';
import type { CameraView, ServerView } from './types.js';

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
  const word = wordOf(holder, role.name, role.epoch);
  const attempted = (state: ReportedCamera['state']): boolean =>
    state === 'Recording' || (state === 'Failed' && word !== undefined && couldWrite(word));
  const tried = (word?.cameras ?? []).filter(({ state }) => attempted(state)).map(({ name }) => name);
  const excused = new Set([...tried, ...failingBefore]);
  const asked = substituteShare(camerasOfRole(cameras, role.name), holder.spec.capacity?.cameras).taken;
  return asked.map((camera) => camera.name).filter((name) => !excused.has(name));
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
  if (report === undefined || report.role !== role) return [];
  const start = faultStart(report, trigger);
  const before = (time: string): boolean => start === undefined || Date.parse(time) < start - FAULT_MARGIN_MS;
  return (report.cameras ?? [])
    .filter(({ state, sinceTime }) => state === 'Failed' && before(sinceTime))
    .map(({ name }) => name);
}
