import type { Baseline, BaselineRole } from '../backup/index.js';
import type { FailoverPoolStatus, Role } from '../crds/index.js';
import { nextEpoch, type VisibleEpochs } from '../failover/takeover/epochs.js';
import { type Claim, claimsOf } from './claims.js';
import type { Live } from './live.js';

/** What becomes of a role. */
export interface RolePlan {
  readonly name: string;
  /** Who holds it by the baseline; by its own word, where `found`. */
  readonly holder: string;
  readonly action: /** The pool gets this entry. */
    | 'restore'
    /** The pool says the same. */
    | 'same'
    /** The cluster knows better: somebody else records it there now. */
    | 'left';
  /** Why it is left, or that it is taken over as it was found. */
  readonly why?: string;
  /** The entry to write. */
  readonly entry?: Role;
}

/** What the decision over roles needs. */
export interface RoleSources {
  readonly baseline: Baseline;
  readonly live: Live;
  /** The pool's status as it is now; read again before it is written. */
  readonly status: FailoverPoolStatus | undefined;
  readonly now: Date;
}

/** The roles and the epoch of the pool, as they are to be. */
export interface RolesOutcome {
  readonly roles: readonly RolePlan[];
  readonly epoch: number;
  /** The pool's status has to be written. */
  readonly changed: boolean;
}

/** What the plan of one role is made from. */
interface Facts extends RoleSources {
  readonly claims: ReadonlyMap<string, Claim>;
  /** The epoch of a new decision. */
  readonly next: number;
  /** Holders that have been given a role: never two. */
  readonly taken: Map<string, string>;
}

/**
 * Who holds which role after the restore. Pure. The cluster's own word goes first wherever somebody may be recording by
 * it: moving a role without overlap would be a gap (law 6). The baseline fills what the cluster does not know.
 */
export function planRoles(sources: RoleSources): RolesOutcome {
  const { baseline, live, status } = sources;
  const claims = claimsOf(live.servers.values(), live.assignments, baseline.pool.name);
  const held = (status?.roles ?? []).filter((role) => role.holderUID === undefined || isAlive(sources)(role));
  const taken = new Map(held.map(({ holder, name }) => [holder, name]));
  const facts: Facts = { ...sources, claims, taken, next: nextEpoch(epochsOf(sources)) };
  const found = status?.epoch === undefined ? foundRoles(facts) : [];
  const rest = baseline.pool.roles.filter(({ name }) => !found.some((role) => role.name === name));
  const roles = [...found, ...planEach(facts, rest)];
  const behind = (status?.epoch ?? 0) < baseline.pool.epoch;
  const changed = behind || roles.some(({ action }) => action === 'restore');
  return { roles, changed, epoch: changed ? facts.next : (status?.epoch ?? 0) };
}

/** Law 2: what is decided next is above everything that was ever seen, here or in the baseline. */
function epochsOf({ baseline, live, status }: RoleSources): VisibleEpochs {
  const { pool, servers, cameras } = baseline;
  const kept = [...pool.roles, ...servers.flatMap(({ assignment }) => assignment ?? [])];
  return {
    name: pool.name,
    status: { ...status, epoch: Math.max(status?.epoch ?? 0, pool.epoch) },
    servers: [
      ...[...live.servers.values()].map((server) => ({ status: server.status })),
      ...[...live.assignments, ...kept].map(({ epoch }) => ({ status: { epoch } })),
    ],
    cameras: [...cameras, ...[...live.cameras.values()].map((camera) => ({ boundTo: camera.status?.boundTo }))],
    backups: live.backups.map(({ metadata, spec }) => ({ name: metadata.name, spec, outcome: 'Running' as const })),
  };
}

/** The server that was given the role is there, and no namesake. */
function isAlive({ live }: Pick<RoleSources, 'live'>): (role: Role) => boolean {
  return ({ holder, holderUID }) => {
    const uid = live.servers.get(holder)?.metadata.uid;
    return uid !== undefined && (holderUID === undefined || holderUID === uid);
  };
}

/**
 * A pool without memory whose servers serve roles away from home: it was deleted, and they go on. What the restore writes
 * gives it a memory, so all of it must be in that: a role that is missing there would fall back to its home.
 */
function foundRoles(facts: Facts): RolePlan[] {
  const away = [...facts.claims.values()].filter(
    ({ role, server, epoch }) => role !== server.metadata.name || epoch > 1,
  );
  return away.map((claim) => foundRole(facts, claim));
}

function foundRole({ baseline, taken, now }: Facts, { role, epoch, server }: Claim): RolePlan {
  const { name: holder, uid } = server.metadata;
  const kept = baseline.pool.roles.find((entry) => entry.name === role && entry.holder === holder);
  const entry: Role = {
    ...(kept ?? { name: role, holder, startTime: now.toISOString() }),
    ...(uid === undefined ? {} : { holderUID: uid }),
    epoch: Math.max(epoch, kept?.epoch ?? 0),
  } as Role;
  taken.set(holder, role);
  return { name: role, holder, action: 'restore', why: 'it says that it serves it: taken over as found', entry };
}

/** A role that comes back frees whoever was its holder for another one, so those that were left are looked at again. */
function planEach(facts: Facts, roles: readonly BaselineRole[]): RolePlan[] {
  const plans = new Map<string, RolePlan>();
  for (let open = roles, progress = true; progress; ) {
    const passed = open.map((role) => planRole(facts, role));
    for (const plan of passed) plans.set(plan.name, plan);
    progress = passed.some(({ action }) => action === 'restore');
    open = open.filter(({ name }) => plans.get(name)?.action === 'left');
  }
  return roles.flatMap(({ name }) => plans.get(name) ?? []);
}

function planRole(facts: Facts, role: BaselineRole): RolePlan {
  const plan = { name: role.name, holder: role.holder };
  const known = facts.status?.roles?.find(({ name }) => name === role.name);
  if (known?.holder === role.holder && (known.holderUID === undefined || isAlive(facts)(known))) {
    return { ...plan, action: 'same' };
  }
  const why = whyLeft(facts, role, known);
  if (why !== undefined) return { ...plan, action: 'left', why };
  if (known !== undefined && facts.taken.get(known.holder) === role.name) facts.taken.delete(known.holder);
  facts.taken.set(role.holder, role.name);
  return { ...plan, action: 'restore', entry: entryOf(facts, role, known) };
}

function whyLeft(facts: Facts, role: BaselineRole, known: Role | undefined): string | undefined {
  const { live, baseline, claims, taken } = facts;
  const { name, holder } = role;
  if (known !== undefined && known.holder !== holder && isAlive(facts)(known)) {
    return `${known.holder} holds it since epoch ${known.epoch}; ${howToMove(baseline.pool.name, role)}`;
  }
  const claimant = known === undefined ? claims.get(name)?.server.metadata.name : undefined;
  if (claimant !== undefined && claimant !== holder) {
    return `${claimant} says that it serves it; ${howToMove(baseline.pool.name, role)}`;
  }
  if (!live.servers.has(holder) && !baseline.servers.some((server) => server.name === holder)) {
    return `its holder ${holder} is neither in the cluster nor in the baseline; its home gets it`;
  }
  const other = taken.get(holder) ?? [...claims.values()].find(({ server }) => server.metadata.name === holder)?.role;
  return other === undefined || other === name ? undefined : `${holder} holds the role ${other}, and never two`;
}

function howToMove(pool: string, { name, holder }: BaselineRole): string {
  return `to move it: kubectl annotate fop ${pool} understudy.dev/request='ID switchover ${name} to ${holder}' --overwrite`;
}

/**
 * At the epoch of the baseline, so that bindings are the very same, unless something of this role is visible at a higher
 * one: then it is a new decision. Without uids: those of a server are not known before it is made.
 */
function entryOf({ live, now, next }: Facts, role: BaselineRole, known: Role | undefined): Role {
  const seen = [
    live.servers.get(role.holder)?.status?.epoch ?? 0,
    ...[...live.cameras.values()].map(({ status }) => (status?.boundTo?.role === role.name ? status.boundTo.epoch : 0)),
    ...live.assignments.map((shown) => (shown.role === role.name ? shown.epoch : 0)),
  ];
  const outdated = known !== undefined || seen.some((epoch) => epoch > role.epoch);
  const entry = { ...role } as Role;
  return outdated ? { ...entry, epoch: next, startTime: now.toISOString() } : entry;
}

/**
 * The status that brings the roles back: written once, by compare-and-set, before any server is made (law 2). From then on
 * until `finishedStatus` the operator projects and decides nothing. Undefined when the pool says all of it already.
 */
export function statusWithRoles(sources: RoleSources, sha256: string): FailoverPoolStatus | undefined {
  const { roles, changed, epoch } = planRoles(sources);
  if (!changed) return undefined;
  const { status, now } = sources;
  const restored = roles.flatMap(({ entry }) => entry ?? []);
  const others = (status?.roles ?? []).filter(({ name }) => !restored.some((entry) => entry.name === name));
  return { ...status, epoch, roles: [...others, ...restored], restore: { sha256, startTime: now.toISOString() } };
}

/** The status that says that this restore is still at work; undefined when it has left no mark. */
export function renewedStatus(
  status: FailoverPoolStatus | undefined,
  now: Date,
  sha256: string,
): FailoverPoolStatus | undefined {
  const { restore } = status ?? {};
  return restore?.sha256 === sha256 ? { ...status, restore: { ...restore, renewTime: now.toISOString() } } : undefined;
}

/**
 * The status that ends the restore: the uids of the servers that hold the roles, so that a namesake made later is another
 * server, and no mark. Undefined when this restore has left no mark. `uids`: of the servers as they are now, by name.
 */
export function finishedStatus(
  status: FailoverPoolStatus | undefined,
  uids: ReadonlyMap<string, string>,
  sha256: string,
): FailoverPoolStatus | undefined {
  if (status?.restore?.sha256 !== sha256) return undefined;
  const { restore: _finished, ...rest } = status;
  const roles = (status.roles ?? []).map((role) => {
    const holderUID = role.holderUID ?? uids.get(role.holder);
    const homeUID = role.homeUID ?? uids.get(role.name);
    return {
      ...role,
      ...(holderUID === undefined ? {} : { holderUID }),
      ...(homeUID === undefined ? {} : { homeUID }),
    };
  });
  return { ...rest, roles };
}
