import {
  API_VERSION,
  type Backup,
  backups,
  type CameraAssignment,
  cameraAssignments,
  type FailoverPool,
  failoverPools,
  type KindResource,
  recordingServers,
} from '../../../src/crds/index.js';
import { PooledKubeConfig } from '../../../src/operator/api/pooled-kube-config.js';
import { createApiClient, type KubeClient, type KubeObject } from '../../../src/operator/index.js';
import type { Cluster } from '../../cluster/cluster.js';
import { until } from './operator-under-test.js';

const volumes = [{ name: 'footage', mountPath: '/footage/a', claimTemplate: { storage: '1Gi' } }];
/** Objects that are made at once. */
const width = 32;

export function clientOf({ kubeconfigPath, context }: Pick<Cluster, 'kubeconfigPath' | 'context'>): KubeClient {
  const kubeConfig = new PooledKubeConfig();
  kubeConfig.loadFromFile(kubeconfigPath);
  if (context !== undefined) kubeConfig.setCurrentContext(context);
  return createApiClient({ kubeConfig });
}

/** Makes and reads objects of ours in one namespace, as a person does. */
export class MadeSystem {
  readonly client: KubeClient;
  readonly namespace: string;

  constructor(client: KubeClient, namespace: string) {
    this.client = client;
    this.namespace = namespace;
  }

  make(type: KindResource, name: string, spec: object): Promise<KubeObject> {
    const object = { apiVersion: API_VERSION, kind: type.kind, metadata: { name, namespace: this.namespace }, spec };
    return this.client.create(type, object as KubeObject);
  }

  pool(name: string, spec: object = {}): Promise<KubeObject> {
    return this.make(failoverPools, name, spec);
  }

  server(name: string, pool: string, type: 'Standard' | 'Failover' = 'Standard'): Promise<KubeObject> {
    return this.make(recordingServers, name, { type, poolRef: { name: pool }, volumes });
  }

  async cameras(home: string, names: readonly string[]): Promise<void> {
    const left = [...names];
    const lane = async (): Promise<void> => {
      for (let name = left.pop(); name !== undefined; name = left.pop()) {
        const source = { url: `rtsp://camera.example/${name}`, credentialsSecretRef: { name: 'cameras' } };
        await this.make(cameraAssignments, name, { serverRef: { name: home }, source });
      }
    };
    await Promise.all(Array.from({ length: width }, lane));
  }

  async poolStatus(name: string): Promise<FailoverPool['status']> {
    return (await this.read<FailoverPool & KubeObject>(failoverPools, name)).status;
  }

  read<T extends KubeObject>(type: KindResource, name: string): Promise<T> {
    return this.client.get<T>(type, { namespace: this.namespace, name });
  }

  async all<T extends KubeObject>(type: KindResource): Promise<T[]> {
    return (await this.client.list<T>(type, { namespace: this.namespace })).items;
  }

  /** Makes a baseline by hand and waits until it is complete. */
  async backUp(name: string, pool: string): Promise<Backup> {
    await this.make(backups, name, { poolRef: { name: pool } });
    return until(
      `Backup ${name} is complete`,
      async () => {
        const found = await this.read<Backup & KubeObject>(backups, name);
        const complete = found.status?.conditions?.find(({ type }) => type === 'Complete');
        return complete?.status === 'True' ? found : undefined;
      },
      120_000,
    );
  }

  /** 'role by server at epoch' of each camera that is bound, by its name. */
  async bindings(): Promise<Record<string, string>> {
    const cameras = await this.all<CameraAssignment & KubeObject>(cameraAssignments);
    const bound = cameras.flatMap(({ metadata, status }) =>
      status?.boundTo
        ? [[metadata.name, `${status.boundTo.role} by ${status.boundTo.server} at ${status.boundTo.epoch}`] as const]
        : [],
    );
    return Object.fromEntries(bound.sort(([one], [other]) => (one < other ? -1 : 1)));
  }
}
