import { resources } from '../../src/operator/resources.js';
import { waitUntil } from '../cluster/wait-until.js';
import type { Api } from './api.js';

interface NodeObject {
  readonly metadata: { readonly name: string };
  readonly status: { readonly conditions: readonly { readonly type: string; readonly status: string }[] };
}

/**
 * Kubernetes takes nodes for lost for up to a minute after a restart of the API server, while it catches up with their
 * Leases: it starts no pods on them then, and lets pods that it calls not ready be evicted. Milliseconds.
 */
const READY_MS = 180_000;

/** Waits until Kubernetes takes every node for well, as those who begin something on them expect. */
export async function nodesReady(api: Api): Promise<void> {
  const lost = async () => {
    const nodes = await api.list<NodeObject>(resources.nodes);
    const isReady = ({ status }: NodeObject) =>
      status.conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True');
    return nodes.filter((node) => !isReady(node)).map(({ metadata }) => metadata.name);
  };
  await waitUntil('every node is Ready', async () => (await lost()).length === 0, {
    timeoutMs: READY_MS,
    intervalMs: 500,
    hint: async () => `Not ready: ${(await lost()).join(', ')}`,
  });
}
