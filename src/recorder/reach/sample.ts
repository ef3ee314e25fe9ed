import type { CameraTask } from '../cameras/camera-task.js';
import { rankOf } from '../cameras/camera-task.js';

/** Cameras that an idle recorder probes at most, however large its pool. */
export const LARGEST_SAMPLE = 256;

/** A camera to be probed, and the role that it belongs to. */
export interface SampledCamera {
  readonly role: string;
  readonly task: CameraTask;
}

/** Analogue cameras and those of priority Never are not transferred, so nobody need reach them. */
export function transferable(tasks: readonly CameraTask[]): CameraTask[] {
  return tasks
    .filter(({ type, priority }) => type === 'IP' && priority !== 'Never')
    .sort((a, b) => rankOf(a) - rankOf(b) || (a.name < b.name ? -1 : 1));
}

/** How many cameras of each role can be of use, so that not all of a large pool have to be kept. */
export function shareOf(roles: number): number {
  return Math.ceil(LARGEST_SAMPLE / Math.max(1, roles));
}

/**
 * The cameras to probe: all of a small pool; of a large one the same number of each role, priority High first, because
 * what matters is whether a role could be taken over.
 */
export function sampleOf(byRole: ReadonlyMap<string, readonly CameraTask[]>): SampledCamera[] {
  const roles = [...byRole].sort(([a], [b]) => (a < b ? -1 : 1));
  const sample: SampledCamera[] = [];
  const most = Math.max(0, ...roles.map(([, tasks]) => tasks.length));
  for (let index = 0; index < most; index += 1) {
    for (const [role, tasks] of roles) {
      const task = tasks[index];
      if (task !== undefined) sample.push({ role, task });
    }
  }
  return sample.slice(0, LARGEST_SAMPLE);
}
