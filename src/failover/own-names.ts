import { reasons } from '../crds/index.js';
import { camerasOfRole } from './cameras.js';
import { type Draft, type Policy, viewOf } from './draft.js';
import { giveRole } from './role-commit.js';
import { findServer, type HeldRole, heldRoles, holderOf, roleEntry } from './roles.js';
import type { PoolView, ServerView } from './types.js';

/** A substitute that was made a Standard server while it holds another's role: it was adopted for good in Git. */
interface Adopted {
  readonly role: HeldRole;
  readonly server: ServerView;
}

function adoptedSubstitutes(view: PoolView): Adopted[] {
  const { current, queue = [] } = view.status;
  const busy = new Set([current?.role, ...queue.map(({ role }) => role)]);
  return heldRoles(view).flatMap((role) => {
    const server = role.name === role.holder || busy.has(role.name) ? undefined : holderOf(view, role);
    const settled = role.entry?.handedOverTime !== undefined;
    // Whose own role somebody else holds is a repaired server that stands in, and not an adopted one.
    const ownIsFree = server !== undefined && roleEntry(view.status, server.name) === undefined;
    return server?.spec.type === 'Standard' && settled && ownIsFree ? [{ role, server }] : [];
  });
}

/** Roles whose cameras tell whether a substitute has been adopted: the one that it holds, and its own. */
export function rolesOfAdopted(view: PoolView): string[] {
  return adoptedSubstitutes(view).flatMap(({ role, server }) => [role.name, server.name]);
}

/** Its cameras have left the role that it holds, and name it; or nobody is left to whom the role belongs. */
function adoptionIsWhole({ input }: Draft, { role, server }: Adopted): boolean {
  if (camerasOfRole(input.cameras, role.name).length > 0) return false;
  return findServer(input, role.name) === undefined || camerasOfRole(input.cameras, server.name).length > 0;
}

/** The old name ends, unless a Standard server still bears it: that one has its role, which no camera names, back. */
function giveOldNameBack(draft: Draft, { role, server }: Adopted): void {
  const home = findServer(draft.input, role.name);
  const bearer = home?.member === true && !home.deleting && home.spec.type === 'Standard' ? home : undefined;
  if (bearer !== undefined) giveRole(draft, { role, to: bearer, previousHolder: server.name, handedOver: true });
  else draft.record.roles = draft.record.roles?.filter(({ name }) => name !== role.name);
}

/**
 * Adopting a substitute for good: its type is Standard now, and its cameras name it. It goes on under its own name, at a
 * new epoch; its agent keeps the recordings, which are known by their cameras. A server never serves two roles, so this
 * waits until no camera names the old one.
 */
export const adoptSubstitutes: Policy = (draft) => {
  for (const adopted of adoptedSubstitutes(viewOf(draft))) {
    const { role, server } = adopted;
    if (!adoptionIsWhole(draft, adopted)) continue;
    giveOldNameBack(draft, adopted);
    const own: HeldRole = { name: server.name, holder: server.name, holderUID: server.uid, epoch: role.epoch };
    const epoch = giveRole(draft, { role: own, to: server, handedOver: true });
    draft.events.push({
      server: server.name,
      type: 'Normal',
      reason: reasons.SubstituteAdopted,
      action: 'Adopt',
      note: `${server.name} was adopted in Git: it serves its own role at epoch ${epoch}, and no camera names ${role.name} any more`,
    });
  }
};
