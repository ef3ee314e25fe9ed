import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runFolder } from '../../cluster/paths.js';
import { OPERATOR_NAMESPACE } from '../../scenario/operator.js';
import type { Act } from './act.js';

/** What is kept of the namespace of a system. */
const KINDS = 'fop,rsrv,cam,rrep,rbak,pods,leases,pvc,pdb,events';

/**
 * Keeps what there is to see of a system that showed a violation, beside the clusters' own folders, because the cluster's
 * own ends with it: all objects, and the logs of the operator. Gives a line that says where. Never rejects.
 */
export async function keepFindings({ plot }: Act, name: string): Promise<string> {
  const { cluster } = plot.ground;
  const folder = join(runFolder(), 'findings', cluster.name, name.replaceAll('/', '_'), plot.namespace);
  const keep = async (file: string, args: readonly string[]): Promise<void> => {
    const text = await cluster.kubectl(args).catch((error: unknown) => String(error));
    await writeFile(join(folder, file), text);
  };
  try {
    await mkdir(folder, { recursive: true });
    await keep('objects.yaml', ['get', KINDS, '--namespace', plot.namespace, '--output', 'yaml']);
    await keep('nodes.txt', ['get', 'nodes,pods', '--all-namespaces', '--output', 'wide']);
    const logs = ['logs', '--namespace', OPERATOR_NAMESPACE, '--selector', 'app.kubernetes.io/component=operator'];
    await keep('operator.log', [...logs, '--prefix', '--tail=2000']);
    for (const server of plot.servers)
      await keep(`${server}.log`, ['logs', '--namespace', plot.namespace, server, '--tail=1000']);
    return `what was there is kept in ${folder}`;
  } catch (error) {
    return `what was there could not be kept: ${String(error)}`;
  }
}
