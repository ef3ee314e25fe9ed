import type { RecordingServer } from '../../crds/index.js';
import { openQuestions } from '../../failover/takeover/camera-loss.js';
import { deepEqual } from '../../operator/index.js';
import { changedRoles } from '../changed-roles.js';
import { serversOfNode } from '../cordon.js';
import { type Inbox, keyOf, namespaceOf } from '../keys.js';
import { isRenewal } from '../observations.js';
import { claimNameOf, indexes, type Stores, type Watches } from '../stores.js';
import { recoveryPartners } from './recovery/gather.js';

/**
 * How long the other members of a pool wait to look at their own protection again: it matters to people, so it stays
 * out of the way of a takeover, and many changes make one look. Milliseconds.
 */
export const PROTECTION_DELAY_MS = 2_000;
/** Our own status writes come back over the watch; a person's edit of a status is mended after so long. Milliseconds. */
const ECHO_DELAY_MS = 1_000;

/** Fields of a server that people write. */
function written(server: RecordingServer | undefined): unknown {
  return server && [server.metadata.uid, server.spec, server.metadata.annotations, server.metadata.deletionTimestamp];
}

/** What standby choice looks at in another member. */
function standing(server: RecordingServer | undefined): unknown {
  const ready = server?.status?.conditions?.find((condition) => condition.type === 'Ready');
  return [written(server), server?.status?.state, server?.status?.servingRole, ready?.status];
}

function membersOf(stores: Stores, pool: string): string[] {
  return stores.servers.byIndex(indexes.pool, pool).map(keyOf);
}

/** The members of a server's pool look at their protection again. */
export function reviewProtection(stores: Stores, serverKey: string, inbox: Inbox): void {
  const pool = stores.servers.get(serverKey)?.spec.poolRef?.name;
  if (pool === undefined) return;
  for (const member of membersOf(stores, `${namespaceOf(serverKey)}/${pool}`))
    inbox.enqueueAfter(member, PROTECTION_DELAY_MS);
}

/**
 * Enqueues a server at every change that its objects or its status depend on, a heartbeat excepted. Besides this,
 * `Observations.onVerdict` must enqueue it and call `reviewProtection`. To be called before the reflectors start.
 */
export function watchServers({ stores, on }: Pick<Watches, 'stores' | 'on'>, inbox: Inbox): void {
  const sharers = (namespace: string, claimName: string): void => {
    for (const server of stores.servers.byIndex(indexes.claim, `${namespace}/${claimName}`))
      inbox.enqueue(keyOf(server));
  };
  const wakePartners = (key: string): void => {
    for (const partner of recoveryPartners(stores, key)) inbox.enqueue(partner);
  };
  on('servers', (key, next, previous) => {
    if (next && deepEqual(written(next), written(previous))) inbox.enqueueAfter(key, ECHO_DELAY_MS);
    else inbox.enqueue(key);
    if (!deepEqual(standing(next), standing(previous))) reviewProtection(stores, key, inbox);
    if (!deepEqual(next?.status?.recovery, previous?.status?.recovery)) wakePartners(key);
    if (next && previous && deepEqual(next.spec, previous.spec)) return;
    // Two servers on one claim: when one goes, the other may have it.
    for (const server of [next, previous]) {
      for (const volume of server?.spec.volumes ?? [])
        sharers(namespaceOf(key), claimNameOf(server ?? { metadata: { name: '' } }, volume));
    }
    // A home comes or goes: whoever holds its role owns the role's Service with it, or alone.
    for (const holder of stores.servers.byIndex(indexes.servingRole, key)) inbox.enqueue(keyOf(holder));
  });
  on('pools', (key, next, previous) => {
    const changes = changedRoles(next, previous);
    const asked = !deepEqual(openQuestions(next?.status?.queue), openQuestions(previous?.status?.queue));
    if (changes.all || asked || !deepEqual(next?.spec, previous?.spec)) {
      for (const member of membersOf(stores, key)) inbox.enqueue(member);
      return;
    }
    for (const name of changes.servers) inbox.enqueue(`${namespaceOf(key)}/${name}`);
    // Who still records such a role need not be of this pool any more, nor be named by it.
    for (const role of changes.roles)
      for (const server of stores.servers.byIndex(indexes.servingRole, `${namespaceOf(key)}/${role}`))
        inbox.enqueue(keyOf(server));
    if (changes.roles.length === 0) return;
    for (const member of membersOf(stores, key)) inbox.enqueueAfter(member, PROTECTION_DELAY_MS);
  });
  on('reports', (key, next, previous) => {
    inbox.enqueue(key);
    // Who stands in for a home of another pool, or of none, goes by what the home itself says.
    const pool = stores.servers.get(key)?.spec.poolRef?.name;
    for (const holder of stores.servers.byIndex(indexes.servingRole, key))
      if (holder.spec.poolRef?.name !== pool) inbox.enqueue(keyOf(holder));
    if (!deepEqual(next?.status?.port, previous?.status?.port)) wakePartners(key);
  });
  on('leases', (_key, next, previous) => {
    const lease = next ?? previous;
    if (lease && !isRenewal(next, previous)) inbox.enqueue(`${lease.metadata.namespace}/${lease.server}`);
  });
  on('pods', (_key, next, previous) => {
    const pod = next ?? previous;
    if (!pod) return;
    const server = `${pod.metadata.namespace}/${pod.server}`;
    inbox.enqueue(server);
    if (next?.podIP !== previous?.podIP || next?.metadata.uid !== previous?.metadata.uid) wakePartners(server);
    // Outdated standbys are replaced one after another: the next one waits for this one.
    if (next?.ready !== previous?.ready) reviewProtection(stores, server, inbox);
  });
  for (const kind of ['services', 'serviceAccounts', 'roles', 'roleBindings', 'disruptionBudgets'] as const) {
    on(kind, (_key, next, previous) => {
      const child = next ?? previous;
      if (!child?.server) return;
      const server = `${child.metadata.namespace}/${child.server}`;
      inbox.enqueue(server);
      // The Service of a role whose home is gone is its holder's to keep.
      if (kind === 'services')
        for (const holder of stores.servers.byIndex(indexes.servingRole, server)) inbox.enqueue(keyOf(holder));
    });
  }
  on('nodes', (name, next, previous) => {
    if (next?.unschedulable === previous?.unschedulable) return;
    for (const server of serversOfNode(stores, name, next ?? previous)) inbox.enqueue(server);
  });
  on('claims', (_key, next, previous) => {
    const claim = next ?? previous;
    if (claim) sharers(claim.metadata.namespace, claim.metadata.name);
  });
  on('persistentVolumes', (_name, next, previous) => {
    const claim = (next ?? previous)?.claim;
    if (claim && !deepEqual(next, previous)) sharers(claim.namespace, claim.name);
  });
  on('cameras', (_key, next, previous) => {
    if (next && previous && deepEqual(next.spec, previous.spec)) return;
    for (const camera of [next, previous]) {
      if (!camera) continue;
      const role = `${camera.metadata.namespace}/${camera.spec.serverRef.name}`;
      inbox.enqueueAfter(role, ECHO_DELAY_MS);
      for (const holder of stores.servers.byIndex(indexes.servingRole, role))
        inbox.enqueueAfter(keyOf(holder), ECHO_DELAY_MS);
    }
  });
}
