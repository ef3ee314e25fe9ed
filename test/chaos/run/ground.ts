import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { parse } from 'yaml';
import { createApiClient, type KubeClient, PooledKubeConfig, resources } from '../../../src/operator/index.js';
import type { Ground } from '../cases/run-case.js';
import type { Upstream } from '../proxy/fault-proxy.js';
import { Observatory } from '../world/observatory.js';
import { StallWatch } from './stalls.js';

/** Requests of the cases' own side at once: heartbeats must not wait behind one another. */
const connections = 64;

interface KubeConfigFile {
  readonly clusters: readonly {
    readonly cluster: { readonly server: string; readonly 'certificate-authority-data': string };
  }[];
  readonly users: readonly {
    readonly user: { readonly 'client-certificate-data': string; readonly 'client-key-data': string };
  }[];
}

/** How the proxies reach the API server: as an administrator, by the certificate in the kubeconfig. */
function upstreamOf(kubeconfigPath: string): Upstream & { readonly agent: Agent } {
  const config = parse(readFileSync(kubeconfigPath, 'utf8')) as KubeConfigFile;
  const [cluster, user] = [config.clusters[0]?.cluster, config.users[0]?.user];
  if (!cluster || !user) throw new Error(`${kubeconfigPath} names no cluster or no user`);
  const decoded = (text: string): Buffer => Buffer.from(text, 'base64');
  const agent = new Agent({
    keepAlive: true,
    ca: decoded(cluster['certificate-authority-data']),
    cert: decoded(user['client-certificate-data']),
    key: decoded(user['client-key-data']),
  });
  return { origin: cluster.server, agent };
}

export interface OpenGround extends Ground {
  close(): Promise<void>;
}

/** What all cases share. */
export async function openGround(kubeconfigPath: string): Promise<OpenGround> {
  const kubeConfig = new PooledKubeConfig({ connections });
  kubeConfig.loadFromFile(kubeconfigPath);
  const client: KubeClient = createApiClient({ kubeConfig });
  const upstream = upstreamOf(kubeconfigPath);
  const observatory = new Observatory(client);
  await observatory.start();
  return {
    client,
    upstream,
    observatory,
    async close() {
      await observatory.stop();
      await client.close();
      upstream.agent.destroy();
    },
  };
}

/** Watches this process and its API server. */
export function stallWatchOf({ client }: Ground): StallWatch {
  return new StallWatch(() => client.get(resources.namespaces, { name: 'default' }));
}
