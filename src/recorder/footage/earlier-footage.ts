import type { RecorderReportStatus } from '../../crds/recorder-report.js';
import type { FormerFootage } from '../cameras/gap-tally.js';
import { type FootageEnd, latest } from './footage-ends.js';

const MOST_CAMERAS = 1024;
/** What is told of a lost role is of the time around its loss: a camera that was taken off it long ago is none of it. */
const RECENT_MS = 24 * 3600 * 1000;

/**
 * What this recorder has recorded before: by an earlier process, as its disks tell, and in this one for a role that it
 * has lost. The report tells the operator where the footage of a lost role truly ends (rule 11).
 */
export class EarlierFootage {
  #found: readonly FootageEnd[] | undefined;
  #lost: readonly FootageEnd[] = [];

  /** The disks have been looked at, as far as they answered. */
  found(ends: readonly FootageEnd[]): void {
    this.#found = latest(ends);
  }

  /** Recordings of a role that went elsewhere were ended. */
  ended(ends: readonly FootageEnd[]): void {
    if (ends.length > 0) this.#lost = ends;
  }

  /** Where the footage of an earlier process ends, at this very epoch. */
  of(role: string, camera: string, epoch: number): FormerFootage {
    if (this.#found === undefined) return 'pending';
    const end = this.#found.find((one) => one.role === role && one.camera === camera && one.epoch === epoch);
    return end && new Date(end.endMs);
  }

  /** The role recorded last, unless it is the present one; undefined when there is none. */
  formerRole(presentRole: string): RecorderReportStatus['formerRole'] {
    const all = latest([...(this.#found ?? []), ...this.#lost]).filter(({ role }) => role !== presentRole);
    const newest = all.reduce<FootageEnd | undefined>(
      (best, end) => (end.endMs > (best?.endMs ?? 0) ? end : best),
      undefined,
    );
    // This process has seen the role go; what the disks hold of others is older.
    const role = this.#lost[0] !== undefined && this.#lost[0].role !== presentRole ? this.#lost[0].role : newest?.role;
    if (newest === undefined || role === undefined) return undefined;
    const last = new Map<string, FootageEnd>();
    for (const end of all.filter((one) => one.role === role && one.endMs > newest.endMs - RECENT_MS))
      if (end.endMs > (last.get(end.camera)?.endMs ?? 0)) last.set(end.camera, end);
    const cameras = [...last.values()].sort((a, b) => (a.camera < b.camera ? -1 : 1)).slice(0, MOST_CAMERAS);
    return {
      role,
      cameras: cameras.map(({ camera, epoch, endMs }) => ({
        name: camera,
        epoch,
        endTime: new Date(endMs).toISOString(),
      })),
    };
  }
}
