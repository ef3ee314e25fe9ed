import type { Backup, FailoverPool, RecorderReport, RecordingServer } from '../crds/index.js';
import {
  backups,
  cameraAssignments,
  childNames,
  FIELD_MANAGER,
  failoverPools,
  labels,
  recorderReports,
  recordingServers,
} from '../crds/index.js';
import {
  createReflector,
  type KubeClient,
  type KubeObject,
  type Log,
  type Metrics,
  type Reflector,
  type ReflectorOptions,
  type ResourceType,
  resources,
  type Store,
} from '../operator/index.js';
import { createLatestKnown, type LatestKnown } from './latest-known.js';
import { mergeStores } from './merged-store.js';
import {
  CameraView,
  type ChildView,
  type ClaimView,
  type LeaseView,
  type NodeView,
  type PersistentVolumeView,
  type PodView,
  projectChild,
  projectClaim,
  projectLease,
  projectNode,
  projectPersistentVolume,
  projectPod,
  projectResource,
} from './views.js';

/** What is watched, by kind. Secrets are never among it. */
export interface Views {
  servers: RecordingServer;
  pools: FailoverPool;
  cameras: CameraView;
  reports: RecorderReport;
  backups: Backup;
  /** Recorders. */
  pods: PodView;
  /** Replicas of this operator, in its own namespace. */
  operatorPods: PodView;
  leases: LeaseView;
  nodes: NodeView;
  claims: ClaimView;
  persistentVolumes: PersistentVolumeView;
  services: ChildView;
  serviceAccounts: ChildView;
  roles: ChildView;
  roleBindings: ChildView;
  disruptionBudgets: ChildView;
}

export type Kind = keyof Views;

/** One Store per kind. Keys are 'namespace/name', or 'name' for nodes and persistentVolumes. */
export type Stores = { readonly [K in Kind]: Store<Views[K]> } & {
  /** Pools as this process knows them best: its own last commit, until the watch has caught up with it. */
  readonly latestPools: LatestKnown<FailoverPool>;
  /** Servers and cameras likewise: a status just written is not written again. */
  readonly latestServers: LatestKnown<RecordingServer>;
  readonly latestCameras: LatestKnown<CameraView>;
};

/** Names of the indexes. Values of all but `node` are 'namespace/name'. */
export const indexes = {
  /** servers, backups, children: 'namespace/pool'. */
  pool: 'pool',
  /** cameras (home role), pods, leases and other children: 'namespace/server'. */
  server: 'server',
  /** servers: 'namespace/claim' of each volume, whether named or from a template. */
  claim: 'claim',
  /** servers: 'namespace/role' that status.servingRole names. */
  servingRole: 'servingRole',
  /** pods: name of the node. */
  node: 'node',
} as const;

const ofServer = (view: { metadata: { namespace: string }; server?: string }): string[] =>
  view.server ? [`${view.metadata.namespace}/${view.server}`] : [];

/** The claim of a volume: the one named, or the one made from the template. */
export function claimNameOf(
  server: { metadata: { name: string } },
  volume: { name: string; claimName?: string | undefined },
): string {
  return volume.claimName ?? childNames.claim(volume.name, server.metadata.name);
}

function claimsOf(server: RecordingServer): string[] {
  return server.spec.volumes.map((volume) => `${server.metadata.namespace}/${claimNameOf(server, volume)}`);
}

interface Source<T> {
  readonly type: ResourceType;
  readonly labelSelector?: string;
  project(raw: KubeObject): T;
  readonly indexes?: Record<string, (value: T) => readonly string[]>;
}

/** Only what we made ourselves: other people's pods and Leases are many, change often and do not matter. */
const oursOnly = `${labels.managedBy}=${FIELD_MANAGER},${labels.server}`;
const oursOrPools = `${labels.managedBy}=${FIELD_MANAGER}`;

const child = (type: ResourceType, labelSelector: string): Source<ChildView> => ({
  type,
  labelSelector,
  project: projectChild,
  indexes: {
    [indexes.server]: ofServer,
    [indexes.pool]: (view) => (view.pool ? [`${view.metadata.namespace}/${view.pool}`] : []),
  },
});

const sources: { readonly [K in Kind]: Source<Views[K]> } = {
  servers: {
    type: recordingServers,
    project: (raw) => projectResource<RecordingServer>(raw),
    indexes: {
      [indexes.pool]: ({ metadata, spec }) => (spec.poolRef ? [`${metadata.namespace}/${spec.poolRef.name}`] : []),
      [indexes.claim]: claimsOf,
      [indexes.servingRole]: ({ metadata, status }) =>
        status?.servingRole ? [`${metadata.namespace}/${status.servingRole}`] : [],
    },
  },
  pools: { type: failoverPools, project: (raw) => projectResource<FailoverPool>(raw) },
  cameras: {
    type: cameraAssignments,
    project: (raw) => new CameraView(raw),
    indexes: { [indexes.server]: ({ metadata, spec }) => [`${metadata.namespace}/${spec.serverRef.name}`] },
  },
  reports: { type: recorderReports, project: (raw) => projectResource<RecorderReport>(raw) },
  backups: {
    type: backups,
    project: (raw) => projectResource<Backup>(raw),
    indexes: { [indexes.pool]: ({ metadata, spec }) => [`${metadata.namespace}/${spec.poolRef.name}`] },
  },
  pods: {
    type: resources.pods,
    labelSelector: oursOnly,
    project: projectPod,
    indexes: {
      [indexes.server]: ofServer,
      [indexes.node]: (pod) => (pod.nodeName ? [pod.nodeName] : []),
    },
  },
  operatorPods: {
    type: resources.pods,
    labelSelector: `${labels.name}=understudy,${labels.component}=operator`,
    project: projectPod,
  },
  leases: {
    type: resources.leases,
    labelSelector: oursOnly,
    project: projectLease,
    indexes: { [indexes.server]: ofServer },
  },
  nodes: { type: resources.nodes, project: projectNode },
  // All claims, not ours alone: spec.volumes[].claimName may name any.
  claims: { type: resources.persistentVolumeClaims, project: projectClaim },
  persistentVolumes: { type: resources.persistentVolumes, project: projectPersistentVolume },
  services: child(resources.services, oursOnly),
  serviceAccounts: child(resources.serviceAccounts, oursOnly),
  roles: child(resources.roles, oursOrPools),
  roleBindings: child(resources.roleBindings, oursOrPools),
  disruptionBudgets: child(resources.podDisruptionBudgets, oursOnly),
};

/** Called after the store has changed. Must only fold and enqueue: it runs for every event of every watch. */
export type ChangeListener<T> = (key: string, next: T | undefined, previous: T | undefined) => void;

/** The reflectors of all kinds, and where to hear of changes. They run on every replica. */
export interface Watches {
  readonly stores: Stores;
  readonly reflectors: readonly Reflector<unknown>[];
  /** Must be called before the reflectors start. */
  on<K extends Kind>(kind: K, listener: ChangeListener<Views[K]>): void;
}

export interface WatchOptions {
  client: KubeClient;
  /** Namespaces to watch; empty: all. */
  namespaces: readonly string[];
  /** Where this operator runs. */
  operatorNamespace: string;
  metrics?: Metrics;
  log?: Log;
  /** When a watch counts as deaf, if not by the reflector's own limits. */
  limits?: WatchLimits;
}

/** How soon a watch that brings nothing, or not everything, is found out. */
export type WatchLimits = Pick<ReflectorOptions<unknown>, 'silenceLimitMs' | 'relistIntervalMs' | 'relistGraceMs'>;

/** The namespaces that one kind is watched in; undefined stands for all, or for a cluster-scoped kind. */
function scopesOf(kind: Kind, type: ResourceType, options: WatchOptions): readonly (string | undefined)[] {
  if (kind === 'operatorPods') return [options.operatorNamespace];
  return type.namespaced && options.namespaces.length > 0 ? options.namespaces : [undefined];
}

export function createWatches(options: WatchOptions): Watches {
  const reflectors: Reflector<unknown>[] = [];
  const listeners = new Map<Kind, ChangeListener<never>[]>();

  function watch<K extends Kind>(kind: K): Store<Views[K]> {
    const source: Source<Views[K]> = sources[kind];
    const notify: ChangeListener<Views[K]> = (key, next, previous) => {
      for (const listener of listeners.get(kind) ?? []) (listener as ChangeListener<Views[K]>)(key, next, previous);
    };
    const scopes = scopesOf(kind, source.type, options);
    const parts = scopes.map((namespace) =>
      createReflector<Views[K]>(options.client, {
        type: source.type,
        project: source.project,
        onChange: notify,
        ...(namespace === undefined ? {} : { namespace }),
        ...(source.labelSelector === undefined ? {} : { labelSelector: source.labelSelector }),
        ...(source.indexes === undefined ? {} : { indexes: source.indexes }),
        ...(options.metrics === undefined ? {} : { metrics: options.metrics }),
        ...(options.log === undefined ? {} : { log: options.log }),
        ...options.limits,
      }),
    );
    reflectors.push(...(parts as Reflector<unknown>[]));
    return mergeStores(parts.map((part) => part.store));
  }

  const on: Watches['on'] = (kind, listener) => {
    listeners.set(kind, [...(listeners.get(kind) ?? []), listener as ChangeListener<never>]);
  };
  const stores = withLatest({
    servers: watch('servers'),
    pools: watch('pools'),
    cameras: watch('cameras'),
    reports: watch('reports'),
    backups: watch('backups'),
    pods: watch('pods'),
    operatorPods: watch('operatorPods'),
    leases: watch('leases'),
    nodes: watch('nodes'),
    claims: watch('claims'),
    persistentVolumes: watch('persistentVolumes'),
    services: watch('services'),
    serviceAccounts: watch('serviceAccounts'),
    roles: watch('roles'),
    roleBindings: watch('roleBindings'),
    disruptionBudgets: watch('disruptionBudgets'),
  });
  on('pools', (key, next) => stores.latestPools.observed(key, next));
  on('servers', (key, next) => stores.latestServers.observed(key, next));
  on('cameras', (key, next) => stores.latestCameras.observed(key, next));
  return { stores, reflectors, on };
}

/** Adds the views of own writes; for tests that bring their own stores, too. */
export function withLatest(stores: { readonly [K in Kind]: Store<Views[K]> }): Stores {
  return {
    ...stores,
    latestPools: createLatestKnown(stores.pools),
    latestServers: createLatestKnown(stores.servers),
    latestCameras: createLatestKnown(stores.cameras),
  };
}
