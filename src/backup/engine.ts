import type { BackupSpec, BackupStatus, Reason } from '../crds/index.js';
import type { EncodedBaseline } from './baseline.js';

/** Where a baseline lies and what it holds, as it stands in `Backup.status.artifact`. */
export type Artifact = NonNullable<BackupStatus['artifact']>;

/** The Backup that a baseline belongs to. */
export interface BackupTarget {
  readonly namespace: string;
  readonly name: string;
  /** A namesake made later is another Backup, and takes nothing over. */
  readonly uid: string;
  readonly pool: string;
}

/** A baseline that has been read back whole, every checksum verified. */
export interface StoredBaseline {
  readonly artifact: Artifact;
  readonly json: Buffer;
}

/**
 * Keeps baselines somewhere. Both calls may be repeated at any time and from any replica, also after a crash in the
 * middle of the other: a half-written baseline is never returned by `read`, and `write` replaces it.
 */
export interface BackupEngine {
  readonly name: BackupSpec['engine'];
  /** Largest baseline that it takes, in compressed bytes. */
  readonly maxBytes: number;
  /** The baseline of this very Backup; undefined when there is none, or none that is whole. */
  read(target: BackupTarget, signal?: AbortSignal): Promise<StoredBaseline | undefined>;
  /** Writes, reads back and verifies. Throws BackupError for what only a person can mend; ApiError for the rest. */
  write(baseline: EncodedBaseline, target: BackupTarget, signal?: AbortSignal): Promise<Artifact>;
  /**
   * Deletes what `write` has made for this very Backup, and nothing of anybody else's; called before the Backup itself is
   * deleted. One that is not there is no error. Absent: it goes with the Backup by its ownerReference.
   */
  remove?(target: BackupTarget, signal?: AbortSignal): Promise<void>;
}

/** A baseline could not be made. The message says what to do. */
export class BackupError extends Error {
  override readonly name = 'BackupError';
  readonly reason: Reason;
  /** True for what may be over by itself, as when a server does not answer: worth another try. */
  readonly mayPass: boolean;

  constructor(
    reason: Reason,
    message: string,
    { mayPass = false, cause }: { mayPass?: boolean; cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.reason = reason;
    this.mayPass = mayPass;
  }
}
