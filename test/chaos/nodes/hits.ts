import { GAP_SECONDS } from '../../scenario/limits.js';
import { disables, type Moment, type NodeFault, traitsOf } from './faults.js';

export type OperatorLoss = 'none' | 'leader' | 'all';

/** One fault as it hit one system. */
export interface Hit {
  readonly fault: NodeFault;
  /** The server of the system that was hit; undefined for a fault of what all share. */
  readonly server: string | undefined;
  /** That server held the role, or was taking it over. */
  readonly onHolder: boolean;
  /** Where the system stood. */
  readonly moment: Moment;
  /** What of the operator it took away: the replica that led, or, with what was struck before, both. */
  readonly operatorLost: OperatorLoss;
  /** Wall clock, milliseconds. */
  readonly atMs: number;
  /** When it was taken away again; undefined as long as it lasts. Wall clock, milliseconds. */
  endMs?: number;
}

/** A failover in whose middle the operator dies is finished so much later, at most. Seconds. */
export const OPERATOR_LOSS_SECONDS = 20;
/**
 * Where the nodes of both replicas are gone, Kubernetes makes new ones: it calls a node lost after 40 s and evicts 10 s
 * later; they start, are elected, and see for themselves that a recorder is silent. Seconds.
 */
export const OPERATOR_REPLACED_SECONDS = 100;
/** Timeout of every pool of a run. After an outage of the API server it begins anew (law 7). */
export const TIMEOUT_SECONDS = 5;

/** What the faults that hit a system in one case allow. */
export interface Allowance {
  /** The longest hole in the footage of a camera, beside its connect time and a key frame; 0: none at all. Seconds. */
  readonly holeSeconds: number;
  /** Entries in the pool's history: failovers and planned moves. */
  readonly least: number;
  readonly most: number;
  /** Every recorder of the system was out at once: cameras are not recorded until one is back, and must be said to be. */
  readonly nobodyLeft: boolean;
}

/** What the faults allow in a system with these servers. */
export function allowanceOf(hits: readonly Hit[], servers: readonly string[]): Allowance {
  const out = new Set(hits.filter(({ fault }) => disables(fault)).map(({ server }) => server));
  const nobodyLeft = servers.every((server) => out.has(server));
  if (nobodyLeft) {
    return { holeSeconds: Number.POSITIVE_INFINITY, least: 0, most: hits.length + servers.length, nobodyLeft };
  }
  return { holeSeconds: longestHole(hits), least: total(hits, leastMoves), most: total(hits, mostMoves), nobodyLeft };
}

function total(hits: readonly Hit[], of: (hit: Hit) => number): number {
  return hits.reduce((sum, hit) => sum + of(hit), 0);
}

function leastMoves({ fault, onHolder }: Hit): number {
  return onHolder && (disables(fault) || traitsOf(fault).effect === 'empties') ? 1 : 0;
}

function mostMoves(hit: Hit): number {
  return hit.onHolder && traitsOf(hit.fault).effect === 'restarts' ? 1 : leastMoves(hit);
}

/** What hits in the middle of a takeover prolongs the hole that is open; anything else may make one of its own. */
function longestHole(hits: readonly Hit[]): number {
  const holes: number[] = [];
  for (const hit of hits) {
    const seconds = costOf(hit);
    if (hit.moment === 'at-taking-over') holes.push((holes.pop() ?? 0) + seconds);
    else holes.push(seconds);
  }
  return Math.max(0, ...holes);
}

/** Faults that take the API server away for a while. */
function isOutage(fault: NodeFault): boolean {
  return fault === 'restart-api' || fault === 'restart-control-plane';
}

const decisionSeconds: Readonly<Record<OperatorLoss, number>> = {
  none: 0,
  leader: OPERATOR_LOSS_SECONDS,
  all: OPERATOR_REPLACED_SECONDS,
};

function costOf({ fault, onHolder, moment, operatorLost, atMs, endMs }: Hit): number {
  const { effect, scope } = traitsOf(fault);
  const unfinished = moment === 'at-taking-over';
  const breaks = effect === 'fells' || effect === 'restarts' || effect === 'degrades';
  // Who is silenced in the middle of a takeover may not have read that the role is its own.
  const own = onHolder && (breaks || (effect === 'silences' && unfinished)) ? GAP_SECONDS : 0;
  const undecided = unfinished || (onHolder && disables(fault));
  const decision = undecided ? decisionSeconds[operatorLost] : 0;
  const away = scope === 'control' && unfinished && isOutage(fault) && endMs !== undefined;
  const outage = away ? (endMs - atMs) / 1000 + TIMEOUT_SECONDS : 0;
  return own + decision + outage;
}

/** Servers that could not hold a role at a time, for longer than it takes to notice that. */
export function knownToBeOut(hits: readonly Hit[], server: string, timeMs: number): Hit | undefined {
  const noticed = GAP_SECONDS * 1000;
  return hits.find(
    (hit) =>
      hit.server === server &&
      disables(hit.fault) &&
      hit.atMs + noticed < timeMs &&
      timeMs < (hit.endMs ?? Number.POSITIVE_INFINITY),
  );
}
