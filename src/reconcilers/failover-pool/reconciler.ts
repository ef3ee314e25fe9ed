import {
  API_VERSION,
  type Backup,
  backups,
  type FailoverPool,
  type FailoverPoolStatus,
  FIELD_MANAGER,
  failoverPools,
  labels,
  type Reason,
  reasons,
  recordingServers,
} from '../../crds/index.js';
import type { BackupOrder, Observation, PoolEvent, PoolMemory } from '../../failover/types.js';
import {
  type ApiClient,
  type ApiError,
  type Clock,
  deepEqual,
  type EventRecorder,
  isApiError,
  type Log,
  objectRef,
  type Reconcile,
  type ReconcileContext,
  type Result,
} from '../../operator/index.js';
import { settingsOf } from '../observations.js';
import { projectResource } from '../views.js';
import { ensurePoolAccess } from './access.js';
import { createSilenceConfirmation, reportOf } from './confirmation.js';
import { type Confirm, planConfirmed, type ReadReport } from './confirmed-plan.js';
import { gatherPool, type PoolSources } from './gather.js';
import type { Protection } from './protection.js';
import { createScheduleReader } from './schedule.js';

/** How soon to look again at a server whose silence an uncached read did not confirm. Milliseconds. */
const UNCONFIRMED_MS = 1_000;
/** How soon to try again what the API server refused. A person has to mend it; the failover's own waits go on. */
const REFUSED_MS = 30_000;

export interface PoolReconcilerOptions extends PoolSources {
  readonly client: Pick<ApiClient, 'get' | 'create' | 'apply' | 'patch' | 'delete' | 'replaceStatus'>;
  readonly observationOf: (serverKey: string) => Observation | undefined;
  readonly events: EventRecorder;
  readonly clock: Clock;
  /** Is told what each decision says of the protection of its servers. */
  readonly protection?: Pick<Protection, 'decided' | 'forget'> | undefined;
  /** Called right after a commit, so that its projections need not wait for the watch. Must only enqueue. */
  readonly notify: {
    /** A server ('namespace/name') has another assignment. */
    server(key: string): void;
    /** The cameras of a role ('namespace/role') have another holder. */
    camerasOf(roleKey: string): void;
  };
}

/** Events about a server itself; all others tell the pool's story and are found on the pool. */
const aboutServer: ReadonlySet<Reason> = new Set([
  reasons.ServerBroken,
  reasons.RecoveredBeforeTurn,
  reasons.NotMonitored,
  reasons.HomeDeleted,
]);

function publish({ events, stores }: PoolReconcilerOptions, pool: FailoverPool, event: PoolEvent): void {
  const poolObject = objectRef(failoverPools, pool.metadata);
  const found = event.server && stores.servers.get(`${pool.metadata.namespace}/${event.server}`);
  const server = found ? objectRef(recordingServers, found.metadata) : undefined;
  const { type, reason, action, note } = event;
  const [regarding, related] =
    server !== undefined && aboutServer.has(reason) ? [server, poolObject] : [poolObject, server];
  events.event({ regarding, ...(related === undefined ? {} : { related }), type, reason, action, note });
}

/** The commit: one PUT with the version that was decided upon; another's write in between makes it a conflict. */
async function commit(
  { client, stores }: PoolReconcilerOptions,
  key: string,
  pool: FailoverPool,
  status: FailoverPoolStatus,
  signal: AbortSignal,
): Promise<FailoverPool> {
  const object = {
    apiVersion: API_VERSION,
    kind: failoverPools.kind,
    metadata: pool.metadata,
    spec: pool.spec,
    status,
  };
  const answer = await client.replaceStatus(failoverPools, object, { signal });
  const written = projectResource<FailoverPool>(answer);
  stores.latestPools.written(key, written);
  return written;
}

/** What the order says, as the spec of a Backup. Without an engine: the pool's may be corrected until it is complete. */
function backupSpec({ metadata }: FailoverPool, order: BackupOrder): Backup['spec'] {
  const whose = { poolRef: { name: metadata.name } };
  return order.reason === 'Failover'
    ? { ...whose, reason: order.reason, epoch: order.epoch }
    : { ...whose, reason: order.reason };
}

/** Rule 12. Its name carries epoch or time, so that a second create is refused, and nothing is lost by that. */
async function createBaseline(
  { client }: PoolReconcilerOptions,
  pool: FailoverPool,
  order: BackupOrder,
  signal: AbortSignal,
): Promise<void> {
  const { name: poolName, namespace = '' } = pool.metadata;
  const backup: Backup = {
    apiVersion: API_VERSION,
    kind: backups.kind,
    metadata: {
      name: order.name,
      namespace,
      labels: { [labels.pool]: poolName, [labels.managedBy]: FIELD_MANAGER },
    },
    spec: backupSpec(pool, order),
  };
  try {
    await client.create(backups, backup, { signal });
  } catch (error) {
    // Ours from an earlier try, or somebody else's: the watch shows which, and the next decision judges it.
    if (!isApiError(error, 'alreadyExists')) throw error;
  }
}

function notifyChanges(
  options: PoolReconcilerOptions,
  before: FailoverPool,
  after: FailoverPool,
  affected: readonly string[],
) {
  const { namespace } = before.metadata;
  for (const server of affected) options.notify.server(`${namespace}/${server}`);
  for (const role of after.status?.roles ?? []) {
    const known = before.status?.roles?.find(({ name }) => name === role.name);
    if (!deepEqual(known, role)) options.notify.camerasOf(`${namespace}/${role.name}`);
  }
}

/** A refusal that only a person can mend must not hold up the waits of a failover, as a retry with backoff would. */
async function refusalOf(write: () => Promise<void>): Promise<ApiError | undefined> {
  try {
    await write();
    return undefined;
  } catch (error) {
    if (isApiError(error, 'forbidden', 'invalid')) return error;
    throw error;
  }
}

function tellRefusal(options: PoolReconcilerOptions, log: Log, pool: FailoverPool, error: ApiError): void {
  log.warn({ err: error }, 'the API server refused a write; grant the operator what it needs or raise the quota');
  const note = `${error.message}; grant the operator what it needs or raise the quota`;
  publish(options, pool, { type: 'Warning', reason: reasons.NotPermitted, action: 'Write', note });
}

function soonest(...times: (number | undefined)[]): Result | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : { requeueAfterMs: Math.min(...known) };
}

/**
 * Decides over one pool (`namespace/name`): gather from the stores, plan, commit by one PUT, then what follows from it.
 * It reads its own last commit until the watch has caught up (KEP-5647).
 */
export function createPoolReconciler(options: PoolReconcilerOptions): Reconcile {
  const { client, stores, clock } = options;
  const memories = new Map<string, PoolMemory>();
  const scheduleOf = createScheduleReader();
  const confirmation = createSilenceConfirmation({
    client,
    observationOf: options.observationOf,
    settingsOf: (key) => settingsOf(stores, key),
    monotonic: () => clock.monotonic(),
  });

  const pass = async (
    key: string,
    pool: FailoverPool,
    { signal, log }: ReconcileContext,
  ): Promise<Result | undefined> => {
    const { namespace = '' } = pool.metadata;
    const input = gatherPool(options, pool, memories.get(key) ?? new Map(), clock, scheduleOf);
    const confirm: Confirm = (server) => confirmation.confirm(namespace, server, { signal });
    const readReport: ReadReport = (server) => reportOf(client, namespace, server, signal);
    const { plan, inDoubt } = await planConfirmed(pool, input, confirm, readReport);
    const { decision, status } = plan;
    let written = pool;
    if (status !== undefined) {
      written = await commit(options, key, pool, status, signal);
      notifyChanges(options, pool, written, decision.affected);
      for (const event of decision.events) publish(options, pool, event);
    }
    memories.set(key, decision.memory);
    options.protection?.decided(key, decision.protection);
    const order = decision.createBackup;
    const refused = [
      order && (await refusalOf(() => createBaseline(options, written, order, signal))),
      await refusalOf(() => ensurePoolAccess(client, stores, written, { signal })),
    ].filter((error) => error !== undefined);
    for (const error of refused) tellRefusal(options, log, pool, error);
    return soonest(
      decision.requeueAfterMs,
      inDoubt ? UNCONFIRMED_MS : undefined,
      refused.length > 0 ? REFUSED_MS : undefined,
    );
  };

  /** Somebody wrote in between. What is decided next is decided upon what the API server has now. */
  const readAgain = async (key: string, pool: FailoverPool, signal: AbortSignal): Promise<Result> => {
    const live = await client.get<FailoverPool>(failoverPools, pool.metadata, { signal });
    stores.latestPools.written(key, projectResource<FailoverPool>(live));
    return { requeueAfterMs: 0 };
  };

  return async (key, context) => {
    const { signal } = context;
    const pool = stores.latestPools.get(key);
    // A deleted pool freezes what is: holders go on recording.
    if (pool === undefined || pool.metadata.deletionTimestamp !== undefined) {
      memories.delete(key);
      if (pool === undefined) options.protection?.forget(key);
      return undefined;
    }
    try {
      return await pass(key, pool, context);
    } catch (error) {
      if (isApiError(error, 'namespaceTerminating')) return undefined;
      if (isApiError(error, 'notFound') && stores.pools.get(key) === undefined) return undefined;
      if (isApiError(error, 'conflict')) return readAgain(key, pool, signal);
      throw error;
    }
  };
}
