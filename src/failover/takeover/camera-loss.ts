import { type QueueEntry, type Reason, type RecorderReportStatus, reasons } from '../../crds/index.js';
import { type Draft, waitLeftMs } from '../draft.js';
import { findServer } from '../roles.js';
import type { ServerView } from '../types.js';

/** A role that has moved for its cameras moves for them again no sooner than after this. Milliseconds. */
const AGAIN_MS = 600_000;
/** Room for questions on a Lease, and for answers in a report. */
const MOST_QUESTIONS = 16;

/**
 * The question to the standbys whether they reach the cameras of a role: put anew with each loss, so that no answer from
 * before it counts (law 7).
 */
export interface ReachQuestion {
  readonly id: string;
  readonly role: string;
}

/** The question that a queue entry puts; undefined for a failure that needs none. */
export function questionOf(entry: Pick<QueueEntry, 'role' | 'trigger' | 'brokenTime'>): ReachQuestion | undefined {
  if (entry.trigger !== 'CamerasUnreachable') return undefined;
  return { id: `${entry.role}/${entry.brokenTime}`, role: entry.role };
}

/** The questions that a pool's queue puts to its standbys, in the order of the queue. */
export function openQuestions(queue: readonly QueueEntry[] | undefined): ReachQuestion[] {
  const questions = (queue ?? []).map(questionOf).filter((question) => question !== undefined);
  return questions.slice(0, MOST_QUESTIONS);
}

/** The report of the present pod; another pod may have been on another node. */
function ownReport({ report, podUID }: Pick<ServerView, 'report' | 'podUID'>): RecorderReportStatus | undefined {
  return podUID !== undefined && report?.podUID === podUID ? report : undefined;
}

/** Why a standby may not take a role whose cameras were lost; undefined when it has reached some of them since. */
export function doesNotReach(
  server: Pick<ServerView, 'report' | 'podUID'>,
  { id, role }: ReachQuestion,
): { readonly reason: Reason; readonly message: string } | undefined {
  const report = ownReport(server);
  // Of two that record it during a takeover, one that gets pictures needs no probe.
  if (report?.role === role && report.cameras?.some(({ state }) => state === 'Recording')) return undefined;
  const answer = report?.reachability?.asked?.find((known) => known.id === id);
  if (answer === undefined) {
    const message = `it was asked whether it reaches the cameras of ${role} and has not answered yet`;
    return { reason: reasons.NotReported, message };
  }
  if (answer.reachable > 0) return undefined;
  const message = `it reaches none of the cameras of ${role} either`;
  return { reason: reasons.CamerasUnreachable, message };
}

/**
 * How well a standby reaches the cameras of a role, by its own probes: 0 all, or nothing is known; 1 some; 2 none. Those
 * that reach fewer rank last within their tier.
 */
export function reachRank(server: Pick<ServerView, 'report' | 'podUID'>, role: string): number {
  const found = ownReport(server)?.reachability?.roles?.find(({ name }) => name === role);
  if (found === undefined) return 0;
  return found.reachable === 0 ? 2 : 1;
}

/** A queued role still waits for its cameras: its holder reaches none, and the pool asks for it to move. */
export function waitsForCameras(draft: Draft, entry: QueueEntry): boolean {
  if (entry.trigger !== 'CamerasUnreachable' || !draft.input.spec.cameras.failoverWhenUnreachable) return false;
  const health = findServer(draft.input, entry.server)?.health;
  // An operator that has just started counts its grace anew; until then the entry keeps its place.
  return health?.camerasLost !== undefined || health?.camerasReachable.reason === reasons.AllUnreachable;
}

/** This replica has seen for the whole grace that the holder reaches none of its cameras (law 7). */
export function seenWithoutCameras(draft: Draft, entry: QueueEntry): boolean {
  const health = findServer(draft.input, entry.server)?.health;
  return entry.trigger === 'CamerasUnreachable' && health?.camerasLost !== undefined;
}

/**
 * No flapping: a role that moved for its cameras, and whose new holder loses them too, stays there for a while before it
 * moves for them again.
 */
export function movedForCamerasLately(draft: Draft, role: string, epoch: number): boolean {
  const { current, history = [] } = draft.record;
  const moves = [current, ...history.filter(({ outcome }) => outcome !== 'Superseded')];
  const last = moves.find((move) => move?.role === role);
  if (last?.trigger !== 'CamerasUnreachable' || last.epoch !== epoch) return false;
  return waitLeftMs(draft, `cameras/${role}/${epoch}`, AGAIN_MS) > 0;
}
