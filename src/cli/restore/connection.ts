import { type BackupEngine, createEngines } from '../../backup/index.js';
import { createApiClient, type KubeClient, PooledKubeConfig } from '../../operator/index.js';
import { type Connection, UsageError } from './arguments.js';

/** The API server of a command, and what keeps baselines there. */
export interface Connected {
  readonly client: KubeClient;
  /** Address of the API server. */
  readonly server: string;
  /** Of the context: where a Backup without a namespace lies. */
  readonly namespace: string;
  readonly engines: ReadonlyMap<string, BackupEngine>;
}

/** Connects as kubectl would. Throws UsageError for a kubeconfig that can't be used. */
export function connect({ kubeconfig, context }: Connection): Connected {
  const config = loaded(kubeconfig);
  if (context !== undefined) {
    if (config.getContextObject(context) === null) {
      const known = config.getContexts().map(({ name }) => name);
      throw new UsageError(`the kubeconfig has no context ${context}; it has ${known.join(', ') || 'none'}`);
    }
    config.setCurrentContext(context);
  }
  const client = createApiClient({ kubeConfig: config });
  const engines = createEngines({ client });
  return {
    client,
    server: config.getCurrentCluster()?.server ?? 'an unknown cluster',
    namespace: config.getContextObject(config.getCurrentContext())?.namespace ?? 'default',
    engines: new Map(engines.map((engine) => [engine.name, engine])),
  };
}

function loaded(path: string | undefined): PooledKubeConfig {
  const config = new PooledKubeConfig();
  try {
    if (path === undefined) config.loadFromDefault();
    else config.loadFromFile(path);
    return config;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new UsageError(`the kubeconfig${path === undefined ? '' : ` ${path}`} can't be read: ${text}`);
  }
}
