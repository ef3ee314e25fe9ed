import { reasons } from '../../crds/index.js';
import { camerasOfRole } from '../cameras.js';
import { type Draft, type Policy, viewOf, waitLeftMs } from '../draft.js';
import { findServer, type HeldRole, heldRoles, holderOf, roleEntry } from '../roles.js';
import { giveRole } from '../takeover/role-commit.js';
import type { PoolView, ServerView } from '../types.js';

/** A broken home is given so long to be deleted by the same change in Git. Milliseconds. */
const HOME_DELETION_MS = 60_000;
/** Cameras that were deleted to be made again come back within so long. Milliseconds. */
const EMPTY_ROLE_MS = 300_000;

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
function adoptionIsWhole(draft: Draft, { role, server }: Adopted): boolean {
  const { cameras } = draft.input;
  if (camerasOfRole(cameras, role.name).length > 0) return false;
  const home = findServer(draft.input, role.name);
  if (home === undefined) return true;
  if (camerasOfRole(cameras, server.name).length === 0) return false;
  // Given back to a broken home, the empty name would be failed over to a standby. Its agent records all the while.
  const dead = home.health.verdict === 'Broken';
  return !dead || waitLeftMs(draft, `adopt/${role.name}/${role.epoch}`, HOME_DELETION_MS) <= 0;
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

/** Home and cameras of the role are gone: its holder would be lost as a standby for a name that nobody bears. */
function isEmpty(draft: Draft, role: HeldRole): boolean {
  const { current, queue } = draft.record;
  const busy = current?.role === role.name || queue?.some((entry) => entry.role === role.name) === true;
  if (busy || role.entry?.handedOverTime === undefined || role.holder === role.name) return false;
  if (findServer(draft.input, role.name) !== undefined) return false;
  return camerasOfRole(draft.input.cameras, role.name).length === 0;
}

/**
 * A role without home and cameras ends: nobody holds it, and its holder stands by again. The entry stays until its
 * holder has read that (`forgetEmptyRoles`).
 */
export const endEmptyRoles: Policy = (draft) => {
  for (const role of heldRoles(viewOf(draft)).filter((held) => isEmpty(draft, held))) {
    if (waitLeftMs(draft, `empty/${role.name}/${role.epoch}`, EMPTY_ROLE_MS) > 0) continue;
    const nobody = { name: role.name, uid: role.entry?.homeUID ?? '' };
    giveRole(draft, { role, to: nobody, previousHolder: role.holder, handedOver: true });
    draft.events.push({
      server: role.holder,
      type: 'Normal',
      reason: reasons.RoleEnded,
      action: 'End',
      note: `The role ${role.name} has neither a home nor a camera any more; ${role.holder} is free`,
    });
  }
};
