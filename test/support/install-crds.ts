import { fileURLToPath } from 'node:url';
import type { Cluster } from '../cluster/cluster.js';

/** Applies the generated CRDs and waits until the API server serves them. */
export async function installCrds(cluster: Pick<Cluster, 'kubectl'>): Promise<void> {
  const folder = fileURLToPath(new URL('../../deploy/crds', import.meta.url));
  await cluster.kubectl(['apply', '--server-side', '-f', folder]);
  await cluster.kubectl(['wait', '--for=condition=Established', '--timeout=60s', '-f', folder]);
}
