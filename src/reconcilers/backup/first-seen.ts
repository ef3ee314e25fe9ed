import type { Backup } from '../../crds/index.js';

/**
 * For how long this process has seen something of each Backup. By its monotonic clock and its own sight alone: after a
 * restart the time begins anew (law 7), as it does for a namesake that is made later.
 */
export class FirstSeen {
  readonly #monotonic: () => number;
  readonly #known = new Map<string, { readonly uid: string | undefined; readonly at: number }>();

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  /** Milliseconds; 0 the first time. */
  sinceMs(key: string, { metadata: { uid } }: Backup): number {
    const now = this.#monotonic();
    const known = this.#known.get(key);
    const first = known !== undefined && known.uid === uid ? known : { uid, at: now };
    this.#known.set(key, first);
    return now - first.at;
  }

  forget(key: string): void {
    this.#known.delete(key);
  }
}
