import type {
  Backup,
  CameraAssignment,
  FailoverPool,
  RecorderReport,
  RecordingServer,
} from '../../../src/crds/index.js';
import type { Chronicle, Sighting } from '../../scenario/chronicle.js';
import type { Hit } from './hits.js';

/** Versions of the objects of one kind, by name, each oldest first; the first is the one that stood when the case began. */
export type Versions<T> = ReadonlyMap<string, readonly Sighting<T>[]>;

/** All that was visible of one system during one case, and what was done to it. */
export interface Evidence {
  /** Wall clock, milliseconds. */
  readonly startMs: number;
  readonly endMs: number;
  readonly role: string;
  readonly pools: Versions<FailoverPool>;
  readonly servers: Versions<RecordingServer>;
  readonly cameras: Versions<CameraAssignment>;
  readonly reports: Versions<RecorderReport>;
  readonly backups: Versions<Backup>;
  readonly hits: readonly Hit[];
  /** How often we have changed the spec of an object, by 'kind/name'. */
  readonly edits: ReadonlyMap<string, number>;
}

/** Versions of one object from the last before `startMs` on. */
export function since<T>(history: readonly Sighting<T>[], startMs: number): readonly Sighting<T>[] {
  const first = history.findLastIndex(({ atMs }) => atMs < startMs);
  return history.slice(Math.max(0, first));
}

/** Cuts a chronicle to a case. */
export function cut(
  chronicle: Chronicle,
  startMs: number,
): Pick<Evidence, 'pools' | 'servers' | 'cameras' | 'reports' | 'backups'> {
  const of = <K extends 'pools' | 'servers' | 'cameras' | 'reports' | 'backups'>(kind: K) =>
    new Map(
      chronicle
        .all(kind)
        .map(({ metadata: { name } }) => [name, since(chronicle.history(kind, name), startMs)] as const),
    );
  return {
    pools: of('pools'),
    servers: of('servers'),
    cameras: of('cameras'),
    reports: of('reports'),
    backups: of('backups'),
  };
}
