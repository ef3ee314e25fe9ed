import { type CurrentFailover, reasons } from '../../crds/index.js';
import { isMoveCause } from '../causes.js';
import { type Draft, type Policy, waitLeftMs, wallTime } from '../draft.js';
import { findServer } from '../roles.js';
import { recordedEvidence, steadyWall } from '../takeover/evidence-record.js';
import { remember } from '../takeover/history.js';
import { camerasNotTakenOver, notRecordedBefore } from '../takeover/proof.js';
import { brokenServersWait, type Failure, failureOf, roleOf } from '../takeover/queue.js';
import { giveRole } from '../takeover/role-commit.js';
import {
  acknowledgeLimitMs,
  confirmStandbySilence,
  PROOF_MS,
  standbyFailure,
  standbyOf,
} from '../takeover/takeover.js';
import type { ServerView } from '../types.js';
import type { WantedMove } from './moves.js';
import { failRequest } from './request-answer.js';

/** The move that runs, while its previous holder still records. */
function runningMove({ record }: Draft): CurrentFailover | undefined {
  const { current } = record;
  return current?.step === 'TakingOver' && isMoveCause(current.trigger) ? current : undefined;
}

/** The commit of a planned move: as a failover's, and the previous holder goes on until the proof (law 6). */
export function beginMove(draft: Draft, { role, holder, cause, requestId }: WantedMove, target: ServerView): void {
  const before = notRecordedBefore(holder, target, role.name, draft.input.cameras);
  const epoch = giveRole(draft, { role, to: target, previousHolder: holder.name });
  draft.record.current = {
    role: role.name,
    server: holder.name,
    standby: target.name,
    epoch,
    step: 'TakingOver',
    trigger: cause,
    committedTime: wallTime(draft),
    ...(requestId === undefined ? {} : { requestId }),
    ...(before.length === 0 ? {} : { failingBefore: before.slice(0, 1024) }),
  };
  waitLeftMs(draft, `acknowledge/${epoch}`, acknowledgeLimitMs(draft, target));
  draft.events.push({
    server: holder.name,
    related: target.name,
    type: 'Normal',
    reason: reasons.MoveCommitted,
    action: 'Move',
    note: `${target.name} takes over the role ${role.name} at epoch ${epoch} by plan (${cause}); ${holder.name} records until then`,
  });
}

/** That the previous holder has failed in the middle; one that was deleted or left has no more say either. */
function sourceFailure(draft: Draft, current: CurrentFailover): Failure | undefined {
  const source = findServer(draft.input, current.server);
  if (source === undefined || source.deleting || !source.member)
    return { trigger: 'ServerDeleted', evidence: [], brokenForMs: 0 };
  const { name, uid } = source;
  return failureOf(draft, { name: current.role, holder: name, holderUID: uid, epoch: current.epoch });
}

/** A source that breaks in the middle makes it an ordinary failover to the same target: nothing to go back to. */
export const followBrokenSource: Policy = (draft) => {
  const current = runningMove(draft);
  const failure = current && sourceFailure(draft, current);
  if (current === undefined || failure === undefined) return;
  const { trigger, evidence, brokenForMs, lastSeenTime } = failure;
  const brokenTime = new Date(steadyWall(draft) - brokenForMs).toISOString();
  draft.record.current = { ...current, trigger, brokenTime };
  if (evidence.length > 0) draft.record.current.evidence = recordedEvidence(draft, evidence);
  if (lastSeenTime !== undefined) draft.record.current.lastSeenTime = lastSeenTime;
  if (trigger === 'Unreachable') draft.confirmSilence.add(current.server);
  failRequest(
    draft,
    current.requestId,
    `${current.server} broke in the middle; the failover to ${current.standby} goes on`,
  );
  draft.events.push({
    server: current.server,
    related: current.standby,
    type: 'Warning',
    reason: reasons.ServerBroken,
    action: 'Move',
    note: `${current.server} is broken (${trigger}) while its role ${current.role} moves; the failover to ${current.standby} goes on`,
  });
};

/** Why a planned move can't go on; undefined while it may. */
function obstacle(draft: Draft, current: CurrentFailover): string | undefined {
  if (brokenServersWait(draft)) return 'a broken server goes first';
  const failure = standbyFailure(draft, current);
  if (failure !== undefined) return failure;
  const target = standbyOf(draft, current);
  if (target === undefined || current.acknowledgedTime === undefined) return undefined;
  const missing = camerasNotTakenOver(draft.input, current, target);
  if (missing.length === 0 || waitLeftMs(draft, `proof/${current.epoch}`, PROOF_MS) > 0) return undefined;
  return `it does not record ${missing.length} cameras that ${current.server} records: ${missing.slice(0, 20).join(', ')}`;
}

/**
 * A planned move that can't be proved, or that stands in the way of a failure, is abandoned: the role goes back, at a
 * new epoch, to the holder that has never stopped recording it. Also while paused: it undoes, and moves nothing.
 */
export const abandonMove: Policy = (draft) => {
  const current = runningMove(draft);
  const why = current && obstacle(draft, current);
  const source = current && findServer(draft.input, current.server);
  const role = current && roleOf(draft, current.role);
  if (current === undefined || why === undefined || source === undefined || role === undefined) return;
  confirmStandbySilence(draft, current);
  const message = `${current.standby} was to take over the role ${current.role} (${current.trigger}), but ${why}`;
  giveRole(draft, { role, to: source, previousHolder: current.standby, handedOver: true });
  remember(draft, current, 'Abandoned', undefined, message);
  delete draft.record.current;
  failRequest(draft, current.requestId, message);
  draft.events.push({
    server: current.server,
    related: current.standby,
    type: 'Warning',
    reason: reasons.MoveAbandoned,
    action: 'Move',
    note: `${message}; ${current.server} keeps it and has not stopped recording`,
  });
};
