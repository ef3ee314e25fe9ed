import type { Role } from '../../crds/index.js';
import { type Draft, viewOf, wallTime } from '../draft.js';
import { findServer, type HeldRole } from '../roles.js';
import type { ServerView } from '../types.js';
import { nextEpoch } from './epochs.js';

export interface RoleChange {
  readonly role: HeldRole;
  readonly to: Pick<ServerView, 'name' | 'uid'>;
  /** Who records it until the handover; absent when nobody does. */
  readonly previousHolder?: string | undefined;
  /** The new holder records it already: the previous one may stop at once. */
  readonly handedOver?: boolean;
}

/**
 * Gives a role to a server at a new epoch, which it returns: the heart of every failover and every planned move. Why it
 * moved last is kept until the handover: a move that is abandoned has moved nothing.
 */
export function giveRole(draft: Draft, { role, to, previousHolder, handedOver }: RoleChange): number {
  const epoch = nextEpoch(viewOf(draft));
  const now = wallTime(draft);
  const moved: Role = { name: role.name, holder: to.name, holderUID: to.uid, epoch, startTime: now };
  if (previousHolder !== undefined) moved.previousHolder = previousHolder;
  if (handedOver === true) moved.handedOverTime = now;
  if (role.entry?.cause !== undefined) moved.cause = role.entry.cause;
  const homeUID = findServer(draft.input, role.name)?.uid ?? role.entry?.homeUID;
  if (homeUID !== undefined) moved.homeUID = homeUID;
  draft.record.epoch = epoch;
  draft.record.roles = [...(draft.record.roles ?? []).filter(({ name }) => name !== role.name), moved];
  return epoch;
}
