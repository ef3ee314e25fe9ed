import { type Reason, reasons } from '../../crds/index.js';
import { findServer, type HeldRole, isHolder } from '../roles.js';
import { assignmentOf, foundAssignment } from '../server/assignment.js';
import { doesNotReach, type ReachQuestion, reachRank } from '../takeover/camera-loss.js';
import type { PoolView, ServerView } from '../types.js';
import { misfit } from './compatibility.js';

/** Whether a server could take a role now, and why not. */
export interface Candidate {
  readonly server: ServerView;
  /** `Fits`, or what holds it back. */
  readonly reason: Reason;
  readonly message: string;
}

export interface StandbyChoice {
  /** Every server that could stand by, best first; those that fit come before those that don't. */
  readonly candidates: readonly Candidate[];
  /** The best that fits. */
  readonly chosen?: ServerView | undefined;
}

export interface ChoiceOptions {
  /** Servers that took this role in the running failover and did not acknowledge or died. */
  readonly failed?: ReadonlySet<string>;
  /** Cameras that would move; 0 when not known. */
  readonly cameras?: number;
  /** The role's cameras were lost: only standbys that have reached them since may take it. */
  readonly mustReach?: ReachQuestion | undefined;
  /** For conditions: a late heartbeat, or an operator that has just started, does not make a standby unavailable. */
  readonly tolerateLate?: boolean;
  /** `assignedRole`, when it has been worked out for all servers already. */
  readonly roleOf?: (server: ServerView) => string;
  /** For a planned move: its holder, cordoned and too small ones are no targets; unstable ones only on request. */
  readonly planned?: 'ByItself' | 'Requested' | undefined;
}

/** The role that the server records or is about to; empty when it is free. */
export function assignedRole({ status }: Pick<PoolView, 'status'>, server: ServerView): string {
  const { name, uid, spec } = server;
  const subject = { metadata: { name, uid }, spec, ...(server.status === undefined ? {} : { status: server.status }) };
  return assignmentOf(subject, status, foundAssignment(server.leaseAssignment, server.report, server.podUID)).role;
}

/** The server by which a standby is measured: the role's home, or whoever is left that has served it. */
export function modelOf(view: PoolView, role: HeldRole): ServerView | undefined {
  return findServer(view, role.name) ?? findServer(view, role.holder) ?? findServer(view, role.entry?.previousHolder);
}

function unhealthy({ health }: ServerView, role: HeldRole, server: ServerView, tolerateLate: boolean) {
  if (health.verdict === 'Healthy') return undefined;
  if (tolerateLate && (health.verdict === 'Late' || health.verdict === 'Unknown')) return undefined;
  if (health.verdict === 'NeverReady')
    return { reason: reasons.NeverReady, message: 'it has not been ready once; look at its pod' };
  if (server.drained === true)
    return {
      reason: reasons.NodeCordoned,
      message: `its pod waits for node ${server.cordonedNode}, which is cordoned`,
    };
  if (isHolder(role, server)) return { reason: reasons.IsBrokenHolder, message: 'it is the one that broke' };
  const why = health.evidence[0]?.message ?? 'it has not reported that it can record';
  return { reason: reasons.NotHealthy, message: `${health.trigger ?? health.verdict}: ${why}` };
}

function occupied(view: PoolView, role: HeldRole, server: ServerView, { roleOf }: ChoiceOptions) {
  const other = roleOf?.(server) ?? assignedRole(view, server);
  if (other !== '' && other !== role.name) return { reason: reasons.Busy, message: `it records the role ${other}` };
  const queued = view.status.queue?.find((entry) => entry.server === server.name && entry.role !== role.name);
  if (queued === undefined) return undefined;
  return { reason: reasons.Busy, message: `it waits in the queue with the role ${queued.role}` };
}

/** What a planned move, which can wait, does not put up with. */
function plannedObstacle(role: HeldRole, server: ServerView, options: ChoiceOptions) {
  const { planned, cameras = 0 } = options;
  if (planned === undefined) return undefined;
  if (server.cordonedNode !== undefined)
    return { reason: reasons.NodeCordoned, message: `its node ${server.cordonedNode} is cordoned` };
  if (planned === 'ByItself' && server.status?.state === 'Broken')
    return { reason: reasons.Stabilising, message: 'it was broken and is not stable yet' };
  const limit = server.name === role.name ? undefined : server.spec.capacity?.cameras;
  if (limit === undefined || limit >= cameras) return undefined;
  return { reason: reasons.CapacityExceeded, message: `it takes ${limit} of ${cameras} cameras` };
}

/** The holder itself is healthy, and what its cameras need is somebody else. */
function cutOff(role: HeldRole, server: ServerView, question: ReachQuestion) {
  if (isHolder(role, server)) return { reason: reasons.IsBrokenHolder, message: 'it is the one that lost them' };
  return doesNotReach(server, question);
}

/** Rule 4 and more: what holds a candidate back; undefined when it fits. */
function obstacle(view: PoolView, role: HeldRole, server: ServerView, options: ChoiceOptions) {
  if (server.spec.operatingMode === 'Maintenance')
    return { reason: reasons.InMaintenance, message: 'spec.operatingMode is Maintenance' };
  const failed = options.failed?.has(server.name)
    ? { reason: reasons.DidNotAcknowledge, message: 'it was given this role and did not take it up' }
    : undefined;
  return (
    unhealthy(server, role, server, options.tolerateLate === true) ??
    occupied(view, role, server, options) ??
    failed ??
    plannedObstacle(role, server, options) ??
    misfit(view.spec.compatibility.version, modelOf(view, role), server) ??
    (options.mustReach === undefined ? undefined : cutOff(role, server, options.mustReach))
  );
}

/** Who goes first: whoever records the role already, stable standbys, the role's home, any other that is free. */
function tier(view: PoolView, role: HeldRole, server: ServerView, { roleOf }: ChoiceOptions): number {
  if ((roleOf?.(server) ?? assignedRole(view, server)) === role.name) return 0;
  if (server.status?.state === 'Standby') return 1;
  return server.name === role.name ? 2 : 3;
}

function tooSmall(server: ServerView, cameras: number): number {
  return (server.spec.capacity?.cameras ?? Number.POSITIVE_INFINITY) < cameras ? 1 : 0;
}

/**
 * The order of standbys: those of cordoned nodes last; by tier; within it those that reach the role's cameras, as far as
 * they have probed them, then those that take all of them (rule 4: capacity is a preference), type Failover before
 * Standard, the lower standbyOrder, the name.
 */
function rank(view: PoolView, role: HeldRole, server: ServerView, options: ChoiceOptions): readonly number[] {
  const { type, standbyOrder } = server.spec;
  const first = tier(view, role, server, options);
  const leaving = first > 0 && server.cordonedNode !== undefined ? 1 : 0;
  return [
    leaving,
    first,
    reachRank(server, role.name),
    tooSmall(server, options.cameras ?? 0),
    type === 'Failover' ? 0 : 1,
    standbyOrder,
  ];
}

function byRank(a: Ranked, b: Ranked): number {
  const difference = a.rank.map((value, index) => value - (b.rank[index] ?? 0)).find((value) => value !== 0);
  return difference ?? (a.candidate.server.name < b.candidate.server.name ? -1 : 1);
}

interface Ranked {
  readonly candidate: Candidate;
  readonly rank: readonly number[];
}

/** Rules 1, 4 and 6: the standby that takes a role, and for every other candidate why not. */
export function chooseStandby(view: PoolView, role: HeldRole, options: ChoiceOptions = {}): StandbyChoice {
  const eligible = view.servers
    .filter((server) => server.member && !server.deleting)
    .filter((server) => options.planned === undefined || !isHolder(role, server));
  const judged = eligible.map((server): Ranked => {
    const held = obstacle(view, role, server, options);
    const candidate = { server, reason: held?.reason ?? reasons.Fits, message: held?.message ?? 'it fits' };
    return { candidate, rank: rank(view, role, server, options) };
  });
  const ordered = judged.sort(byRank).map(({ candidate }) => candidate);
  const fits = ordered.filter((candidate) => candidate.reason === reasons.Fits);
  const unfit = ordered.filter((candidate) => candidate.reason !== reasons.Fits);
  return { candidates: [...fits, ...unfit], chosen: fits[0]?.server };
}

/** Why nobody takes the role, for people; servers that record another role are counted, not named. */
export function whyNone({ candidates }: StandbyChoice): { reason: Reason; message: string } {
  const busy = candidates.filter((candidate) => candidate.reason === reasons.Busy).length;
  const named = candidates.filter((candidate) => candidate.reason !== reasons.Busy);
  const others = named.filter((candidate) => candidate.reason !== reasons.IsBrokenHolder);
  const list = others.map(({ server, reason, message }) => `${server.name}: ${reason} (${message})`);
  if (busy > 0) list.push(`${busy} ${busy === 1 ? 'records its' : 'record their'} own role`);
  if (others.length === 0) {
    const message = `no server stands by; add a RecordingServer of type Failover${list.length > 0 ? `; ${list}` : ''}`;
    return { reason: reasons.NoStandby, message };
  }
  return { reason: reasons.NoCompatibleStandby, message: list.join('; ').slice(0, 900) };
}
