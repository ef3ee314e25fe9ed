import type { BackupView } from '../types.js';

/** When a Backup was created, by the API server's clock. Milliseconds since 1970; 0 when that is not known. */
export function createdAt({ createdTime }: BackupView): number {
  return createdTime === undefined ? 0 : Date.parse(createdTime);
}

/** Newest first; those of the same second by name. */
export function newestFirst(backups: readonly BackupView[]): BackupView[] {
  return [...backups].sort((a, b) => createdAt(b) - createdAt(a) || (a.name < b.name ? 1 : -1));
}
