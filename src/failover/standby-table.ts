import { reasons } from '../crds/index.js';
import { type HeldRole, heldRoles } from './roles.js';
import { assignedRole, chooseStandby } from './standby-choice.js';
import type { PoolView, ServerView } from './types.js';

/** The roles of a pool, each with the free servers that could take it now, best first. */
export interface StandbyTable {
  readonly roles: readonly HeldRole[];
  /** Servers that hold no role: only they can be free for one. */
  readonly free: readonly ServerView[];
  fitting(role: HeldRole): readonly ServerView[];
}

/**
 * Works out once for a decision who could take which role. Of 200 servers few are free, and only these are compared: a
 * role costs as much as there are free servers, not as there are servers.
 */
export function standbyTable(view: PoolView): StandbyTable {
  const roles = heldRoles(view);
  const free = view.servers.filter((server) => assignedRole(view, server) === '');
  const byName = new Map(view.servers.map((server) => [server.name, server]));
  const fits = new Map<string, readonly ServerView[]>();
  const compare = (role: HeldRole): readonly ServerView[] => {
    // Home and holder are what a standby is measured by; a home that is free is a candidate itself.
    const measures = [role.name, role.holder].map((name) => byName.get(name)).filter((server) => server !== undefined);
    const servers = [...new Set([...free, ...measures])];
    const { candidates } = chooseStandby({ ...view, servers }, role, { tolerateLate: true });
    return candidates
      .filter(({ server, reason }) => reason === reasons.Fits && server.name !== role.holder)
      .map(({ server }) => server);
  };
  return {
    roles,
    free,
    fitting(role) {
      const known = fits.get(role.name) ?? compare(role);
      fits.set(role.name, known);
      return known;
    },
  };
}
