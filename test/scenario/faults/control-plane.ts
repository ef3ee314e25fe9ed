import type { Cluster } from '../../cluster/cluster.js';
import type { Fault } from './fault.js';

/** What of the control plane is restarted. */
export type ControlPlanePart = 'api-server' | 'api-server-and-etcd';

/**
 * Kills the API server, and etcd with it if wanted; healing starts them with the data that they had, and resolves when
 * the API server is ready. The time between is the caller's.
 */
export async function restartControlPlane(
  { controlPlane }: Pick<Cluster, 'controlPlane'>,
  part: ControlPlanePart,
): Promise<Fault> {
  await controlPlane.stopApiServer();
  if (part === 'api-server-and-etcd') await controlPlane.stopEtcd();
  return {
    heal: async () => {
      await controlPlane.startEtcd();
      await controlPlane.startApiServer();
    },
  };
}
