import { childNames, type RecordingServer } from '../crds/index.js';
import { claimNameOf, indexes, type Stores } from './stores.js';
import type { NodeView } from './views.js';

/** How a cordoned node concerns a server. */
export interface Cordon {
  readonly node: string;
  /** Its pod is going, gone or not placed, and can be placed only there: a drain took it. */
  readonly drained: boolean;
}

/** Host names that the server's volumes tie it to; undefined when they can be used anywhere. */
function hostnamesOf(stores: Stores, server: RecordingServer): readonly string[] | undefined {
  const { namespace } = server.metadata;
  for (const volume of server.spec.volumes) {
    const claim = stores.claims.get(`${namespace}/${claimNameOf(server, volume)}`);
    const hostnames = claim?.volumeName && stores.persistentVolumes.get(claim.volumeName)?.hostnames;
    if (hostnames) return hostnames;
  }
  return undefined;
}

function nodesNamed(stores: Stores, hostnames: readonly string[]): NodeView[] {
  return [...stores.nodes.list()].filter(({ hostname }) => hostnames.includes(hostname));
}

/** The cordoned node of a server's pod, or the one that its next pod must wait for because its disks are there. */
export function cordonOf(stores: Stores, server: RecordingServer): Cordon | undefined {
  const { name, namespace } = server.metadata;
  const pod = stores.pods.get(`${namespace}/${childNames.pod(name)}`);
  if (pod?.nodeName !== undefined) {
    const leaving = pod.metadata.deletionTimestamp !== undefined;
    return stores.nodes.get(pod.nodeName)?.unschedulable ? { node: pod.nodeName, drained: leaving } : undefined;
  }
  const hostnames = hostnamesOf(stores, server);
  const nodes = hostnames === undefined ? [] : nodesNamed(stores, hostnames);
  const [first] = nodes;
  if (first === undefined || !nodes.every(({ unschedulable }) => unschedulable)) return undefined;
  return { node: first.metadata.name, drained: true };
}

/** Keys of the servers whose pods are on the node, or whose volumes are; for the rare change of a cordon. */
export function serversOfNode(stores: Stores, name: string, node: NodeView | undefined): string[] {
  const onIt = stores.pods.byIndex(indexes.node, name).map(({ metadata, server }) => `${metadata.namespace}/${server}`);
  const claims = [...stores.persistentVolumes.list()]
    .filter(({ hostnames }) => node !== undefined && hostnames?.includes(node.hostname))
    .flatMap(({ claim }) => (claim === undefined ? [] : [`${claim.namespace}/${claim.name}`]));
  const tied = claims
    .flatMap((claim) => stores.servers.byIndex(indexes.claim, claim))
    .map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
  return [...new Set([...onIt, ...tied])];
}
