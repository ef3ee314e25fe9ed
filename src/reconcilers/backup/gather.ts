import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type Artifact,
  type BackupEngine,
  BackupError,
  CameraRoll,
  CameraRun,
  type Delegated,
  type DelegatingEngine,
  engineNameOf,
  targetOf,
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
import { isApiError, type Key, type KubeClient } from '../../operator/index.js';
import { isFinal } from './status.js';
import { type AwaitedCamera, awaitedCameras, unboundCameras } from './takeover.js';

/** Lists of cameras that run at once: enough to hide latency, few enough to leave room for the takeovers. */
const parallelLists = 4;
/** Cameras that are parsed and encoded without a pause: some milliseconds. */
const pageLimit = 100;
/** Times that a list of cameras starts over because its `continue` token expired. */
const maxListRestarts = 3;

/** Everything of a pool that goes into its baseline. */
export interface SystemState {
  readonly servers: readonly RecordingServer[];
  readonly cameras: CameraRoll;
  /** As in `Gathered`, but as the API server has them: what is in the baseline. */
  readonly unbound: readonly string[];
}

export interface Gathered {
  /** Absent when it is gone, or nothing is left to do for it. */
  readonly backup?: Backup;
  /** What an earlier try has finished already. */
  readonly stored?: Artifact | undefined;
  /** How far another system is with it, if one was asked. */
  readonly delegated?: Delegated | undefined;
  /** Why that could not be found out. */
  readonly fault?: BackupError | undefined;
  readonly pool?: FailoverPool | undefined;
  /** Cameras whose binding does not show the takeover yet, by the cache; those of a Failover baseline only. */
  readonly unbound: readonly string[];
  /** Reads the rest, which is large, once the plan is to write. */
  readSystem(): Promise<SystemState>;
}

export interface GatherSources {
  readonly client: Pick<KubeClient, 'get' | 'list' | 'listPages'>;
  readonly engines: ReadonlyMap<string, BackupEngine>;
  readonly delegates: ReadonlyMap<string, DelegatingEngine>;
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
  const nothing: Gathered = {
    unbound: [],
    readSystem: () => Promise.resolve({ servers: [], cameras: new CameraRoll(), unbound: [] }),
  };
  const earlier = await earlierTry(sources, backup, signal);
  if (earlier.stored) return { ...nothing, backup, ...earlier };
  const pool = await poolOf(sources.client, backup, signal);
  return {
    backup,
    pool,
    ...earlier,
    unbound: pool ? unboundInCache(sources, backup, pool) : [],
    readSystem: () => (pool ? readSystem(sources.client, backup, pool, signal) : nothing.readSystem()),
  };
}

/** Nothing was written before the status said where, so without that there is nothing to look for. */
async function earlierTry(
  sources: GatherSources,
  backup: Backup,
  signal: AbortSignal,
): Promise<Pick<Gathered, 'stored' | 'delegated' | 'fault'>> {
  if (!backup.status?.destination) return {};
  const delegate = sources.delegates.get(engineNameOf(backup));
  try {
    if (delegate) return { delegated: await delegate.find(targetOf(backup), signal) };
    return { stored: await sources.engines.get(engineNameOf(backup))?.check(targetOf(backup), signal) };
  } catch (fault) {
    if (fault instanceof BackupError) return { fault };
    throw fault;
  }
}

function unboundInCache(sources: GatherSources, backup: Backup, pool: FailoverPool): string[] {
  return unboundCameras(backup, pool, (role) => sources.camerasOfRole(`${pool.metadata.namespace}/${role}`));
}

/** Cameras are listed by role, so that a baseline costs what its pool is worth, not what the namespace holds. */
async function readSystem(
  client: GatherSources['client'],
  backup: Backup,
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
  const cameras = new CameraRoll();
  const awaits = awaitedCameras(backup, pool);
  const unbound: string[] = [];
  const left = [...roles].sort();
  const work = async (): Promise<void> => {
    for (let role = left.pop(); role !== undefined; role = left.pop()) {
      const read = await camerasOfRole(client, { namespace, role, awaits }, signal);
      cameras.take(read.run);
      unbound.push(...read.unbound);
    }
  };
  await Promise.all(Array.from({ length: parallelLists }, work));
  return { servers, cameras, unbound: unbound.sort() };
}

interface RoleToRead {
  readonly namespace: string | undefined;
  readonly role: string;
  readonly awaits: ReturnType<typeof awaitedCameras>;
}

/** Page by page, each turned to text before the next comes: of 64,000 cameras only a few hundred are objects at a time. */
async function camerasOfRole(
  client: GatherSources['client'],
  { namespace, role, awaits }: RoleToRead,
  signal: AbortSignal,
): Promise<{ readonly run: CameraRun; readonly unbound: readonly string[] }> {
  const selection = { namespace, fieldSelector: `spec.serverRef.name=${role}`, limit: pageLimit, signal };
  for (let restarts = 0; ; restarts++) {
    const run = new CameraRun();
    const unbound: string[] = [];
    try {
      for await (const { items } of client.listPages(cameraAssignments, selection)) {
        for (const item of items as CameraAssignment[]) {
          run.add(item);
          if (awaits(role, item)) unbound.push(item.metadata.name);
        }
        run.endPage();
        await nextTurn();
      }
      return { run, unbound };
    } catch (error) {
      if (!isApiError(error, 'gone') || restarts >= maxListRestarts) throw error;
    }
  }
}

async function getOrAbsent<T>(get: () => Promise<T>): Promise<T | undefined> {
  try {
    return await get();
  } catch (error) {
    if (isApiError(error, 'notFound')) return undefined;
    throw error;
  }
}
