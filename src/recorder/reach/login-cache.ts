import { type Clock, isApiError } from '../../operator/index.js';
import type { Credentials } from '../engine/engine.js';

/** A login, or why there is none: `unreadable` by the Secret's fault, `unknown` because the API server did not answer. */
export type Login =
  | { readonly kind: 'login'; readonly credentials: Credentials | undefined }
  | { readonly kind: 'unreadable' | 'unknown' };

const KEPT_MS = 60_000;

/** Reads the Secrets of probed cameras, each at most once a minute: many cameras share one. */
export class LoginCache {
  readonly #read: (secretName: string) => Promise<Credentials>;
  readonly #clock: Clock;
  readonly #known = new Map<string, { readonly readAt: number; readonly login: Promise<Login> }>();

  /** `read` rejects as CredentialStore does: with the API server's error as cause when that did not answer. */
  constructor(read: (secretName: string) => Promise<Credentials>, clock: Clock) {
    this.#read = read;
    this.#clock = clock;
  }

  /** Never rejects. */
  get(secretName: string | undefined): Promise<Login> {
    if (secretName === undefined) return Promise.resolve({ kind: 'login', credentials: undefined });
    const now = this.#clock.monotonic();
    const known = this.#known.get(secretName);
    if (known !== undefined && now - known.readAt < KEPT_MS) return known.login;
    const login = this.#read(secretName).then(
      (credentials): Login => ({ kind: 'login', credentials }),
      (error: unknown): Login => ({ kind: notAnswered(error) ? 'unknown' : 'unreadable' }),
    );
    this.#known.set(secretName, { readAt: now, login });
    return login;
  }

  clear(): void {
    this.#known.clear();
  }
}

function notAnswered(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return isApiError(cause) && !isApiError(cause, 'notFound', 'forbidden');
}
