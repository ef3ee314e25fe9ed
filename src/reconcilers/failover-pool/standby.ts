import { childNames, type RecordingServer } from '../../crds/index.js';
import { heldRoles } from '../../failover/roles.js';
import { type StandbyVerdicts, standbyVerdicts } from '../../failover/standby/standby-readiness.js';
import type { PoolView } from '../../failover/types.js';
import { indexes, type Stores } from '../stores.js';
import { gatherPoolView, type PoolSources } from './gather.js';

/** Why a container waits when its image is not there. */
const imageReasons: ReadonlySet<string> = new Set([
  'ErrImageNeverPull',
  'ErrImagePull',
  'ImageInspectError',
  'ImagePullBackOff',
  'InvalidImageName',
]);

/** What the largest role of the pool would bring to a substitute: analogue cameras and those of priority Never stay. */
function largestRole(stores: Stores, namespace: string, pool: PoolView): number {
  const counts = heldRoles(pool).map(
    (role) =>
      stores.cameras
        .byIndex(indexes.server, `${namespace}/${role.name}`)
        .filter(({ spec }) => spec.source.type === 'IP' && spec.priority !== 'Never').length,
  );
  return Math.max(0, ...counts);
}

function imageMissing(stores: Stores, { metadata }: RecordingServer): string | undefined {
  const waiting = stores.pods.get(`${metadata.namespace}/${childNames.pod(metadata.name)}`)?.waiting;
  if (waiting === undefined || !imageReasons.has(waiting.reason)) return undefined;
  return `${waiting.reason}: ${waiting.message ?? 'the image of its pod can not be pulled'}`;
}

/**
 * The standing conditions of a standby, by its pool as this process knows it best. Undefined for a server whose pool is
 * not there. To be asked for servers that hold no role only: it looks at all members of the pool.
 */
export function createStandbyJudgement(sources: PoolSources): (server: RecordingServer) => StandbyVerdicts | undefined {
  const { stores } = sources;
  return (server) => {
    const { name, namespace = '' } = server.metadata;
    const pool = server.spec.poolRef && stores.latestPools.get(`${namespace}/${server.spec.poolRef.name}`);
    const view = pool && gatherPoolView(sources, pool);
    const self = view?.servers.find((candidate) => candidate.name === name);
    if (view === undefined || self === undefined) return undefined;
    return standbyVerdicts({
      pool: view,
      server: self,
      largestRole: largestRole(stores, namespace, view),
      imageMissing: imageMissing(stores, server),
    });
  };
}
