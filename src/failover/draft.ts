import { inContact, OUT_OF_CONTACT_CHECK_MS } from './health/contact.js';
import type { PendingMove } from './moves/moves.js';
import type { BackupOrder, Monotonic, PoolEvent, PoolInput, PoolRecord } from './types.js';

/** A decision in the making. Each policy of the chain changes it in place; it never outlives one `decide`. */
export interface Draft {
  readonly input: PoolInput;
  record: PoolRecord;
  readonly events: PoolEvent[];
  readonly confirmSilence: Set<string>;
  readonly confirmReports: Set<string>;
  backup?: BackupOrder;
  /** A storm lasts and its hold is not released: planned moves and failovers of silent servers wait. */
  held: boolean;
  /** Planned moves that are wanted and wait; set by `planMoves`. */
  pendingMoves?: readonly PendingMove[];
  /** Waits that are still wanted, with their starts. */
  readonly waits: Map<string, Monotonic>;
  /** Milliseconds until a wait ends or something else changes by time alone. */
  readonly due: number[];
}

/** One rule of the pool: a step of the chain in `decide`. */
export type Policy = (draft: Draft) => void;

/** The pool as it would be with what is decided so far. */
export function viewOf(draft: Draft): PoolInput {
  return { ...draft.input, status: draft.record };
}

/** The time to write into status. */
export function wallTime(draft: Draft): string {
  return draft.input.now.wall.toISOString();
}

/**
 * Milliseconds left of a bounded wait, which begins when it is first asked for; 0 or less: it is over. After a restart
 * of the operator, and after a time without the API, it begins again (law 7): who is waited for could not answer then.
 * While the API server does not answer, no wait ends.
 */
export function waitLeftMs(draft: Draft, name: string, limitMs: number): number {
  const { now, memory, contact } = draft.input;
  const start = Math.max(memory.get(name) ?? now.monotonic, contact?.since ?? Number.NEGATIVE_INFINITY);
  draft.waits.set(name, start);
  const isDeaf = contact !== undefined && !inContact(contact, now.monotonic);
  const left = Math.max(start + limitMs - now.monotonic, isDeaf ? OUT_OF_CONTACT_CHECK_MS : Number.NEGATIVE_INFINITY);
  if (left > 0) draft.due.push(Math.ceil(left));
  return left;
}
