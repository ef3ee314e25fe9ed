/** Why a list is made; a label of the metrics. */
export type ListCause = 'start' | 'gone' | 'missed' | 'check';

/** What one run of a reflector, from start to stop, remembers. Callbacks of an older run never count. */
export interface Run {
  readonly signal: AbortSignal;
  readonly abort: AbortController;
  /** Where the watch goes on; undefined: list first. */
  resourceVersion: string | undefined;
  listCause: ListCause;
  failures: number;
  /** Tries in a row to which no answer came at all. */
  unanswered: number;
  /** Versions that expired since the last watch that lived. */
  expired: number;
  nextCheckTime: number;
  done: Promise<void>;
}

/** Thrown to end a watch that has been silent too long, or proved to have lost a change. */
export class WatchCut extends Error {
  override readonly name = 'WatchCut';
  readonly reason: 'silent' | 'missed';

  constructor(reason: 'silent' | 'missed') {
    super(`watch cut: ${reason}`);
    this.reason = reason;
  }
}
