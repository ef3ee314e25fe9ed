import { reasons } from '../../crds/index.js';
import { type HeldRole, heldRoles } from '../roles.js';
import type { PoolView, ServerView } from '../types.js';
import { assignedRole, type Candidate, chooseStandby } from './standby-choice.js';

/** The roles of a pool, each with the free servers that could take it now, best first. */
export interface StandbyTable {
  readonly roles: readonly HeldRole[];
  /** Servers that hold no role: only they can be free for one. */
  readonly free: readonly ServerView[];
  fitting(role: HeldRole): readonly ServerView[];
  /** All servers that hold no role, and for each that does not fit why not. */
  candidates(role: HeldRole): readonly Candidate[];
}

interface Comparison {
  readonly candidates: readonly Candidate[];
  readonly fitting: readonly ServerView[];
}

/**
 * Works out once for a decision who could take which role. Of 200 servers few are free, and only these are compared: a
 * role costs as much as there are free servers, not as there are servers.
 */
export function standbyTable(view: PoolView): StandbyTable {
  const roles = heldRoles(view);
  const assigned = new Map(view.servers.map((server) => [server, assignedRole(view, server)]));
  const roleOf = (server: ServerView): string => assigned.get(server) ?? '';
  const free = view.servers.filter((server) => roleOf(server) === '');
  const byName = new Map(view.servers.map((server) => [server.name, server]));
  const compared = new Map<string, Comparison>();
  const compare = (role: HeldRole): Comparison => {
    // Home and holder are what a standby is measured by; a home that is free is a candidate itself.
    const measures = [role.name, role.holder].map((name) => byName.get(name)).filter((server) => server !== undefined);
    const servers = [...new Set([...free, ...measures])];
    const choice = chooseStandby({ ...view, servers }, role, { tolerateLate: true, roleOf });
    const candidates = choice.candidates.filter(({ server }) => server.name !== role.holder);
    return {
      candidates,
      fitting: candidates.filter(({ reason }) => reason === reasons.Fits).map(({ server }) => server),
    };
  };
  const comparisonOf = (role: HeldRole): Comparison => {
    const known = compared.get(role.name) ?? compare(role);
    compared.set(role.name, known);
    return known;
  };
  return {
    roles,
    free,
    fitting: (role) => comparisonOf(role).fitting,
    candidates: (role) => comparisonOf(role).candidates,
  };
}
