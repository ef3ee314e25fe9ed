import { ensureBinaries } from './binaries.js';
import { type Cluster, runHelm } from './cluster.js';
import { run } from './run-command.js';

export interface ExistingClusterOptions {
  /** A kubeconfig file; kubectl's own choice (KUBECONFIG, ~/.kube/config) unless given. */
  readonly kubeconfig?: string;
  /** A context in it; its current one unless given. */
  readonly context?: string;
  readonly onProgress?: (line: string) => void;
}

/**
 * Takes a cluster of the user's own, and says so: what the caller does there is done to a real cluster. It is neither
 * started nor stopped, and no fault can be injected. Throws if it does not answer.
 */
export async function useExistingCluster(options: ExistingClusterOptions): Promise<Cluster> {
  const onProgress = options.onProgress ?? ((line: string) => console.log(line));
  const kubectlPath = (await ensureBinaries(['kubectl'], onProgress))('kubectl');
  const flags = [
    ...(options.kubeconfig ? ['--kubeconfig', options.kubeconfig] : []),
    ...(options.context ? ['--context', options.context] : []),
  ];
  const kubectl = (args: readonly string[], input?: string) =>
    run(kubectlPath, [...flags, ...args], input === undefined ? {} : { input });
  const view = JSON.parse(await kubectl(['config', 'view', '--minify', '-o', 'json'])) as ConfigView;
  const context = view['current-context'] ?? '';
  const server = view.clusters?.[0]?.cluster?.server ?? '';
  onProgress(`Using your own cluster, context "${context}" at ${server}. No node faults can be injected there.`);
  await kubectl(['get', '--raw', '/version', '--request-timeout=10s']);
  const refuse = async (): Promise<void> => {
    throw new Error(`The API server at ${server} is your own; it is not stopped or started from here.`);
  };
  const kubeconfigPath = options.kubeconfig ?? process.env.KUBECONFIG ?? `${process.env.HOME}/.kube/config`;
  return {
    name: context,
    kubeconfigPath,
    context,
    auditLogPath: undefined,
    nodes: [],
    bridgeAddress: undefined,
    kubectl,
    helm: (args) => runHelm(kubeconfigPath, ['--kube-context', context, ...args], onProgress),
    stop: async () => undefined,
    keep: async () => undefined,
    controlPlane: { stopApiServer: refuse, startApiServer: refuse, stopEtcd: refuse, startEtcd: refuse },
  };
}

interface ConfigView {
  readonly 'current-context'?: string;
  readonly clusters?: readonly { readonly cluster?: { readonly server?: string } }[];
}
