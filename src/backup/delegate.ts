import type { BackupEngineName, Reason, VeleroRecord } from '../crds/index.js';
import type { BackupTarget } from './engine.js';

/** How far another system is with a baseline that it makes and keeps. The message is for people. */
export type Delegated = {
  /** As it stands in `Backup.status.velero`. */
  readonly record: VeleroRecord;
  readonly message: string;
} & (
  | { readonly state: 'Complete' }
  /** Running: it comes to an end by itself. Failed: never. */
  | { readonly state: 'Running' | 'Failed'; readonly reason: Reason }
);

/**
 * Has another system make a baseline and keep it. It never has the bytes in its hands, so there is nothing to read back
 * and no checksum: that system's own word is all there is. No call waits for it, `remove` excepted; all may be repeated at
 * any time and from any replica. All throw BackupError for what that system, its settings or permissions are to blame
 * for, and ApiError for the rest.
 */
export interface DelegatingEngine {
  readonly name: BackupEngineName;
  /** What was asked for on behalf of this very Backup, as it is now; undefined: nothing is there. */
  find(target: BackupTarget, signal?: AbortSignal): Promise<Delegated | undefined>;
  /** Asks for it, once: what was asked for already goes on. */
  begin(target: BackupTarget, signal?: AbortSignal): Promise<void>;
  /** Has what was made for this very Backup deleted, and waits, within bounds, until it is gone. */
  remove(target: BackupTarget, signal?: AbortSignal): Promise<void>;
}
