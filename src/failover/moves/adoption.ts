import { type Role, reasons } from '../../crds/index.js';
import { type Draft, type Policy, viewOf, wallTime } from '../draft.js';
import { findServer, isHolder, roleEntry } from '../roles.js';
import { credible, highestVisibleEpoch, nextEpoch } from '../takeover/epochs.js';
import { acknowledged, recordsOwnRole } from '../takeover/proof.js';
import type { Assignment, PoolView, ServerView } from '../types.js';
import { hasNoOwnRole } from './home-to-standby.js';

/** A server that says, by status, Lease or report, that it serves a role. */
interface Claim extends Assignment {
  readonly server: ServerView;
}

function claimOf(server: ServerView): Claim | undefined {
  const { status, leaseAssignment, report, podUID } = server;
  const found: Assignment[] = [
    { role: status?.servingRole ?? '', epoch: status?.epoch ?? 0 },
    leaseAssignment ?? { role: '', epoch: 0 },
    report?.podUID === podUID ? { role: report?.role ?? '', epoch: report?.epoch ?? 0 } : { role: '', epoch: 0 },
  ];
  const latest = found.filter(({ epoch }) => credible(epoch) === epoch).sort((a, b) => b.epoch - a.epoch)[0];
  return latest === undefined || latest.role === '' ? undefined : { ...latest, server };
}

/** A claim that the pool should remember: a role away from its home, or one that has moved before. */
function worthRemembering({ role, epoch, server }: Claim): boolean {
  return role !== server.name || epoch > 1;
}

/**
 * It holds another role by a decision of this pool: the claim is what its status says until that is projected, or what its
 * volume remembers. Never two roles.
 */
function outdatedClaim({ record }: Draft, { server, role }: Claim): boolean {
  return record.roles?.some((held) => isHolder(held, server) && held.name !== role) === true;
}

/**
 * A role that this pool decides over already, or that of a server of this pool; or of a deleted one, when the pool has no
 * memory that says otherwise.
 */
function oursToAdopt(draft: Draft, { role }: Claim): boolean {
  if (roleEntry(draft.record, role) !== undefined) return true;
  const home = findServer(draft.input, role);
  return home === undefined ? draft.input.status.epoch === undefined : home.member;
}

/**
 * Roles that a server says it serves, and the pool does not give it: what `adoptHolders` may take over. Their cameras tell
 * whether that is proved; without them a previous holder would be let go at once (law 6).
 */
export function rolesClaimed({ status, servers }: PoolView): string[] {
  return servers.flatMap((server) => {
    const claim = server.member && !server.deleting ? claimOf(server) : undefined;
    if (claim === undefined) return [];
    const entry = roleEntry(status, claim.role);
    const known = entry === undefined ? claim.role === server.name : isHolder(entry, server);
    return known ? [] : [claim.role];
  });
}

function adopt(draft: Draft, role: string, claims: readonly Claim[]): Role | undefined {
  const [holder, ...others] = [...claims].sort((a, b) => b.epoch - a.epoch || (a.server.name < b.server.name ? -1 : 1));
  if (holder === undefined) return undefined;
  const now = wallTime(draft);
  const entry = roleEntry(draft.record, role);
  // Only the epoch is a later one: at the pool's own the recorder's word would never count.
  if (entry !== undefined && isHolder(entry, holder.server)) return { ...entry, epoch: holder.epoch };
  const known = entry?.holder;
  // Whoever held it by an older memory of the pool may be recording it: it goes on until the handover (law 6).
  const previous = others[0]?.server.name ?? (known === holder.server.name ? undefined : known);
  return {
    name: role,
    holder: holder.server.name,
    holderUID: holder.server.uid,
    ...(previous === undefined ? {} : { previousHolder: previous }),
    // A home that has just come from another pool is given its name at once, and may be dead: its word is what counts.
    ...(previous === undefined && acknowledged(holder.server, role, holder.epoch) ? { handedOverTime: now } : {}),
    epoch: holder.epoch,
    startTime: now,
    homeUID: findServer(draft.input, role)?.uid,
  };
}

/**
 * The pool does not know the role; or somebody serves it by a later epoch than anything that this pool has decided. Then
 * its memory is an older one: it was restored, and what came after is lost.
 */
function unknownToPool({ record }: Draft, { role, epoch, server }: Claim): boolean {
  const entry = roleEntry(record, role);
  if (entry === undefined) return true;
  const moves = record.current?.role === role || record.queue?.some((queued) => queued.role === role) === true;
  return !moves && epoch > (record.epoch ?? 0) && (isHolder(entry, server) || servesByItsWord(server, role, epoch));
}

/**
 * Law 7: from a holder that may be recording a role is taken only for one that says itself that it serves it, and is not
 * known to be dead. What its status or its Lease shows of it is no word of its own.
 */
function servesByItsWord(server: ServerView, role: string, epoch: number): boolean {
  return server.health.verdict !== 'Broken' && acknowledged(server, role, epoch);
}

/** Law 2: a role that the pool does not know, but servers say that they serve, is taken over as it is found. */
export const adoptHolders: Policy = (draft) => {
  const { servers } = draft.input;
  const claims = servers
    .filter((server) => server.member && !server.deleting)
    .map(claimOf)
    .filter((claim) => claim !== undefined)
    .filter((claim) => unknownToPool(draft, claim) && oursToAdopt(draft, claim))
    .filter((claim) => !outdatedClaim(draft, claim) && !hasNoOwnRole(claim.server, claim.role));
  const roles = new Set(claims.filter(worthRemembering).map((claim) => claim.role));
  const adopted = [...roles]
    .map((role) =>
      adopt(
        draft,
        role,
        claims.filter((claim) => claim.role === role),
      ),
    )
    .filter((role) => role !== undefined);
  if (adopted.length === 0) return;
  const others = (draft.record.roles ?? []).filter(({ name }) => !adopted.some((role) => role.name === name));
  draft.record.roles = [...others, ...adopted];
  // A pool without memory is seeded; one with memory must not know a role at an epoch that it never reached itself.
  if (draft.record.epoch !== undefined)
    draft.record.epoch = Math.max(draft.record.epoch, ...adopted.map(({ epoch }) => epoch));
};

/** Law 2: a pool without memory starts above every epoch still visible; a new one at 1. */
export const seedEpoch: Policy = (draft) => {
  if (draft.input.status.epoch !== undefined) return;
  const highest = highestVisibleEpoch(viewOf(draft));
  draft.record.epoch = highest > 1 ? highest + 1 : 1;
  if (highest <= 1) return;
  const held = (draft.record.roles ?? []).map((role) => `${role.name} by ${role.holder}`).join(', ');
  draft.events.push({
    type: 'Normal',
    reason: reasons.EpochSeeded,
    action: 'Adopt',
    note: `The pool had no memory: it goes on at epoch ${draft.record.epoch} with the holders found: ${held || 'none'}`,
  });
};

/** The highest epoch at which a camera of the role has been bound; a new home must not fall behind it. */
function boundEpoch(draft: Draft, role: string): number {
  const epochs = draft.input.cameras
    .filter((camera) => camera.spec.serverRef.name === role && camera.boundTo?.role === role)
    .map((camera) => camera.boundTo?.epoch ?? 0);
  return Math.max(0, ...epochs);
}

/**
 * A home server that was deleted and made again under its name is another server: it gets its own role at a new epoch.
 * Not while a substitute holds the role.
 */
export const readmitHomes: Policy = (draft) => {
  const homes = draft.input.servers.filter(
    ({ member, deleting, spec }) => member && !deleting && spec.type === 'Standard',
  );
  for (const home of homes) {
    const entry = roleEntry(draft.record, home.name);
    const remade = entry?.holder === home.name && entry.holderUID !== undefined && entry.holderUID !== home.uid;
    const behind = entry === undefined && boundEpoch(draft, home.name) > Math.max(1, home.status?.epoch ?? 0);
    if (!remade && !behind) continue;
    const now = wallTime(draft);
    const epoch = nextEpoch(viewOf(draft));
    const role: Role = {
      name: home.name,
      holder: home.name,
      holderUID: home.uid,
      homeUID: home.uid,
      epoch,
      startTime: now,
      handedOverTime: now,
    };
    draft.record.epoch = epoch;
    draft.record.roles = [...(draft.record.roles ?? []).filter((known) => known !== entry), role];
  }
};

/** A broken home was deleted (scrapped hardware): said once, and nothing ends. `homeUID` is what remembers it. */
export const noticeDeletedHomes: Policy = (draft) => {
  draft.record.roles = draft.record.roles?.map((role) => {
    const home = findServer(draft.input, role.name);
    if (role.holder === role.name || home?.uid === role.homeUID) return role;
    if (home !== undefined) return { ...role, homeUID: home.uid };
    draft.events.push({
      server: role.holder,
      type: 'Normal',
      reason: reasons.HomeDeleted,
      action: 'KeepRecording',
      note: `Server ${role.name} was deleted; ${role.holder} goes on recording its cameras`,
    });
    const { homeUID: _gone, ...rest } = role;
    return rest;
  });
};

/** Another pool has moved the role on since its home came there: the home was given, and lost, a later epoch. */
function movedElsewhere({ status, spec }: ServerView, role: Role): boolean {
  return spec.poolRef !== undefined && status?.servingRole === '' && (status.epoch ?? 0) > role.epoch;
}

/**
 * A home that left the pool takes its role along as soon as the role is recorded there: until then the substitute goes
 * on (law 6). Without this the substitute would record it for ever, and be lost as a standby.
 */
export const letDepartedHomesGo: Policy = (draft) => {
  const kept = draft.record.roles?.filter((role) => {
    const home = findServer(draft.input, role.name);
    if (home === undefined || home.member || home.deleting || role.holder === role.name) return true;
    return !recordsOwnRole(home, role.epoch, draft.input.cameras) && !movedElsewhere(home, role);
  });
  if (kept !== undefined && kept.length !== draft.record.roles?.length) draft.record.roles = kept;
};

/** A role of which neither home, nor holder, nor a camera is left, and that nobody serves, needs no memory. */
export const forgetEmptyRoles: Policy = (draft) => {
  const { servers, cameras } = draft.input;
  const inUse = (role: Role): boolean =>
    servers.some(({ name, status }) => [name, status?.servingRole].includes(role.name) || name === role.holder) ||
    cameras.some((camera) => camera.spec.serverRef.name === role.name) ||
    draft.record.current?.role === role.name;
  const kept = draft.record.roles?.filter(inUse);
  if (kept !== undefined && kept.length !== draft.record.roles?.length) draft.record.roles = kept;
};
