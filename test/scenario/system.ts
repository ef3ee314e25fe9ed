import { setTimeout as pause } from 'node:timers/promises';
import { cameraAssignments, failoverPools, recordingServers } from '../../src/crds/index.js';
import { resources } from '../../src/operator/resources.js';
import type { Cluster, NodeDisk } from '../cluster/cluster.js';
import { localStorageClass, localVolume } from '../cluster/local-volume.js';
import { waitUntil } from '../cluster/wait-until.js';
import { AnswerError, type Api } from './api.js';
import { type Chronicle, openChronicle } from './chronicle.js';
import {
  cameraManifest,
  namespaceManifest,
  type PlannedServer,
  poolManifest,
  type SystemPlan,
  serverManifest,
  volumeName,
} from './plan.js';
import { isTrue } from './summary.js';

/** A server's disk, as the node has it. */
export interface MaterialDisk {
  readonly server: string;
  readonly node: string;
  readonly disk: NodeDisk;
}

/** A recording system on a cluster with nodes. */
export interface RecordingSystem {
  readonly plan: SystemPlan;
  readonly chronicle: Chronicle;
  readonly disks: readonly MaterialDisk[];
  /** Disks of one server. */
  disksOf(server: string): readonly MaterialDisk[];
  /** Waits until every standard server records its cameras and every other one stands by. */
  allAtWork(timeoutMs?: number): Promise<void>;
  /** Deletes the namespace and waits until it is gone; then the volumes. */
  remove(): Promise<void>;
}

const DISK_MIB = 192;
const START_MS = 180_000;
const END_MS = 180_000;

/** Makes disks on the nodes and writes what a person would write; returns before anything runs. */
export async function buildSystem(cluster: Cluster, api: Api, plan: SystemPlan): Promise<RecordingSystem> {
  const storageClass = `${plan.namespace}-disks`;
  await api.apply(resources.namespaces, namespaceManifest(plan.namespace));
  await api.apply(resources.storageClasses, localStorageClass(storageClass));
  const disks = (await Promise.all(plan.servers.map((server) => addDisks(cluster, plan, server)))).flat();
  const volumes = disks.map(({ node, disk }) =>
    localVolume({ name: node }, disk, {
      name: `${node}-${disk.name}`,
      storageClass,
      capacity: `${DISK_MIB}Mi`,
    }),
  );
  for (const volume of volumes) await api.apply(resources.persistentVolumes, volume);

  const chronicle = openChronicle(api, plan.namespace);
  await api.apply(failoverPools, poolManifest(plan));
  for (const server of plan.servers) {
    await api.apply(recordingServers, serverManifest(plan, server, storageClass, `${DISK_MIB / 2}Mi`));
  }
  for (const camera of plan.cameras) await api.apply(cameraAssignments, cameraManifest(plan, camera));

  return {
    plan,
    chronicle,
    disks,
    disksOf: (server) => disks.filter((each) => each.server === server),
    allAtWork: (timeoutMs = START_MS) => allAtWork(plan, chronicle, timeoutMs),
    remove: async () => {
      chronicle.stop();
      await removeNamespace(api, plan.namespace);
      for (const { metadata } of volumes) {
        await answered(() => api.remove(resources.persistentVolumes, { name: metadata.name }));
      }
      await answered(() => api.remove(resources.storageClasses, { name: storageClass }));
    },
  };
}

async function addDisks(cluster: Cluster, plan: SystemPlan, server: PlannedServer): Promise<MaterialDisk[]> {
  const node = nodeOf(cluster, server.node);
  const made: MaterialDisk[] = [];
  for (let index = 0; index < (server.disks ?? 1); index++) {
    const disk = await node.addDisk(`${plan.namespace}-${server.name}-${volumeName(index)}`, DISK_MIB);
    made.push({ server: server.name, node: server.node, disk });
  }
  return made;
}

/** The node of that name. */
export function nodeOf(cluster: Cluster, name: string) {
  const node = cluster.nodes.find((each) => each.name === name);
  if (!node) throw new Error(`the cluster has no node '${name}': ${cluster.nodes.map((each) => each.name).join(', ')}`);
  return node;
}

async function allAtWork(plan: SystemPlan, chronicle: Chronicle, timeoutMs: number): Promise<void> {
  const expected = (server: PlannedServer) => (server.type === 'Standard' ? 'Active' : 'Standby');
  await chronicle.until(
    'every recorder records its cameras and every standby stands by',
    () =>
      plan.servers.every((server) => {
        const found = chronicle.find('servers', server.name);
        return found?.status?.state === expected(server) && isTrue(found, 'Ready');
      }) && plan.cameras.every((camera) => isTrue(chronicle.find('cameras', camera.name), 'Recording')),
    timeoutMs,
  );
}

/** Deletes a namespace as a person would, and waits until it has ended. */
export async function removeNamespace(api: Api, name: string): Promise<void> {
  await answered(() => api.remove(resources.namespaces, { name }));
  await waitUntil(
    `namespace ${name} is gone`,
    async () => (await answered(() => api.find(resources.namespaces, { name }))) === undefined,
    {
      timeoutMs: END_MS,
      intervalMs: 200,
      hint: () => namespaceLeftovers(api, name),
    },
  );
}

/** Removal goes on behind the next test, which may stop the API server for a while: then it is asked again. */
async function answered<T>(ask: () => Promise<T>): Promise<T> {
  for (const end = performance.now() + END_MS; ; ) {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof AnswerError || performance.now() > end) throw error;
      await pause(500);
    }
  }
}

async function namespaceLeftovers(api: Api, name: string): Promise<string> {
  const namespace = await api.find<{ status?: { conditions?: { message?: string }[] } }>(resources.namespaces, {
    name,
  });
  return (namespace?.status?.conditions ?? []).map((condition) => condition.message).join(' ');
}
