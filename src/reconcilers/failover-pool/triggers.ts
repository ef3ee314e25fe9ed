import type { FailoverPool, RecorderReport } from '../../crds/index.js';
import { leftOutCount } from '../../failover/cameras.js';
import { rolesAwaitingGaps } from '../../failover/gaps/gap-totals.js';
import { deepEqual } from '../../operator/index.js';
import { serversOfNode } from '../cordon.js';
import type { Stores, Watches } from '../stores.js';
import type { PodView } from '../views.js';

/** The pools that a server's changes matter to: its own, and those that remember it as home or holder of a role. */
export function poolsOfServer(stores: Stores, serverKey: string): string[] {
  const slash = serverKey.indexOf('/');
  const [namespace, name] = [serverKey.slice(0, slash), serverKey.slice(slash + 1)];
  const found = new Set<string>();
  const own = stores.servers.get(serverKey)?.spec.poolRef?.name;
  if (own !== undefined) found.add(`${namespace}/${own}`);
  for (const key of stores.pools.keys()) {
    const pool = stores.latestPools.get(key);
    if (pool?.metadata.namespace !== namespace) continue;
    if (pool.status?.roles?.some((role) => role.name === name || role.holder === name)) found.add(key);
  }
  return [...found];
}

/** Something moves or waits, so every report counts. */
function isBusy(pool: FailoverPool | undefined): boolean {
  const { current, queue = [], roles = [] } = pool?.status ?? {};
  if (current !== undefined || queue.length > 0 || roles.some((role) => role.handedOverTime === undefined)) return true;
  return rolesAwaitingGaps(pool?.status ?? {}).length > 0;
}

/** What standby choice reads of a report; its cameras change often and do not matter to a quiet pool. */
function traits(report: RecorderReport | undefined): unknown {
  const { role, epoch, podUID, version, volumes } = report?.status ?? {};
  return {
    role,
    epoch,
    podUID,
    version,
    // How many cameras a substitute leaves out stands in the pool's condition OnSubstitute.
    leftOut: leftOutCount(report?.status, role ?? ''),
    fileSystems: volumes?.map(({ mountPath, fileSystem }) => [mountPath, fileSystem]),
  };
}

/** What protection reads of a replica of the operator. */
function place(pod: PodView | undefined): unknown {
  return pod && [pod.phase, pod.nodeName, pod.ready, pod.metadata.deletionTimestamp !== undefined];
}

/**
 * Enqueues a pool at every change that can change a decision over it. Besides this, `Observations.onVerdict` must
 * enqueue `poolsOfServer` of the server. To be called before the reflectors start.
 */
export function watchPools(watches: Pick<Watches, 'stores' | 'on'>, enqueue: (poolKey: string) => void): void {
  const { stores } = watches;
  const ofServer = (key: string): void => poolsOfServer(stores, key).forEach(enqueue);
  watches.on('pools', (key) => enqueue(key));
  watches.on('servers', (key, next, previous) => {
    const left = previous?.spec.poolRef?.name;
    if (left !== undefined && left !== next?.spec.poolRef?.name) enqueue(`${previous?.metadata.namespace}/${left}`);
    ofServer(key);
  });
  watches.on('backups', (_key, next, previous) => {
    const backup = next ?? previous;
    if (backup !== undefined) enqueue(`${backup.metadata.namespace}/${backup.spec.poolRef.name}`);
  });
  watches.on('reports', (key, next, previous) => {
    const changed = !deepEqual(traits(next), traits(previous));
    const { metadata, spec } = stores.servers.get(key) ?? {};
    const own = `${metadata?.namespace}/${spec?.poolRef?.name}`;
    // A home that has left takes its role along once it records all cameras of it.
    for (const pool of poolsOfServer(stores, key))
      if (changed || pool !== own || isBusy(stores.latestPools.get(pool))) enqueue(pool);
  });
  watches.on('cameras', (_key, next, previous) => {
    const camera = next ?? previous;
    if (camera === undefined) return;
    const changed = !deepEqual(next?.spec, previous?.spec);
    const pools = poolsOfServer(stores, `${camera.metadata.namespace}/${camera.spec.serverRef.name}`);
    for (const pool of pools) if (changed || isBusy(stores.latestPools.get(pool))) enqueue(pool);
  });
  // Where the operator itself runs: part of how well every pool is protected.
  watches.on('operatorPods', (_key, next, previous) => {
    if (deepEqual(place(next), place(previous))) return;
    for (const key of stores.pools.keys()) enqueue(key);
  });
  // A cordon is the beginning of a drain, and its end lets servers take roles again.
  watches.on('nodes', (name, next, previous) => {
    if (next?.unschedulable !== previous?.unschedulable)
      serversOfNode(stores, name, next ?? previous).forEach(ofServer);
  });
  // The pool's own Role and RoleBinding: put back when somebody has changed or deleted them.
  for (const kind of ['roles', 'roleBindings'] as const)
    watches.on(kind, (_key, next, previous) => {
      const child = next ?? previous;
      if (child?.pool !== undefined) enqueue(`${child.metadata.namespace}/${child.pool}`);
    });
}
