import type { ApiContact, Monotonic } from '../types.js';

/**
 * A gap between two answers of the API server that is longer than this is an outage. Milliseconds. Leader election
 * asks every two seconds, so answers come at least as often while the API works.
 */
export const API_GAP_MS = 3_000;

/** How soon to look again at a wait that is over but for the contact with the API server. Milliseconds. */
export const OUT_OF_CONTACT_CHECK_MS = 1_000;

/**
 * Law 7: after a time without the API all timers start from zero, because recorders could not renew either.
 * `answeredAt` is the time of the API server's last answer; undefined before the first.
 */
export function foldContact(before: ApiContact | undefined, answeredAt: Monotonic | undefined): ApiContact | undefined {
  if (answeredAt === undefined) return before;
  if (before === undefined) return { since: answeredAt, last: answeredAt };
  if (answeredAt <= before.last) return before;
  const outage = answeredAt - before.last > API_GAP_MS;
  return { since: outage ? answeredAt : before.since, last: answeredAt };
}

/** Whether the API server answers now. While it does not, nobody's silence means anything. */
export function inContact(contact: ApiContact | undefined, now: Monotonic): contact is ApiContact {
  return contact !== undefined && now - contact.last <= API_GAP_MS;
}
