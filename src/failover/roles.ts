import type { FailoverPoolStatus, Role } from '../crds/index.js';
import type { PoolView, ServerView } from './types.js';

/** A role and who holds it by the pool's status. */
export interface HeldRole {
  readonly name: string;
  readonly holder: string;
  /** Absent when any server of that name holds it. */
  readonly holderUID?: string | undefined;
  readonly epoch: number;
  /** Its entry in status.roles; absent while it has never moved. */
  readonly entry?: Role | undefined;
}

/** The entry of a role in the pool's status; absent while the role has never moved. */
export function roleEntry(status: FailoverPoolStatus, role: string): Role | undefined {
  return status.roles?.find((entry) => entry.name === role);
}

/** Whether this very server, not a namesake, holds the role. */
export function isHolder(role: Pick<Role, 'holder' | 'holderUID'>, server: Pick<ServerView, 'name' | 'uid'>): boolean {
  return role.holder === server.name && (role.holderUID === undefined || role.holderUID === server.uid);
}

/** A role that has never moved: a Standard server of the pool records its own cameras. */
function ownRole(server: ServerView): HeldRole {
  const { name, uid, status } = server;
  return { name, holder: name, holderUID: uid, epoch: Math.max(1, status?.epoch ?? 1) };
}

/** All roles of the pool: those that have moved, and the own ones of its Standard servers. Sorted by name. */
export function heldRoles({ status, servers }: Pick<PoolView, 'status' | 'servers'>): HeldRole[] {
  const moved: HeldRole[] = (status.roles ?? []).map((entry) => ({
    name: entry.name,
    holder: entry.holder,
    holderUID: entry.holderUID,
    epoch: entry.epoch,
    entry,
  }));
  const atHome = servers
    .filter((server) => server.member && server.spec.type === 'Standard' && !roleEntry(status, server.name))
    // A substitute that was made a Standard server holds the role that it took until that ends: never two.
    .filter((server) => status.roles?.some((entry) => isHolder(entry, server)) !== true)
    .map(ownRole);
  return [...moved, ...atHome].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The role that this server holds; absent when it holds none. A server never holds two. */
export function roleHeldBy(view: Pick<PoolView, 'status' | 'servers'>, server: ServerView): HeldRole | undefined {
  return heldRoles(view).find((role) => isHolder(role, server));
}

/** The server of that name among the pool's. */
export function findServer(view: Pick<PoolView, 'servers'>, name: string | undefined): ServerView | undefined {
  return view.servers.find((server) => server.name === name);
}

/** The server that holds a role, if it is still there, still itself, and still of this pool. */
export function holderOf(view: Pick<PoolView, 'servers'>, role: HeldRole): ServerView | undefined {
  const server = findServer(view, role.holder);
  return server !== undefined && isHolder(role, server) && !server.deleting && server.member ? server : undefined;
}
