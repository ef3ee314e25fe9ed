import { type Reason, type RecorderReportStatus, reasons } from '../crds/index.js';
import type { CameraView } from './types.js';

/** What a substitute records of a role, and what it leaves behind. */
export interface CameraShare<Camera> {
  readonly taken: readonly Camera[];
  readonly left: readonly { readonly camera: Camera; readonly reason: Reason }[];
}

const rank = { High: 0, Normal: 1, Low: 2, Never: 3 } as const;

function byPriority(a: CameraView, b: CameraView): number {
  return rank[a.spec.priority] - rank[b.spec.priority] || (a.name < b.name ? -1 : 1);
}

/** Why a camera never leaves its home server; undefined when it may. */
function staysBehind({ spec }: CameraView): Reason | undefined {
  if (spec.source.type === 'Analog') return reasons.AnalogNotTransferable;
  return spec.priority === 'Never' ? reasons.PriorityNever : undefined;
}

/**
 * Rule 5: analogue cameras stay behind. Rule 4: a smaller substitute takes the cameras by priority, ties by name, and
 * the rest is named. `capacity` is spec.capacity.cameras of the substitute; undefined: no limit.
 */
export function substituteShare<Camera extends CameraView>(
  cameras: readonly Camera[],
  capacity: number | undefined,
): CameraShare<Camera> {
  const taken: Camera[] = [];
  const left: { camera: Camera; reason: Reason }[] = [];
  for (const camera of [...cameras].sort(byPriority)) {
    const reason =
      staysBehind(camera) ?? (taken.length >= (capacity ?? Infinity) ? reasons.CapacityExceeded : undefined);
    if (reason === undefined) taken.push(camera);
    else left.push({ camera, reason });
  }
  return { taken, left };
}

/** The cameras whose home is this role. */
export function camerasOfRole<Camera extends CameraView>(cameras: readonly Camera[], role: string): Camera[] {
  return cameras.filter((camera) => camera.spec.serverRef.name === role);
}

/** Why a recorder leaves cameras of its role out, as it stands in its report. */
const leftOutReasons: ReadonlySet<string> = new Set([
  reasons.AnalogNotTransferable,
  reasons.CapacityExceeded,
  reasons.PriorityNever,
]);

/** How many cameras of a role its recorder leaves out, by its own report; 0 when it has not spoken of this role. */
export function leftOutCount(report: RecorderReportStatus | undefined, role: string): number {
  if (report?.role !== role) return 0;
  const stopped = (report.cameras ?? []).filter(({ state }) => state === 'Stopped');
  return stopped.filter(({ error }) => error !== undefined && leftOutReasons.has(error)).length;
}
