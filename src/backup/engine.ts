import type { BackupDestination, BackupEngineName, BackupStatus, Reason } from '../crds/index.js';
import type { PackedBaseline } from './packing.js';

/** Where a baseline lies and what it holds, as it stands in `Backup.status.artifact`. */
export type Artifact = NonNullable<BackupStatus['artifact']>;

/** The Backup that a baseline belongs to. */
export interface BackupTarget {
  readonly namespace: string;
  readonly name: string;
  /** A namesake made later is another Backup, and takes nothing over. */
  readonly uid: string;
  readonly pool: string;
  /** Absent: in Secrets beside the Backup, not encrypted. */
  readonly destination?: BackupDestination;
}

/** A baseline that has been read back whole, every checksum verified. */
export interface StoredBaseline {
  readonly artifact: Artifact;
  readonly json: Buffer;
}

/** An artifact that was found without its Backup, as after the loss of a cluster. */
export interface FoundArtifact {
  readonly target: BackupTarget;
  /** As `Artifact.location`. */
  readonly location: string;
  readonly modifiedTime: Date;
  readonly bytes: number;
}

/**
 * Keeps baselines somewhere. All calls may be repeated at any time and from any replica, also after a crash in the
 * middle of another: a half-written baseline is never returned, and `write` replaces it. All throw BackupError for what
 * the store, its settings or its Secrets are to blame for, and ApiError for the rest.
 */
export interface BackupEngine {
  readonly name: BackupEngineName;
  /** Largest baseline that it takes, in bytes as they are kept. */
  readonly maxBytes: number;
  /** The baseline of this very Backup, in memory; undefined when there is none, or none that is whole. */
  read(target: BackupTarget, signal?: AbortSignal): Promise<StoredBaseline | undefined>;
  /** As `read`, but tells only what is there: however large it is, it is not held in memory. */
  check(target: BackupTarget, signal?: AbortSignal): Promise<Artifact | undefined>;
  /** Writes, reads back and verifies. */
  write(baseline: PackedBaseline, target: BackupTarget, signal?: AbortSignal): Promise<Artifact>;
  /**
   * Removes the artifact of this very Backup, and nothing of anybody else's; called before the Backup itself is deleted.
   * One that is not there is no error. Absent: it goes with the Backup by its ownerReference.
   */
  remove?(target: BackupTarget, signal?: AbortSignal): Promise<void>;
  /** What the store of `place.destination` holds of a namespace and perhaps of one pool, by name; for disasters. */
  list?(
    place: Pick<BackupTarget, 'namespace' | 'destination'> & { readonly pool?: string },
    signal?: AbortSignal,
  ): AsyncGenerator<FoundArtifact, void>;
}

/** A baseline could not be made or read. The message says what to do. */
export class BackupError extends Error {
  override readonly name = 'BackupError';
  readonly reason: Reason;
  /** True for what may pass by itself: try again, with backoff. Else only a person can help. */
  readonly mayPass: boolean;

  constructor(reason: Reason, message: string, options: { mayPass?: boolean; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.reason = reason;
    this.mayPass = options.mayPass ?? false;
  }
}
