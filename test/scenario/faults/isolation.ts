import { slotAddressing } from '../../cluster/addressing.js';
import type { Cluster, ClusterNode } from '../../cluster/cluster.js';
import { readState } from '../../cluster/cluster-state.js';
import { run } from '../../cluster/run-command.js';
import type { Fault } from './fault.js';

/**
 * Cuts a node off from the control plane alone: its cameras are still there, as in a site whose uplink is lost. Packets
 * to the API server vanish without an answer, from the node's own processes and from its pods.
 */
export async function isolate(cluster: Pick<Cluster, 'name'>, node: Pick<ClusterNode, 'name'>): Promise<Fault> {
  const slot = (await readState(cluster.name))?.slot;
  if (slot === undefined) throw new Error(`cluster ${cluster.name} has no nodes of its own`);
  const addressing = slotAddressing(slot);
  const { namespace } = addressing.node(Number(node.name.replace(/^node-/, '')));
  const rules = ['OUTPUT', 'FORWARD'].map((chain) => [chain, '-d', addressing.controlPlane.address, '-j', 'DROP']);
  const change = (action: string, rule: readonly string[]) =>
    run('nsenter', [`--net=/run/netns/${namespace}`, '--', 'iptables', '-w', '5', action, ...rule]);
  for (const rule of rules) await change('-I', rule);
  return {
    heal: async () => {
      for (const rule of rules) await change('-D', rule);
    },
  };
}
