import { Counter, Gauge } from 'prom-client';
import type { Clock, Metrics } from '../../operator/index.js';
import type { Stores } from '../stores.js';

/** What is counted of baselines. */
export interface BaselineMetrics {
  /** Baselines that failed for good, by the reason on their Backup. */
  readonly failures: Counter<'reason'>;
  /** Old baselines that were deleted. */
  readonly pruned: Counter;
}

/** When a Backup became complete. Milliseconds since 1970; undefined while it is not. */
function completedAt({ status }: { readonly status?: { completionTime?: string | undefined } }): number | undefined {
  return status?.completionTime === undefined ? undefined : Date.parse(status.completionTime);
}

/**
 * Registers the metrics of baselines. The age is worked out at each scrape, on every replica; a pool without a complete
 * baseline has none. Pools are few, so their names may be labels.
 */
export function createBaselineMetrics(
  metrics: Metrics,
  stores: Pick<Stores, 'pools' | 'backups'>,
  clock: Pick<Clock, 'wall'>,
): BaselineMetrics {
  const registers = [metrics.registry];
  const age = new Gauge({
    name: 'understudy_baseline_age_seconds',
    help: 'Age of the newest complete baseline of a pool',
    labelNames: ['namespace', 'pool'] as const,
    registers,
  });
  metrics.onScrape(() => {
    const newest = new Map<string, number>();
    for (const backup of stores.backups.list()) {
      const key = `${backup.metadata.namespace}/${backup.spec.poolRef.name}`;
      const completed = completedAt(backup);
      if (completed !== undefined && stores.pools.get(key) !== undefined)
        newest.set(key, Math.max(completed, newest.get(key) ?? 0));
    }
    age.reset();
    const now = clock.wall().getTime();
    for (const [key, completed] of newest) {
      const [namespace = '', pool = ''] = key.split('/');
      age.set({ namespace, pool }, Math.max(0, now - completed) / 1000);
    }
  });
  return {
    failures: new Counter({
      name: 'understudy_baseline_failures_total',
      help: 'Baselines that failed for good, by reason',
      labelNames: ['reason'] as const,
      registers,
    }),
    pruned: new Counter({
      name: 'understudy_baselines_pruned_total',
      help: 'Old baselines deleted by spec.backup.retain of their pool',
      registers,
    }),
  };
}
