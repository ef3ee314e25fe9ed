import {
  type BackupEngine,
  type BackupTarget,
  type BaselineCamera,
  baselineCamera,
  type StoredBaseline,
} from '../../backup/index.js';
import {
  type Backup,
  backups,
  type CameraAssignment,
  cameraAssignments,
  type FailoverPool,
  failoverPools,
  type RecordingServer,
  recordingServers,
} from '../../crds/index.js';
import { type ApiClient, isApiError, type Key } from '../../operator/index.js';
import { isFinal } from './status.js';
import { type AwaitedCamera, unboundCameras } from './takeover.js';

/** Lists of cameras that run at once: enough to hide latency, few enough to leave room for the takeovers. */
const parallelLists = 4;

/** Everything of a pool that goes into its baseline. */
export interface SystemState {
  readonly servers: readonly RecordingServer[];
  readonly cameras: readonly BaselineCamera[];
}

export interface Gathered {
  /** Absent when it is gone, or nothing is left to do for it. */
  readonly backup?: Backup;
  /** What an earlier try has finished already. */
  readonly stored?: StoredBaseline | undefined;
  readonly pool?: FailoverPool | undefined;
  /** Cameras whose binding does not show the takeover yet; those of a Failover baseline only. */
  readonly unbound: readonly string[];
  /** Reads the rest, which is large, once the plan is to write. */
  readSystem(): Promise<SystemState>;
}

export interface GatherSources {
  readonly client: Pick<ApiClient, 'get' | 'list'>;
  readonly engines: ReadonlyMap<string, BackupEngine>;
  /** Cameras of a role, 'namespace/server', from the cache: a cheap look before the expensive one. */
  camerasOfRole(server: string): Iterable<AwaitedCamera>;
}

/**
 * The Backup, if anything is left to do for it. By an uncached request: an unseen own status write would start a finished
 * one again.
 */
export async function openBackup(
  client: GatherSources['client'],
  key: Key,
  signal: AbortSignal,
): Promise<Backup | undefined> {
  const backup = await getOrAbsent<Backup>(() => client.get<Backup>(backups, key, { signal }));
  return !backup || backup.metadata.deletionTimestamp || isFinal(backup) ? undefined : backup;
}

/** The pool of a Backup as the API server has it now. */
export function poolOf(
  client: GatherSources['client'],
  { metadata, spec }: Backup,
  signal: AbortSignal,
): Promise<FailoverPool | undefined> {
  const key = { namespace: metadata.namespace ?? '', name: spec.poolRef.name };
  return getOrAbsent<FailoverPool>(() => client.get<FailoverPool>(failoverPools, key, { signal }));
}

/** Reads by uncached requests: a baseline from a stale view would lack the very takeover that it fixes (rule 12). */
export async function gather(sources: GatherSources, backup: Backup, signal: AbortSignal): Promise<Gathered> {
  const nothing: Gathered = { unbound: [], readSystem: () => Promise.resolve({ servers: [], cameras: [] }) };
  const stored = await sources.engines.get(backup.spec.engine)?.read(targetOf(backup), signal);
  if (stored) return { ...nothing, backup, stored };
  const pool = await poolOf(sources.client, backup, signal);
  return {
    backup,
    pool,
    unbound: pool ? unboundInCache(sources, backup, pool) : [],
    readSystem: () => (pool ? readSystem(sources.client, pool, signal) : nothing.readSystem()),
  };
}

export function targetOf({ metadata, spec }: Backup): BackupTarget {
  const { namespace = '', name, uid = '' } = metadata;
  return { namespace, name, uid, pool: spec.poolRef.name };
}

function unboundInCache(sources: GatherSources, backup: Backup, pool: FailoverPool): string[] {
  return unboundCameras(backup, pool, (role) => sources.camerasOfRole(`${pool.metadata.namespace}/${role}`));
}

/** Cameras are listed by role, so that a baseline costs what its pool is worth, not what the namespace holds. */
async function readSystem(
  client: GatherSources['client'],
  pool: FailoverPool,
  signal: AbortSignal,
): Promise<SystemState> {
  const { namespace, name } = pool.metadata;
  const selection = { namespace, fieldSelector: `spec.poolRef.name=${name}`, signal };
  const { items: servers } = await client.list<RecordingServer>(recordingServers, selection);
  const roles = new Set([
    ...servers.map((server) => server.metadata.name),
    // A home that was deleted while a substitute holds its role still has its cameras.
    ...(pool.status?.roles ?? []).map((role) => role.name),
  ]);
  const cameras: BaselineCamera[] = [];
  const left = [...roles].sort();
  const work = async (): Promise<void> => {
    for (let role = left.pop(); role !== undefined; role = left.pop()) {
      const ofRole = { namespace, fieldSelector: `spec.serverRef.name=${role}`, signal };
      const { items } = await client.list<CameraAssignment>(cameraAssignments, ofRole);
      cameras.push(...items.map(baselineCamera));
    }
  };
  await Promise.all(Array.from({ length: parallelLists }, work));
  return { servers, cameras };
}

async function getOrAbsent<T>(get: () => Promise<T>): Promise<T | undefined> {
  try {
    return await get();
  } catch (error) {
    if (isApiError(error, 'notFound')) return undefined;
    throw error;
  }
}
