import { type Baseline, collectBaseline } from '../../../src/backup/index.js';
import { backups, type CameraAssignment, type FailoverPool, type RecordingServer } from '../../../src/crds/index.js';
import { camera, pool, server } from '../../unit/backup/support/system.js';

/** Cameras of one recorder. */
const PER_RECORDER = 64;
/** Of the failover after which the baseline was made. */
const EPOCH = 3;

export const POOL = pool().metadata.name;

/** A pool with so many cameras, as it stands after its first recorder has been replaced by a standby. */
export function baselineOf(cameras: number, namespace: string): Baseline {
  const recorders = Array.from({ length: Math.ceil(cameras / PER_RECORDER) }, (_, i) => `recorder-${i}`);
  const [broken = ''] = recorders;
  const roles = (pool().status?.roles ?? []).map((role) => ({ ...role, name: broken }));
  return collectBaseline({
    operatorVersion: '0.1.0',
    namespace,
    pool: inNamespace({ ...pool(EPOCH), status: { ...pool(EPOCH).status, roles } } as FailoverPool, namespace),
    servers: [...recorders.map((name) => server(name)), server('standby-a', 'Failover')].map(withoutPullSecret),
    cameras: Array.from({ length: cameras }, (_, i) => {
      const role = recorders[Math.floor(i / PER_RECORDER)] ?? '';
      const { metadata, spec, status }: CameraAssignment = camera(`camera-${String(i).padStart(6, '0')}`, EPOCH, role);
      const boundTo = status?.boundTo;
      return { name: metadata.name, spec, ...(boundTo === undefined ? {} : { boundTo: { ...boundTo } }) };
    }),
  });
}

function inNamespace(made: FailoverPool, namespace: string): FailoverPool {
  return { ...made, metadata: { ...made.metadata, namespace } };
}

function withoutPullSecret({ metadata, spec, status }: RecordingServer): RecordingServer {
  const { podTemplate, ...rest } = spec;
  return { metadata, spec: rest, ...(status === undefined ? {} : { status }) };
}

/** A Backup as a person asks for it. */
export function manualBackup(namespace: string, name: string) {
  return {
    ...{ apiVersion: 'understudy.dev/v1alpha1', kind: backups.kind, metadata: { namespace, name } },
    spec: { poolRef: { name: POOL }, reason: 'Manual' as const, engine: 'Secret' as const },
  };
}
