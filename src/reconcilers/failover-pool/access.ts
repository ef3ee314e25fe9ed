import {
  childNames,
  type FailoverPool,
  FIELD_MANAGER,
  labels,
  type RecordingServer,
  recordingServers,
} from '../../crds/index.js';
import {
  type ApiClient,
  apiVersionOf,
  isApiError,
  type KubeObject,
  type RequestOptions,
  type ResourceType,
  resources,
} from '../../operator/index.js';
import { ensureChild } from '../children.js';
import { indexes, type Stores } from '../stores.js';

interface Rules extends KubeObject {
  rules: { apiGroups: string[]; resources: string[]; resourceNames: string[]; verbs: string[] }[];
}

interface Binding extends KubeObject {
  roleRef: { apiGroup: string; kind: string; name: string };
  subjects: { kind: string; namespace: string; name: string }[];
}

/** The Role that lists a pool's camera Secrets, and its binding to all recorders of the pool. */
export interface PoolAccess {
  readonly role: Rules;
  readonly binding: Binding;
}

const rbac = { apiGroup: 'rbac.authorization.k8s.io', version: 'rbac.authorization.k8s.io/v1' } as const;

/** Owned by all servers of the pool: a deleted pool freezes what is, and its recorders still need their cameras. */
function metadataOf(pool: FailoverPool, servers: readonly RecordingServer[]): KubeObject['metadata'] {
  const { name, namespace = '' } = pool.metadata;
  return {
    name: childNames.poolAccess(name),
    namespace,
    labels: { [labels.pool]: name, [labels.managedBy]: FIELD_MANAGER },
    ownerReferences: servers.map(({ metadata }) => ({
      apiVersion: apiVersionOf(recordingServers),
      kind: recordingServers.kind,
      name: metadata.name,
      uid: metadata.uid ?? '',
    })),
  };
}

/** Pure; undefined when no camera of the pool has a Secret. */
export function poolAccess(
  pool: FailoverPool,
  servers: readonly RecordingServer[],
  secrets: Iterable<string>,
): PoolAccess | undefined {
  const resourceNames = [...new Set(secrets)].sort();
  const members = [...servers].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  if (resourceNames.length === 0 || members.length === 0) return undefined;
  const metadata = metadataOf(pool, members);
  const { namespace = '' } = pool.metadata;
  return {
    role: {
      apiVersion: rbac.version,
      kind: 'Role',
      metadata,
      rules: [{ apiGroups: [''], resources: ['secrets'], resourceNames, verbs: ['get'] }],
    },
    binding: {
      apiVersion: rbac.version,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: rbac.apiGroup, kind: 'Role', name: metadata.name },
      subjects: members.map((server) => ({
        kind: 'ServiceAccount',
        namespace,
        name: childNames.access(server.metadata.name),
      })),
    },
  };
}

/** Roles whose cameras' Secrets the pool's recorders may need: the members' own, and all that have ever moved. */
function secretsOf(stores: Stores, pool: FailoverPool, servers: readonly RecordingServer[]): string[] {
  const { namespace = '' } = pool.metadata;
  const roles = [
    ...servers.map(({ metadata }) => metadata.name),
    ...(pool.status?.roles ?? []).map(({ name }) => name),
  ];
  return [...new Set(roles)]
    .flatMap((role) => stores.cameras.byIndex(indexes.server, `${namespace}/${role}`))
    .map((camera) => camera.spec.source.credentialsSecretRef?.name)
    .filter((name) => name !== undefined);
}

/** Keeps the pool's access to its cameras' Secrets level, before any failure; writes only what differs. */
export async function ensurePoolAccess(
  client: Pick<ApiClient, 'get' | 'create' | 'apply' | 'patch' | 'delete'>,
  stores: Stores,
  pool: FailoverPool,
  options: RequestOptions = {},
): Promise<void> {
  const { name, namespace = '' } = pool.metadata;
  const servers = stores.servers
    .byIndex(indexes.pool, `${namespace}/${name}`)
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined && metadata.uid !== undefined);
  const access = poolAccess(pool, servers, secretsOf(stores, pool, servers));
  if (access !== undefined) {
    await ensureChild(client, stores.roles, resources.roles, access.role, options);
    await ensureChild(client, stores.roleBindings, resources.roleBindings, access.binding, options);
    return;
  }
  for (const [type, store] of [
    [resources.roleBindings, stores.roleBindings],
    [resources.roles, stores.roles],
  ] as const) {
    const { uid } = store.get(`${namespace}/${childNames.poolAccess(name)}`)?.metadata ?? {};
    if (uid !== undefined) await deleteAccess(client, type, pool, { ...options, uid });
  }
}

/** That it is gone, or another one by now, is no fault: the watch is behind, and tells what is. */
async function deleteAccess(
  client: Pick<ApiClient, 'delete'>,
  type: ResourceType,
  { metadata: { name, namespace = '' } }: FailoverPool,
  options: RequestOptions & { readonly uid: string },
): Promise<void> {
  try {
    await client.delete(type, { namespace, name: childNames.poolAccess(name) }, options);
  } catch (error) {
    if (!isApiError(error, 'notFound', 'conflict')) throw error;
  }
}
