import type { FailoverPool } from '../../crds/index.js';
import { baselinesToPrune } from '../../failover/baselines/retention.js';
import type { BackupView } from '../../failover/types.js';

/**
 * Names of the Backups to delete now, oldest first. None while a failover or a planned move and its baseline run, nor
 * while the pool is being restored: what was is worth more then than at any other time, and the requests belong to the takeover.
 */
export function planPruning(pool: Pick<FailoverPool, 'spec' | 'status'>, backups: readonly BackupView[]): string[] {
  if (pool.status?.current !== undefined || pool.status?.restore !== undefined) return [];
  return baselinesToPrune(backups, pool.spec.backup.retain);
}
