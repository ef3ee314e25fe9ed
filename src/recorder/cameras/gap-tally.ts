import { type GapCause, type GapShare, MOST_GAPS, type ReportedGap } from '../../crds/gap.js';
import type { Clock } from '../../operator/clock.js';
import type { FailureKind } from '../engine/engine.js';

/** A gap that has ended; its start is unknown for the first recording in this process. */
interface Closed {
  readonly epoch: number;
  readonly startTime: Date | undefined;
  readonly endTime: Date;
  readonly causes: readonly GapShare[];
}

/** Where the footage of an earlier process ends: not known yet, or nowhere. */
export type FormerFootage = 'pending' | Date | undefined;

const causes: Readonly<Record<FailureKind, GapCause>> = {
  unauthorized: 'CameraFailed',
  credentials: 'CameraFailed',
  sessionLimit: 'CameraSessionLimit',
  refused: 'CameraFailed',
  notFound: 'CameraFailed',
  unreachable: 'CameraFailed',
  ended: 'CameraFailed',
  format: 'CameraFailed',
  storage: 'StorageFailed',
  engine: 'EngineFailed',
};

/** What the time after a failure is put down to. */
export function gapCauseOf(kind: FailureKind): GapCause {
  return causes[kind];
}

/** Seconds in tenths. */
function tenths(ms: number): number {
  return Math.round(Math.max(0, ms) / 100) / 10;
}

/**
 * Measures for one camera when it was not recorded and what the time went into (rule 11), on the monotonic clock: a wall
 * clock that jumps makes no gap longer. The ends of a gap are the times of its bytes on the disk.
 */
export class GapTally {
  readonly #clock: Clock;
  readonly #sums = new Map<GapCause, number>();
  #closed: readonly Closed[] = [];
  #open = true;
  #startTime: Date | undefined;
  #cause: GapCause = 'Connect';
  #since: number;
  /** An attempt under way: what it took is a connect if it succeeds, and its failure's otherwise. */
  #attemptAt: number | undefined;
  #connectedAt: number | undefined;

  /** The camera is wanted from now on. */
  constructor(clock: Clock) {
    this.#clock = clock;
    this.#since = clock.monotonic();
  }

  /** Its last bytes were written then, and the time since has this cause. */
  interrupted(lastBytes: Date, cause: GapCause): void {
    if (this.#open) return;
    this.#open = true;
    this.#sums.clear();
    this.#startTime = lastBytes;
    this.#cause = cause;
    this.#attemptAt = undefined;
    this.#since = this.#clock.monotonic() - Math.max(0, this.#clock.wall().getTime() - lastBytes.getTime());
  }

  /** An attempt to connect begins. */
  attempt(): void {
    if (!this.#open) return;
    this.#book(this.#cause);
    this.#attemptAt = this.#clock.monotonic();
    this.#connectedAt = undefined;
  }

  /** The stream is understood: from now on the first frame that can be kept is awaited. */
  connected(): void {
    if (this.#attemptAt !== undefined) this.#connectedAt ??= this.#clock.monotonic();
  }

  /** The attempt failed, or the next one waits, for this cause. */
  failed(cause: GapCause): void {
    if (!this.#open) return;
    // Nothing has failed before: what passed since the last bytes has the same cause.
    if (this.#attemptAt === undefined && this.#sums.size === 0 && this.#startTime !== undefined) this.#cause = cause;
    this.#book(this.#attemptAt === undefined ? this.#cause : cause);
    this.#cause = cause;
    this.#attemptAt = undefined;
  }

  /** Its first bytes were written then. */
  recorded(firstBytes: Date, epoch: number): void {
    if (!this.#open) return;
    this.#open = false;
    if (this.#connectedAt !== undefined && this.#attemptAt !== undefined) {
      this.#book('Connect', this.#connectedAt);
      this.#book('Keyframe');
    } else this.#book(this.#attemptAt === undefined ? this.#cause : 'Connect');
    const shares = [...this.#sums].map(([cause, ms]) => ({ cause, seconds: tenths(ms) }));
    const told = shares.filter(({ seconds }) => seconds > 0);
    const gap: Closed = { epoch, startTime: this.#startTime, endTime: firstBytes, causes: told };
    this.#closed = [...this.#closed, gap].slice(-MOST_GAPS);
    this.#sums.clear();
    this.#attemptAt = undefined;
  }

  /**
   * The gaps that have ended, as the report tells them. `former` is where this role's footage of an earlier process ends
   * at the same epoch; while that is being looked up the first gap is held back, since it can't be told in two ways.
   */
  report(former: (epoch: number) => FormerFootage): ReportedGap[] {
    return this.#closed.flatMap(({ epoch, startTime, endTime, causes: told }) => {
      const begin = startTime ?? former(epoch);
      if (begin === 'pending') return [];
      const rest = { epoch, endTime: endTime.toISOString() };
      if (begin === undefined) return [{ ...rest, causes: [...told] }];
      const restart = startTime === undefined ? restartShare(begin, endTime, told) : [];
      return [{ ...rest, startTime: begin.toISOString(), causes: [...restart, ...told] }];
    });
  }

  #book(cause: GapCause, until = this.#clock.monotonic()): void {
    const ms = until - this.#since;
    if (ms > 0) this.#sums.set(cause, (this.#sums.get(cause) ?? 0) + ms);
    this.#since = until;
  }
}

/** Of a gap that an earlier process began: all that this one has not measured was its restart. */
function restartShare(begin: Date, end: Date, told: readonly GapShare[]): GapShare[] {
  const measured = told.reduce((sum, { seconds }) => sum + seconds, 0);
  const seconds = tenths(end.getTime() - begin.getTime() - measured * 1000);
  return seconds > 0 ? [{ cause: 'RecorderRestart', seconds }] : [];
}
