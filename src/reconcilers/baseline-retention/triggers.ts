import { deepEqual } from '../../operator/index.js';
import { isFinal } from '../backup/status.js';
import type { Watches } from '../stores.js';

/** Enqueues a pool when another baseline has been finished, when what is kept has changed, and after a failover or a restore. */
export function watchRetention(watches: Pick<Watches, 'on'>, enqueue: (poolKey: string) => void): void {
  watches.on('backups', (_key, next) => {
    if (next !== undefined && isFinal(next)) enqueue(`${next.metadata.namespace}/${next.spec.poolRef.name}`);
  });
  watches.on('pools', (key, next, previous) => {
    if (next === undefined) return;
    const runs = (pool: typeof next | undefined) =>
      pool?.status?.current !== undefined || pool?.status?.restore !== undefined;
    const ended = runs(previous) && !runs(next);
    if (ended || !deepEqual(next.spec.backup.retain, previous?.spec.backup.retain)) enqueue(key);
  });
}
