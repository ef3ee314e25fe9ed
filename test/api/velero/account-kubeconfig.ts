import { readFile } from 'node:fs/promises';
import { parse, stringify } from 'yaml';
import type { Cluster } from '../../cluster/cluster.js';

interface KubeconfigFile {
  'current-context': string;
  contexts: { name: string; context: { cluster: string; user: string } }[];
  users: unknown[];
}

/** A kubeconfig for the same cluster by which a ServiceAccount comes, for an hour. */
export async function accountKubeconfig(
  cluster: Pick<Cluster, 'kubectl' | 'kubeconfigPath' | 'context'>,
  namespace: string,
  account: string,
): Promise<string> {
  const answer = await cluster.kubectl(['-n', namespace, 'create', 'token', account, '--duration=1h']);
  const config = parse(await readFile(cluster.kubeconfigPath, 'utf8')) as KubeconfigFile;
  const current = config.contexts.find(({ name }) => name === (cluster.context ?? config['current-context']));
  if (!current) throw new Error(`${cluster.kubeconfigPath} has no context to use`);
  const context = { name: account, context: { cluster: current.context.cluster, user: account } };
  return stringify({
    ...config,
    ...{ 'current-context': account, contexts: [context] },
    users: [{ name: account, user: { token: answer.trim() } }],
  });
}
