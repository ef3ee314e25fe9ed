import type { FailoverPoolStatus } from '../crds/index.js';
import { orderScheduled } from './baselines/schedule.js';
import { countServers } from './conditions/counts.js';
import { poolConditions } from './conditions/pool-conditions.js';
import { poolProtection } from './conditions/protection.js';
import type { Draft, Policy } from './draft.js';
import { noteGaps, rolesAwaitingGaps } from './gaps/gap-totals.js';
import {
  adoptHolders,
  forgetEmptyRoles,
  letDepartedHomesGo,
  noticeDeletedHomes,
  readmitHomes,
  rolesClaimed,
  seedEpoch,
} from './moves/adoption.js';
import { handleRequest } from './moves/commands.js';
import { endRolesOfNewStandbys } from './moves/home-to-standby.js';
import { planMoves, rolesThatMayMove } from './moves/moves.js';
import { adoptSubstitutes, endEmptyRoles, rolesOfAdopted } from './moves/own-names.js';
import { abandonMove, followBrokenSource } from './moves/planned-move.js';
import { answerRequest } from './moves/request-answer.js';
import { restoreRuns } from './restoring.js';
import { heldRoles, holderOf } from './roles.js';
import { assignmentOf, foundAssignment } from './server/assignment.js';
import { makeBaseline } from './takeover/baseline.js';
import { gatherEvidence } from './takeover/evidence-record.js';
import { queueBroken, releaseRecovered } from './takeover/queue.js';
import { holdInStorm } from './takeover/storm.js';
import {
  dropOrphanedTakeover,
  noteAcknowledgement,
  noteBinding,
  proveTakeover,
  serveQueue,
  settleFoundHandovers,
  supersedeFailedStandby,
} from './takeover/takeover.js';
import type { PoolDecision, PoolInput, PoolView, ServerView } from './types.js';

/** The rules of a pool, in the order in which they apply. A later rule is one more line. */
const policies: readonly Policy[] = [
  endRolesOfNewStandbys,
  adoptHolders,
  seedEpoch,
  readmitHomes,
  noticeDeletedHomes,
  letDepartedHomesGo,
  adoptSubstitutes,
  endEmptyRoles,
  dropOrphanedTakeover,
  followBrokenSource,
  releaseRecovered,
  queueBroken,
  gatherEvidence,
  noteAcknowledgement,
  noteBinding,
  supersedeFailedStandby,
  abandonMove,
  proveTakeover,
  answerRequest,
  settleFoundHandovers,
  makeBaseline,
  holdInStorm,
  serveQueue,
  handleRequest,
  planMoves,
  orderScheduled,
  noteGaps,
  forgetEmptyRoles,
  countServers,
];

function draftOf(input: PoolInput): Draft {
  const { conditions: _conditions, observedGeneration: _generation, ...record } = input.status;
  return {
    input,
    record,
    events: [],
    confirmSilence: new Set(),
    confirmReports: new Set(),
    waits: new Map(),
    due: [],
    held: false,
  };
}

function assigned(server: ServerView, pool: FailoverPoolStatus): string {
  const { name, uid, spec, status, leaseAssignment, report, podUID } = server;
  const subject = { metadata: { name, uid }, spec, ...(status === undefined ? {} : { status }) };
  const { role, epoch } = assignmentOf(subject, pool, foundAssignment(leaseAssignment, report, podUID));
  return `${role}/${epoch}`;
}

function requeueAfterMs({ due, input }: Draft): number | undefined {
  const checks = input.servers.map(({ health }) => health.nextCheckInMs).filter((ms) => ms !== undefined);
  const all = [...due, ...checks];
  return all.length === 0 ? undefined : Math.max(0, Math.min(...all));
}

/**
 * Decides over a pool: pure, so that the same input always gives the same decision. The record is one commit: written
 * whole by one compare-and-set, or not at all (law 2).
 */
export function decide(input: PoolInput): PoolDecision {
  const draft = draftOf(input);
  for (const policy of restoreRuns(draft) ? [countServers] : policies) policy(draft);
  const protection = poolProtection(draft);
  const affected = input.servers.filter(
    (server) => server.member && assigned(server, input.status) !== assigned(server, draft.record),
  );
  return {
    record: draft.record,
    conditions: poolConditions(draft, protection),
    protection: protection.servers,
    events: draft.events,
    confirmSilence: [...draft.confirmSilence],
    confirmReports: [...draft.confirmReports],
    createBackup: draft.backup,
    affected: affected.map(({ name }) => name),
    memory: draft.waits,
    requeueAfterMs: requeueAfterMs(draft),
  };
}

/**
 * The roles whose cameras a decision looks at: those that move or may move now, and those of servers without a past.
 * All of them for a pool without memory. Cameras are many, so a quiet pool reads none.
 */
export function rolesInQuestion(view: PoolView): string[] {
  const { status, servers } = view;
  const queued = new Set([status.current?.role, ...(status.queue ?? []).map(({ role }) => role)]);
  const fresh = new Set(servers.filter((server) => server.status?.epoch === undefined).map(({ name }) => name));
  const questioned = heldRoles(view).filter((role) => {
    const holder = holderOf(view, role);
    const settled = role.entry === undefined || role.entry.handedOverTime !== undefined;
    // Deleted, or of another pool by now: it takes the role along once it records its cameras.
    const gone = !servers.some(({ name, member }) => name === role.name && member);
    const lost = holder?.health.verdict === 'Broken' || holder?.health.camerasLost !== undefined;
    return lost || holder === undefined || !settled || gone || fresh.has(role.name);
  });
  const all = status.epoch === undefined ? heldRoles(view) : questioned;
  const moving = [...rolesThatMayMove(view).map(({ name }) => name), ...rolesOfAdopted(view)];
  const claimed = [...rolesClaimed(view), ...rolesAwaitingGaps(status)];
  const names = [...queued, ...moving, ...all.map(({ name }) => name), ...claimed].filter((name) => name !== undefined);
  return [...new Set(names)];
}
