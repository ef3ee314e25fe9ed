import type { KubeObject, Store } from '../../../../src/operator/index.js';
import { claimNameOf, indexes, type Kind, type Stores, type Views } from '../../../../src/reconcilers/stores.js';
import { CameraView } from '../../../../src/reconcilers/views.js';
import { type ByName, type Camera, NAMESPACE, type Objects } from './world.js';

type IndexOf<T> = Readonly<Record<string, (value: T) => readonly string[]>>;

const at = (name: string | undefined): string[] => (name ? [`${NAMESPACE}/${name}`] : []);

/** A store over plain objects: reads through, so that it costs nothing to make one for every state. */
function storeOf<T>(entries: ByName<T>, indexFunctions: IndexOf<T> = {}): Store<T> {
  return {
    get: (key) => entries[key.slice(NAMESPACE.length + 1)],
    list: () => Object.values(entries),
    byIndex(index, value) {
      const indexed = indexFunctions[index];
      if (indexed === undefined) throw new Error(`no index '${index}' was declared`);
      return Object.values(entries).filter((entry) => indexed(entry).includes(value));
    },
    keys: () => Object.keys(entries).map((name) => `${NAMESPACE}/${name}`),
    get size() {
      return Object.keys(entries).length;
    },
    synced: true,
  };
}

const views = new WeakMap<Camera, CameraView>();

export function viewOfCamera(camera: Camera): CameraView {
  const known = views.get(camera);
  if (known !== undefined) return known;
  const view = new CameraView(camera as unknown as KubeObject);
  views.set(camera, view);
  return view;
}

/** Every pod has a node of its own, which is there: nodes are evidence for people, and decide nothing. */
const nodes: Store<Views['nodes']> = {
  ...storeOf<Views['nodes']>({}),
  get: (name) => ({ metadata: { name }, hostname: name, ready: 'True', unschedulable: false }),
};

/** Own writes are seen at once in this world, so the latest known is what the store holds. */
function latest<T>(store: Store<T>) {
  return { get: (key: string) => store.get(key), written: () => undefined, observed: () => undefined };
}

const ofServer = { [indexes.server]: (view: { server?: string }) => at(view.server) };
const known = new WeakMap<Objects, Stores>();

/** The stores of a replica that sees these objects. */
export function storesOf(objects: Objects): Stores {
  const before = known.get(objects);
  if (before !== undefined) return before;
  const cameras = Object.fromEntries(Object.entries(objects.cameras).map(([name, raw]) => [name, viewOfCamera(raw)]));
  const empty = storeOf<never>({});
  const stores = {
    servers: storeOf<Views['servers']>(objects.servers, {
      [indexes.pool]: ({ spec }) => at(spec.poolRef?.name),
      [indexes.claim]: (server) => server.spec.volumes.flatMap((volume) => at(claimNameOf(server, volume))),
      [indexes.servingRole]: ({ status }) => at(status?.servingRole),
      [indexes.recoverySource]: ({ status }) => at(status?.recovery?.fromServer),
    }),
    pools: storeOf<Views['pools']>(objects.pools),
    cameras: storeOf<Views['cameras']>(cameras, { [indexes.server]: ({ spec }) => at(spec.serverRef.name) }),
    reports: storeOf<Views['reports']>(objects.reports),
    backups: storeOf<Views['backups']>(objects.backups, { [indexes.pool]: ({ spec }) => at(spec.poolRef.name) }),
    pods: storeOf<Views['pods']>(objects.pods, ofServer),
    leases: storeOf<Views['leases']>(
      Object.fromEntries(Object.values(objects.leases).map((lease) => [lease.metadata.name, lease])),
      ofServer,
    ),
    claims: storeOf<Views['claims']>(objects.claims),
    operatorPods: empty,
    nodes,
    persistentVolumes: empty,
    services: empty,
    serviceAccounts: empty,
    roles: empty,
    roleBindings: empty,
    disruptionBudgets: empty,
  } satisfies { readonly [K in Kind]: Store<Views[K]> };
  const whole: Stores = {
    ...stores,
    latestPools: latest(stores.pools),
    latestServers: latest(stores.servers),
    latestCameras: latest(stores.cameras),
  };
  known.set(objects, whole);
  return whole;
}
