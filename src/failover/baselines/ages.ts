import type { BackupView } from '../types.js';

/** When a Backup was created, by the API server's clock. Milliseconds since 1970; 0 when that is not known. */
export function createdAt({ createdTime }: BackupView): number {
  return createdTime === undefined ? 0 : Date.parse(createdTime);
}

/** Up to which takeover it shows the pool; a Backup of an older operator says so by its epoch alone. */
export function shownEpoch({ poolEpoch, spec }: BackupView): number {
  return poolEpoch ?? spec.epoch ?? 0;
}

/** Newest first; those of the same second by what they show, then by name. */
export function newestFirst(backups: readonly BackupView[]): BackupView[] {
  return [...backups].sort(
    (a, b) => createdAt(b) - createdAt(a) || shownEpoch(b) - shownEpoch(a) || (a.name < b.name ? 1 : -1),
  );
}
