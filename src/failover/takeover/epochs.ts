import { childNames } from '../../crds/index.js';
import type { BackupView, CameraView, PoolInput, ServerView } from '../types.js';

/**
 * Epochs above this are not ours: somebody wrote them by hand. Counting on from one near the limit of the API's integers
 * would leave no room for the next takeover.
 */
const HIGHEST_CREDIBLE = 2 ** 52;

/** The epoch; 0 for none, and for one that nobody can have decided. */
export function credible(epoch: number | undefined): number {
  return epoch !== undefined && epoch <= HIGHEST_CREDIBLE ? epoch : 0;
}

/** What shows epochs: all of a pool's input that `highestVisibleEpoch` looks at. */
export interface VisibleEpochs extends Pick<PoolInput, 'name' | 'status'> {
  readonly servers: readonly Pick<ServerView, 'status' | 'leaseAssignment' | 'report'>[];
  readonly cameras: readonly Pick<CameraView, 'boundTo'>[];
  readonly backups: readonly Pick<BackupView, 'name' | 'spec'>[];
}

/** Law 2: the highest epoch still visible anywhere; 0 when there is none. */
export function highestVisibleEpoch({ status, servers, cameras, backups }: VisibleEpochs): number {
  const decided = [
    status.epoch ?? 0,
    status.current?.epoch ?? 0,
    ...(status.roles ?? []).map((role) => role.epoch),
    ...(status.history ?? []).map((entry) => entry.epoch),
  ];
  const found = [
    ...servers.flatMap((server) => [server.status?.epoch, server.leaseAssignment?.epoch, server.report?.epoch]),
    ...cameras.map((camera) => camera.boundTo?.epoch),
    ...backups.map(({ spec }) => (spec.reason === 'Failover' ? spec.epoch : undefined)),
  ];
  return [...decided, ...found.map(credible)].reduce((highest, epoch) => Math.max(highest, epoch), 0);
}

/** Law 2: an epoch above all that were ever seen, and whose baseline's name is free (rule 12). */
export function nextEpoch(input: VisibleEpochs): number {
  const taken = new Set(input.backups.map((backup) => backup.name));
  let epoch = highestVisibleEpoch(input) + 1;
  while (taken.has(childNames.baseline(input.name, epoch))) epoch += 1;
  return epoch;
}
