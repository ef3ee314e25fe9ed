import { type Backup, type CameraAssignment, type FailoverPool, type Reason, reasons } from '../../crds/index.js';

/** What the question whether a camera shows its new holder needs. */
export interface AwaitedCamera {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly source: { readonly type: CameraAssignment['spec']['source']['type'] } };
  readonly status?: Pick<NonNullable<CameraAssignment['status']>, 'boundTo' | 'conditions'> | undefined;
}

/** Cameras that stay unbound for one of these reasons are as they should be; the baseline waits for none of them. */
const leftBehind = new Set<string>([
  reasons.AnalogNotTransferable,
  reasons.PriorityNever,
  reasons.CapacityExceeded,
] satisfies Reason[]);

/** True when the pool's status shows the takeover that this baseline is to fix; always for other reasons. */
export function showsTakeover(backup: Backup, pool: FailoverPool): boolean {
  return backup.spec.epoch === undefined || (pool.status?.epoch ?? 0) >= backup.spec.epoch;
}

/**
 * Names of the cameras of the moved roles whose status does not name the new holder yet (rule 12: the baseline fixes
 * what the takeover made). By name; none for a baseline that fixes no takeover.
 */
export function unboundCameras(
  backup: Backup,
  pool: FailoverPool,
  camerasOf: (role: string) => Iterable<AwaitedCamera>,
): string[] {
  const awaits = awaitedCameras(backup, pool);
  const names: string[] = [];
  for (const role of pool.status?.roles ?? []) {
    for (const camera of camerasOf(role.name)) if (awaits(role.name, camera)) names.push(camera.metadata.name);
  }
  return names.sort();
}

/** Whether a camera of a role is to name a new holder, and does not yet. */
export function awaitedCameras(backup: Backup, pool: FailoverPool): (role: string, camera: AwaitedCamera) => boolean {
  const epoch = backup.spec.epoch;
  if (epoch === undefined) return () => false;
  const moved = (pool.status?.roles ?? []).filter((role) => role.epoch >= epoch).map(({ name }) => name);
  return (role, camera) => moved.includes(role) && isAwaited(camera, epoch);
}

function isAwaited({ spec, status }: AwaitedCamera, epoch: number): boolean {
  if (spec.source.type !== 'IP') return false;
  if (status?.boundTo && status.boundTo.epoch >= epoch) return false;
  const bound = status?.conditions?.find((condition) => condition.type === 'Bound');
  return !(bound?.status === 'False' && leftBehind.has(bound.reason));
}
