// A fake of the stores: the real ones are filled by watches, and these tests are about what is decided from them.
import type { Store } from '../../../../src/operator/index.js';
import { indexes, type Kind, type Stores, type Views, withLatest } from '../../../../src/reconcilers/stores.js';

/** A Store filled by hand. */
export interface MemoryStore<T> extends Store<T> {
  put(value: T): void;
  remove(key: string): void;
}

interface Named {
  readonly metadata: { readonly name: string; readonly namespace?: string | undefined };
}

type IndexFunctions<T> = Record<string, (value: T) => readonly string[]>;

function keyOf({ metadata }: Named): string {
  return metadata.namespace ? `${metadata.namespace}/${metadata.name}` : metadata.name;
}

export function memoryStore<T extends Named>(
  functions: IndexFunctions<T> = {},
  values: readonly T[] = [],
): MemoryStore<T> {
  const held = new Map<string, T>(values.map((value) => [keyOf(value), value]));
  return {
    put: (value) => void held.set(keyOf(value), value),
    remove: (key) => void held.delete(key),
    get: (key) => held.get(key),
    list: () => held.values(),
    byIndex(index, value) {
      const indexOf = functions[index];
      if (!indexOf) throw new Error(`no index '${index}' was declared`);
      return [...held.values()].filter((entry) => indexOf(entry).includes(value));
    },
    keys: () => held.keys(),
    get size() {
      return held.size;
    },
    synced: true,
  };
}

export type MemoryStores = Stores & { readonly [K in Kind]: MemoryStore<Views[K]> };

/** Empty stores of all kinds, with the indexes of the real ones. */
export function memoryStores(): MemoryStores {
  const at = (namespace: string | undefined, name: string | undefined) => (name ? [`${namespace}/${name}`] : []);
  const byServer = {
    [indexes.server]: (view: { metadata: { namespace: string }; server?: string }) =>
      at(view.metadata.namespace, view.server),
  };
  const children = () =>
    memoryStore<Views['services']>({
      ...byServer,
      [indexes.pool]: (view) => at(view.metadata.namespace, view.pool),
    });
  const stores = {
    servers: memoryStore<Views['servers']>({
      [indexes.servingRole]: (server) => at(server.metadata.namespace, server.status?.servingRole),
      [indexes.pool]: (server) => at(server.metadata.namespace, server.spec.poolRef?.name),
      [indexes.recoverySource]: (server) => at(server.metadata.namespace, server.status?.recovery?.fromServer),
      [indexes.claim]: (server) =>
        server.spec.volumes.map(
          (volume) => `${server.metadata.namespace}/${volume.claimName ?? `${volume.name}-${server.metadata.name}`}`,
        ),
    }),
    pools: memoryStore<Views['pools']>(),
    cameras: memoryStore<Views['cameras']>({
      [indexes.server]: (camera) => at(camera.metadata.namespace, camera.spec.serverRef.name),
    }),
    reports: memoryStore<Views['reports']>(),
    backups: memoryStore<Views['backups']>({
      [indexes.pool]: (backup) => at(backup.metadata.namespace, backup.spec.poolRef.name),
    }),
    pods: memoryStore<Views['pods']>({ ...byServer, [indexes.node]: (pod) => (pod.nodeName ? [pod.nodeName] : []) }),
    operatorPods: memoryStore<Views['operatorPods']>(),
    leases: memoryStore<Views['leases']>(byServer),
    nodes: memoryStore<Views['nodes']>(),
    claims: memoryStore<Views['claims']>(),
    persistentVolumes: memoryStore<Views['persistentVolumes']>(),
    services: children(),
    serviceAccounts: children(),
    roles: children(),
    roleBindings: children(),
    disruptionBudgets: children(),
  };
  return { ...withLatest(stores), ...stores };
}
