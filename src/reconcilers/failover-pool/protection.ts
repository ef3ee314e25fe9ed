import type { RecordingServer } from '../../crds/index.js';
import { protection } from '../../failover/protection.js';
import type { ConditionVerdict } from '../../failover/types.js';
import { gatherPoolView, type PoolSources } from './gather.js';

/** Condition Protected of a server, by its pool as this process knows it best. */
export function createProtection(sources: PoolSources): (server: RecordingServer) => ConditionVerdict {
  const { stores } = sources;
  return (server) => {
    const { poolRef } = server.spec;
    const pool = poolRef && stores.latestPools.get(`${server.metadata.namespace}/${poolRef.name}`);
    return protection(server, pool && gatherPoolView(sources, pool));
  };
}
