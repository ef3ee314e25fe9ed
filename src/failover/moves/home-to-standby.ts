import type { Role } from '../../crds/index.js';
import type { Draft, Policy } from '../draft.js';
import { findServer, isHolder } from '../roles.js';
import type { ServerView } from '../types.js';

/** It has no role of its own: a person has made it a standby. */
export function hasNoOwnRole(server: ServerView, role: string): boolean {
  return role === server.name && server.member && server.spec.type === 'Failover';
}

function isHeldAtNoHome({ input }: Draft, role: Role): boolean {
  const holder = role.holder === role.name ? findServer(input, role.name) : undefined;
  return holder !== undefined && isHolder(role, holder) && hasNoOwnRole(holder, role.name);
}

/**
 * A Standard server that is made a standby while it holds its own role gives it up, and its cameras say
 * `ServerHasNoRole`: that is what the change asks for. So it is while the role has never moved; the memory of a role that
 * came back home must not make another thing of the same spec. A role that a substitute holds is left where it is.
 */
export const endRolesOfNewStandbys: Policy = (draft) => {
  const kept = draft.record.roles?.filter((role) => !isHeldAtNoHome(draft, role));
  if (kept !== undefined && kept.length !== draft.record.roles?.length) draft.record.roles = kept;
};
