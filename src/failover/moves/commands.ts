import { reasons } from '../../crds/index.js';
import { type Draft, type Policy, viewOf } from '../draft.js';
import { type HeldRole, heldRoles, holderOf } from '../roles.js';
import { roleOf } from '../takeover/queue.js';
import { targetsOf, type WantedMove, whyNoTarget } from './moves.js';
import { answer } from './request-answer.js';
import { type Command, commandOf, newRequest, requestGrammar, requestOf } from './requests.js';

/** The end of a request; undefined while it may go on. */
type End = { readonly outcome: 'Done' | 'Refused'; readonly message: string } | undefined;

const refused = (message: string): End => ({ outcome: 'Refused', message });

/** Names that fit into a message. */
function listed(names: readonly string[]): string {
  const shown = names.slice(0, 20).join(', ');
  return names.length > 20 ? `${shown} and ${names.length - 20} more` : shown || 'none';
}

function unknownRole(draft: Draft, role: string): End {
  const known = heldRoles(viewOf(draft)).map(({ name }) => name);
  return refused(`there is no role ${role} in this pool; its roles are: ${listed(known)}`);
}

/** Failures go before moves, and what moves already must not be moved again by a stale wish. */
function occupied(draft: Draft, { name }: HeldRole): End {
  const { current, queue } = draft.record;
  if (draft.input.spec.paused) return refused('the pool is paused; unset spec.paused, then ask again with a new id');
  if (current?.role === name)
    return refused(`the role ${name} moves to ${current.standby} right now; ask again afterwards with a new id`);
  if (queue?.some(({ role }) => role === name) !== true) return undefined;
  return refused(`the holder of ${name} is broken and waits for its failover, which goes first`);
}

/** A move that could never begin is refused at once, and says why. */
function judgeMove(draft: Draft, command: Exclude<Command, { kind: 'release-hold' }>): End {
  const role = roleOf(draft, command.role);
  if (role === undefined) return unknownRole(draft, command.role);
  const busy = occupied(draft, role);
  if (busy !== undefined) return busy;
  const to = command.kind === 'failback' ? role.name : command.to;
  if (to === role.holder) return { outcome: 'Done', message: `${to} records the role ${role.name} already` };
  const holder = holderOf(viewOf(draft), role);
  if (holder === undefined) return refused(`nobody holds the role ${role.name} now`);
  const move: WantedMove = { role, holder, cause: 'Requested', to };
  const candidates = targetsOf(draft, move, true);
  if (candidates.some(({ reason }) => reason === reasons.Fits)) return undefined;
  return refused(`${whyNoTarget(move, candidates)}; mend that or name another server, then ask again with a new id`);
}

function judge(draft: Draft, command: Command | undefined): End {
  if (command === undefined) return refused(`this is no command: ${requestGrammar}`);
  if (command.kind === 'release-hold') return { outcome: 'Done', message: 'Failovers are not held any more' };
  // A lost status has lost its memory of handled requests too: an old annotation must not move anything again.
  if (draft.input.status.epoch === undefined)
    return refused('the pool has no memory yet, so this may have been handled before; ask again with a new id');
  return judgeMove(draft, command);
}

/** A request that waits for its turn: it may be withdrawn, or become impossible. */
function reviewWaiting(draft: Draft): void {
  const { lastRequest, current } = draft.record;
  if (lastRequest?.outcome !== 'Running' || current?.requestId === lastRequest.id) return;
  if (requestOf(draft.input.request)?.id !== lastRequest.id) {
    answer(draft, lastRequest, 'Failed', 'withdrawn before it began: the annotation was taken away');
    return;
  }
  const end = judge(draft, commandOf(lastRequest.command));
  if (end !== undefined) answer(draft, lastRequest, end.outcome === 'Done' ? 'Done' : 'Failed', end.message);
}

/**
 * A person's command, one annotation with an id of its own: handled once, refused with the mend, and done by the same
 * planned move as any other.
 */
export const handleRequest: Policy = (draft) => {
  const request = newRequest(draft.input);
  if (request === undefined) {
    reviewWaiting(draft);
    return;
  }
  const end = judge(draft, request.command);
  const { outcome, message } = end ?? {
    outcome: 'Running' as const,
    message: 'accepted; condition MovesPending says what it waits for',
  };
  answer(draft, { id: request.id, command: request.text }, outcome, message);
};
