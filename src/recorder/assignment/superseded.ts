/** Where the notice was read: the server's status comes at once, the Lease even when the watch is deaf. */
export type NoticeOrigin = 'status' | 'lease';

/**
 * Whether another recorder takes over the role that this one records (law 6, reversed for cameras that allow one
 * session). Each origin is taken for itself: an answer of one that was on its way must not take back the other's word.
 */
export class SupersededNotice {
  readonly #epochs = new Map<NoticeOrigin, number>();

  /** Undefined: this origin says so no more. True when something changed. */
  learn(origin: NoticeOrigin, epoch: number | undefined): boolean {
    if (this.#epochs.get(origin) === epoch) return false;
    if (epoch === undefined) this.#epochs.delete(origin);
    else this.#epochs.set(origin, epoch);
    return true;
  }

  /** Whether a role of this epoch has been taken up by another; a notice of an older epoch has been overtaken. */
  holds(epoch: number): boolean {
    return [...this.#epochs.values()].some((superseding) => superseding > epoch);
  }
}
