import { childNames, type FailoverPool, type RecordingServer, type Role } from '../crds/index.js';
import { type ForeignRole, presentAssignment } from '../failover/server/assignment.js';
import { recordsOwnRole } from '../failover/takeover/proof.js';
import type { Assignment } from '../failover/types.js';
import { indexes, type Stores } from './stores.js';

/** Who holds a role, as far as this process knows. */
export interface RoleState {
  readonly name: string;
  readonly namespace: string;
  /** The server that the role is named after; absent once it was deleted. */
  readonly home?: RecordingServer | undefined;
  /** The pool that decides over the role. */
  readonly pool?: FailoverPool | undefined;
  /** The pool's word; absent while the role has never moved. */
  readonly role?: Role | undefined;
  /** Absent when nobody holds it. */
  readonly holder?: RecordingServer | undefined;
  readonly epoch: number;
  /** The pool is gone or has not decided anything yet (law 2): what is stays as it is. */
  readonly frozen: boolean;
}

/** False for a pool without memory (new, re-applied, restored): it adopts what it finds before it decides (law 2). */
export function hasDecided(pool: FailoverPool): boolean {
  return pool.status?.epoch !== undefined;
}

function roleIn(pool: FailoverPool | undefined, name: string): Role | undefined {
  return pool?.status?.roles?.find((role) => role.name === name);
}

/** Of a role whose home was deleted: any pool of the namespace may know it. */
function poolOfOrphan(stores: Stores, namespace: string, name: string): FailoverPool | undefined {
  for (const key of stores.pools.keys()) {
    const pool = stores.latestPools.get(key);
    if (pool?.metadata.namespace === namespace && roleIn(pool, name)) return pool;
  }
  return undefined;
}

/** The server that says of itself that it serves the role; of two the one with the higher epoch. */
function presentHolder(stores: Stores, namespace: string, name: string): RecordingServer | undefined {
  const serving = stores.servers.byIndex(indexes.servingRole, `${namespace}/${name}`);
  return [...serving].sort((a, b) => (b.status?.epoch ?? 0) - (a.status?.epoch ?? 0))[0];
}

/** The server of that name, unless it is a namesake of the one that was given the role. */
function holderOf(stores: Stores, namespace: string, role: Role): RecordingServer | undefined {
  const server = stores.latestServers.get(`${namespace}/${role.holder}`);
  const namesake = role.holderUID !== undefined && server?.metadata.uid !== role.holderUID;
  return namesake ? undefined : server;
}

function atHome(home: RecordingServer | undefined): RecordingServer | undefined {
  return home?.spec.type === 'Standard' ? home : undefined;
}

/** Reads the pool's last commit, not its echo over the watch. */
export function resolveRole(stores: Stores, namespace: string, name: string): RoleState {
  const home = stores.latestServers.get(`${namespace}/${name}`);
  const poolName = home?.spec.poolRef?.name;
  const pool =
    poolName === undefined ? poolOfOrphan(stores, namespace, name) : stores.latestPools.get(`${namespace}/${poolName}`);
  const base = { name, namespace, home, pool };
  const role = roleIn(pool, name);
  if (role) return { ...base, role, holder: holderOf(stores, namespace, role), epoch: role.epoch, frozen: false };
  const frozen = pool ? !hasDecided(pool) : poolName !== undefined || !home;
  const holder = (frozen ? presentHolder(stores, namespace, name) : undefined) ?? atHome(home);
  return { ...base, holder, epoch: Math.max(1, holder?.status?.epoch ?? 0), frozen };
}

/** True when somebody else than the home records the role. */
export function onSubstitute(state: RoleState): boolean {
  return state.holder !== undefined && state.holder.metadata.name !== state.name;
}

/** The home itself says that it records its role again, at the epoch of the present one or later. */
function recordedAtHome(stores: Stores, { namespace, name, home }: RoleState, epoch: number): boolean {
  if (!home) return false;
  const report = stores.reports.get(`${namespace}/${childNames.report(name)}`)?.status;
  const cameras = stores.cameras
    .byIndex(indexes.server, `${namespace}/${name}`)
    .map(({ metadata, spec }) => ({ name: metadata.name, spec }));
  return recordsOwnRole({ name, report, podUID: home.status?.podUID }, epoch, cameras);
}

/** Epoch at which a pool that the server has left still has its own role at a substitute; undefined when none has. */
export function ownRoleElsewhere(stores: Stores, { metadata, spec }: RecordingServer): number | undefined {
  const { name, namespace = '' } = metadata;
  for (const key of stores.pools.keys()) {
    const pool = stores.latestPools.get(key);
    if (pool?.metadata.namespace !== namespace || pool.metadata.name === spec.poolRef?.name) continue;
    const role = roleIn(pool, name);
    if (role !== undefined && role.holder !== name) return role.epoch;
  }
  return undefined;
}

/**
 * How it stands with the role that a server records although its own pool does not know of it: it moved to another
 * pool, or left, while it held the role. Undefined when its own pool decides, or it records no other server's role.
 */
export function foreignRole(
  stores: Stores,
  server: RecordingServer,
  found: Assignment | undefined,
): ForeignRole | undefined {
  const { name, namespace = '', uid } = server.metadata;
  const present = presentAssignment(server, found);
  if (!present || present.role === '' || present.role === name) return undefined;
  const { poolRef } = server.spec;
  const own = poolRef && stores.latestPools.get(`${namespace}/${poolRef.name}`);
  if (roleIn(own, present.role)) return undefined;
  const state = resolveRole(stores, namespace, present.role);
  if (state.frozen || !state.holder || state.holder.metadata.uid === uid) return 'Held';
  const proved = state.role ? state.role.handedOverTime !== undefined : recordedAtHome(stores, state, present.epoch);
  return proved ? 'HandedOver' : 'Held';
}
