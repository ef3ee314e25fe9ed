import type { BackupEngineName } from '../crds/index.js';
import type { BackupTarget } from './engine.js';

/** What stands beside the bytes of an artifact. */
export interface ArtifactHeader {
  /** Hex, of the JSON. */
  readonly sha256: string;
  readonly uncompressedBytes: number;
  /** Absent in artifacts of early versions. */
  readonly counts?: { readonly servers: number; readonly cameras: number; readonly secrets: number } | undefined;
}

/** A baseline as it is kept: compressed, and perhaps encrypted. */
export interface SealedBaseline {
  readonly header: ArtifactHeader;
  readonly bytes: Buffer;
}

/** A sealed baseline that was found. */
export interface KeptBaseline extends SealedBaseline {
  readonly location: string;
  readonly parts: number;
}

/** Where sealed baselines lie: each whole or not at all. The engine around it seals, opens and verifies. */
export interface ArtifactStore {
  readonly name: BackupEngineName;
  readonly maxBytes: number;
  /** The artifact of this very Backup, its bytes as they were put; undefined when there is none, or none that is whole. */
  fetch(target: BackupTarget, signal?: AbortSignal): Promise<KeptBaseline | undefined>;
  /** Puts it in the place of what an earlier try has left; never in the place of what is not this Backup's. */
  put(sealed: SealedBaseline, target: BackupTarget, signal?: AbortSignal): Promise<void>;
  /** For messages: what lies where. */
  describe(target: BackupTarget): string;
}
