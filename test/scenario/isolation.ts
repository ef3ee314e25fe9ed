import { slotAddressing } from '../cluster/addressing.js';
import { readState } from '../cluster/cluster-state.js';
import { run } from '../cluster/run-command.js';

/**
 * Cuts a node off from the control plane alone: its cameras are still there, as in a site whose uplink is lost. Packets
 * to the API server vanish without an answer, from the node's own processes and from its pods.
 */
export async function isolateFromControlPlane(
  clusterName: string,
  nodeName: string,
): Promise<{ heal(): Promise<void> }> {
  const slot = (await readState(clusterName))?.slot;
  if (slot === undefined) throw new Error(`cluster ${clusterName} has no nodes of its own`);
  const addressing = slotAddressing(slot);
  const { namespace } = addressing.node(Number(nodeName.replace(/^node-/, '')));
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
