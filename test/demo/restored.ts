import type { CameraAssignment, FailoverPool } from '../../src/crds/index.js';
import type { Promised } from './promises.js';
import { table } from './table.js';

/** A camera, and who records it there and here. */
export interface RestoredCamera {
  readonly camera: string;
  readonly role: string;
  /** In the cluster of the demo; empty when nobody does. */
  readonly before: string;
  /** In the control plane that was restored. */
  readonly after: string;
  readonly epochBefore: number;
  readonly epochAfter: number;
}

/** Puts the cameras of both clusters side by side, by name; those that only one of them has among them. */
export function sideBySide(
  before: readonly CameraAssignment[],
  after: readonly CameraAssignment[],
): readonly RestoredCamera[] {
  const names = new Set([...before, ...after].map(({ metadata }) => metadata.name));
  return [...names].sort().map((camera) => {
    const [one, other] = [before, after].map((cameras) => cameras.find(({ metadata }) => metadata.name === camera));
    return {
      camera,
      role: (one ?? other)?.spec.serverRef.name ?? '',
      before: one?.status?.boundTo?.server ?? '',
      after: other?.status?.boundTo?.server ?? '',
      epochBefore: one?.status?.boundTo?.epoch ?? 0,
      epochAfter: other?.status?.boundTo?.epoch ?? 0,
    };
  });
}

/** The table of a restore. */
export function restoredTable(cameras: readonly RestoredCamera[]): string {
  const headings = ['camera', 'home', 'recorded by', 'epoch', 'restored: bound to', 'epoch there'];
  const rows = cameras.map(({ camera, role, before, epochBefore, after, epochAfter }) => [
    ...[camera, role, before || 'nobody', String(epochBefore), after || 'nobody', String(epochAfter)],
  ]);
  return table(headings, rows);
}

/** The same cameras are bound to the same holders at no lower epoch, and nothing was failed over for it. */
export function restorePromise(cameras: readonly RestoredCamera[], pool: FailoverPool | undefined): Promised {
  const wrong = cameras.filter(
    ({ before, after, epochBefore, epochAfter }) => before === '' || before !== after || epochAfter < epochBefore,
  );
  const { history = [], current, queue = [], epoch } = pool?.status ?? {};
  const failovers = history.length + queue.length + (current === undefined ? 0 : 1);
  const holders = cameras.map(
    ({ camera, before, after }) => `${camera}: ${before || 'nobody'} -> ${after || 'nobody'}`,
  );
  const finding =
    wrong.length > 0
      ? holders.join('; ')
      : `${cameras.length} cameras, ${failovers} failovers there, the pool at epoch ${epoch ?? 'none'}`;
  return {
    text: 'the last baseline restores into an empty control plane: the same cameras, bound to the same holders',
    kept: cameras.length > 0 && wrong.length === 0 && failovers === 0 && pool?.status?.restore === undefined,
    finding,
  };
}
