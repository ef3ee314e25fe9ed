import type { ClusterNode } from '../../cluster/cluster.js';
import type { Fault } from './fault.js';

/** The cable of a node is pulled: control plane, other nodes and cameras are gone for it, and all on it goes on. */
export async function partitionNode(node: ClusterNode): Promise<Fault> {
  await node.partition();
  return { heal: () => node.heal() };
}

/** The kubelet of a node dies; its pods go on, and Kubernetes thinks the node lost. */
export async function killKubelet(node: ClusterNode): Promise<Fault> {
  await node.killKubelet();
  return { heal: () => node.startKubelet() };
}

/** The power of a node goes, and with it what its disks had not synced. Healed, its pods start again by themselves. */
export async function cutPower(node: ClusterNode): Promise<Fault> {
  await node.powerCut();
  return { heal: () => node.powerOn() };
}
