import { childNames } from '../crds/index.js';
import type { PoolInput } from './types.js';

/** The epoch in a baseline's name, `<pool>-<epoch>`; 0 for any other Backup. */
function epochOfBackup(pool: string, name: string): number {
  const suffix = name.startsWith(`${pool}-`) ? name.slice(pool.length + 1) : '';
  const epoch = /^[1-9][0-9]{0,15}$/.test(suffix) ? Number(suffix) : 0;
  return Number.isSafeInteger(epoch) && name === childNames.baseline(pool, epoch) ? epoch : 0;
}

/** Law 2: the highest epoch still visible anywhere; 0 when there is none. */
export function highestVisibleEpoch({ name, status, servers, cameras, backups }: PoolInput): number {
  const visible = [
    status.epoch ?? 0,
    status.current?.epoch ?? 0,
    ...(status.roles ?? []).map((role) => role.epoch),
    ...(status.history ?? []).map((entry) => entry.epoch),
    ...servers.map((server) => server.status?.epoch ?? 0),
    ...servers.map((server) => server.leaseAssignment?.epoch ?? 0),
    ...servers.map((server) => server.report?.epoch ?? 0),
    ...cameras.map((camera) => camera.boundTo?.epoch ?? 0),
    ...backups.map((backup) => Math.max(epochOfBackup(name, backup.name), backup.spec.epoch ?? 0)),
  ];
  return visible.reduce((highest, epoch) => Math.max(highest, epoch), 0);
}

/** Law 2: an epoch above all that were ever seen. */
export function nextEpoch(input: PoolInput): number {
  return highestVisibleEpoch(input) + 1;
}
