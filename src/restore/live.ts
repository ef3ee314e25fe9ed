import {
  type Backup,
  backups,
  type CameraAssignment,
  cameraAssignments,
  type FailoverPool,
  failoverPools,
  type KindResource,
  labels,
  type RecorderReport,
  type RecordingServer,
  recorderReports,
  recordingServers,
} from '../crds/index.js';
import { type ApiClient, isApiError, type KubeObject, type ResourceType, resources } from '../operator/index.js';
import { leaseClaim, type ShownAssignment } from './claims.js';
import { inParallel } from './parallel.js';
import { RestoreRefused } from './refusal.js';

/** What the cluster holds before a restore: all that a plan is made from. */
export interface Live {
  readonly namespace: string;
  readonly pool?: FailoverPool | undefined;
  /** Of the whole namespace, by name: a server of another pool may stand under a name of the baseline. */
  readonly servers: ReadonlyMap<string, RecordingServer>;
  /** Of the whole namespace, by name. */
  readonly cameras: ReadonlyMap<string, CameraAssignment>;
  readonly backups: readonly Backup[];
  /** What Leases and reports of recorders still show. */
  readonly assignments: readonly ShownAssignment[];
  /** Secrets that the baseline names and the namespace lacks. */
  readonly missingSecrets: readonly string[];
  /** What could not be looked at, and why that is no obstacle. */
  readonly notes: readonly string[];
}

type Reader = Pick<ApiClient, 'get' | 'list'>;

/** Reads the namespace. Throws RestoreRefused ('Cluster') when it, or a kind of ours, is not there or may not be read. */
export async function readLive(
  client: Reader,
  {
    namespace,
    pool,
    secrets,
  }: { readonly namespace: string; readonly pool: string; readonly secrets: readonly string[] },
): Promise<Live> {
  await demandNamespace(client, namespace);
  const ours = <T extends KubeObject>(type: KindResource) => listOfOurs<T>(client, type, namespace);
  const [poolFound, servers, cameras, kept, reports, leases, missing] = await Promise.all([
    findPool(client, namespace, pool),
    ours<RecordingServer>(recordingServers),
    ours<CameraAssignment>(cameraAssignments),
    ours<Backup>(backups),
    ours<RecorderReport>(recorderReports),
    leaseAssignments(client, namespace),
    findMissingSecrets(client, namespace, secrets),
  ]);
  const reported = reports.map(reportClaim);
  return {
    namespace,
    pool: poolFound,
    servers: byName(servers),
    cameras: byName(cameras),
    backups: kept.filter(({ spec }) => spec.poolRef.name === pool),
    assignments: [...reported, ...leases.found],
    missingSecrets: missing.names,
    notes: [...leases.notes, ...missing.notes],
  };
}

async function demandNamespace(client: Reader, name: string): Promise<void> {
  try {
    const found = await client.get(resources.namespaces, { name });
    if (found.metadata.deletionTimestamp === undefined) return;
  } catch (error) {
    // Whoever may not read namespaces may still be allowed to write into this one: the dry run tells.
    if (isApiError(error, 'forbidden')) return;
    if (!isApiError(error, 'notFound')) throw error;
    throw clusterRefusal(`there is no namespace ${name}; make it first: kubectl create namespace ${name}`);
  }
  throw clusterRefusal(`the namespace ${name} is being deleted; wait until it is gone and make it anew`);
}

function clusterRefusal(problem: string): RestoreRefused {
  return new RestoreRefused('Cluster', [problem]);
}

async function findPool(client: Reader, namespace: string, name: string): Promise<FailoverPool | undefined> {
  try {
    return await client.get<FailoverPool & KubeObject>(failoverPools, { namespace, name });
  } catch (error) {
    if (isApiError(error, 'notFound')) return undefined;
    throw readRefusal(error, failoverPools);
  }
}

async function listOfOurs<T extends KubeObject>(client: Reader, type: KindResource, namespace: string): Promise<T[]> {
  try {
    return (await client.list<T>(type, { namespace })).items;
  } catch (error) {
    if (!isApiError(error, 'notFound')) throw readRefusal(error, type);
    throw clusterRefusal(
      `the cluster does not know ${type.kind}; install the CRDs first: kubectl apply --server-side -f deploy/crds`,
    );
  }
}

function readRefusal(error: unknown, type: ResourceType): unknown {
  if (!isApiError(error, 'forbidden')) return error;
  return clusterRefusal(`${type.plural} may not be read: ${error.message}; grant get and list, or use another account`);
}

function reportClaim({ metadata, status }: RecorderReport): ShownAssignment {
  return { server: metadata.name, role: status?.role ?? '', epoch: status?.epoch ?? 0 };
}

interface LeaseClaims {
  readonly found: readonly ShownAssignment[];
  readonly notes: readonly string[];
}

async function leaseAssignments(client: Reader, namespace: string): Promise<LeaseClaims> {
  try {
    const { items } = await client.list(resources.leases, {
      namespace,
      labelSelector: `${labels.component}=recorder`,
    });
    return { found: items.map(leaseClaim), notes: [] };
  } catch (error) {
    if (!isApiError(error, 'forbidden')) throw error;
    return { found: [], notes: ['Leases may not be read: epochs that only a Lease still shows are not seen'] };
  }
}

async function findMissingSecrets(
  client: Reader,
  namespace: string,
  secrets: readonly string[],
): Promise<{ readonly names: string[]; readonly notes: string[] }> {
  const names: string[] = [];
  try {
    await inParallel(secrets, async (name) => {
      if (!(await secretExists(client, namespace, name))) names.push(name);
    });
  } catch (error) {
    if (!isApiError(error, 'forbidden')) throw error;
    return {
      names: [],
      notes: ['Secrets may not be read: whether those that the baseline names are there is not known'],
    };
  }
  return { names: names.sort(), notes: [] };
}

async function secretExists(client: Reader, namespace: string, name: string): Promise<boolean> {
  try {
    await client.get(resources.secrets, { namespace, name });
    return true;
  } catch (error) {
    if (isApiError(error, 'notFound')) return false;
    throw error;
  }
}

function byName<T extends { readonly metadata: { readonly name: string } }>(items: readonly T[]): Map<string, T> {
  return new Map(items.map((item) => [item.metadata.name, item]));
}
