import { type Baseline, baselineCamera, collectBaseline, encodeBaseline } from '../../../../src/backup/index.js';
import type { CameraAssignment, FailoverPool, RecordingServer } from '../../../../src/crds/index.js';
import type { RestoreArtifact } from '../../../../src/restore/index.js';
import type { Live } from '../../../../src/restore/live.js';
import { camera, namespace, pool, server } from '../../backup/support/system.js';

export const at = '2026-11-22T10:00:00Z';
export const now = new Date('2026-11-23T03:00:00Z');

/** The pool after the takeover of epoch 3, proved: standby-a records the role recorder-a. */
export function provedPool(): FailoverPool {
  const made = pool();
  const roles = made.status?.roles?.map((role) => ({ ...role, handedOverTime: at }));
  return { ...made, status: { epoch: 3, ...(roles ? { roles } : {}) } };
}

/** A pool of two recorders and two standbys; recorder-a is broken. */
export const systemServers = (): RecordingServer[] => [
  server('recorder-a'),
  server('recorder-b'),
  server('standby-a', 'Failover'),
  server('standby-b', 'Failover'),
];

export const systemCameras = (): CameraAssignment[] => [
  camera('door'),
  camera('gate'),
  { ...camera('yard', undefined, 'recorder-b') },
];

export function baseline(change: Partial<Baseline> = {}): Baseline {
  const made = collectBaseline({
    operatorVersion: '0.1.0',
    namespace,
    pool: provedPool(),
    servers: systemServers(),
    cameras: systemCameras().map(baselineCamera),
  });
  return { ...made, ...change };
}

export async function artifactOf(made: Baseline): Promise<RestoreArtifact> {
  const { json, sha256 } = await encodeBaseline(made);
  return { baseline: made, sha256, bytes: json.length, notes: [] };
}

/** A cluster without anything of ours. */
export function emptyLive(change: Partial<Live> = {}): Live {
  const nothing = { servers: new Map(), cameras: new Map(), backups: [], assignments: [] };
  return { namespace, ...nothing, missingSecrets: [], notes: [], ...change };
}

export function byName<T extends { readonly metadata: { readonly name: string } }>(...items: T[]): Map<string, T> {
  return new Map(items.map((item) => [item.metadata.name, item]));
}

/** With a uid, as the API server gives one. */
export function alive<T extends { metadata: { name: string; uid?: string } }>(object: T): T {
  return { ...object, metadata: { ...object.metadata, uid: `uid-${object.metadata.name}` } };
}
