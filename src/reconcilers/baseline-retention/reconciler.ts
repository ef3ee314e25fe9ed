import { type BackupEngine, BackupError, engineNameOf, targetOf } from '../../backup/index.js';
import { type Backup, backups, type FailoverPool, failoverPools, reasons } from '../../crds/index.js';
import { newestComplete } from '../../failover/baselines/retention.js';
import {
  type ApiClient,
  type EventRecorder,
  isApiError,
  objectRef,
  type Reconcile,
  type ReconcileContext,
} from '../../operator/index.js';
import type { BaselineMetrics } from '../backup/metrics.js';
import { isFinal } from '../backup/status.js';
import { backupView } from '../failover-pool/gather.js';
import { indexes, type Stores } from '../stores.js';
import { planPruning } from './plan.js';

export interface RetentionReconcilerOptions {
  readonly client: Pick<ApiClient, 'get' | 'delete'>;
  readonly stores: Pick<Stores, 'backups' | 'latestPools'>;
  readonly events: EventRecorder;
  /** Engines by name; what one without `remove` has made goes with the Backup. */
  readonly engines: ReadonlyMap<string, Pick<BackupEngine, 'remove'>>;
  readonly metrics?: Pick<BaselineMetrics, 'pruned'> | undefined;
}

/** The Backup as the API server has it now, if it is still the one that was decided upon. */
async function still(
  { client }: RetentionReconcilerOptions,
  { metadata }: Backup,
  signal: AbortSignal,
): Promise<Backup | undefined> {
  try {
    const live = await client.get<Backup>(backups, metadata, { signal });
    const same = live.metadata.uid === metadata.uid && live.metadata.deletionTimestamp === undefined;
    return same && isFinal(live) ? live : undefined;
  } catch (error) {
    if (isApiError(error, 'notFound')) return undefined;
    throw error;
  }
}

interface Pruned {
  readonly name: string;
  /** Why something of it may be left in its store. */
  readonly leftBehind?: string | undefined;
}

/**
 * Removes what the engine keeps of it. A baseline that has failed may never have got anywhere: a bucket that is not there
 * must not keep its Backup for ever. What keeps a complete one is thrown. Returns why something may be left.
 */
async function empty(
  { engines }: RetentionReconcilerOptions,
  backup: Backup,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    await engines.get(engineNameOf(backup))?.remove?.(targetOf(backup), signal);
    return undefined;
  } catch (error) {
    if (!(error instanceof BackupError) || backupView(backup).outcome !== 'Failed') throw error;
    return error.message;
  }
}

/** What it holds first, then the Backup: who dies in between finds the Backup again, and ends it. */
async function prune(
  options: RetentionReconcilerOptions,
  backup: Backup,
  signal: AbortSignal,
): Promise<Pruned | undefined> {
  const live = await still(options, backup, signal);
  if (live === undefined) return undefined;
  const leftBehind = await empty(options, live, signal);
  const { namespace, name, uid } = live.metadata;
  try {
    await options.client.delete(backups, { namespace, name }, { signal, ...(uid === undefined ? {} : { uid }) });
  } catch (error) {
    // Gone meanwhile, or replaced by a namesake that is not ours to delete.
    if (!isApiError(error, 'notFound', 'conflict')) throw error;
  }
  return { name, leftBehind };
}

function tell({ events }: RetentionReconcilerOptions, pool: FailoverPool, pruned: readonly Pruned[]): void {
  const names = pruned.map(({ name }) => name);
  const [first] = pruned.filter(({ leftBehind }) => leftBehind !== undefined);
  const rest = first && `; a part of what ${first.name} tried may be left: ${first.leftBehind}`;
  const more = names.length > 20 ? ' and more' : '';
  const note = `Deleted by spec.backup.retain: ${names.slice(0, 20).join(', ')}${more}${rest ?? ''}`;
  const regarding = objectRef(failoverPools, pool.metadata);
  events.event({ regarding, type: 'Normal', reason: reasons.BaselinePruned, action: 'Prune', note });
}

function tellFailure({ events }: RetentionReconcilerOptions, backup: Backup, error: unknown): void {
  const known = error instanceof BackupError || isApiError(error);
  const why = known ? error.message : "the operator's log has the error";
  const note = `It is old by spec.backup.retain of its pool and could not be deleted: ${why}. It is tried again`;
  const regarding = objectRef(backups, backup.metadata);
  events.event({ regarding, type: 'Warning', reason: reasons.PruningFailed, action: 'Prune', note });
}

/**
 * Deletes the old baselines of one pool (`namespace/name`). Apart from the pool's own reconciler, because an engine may
 * take its time. One that can't be deleted holds up no other, and is tried again with the controller's backoff.
 */
export function createRetentionReconciler(options: RetentionReconcilerOptions): Reconcile {
  const pass = async (pool: FailoverPool, { signal, log }: ReconcileContext): Promise<void> => {
    const { namespace = '', name } = pool.metadata;
    const ofPool = options.stores.backups.byIndex(indexes.pool, `${namespace}/${name}`);
    const given = planPruning(pool, ofPool.map(backupView));
    if (given.length === 0) return;
    // The view may be stale: what makes the others old has to be there still, or the last one might go with them.
    const newest = newestComplete(ofPool.map(backupView));
    const keeper = ofPool.find((backup) => backup.metadata.name === newest?.name);
    if (keeper !== undefined && (await still(options, keeper, signal)) === undefined) return;
    const pruned: Pruned[] = [];
    const failed: unknown[] = [];
    for (const backup of given.flatMap((old) => ofPool.filter(({ metadata }) => metadata.name === old))) {
      try {
        const done = await prune(options, backup, signal);
        if (done !== undefined) pruned.push(done);
      } catch (error) {
        if (signal.aborted || isApiError(error, 'writeRefused', 'namespaceTerminating')) throw error;
        log.warn({ err: error, backup: backup.metadata.name }, 'an old baseline could not be deleted');
        tellFailure(options, backup, error);
        failed.push(error);
      }
    }
    options.metrics?.pruned.inc(pruned.length);
    if (pruned.length > 0) tell(options, pool, pruned);
    if (failed.length > 0) throw failed[0];
  };

  return async (key, context) => {
    const pool = options.stores.latestPools.get(key);
    // A pool that is gone leaves its baselines.
    if (pool === undefined || pool.metadata.deletionTimestamp !== undefined) return;
    try {
      await pass(pool, context);
    } catch (error) {
      if (!isApiError(error, 'namespaceTerminating')) throw error;
    }
  };
}
