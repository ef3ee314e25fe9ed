import type { PoolInput } from '../types.js';

/** What a person can ask of a pool. */
export type Command =
  | { readonly kind: 'switchover'; readonly role: string; readonly to?: string }
  | { readonly kind: 'failback'; readonly role: string }
  | { readonly kind: 'release-hold' };

/** A request as it stands in the annotation understudy.dev/request. */
export interface Request {
  /** At most 63 characters; each id is handled once. */
  readonly id: string;
  /** As written, for status; at most 256 characters. */
  readonly text: string;
  /** Absent when the text is no command. */
  readonly command?: Command | undefined;
}

/** Longest id and command that status.lastRequest takes. Characters. */
const LONGEST_ID = 63;
const LONGEST_TEXT = 256;

/** For refusals: how to write a request. */
export const requestGrammar =
  "write '<id> switchover <role>', '<id> switchover <role> to <server>', '<id> failback <role>' or '<id> release-hold', with an id that was not used before";

/** Reads a command; undefined when it is none. */
export function commandOf(text: string): Command | undefined {
  const words = text.trim().split(/\s+/);
  const [verb, role, preposition, to] = words;
  if (verb === 'release-hold' && words.length === 1) return { kind: 'release-hold' };
  if (role === undefined) return undefined;
  if (verb === 'failback' && words.length === 2) return { kind: 'failback', role };
  if (verb !== 'switchover') return undefined;
  if (words.length === 2) return { kind: 'switchover', role };
  return words.length === 4 && preposition === 'to' && to !== undefined ? { kind: 'switchover', role, to } : undefined;
}

/** Reads the annotation; undefined when there is none. Never throws: nonsense is a request without a command. */
export function requestOf(annotation: string | undefined): Request | undefined {
  const [id = '', ...words] = (annotation ?? '').trim().split(/\s+/);
  if (id === '') return undefined;
  const whole = words.join(' ');
  const fits = id.length <= LONGEST_ID && whole.length <= LONGEST_TEXT;
  return {
    id: id.slice(0, LONGEST_ID),
    text: whole.slice(0, LONGEST_TEXT),
    command: fits ? commandOf(whole) : undefined,
  };
}

/** The request that has not been answered yet; undefined when there is none. */
export function newRequest({ request, status }: Pick<PoolInput, 'request' | 'status'>): Request | undefined {
  const found = requestOf(request);
  return found === undefined || found.id === status.lastRequest?.id ? undefined : found;
}

/** A person asks that a storm hold be released; true in the one decision that answers the request. */
export function releaseAsked(input: Pick<PoolInput, 'request' | 'status'>): boolean {
  return newRequest(input)?.command?.kind === 'release-hold';
}
