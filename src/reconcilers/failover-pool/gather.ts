import { type Backup, childNames, type FailoverPool, labels, type RecordingServer, reasons } from '../../crds/index.js';
import { rolesInQuestion } from '../../failover/decide.js';
import type {
  ApiContact,
  Assignment,
  BackupView,
  CameraView,
  PoolInput,
  PoolMemory,
  PoolView,
  ReplicaView,
  ServerHealth,
  ServerView,
} from '../../failover/types.js';
import type { Clock } from '../../operator/index.js';
import { cordonOf } from '../cordon.js';
import { indexes, type Stores } from '../stores.js';
import type { CameraView as StoredCamera } from '../views.js';
import { createScheduleReader, type ScheduleReader } from './schedule.js';

/** Where a decision reads from: stores and observations only, never the API server. */
export interface PoolSources {
  readonly stores: Stores;
  readonly healthOf: (serverKey: string) => ServerHealth;
  /** How this replica stands with the API server. */
  readonly contact: () => ApiContact | undefined;
}

function leaseAssignment(stores: Stores, namespace: string, server: string): Assignment | undefined {
  const lease = stores.leases.get(`${namespace}/${childNames.lease(server)}`);
  return lease?.role === undefined || lease.epoch === undefined ? undefined : { role: lease.role, epoch: lease.epoch };
}

function serverView({ stores, healthOf }: PoolSources, pool: string, server: RecordingServer): ServerView {
  const { name, namespace = '', uid = '', deletionTimestamp } = server.metadata;
  const key = `${namespace}/${name}`;
  const pod = stores.pods.get(`${namespace}/${childNames.pod(name)}`);
  const cordon = cordonOf(stores, server);
  return {
    name,
    uid,
    spec: server.spec,
    status: server.status,
    deleting: deletionTimestamp !== undefined,
    member: server.spec.poolRef?.name === pool,
    health: healthOf(key),
    podUID: pod?.metadata.uid,
    nodeName: pod?.nodeName,
    cordonedNode: cordon?.node,
    drained: cordon?.drained,
    outdated: server.status?.conditions?.some(({ type, status }) => type === 'UpToDate' && status === 'False'),
    report: stores.reports.get(`${namespace}/${childNames.report(name)}`)?.status,
    leaseAssignment: leaseAssignment(stores, namespace, name),
  };
}

/** Roles that a server says it serves: their homes tell whether they are this pool's to adopt. */
function claimedRoles({ stores }: PoolSources, { metadata, status }: RecordingServer): string[] {
  const { name, namespace = '' } = metadata;
  const report = stores.reports.get(`${namespace}/${childNames.report(name)}`)?.status;
  const roles = [status?.servingRole, leaseAssignment(stores, namespace, name)?.role, report?.role];
  return roles.filter((role): role is string => role !== undefined && role !== '');
}

/** The members, the homes of roles that they claim, and those that hold a role of the pool without being members. */
function serversOf(sources: PoolSources, pool: FailoverPool): ServerView[] {
  const { stores } = sources;
  const { name, namespace = '' } = pool.metadata;
  const members = stores.servers.byIndex(indexes.pool, `${namespace}/${name}`);
  const names = members.flatMap((server) => [server.metadata.name, ...claimedRoles(sources, server)]);
  const holders = (pool.status?.roles ?? []).flatMap((role) => [role.holder, role.name]);
  return [...new Set([...names, ...holders])]
    .map((server) =>
      stores.servers.get(`${namespace}/${server}`) ? stores.latestServers.get(`${namespace}/${server}`) : undefined,
    )
    .filter((server) => server !== undefined)
    .map((server) => serverView(sources, name, server))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Replicas of this operator that run; one that is pending or ends changes nothing. */
function replicasOf({ stores }: PoolSources): ReplicaView[] {
  return [...stores.operatorPods.list()].flatMap(({ metadata, phase, nodeName, ready }) =>
    phase === 'Running' && nodeName !== undefined && metadata.deletionTimestamp === undefined
      ? [{ name: metadata.name, nodeName, ready }]
      : [],
  );
}

/** The pool as standby choice and protection see it. */
export function gatherPoolView(sources: PoolSources, pool: FailoverPool): PoolView {
  return {
    name: pool.metadata.name,
    spec: pool.spec,
    status: pool.status ?? {},
    servers: serversOf(sources, pool),
    replicas: replicasOf(sources),
  };
}

/** Status is parsed only when it is asked for: cameras are many. */
function cameraView(camera: StoredCamera): CameraView {
  return {
    name: camera.metadata.name,
    spec: camera.spec,
    get boundTo() {
      return camera.status?.boundTo;
    },
    get ledger() {
      const { gaps = [], recording, conditions } = camera.status ?? {};
      const failed = conditions?.find(({ type }) => type === 'Recording')?.reason === reasons.CameraFailed;
      return { gaps, settled: recording?.startTime !== undefined || failed };
    },
  };
}

/** A Backup as the rules see it. */
export function backupView({ metadata, spec, status }: Backup): BackupView {
  const condition = (type: string) =>
    status?.conditions?.find((entry) => entry.type === type && entry.status === 'True');
  const failed = condition('Failed');
  const outcome = condition('Complete') ? 'Complete' : failed ? 'Failed' : 'Running';
  return {
    name: metadata.name,
    spec,
    outcome,
    message: failed?.message,
    createdTime: metadata.creationTimestamp,
    poolEpoch: status?.poolEpoch,
    deleting: metadata.deletionTimestamp !== undefined,
  };
}

/** All inputs of a decision over a pool. */
export function gatherPool(
  sources: PoolSources,
  pool: FailoverPool,
  memory: PoolMemory,
  clock: Pick<Clock, 'monotonic' | 'wall'>,
  scheduleOf: ScheduleReader = createScheduleReader(),
): PoolInput {
  const { stores } = sources;
  const { name, namespace = '', generation = 0 } = pool.metadata;
  const view = gatherPoolView(sources, pool);
  const cameras = rolesInQuestion(view).flatMap((role) =>
    stores.cameras.byIndex(indexes.server, `${namespace}/${role}`),
  );
  const now = { monotonic: clock.monotonic(), wall: clock.wall() };
  return {
    ...view,
    generation,
    cameras: cameras.map((camera) =>
      cameraView(stores.latestCameras.get(`${namespace}/${camera.metadata.name}`) ?? camera),
    ),
    request: pool.metadata.annotations?.[labels.request],
    backups: stores.backups.byIndex(indexes.pool, `${namespace}/${name}`).map(backupView),
    schedule: scheduleOf(pool.spec.backup, now.wall),
    contact: sources.contact(),
    now,
    memory,
  };
}
