import { fileURLToPath } from 'node:url';
import { resources } from '../../src/operator/resources.js';
import type { Cluster } from '../cluster/cluster.js';
import { waitUntil } from '../cluster/wait-until.js';
import type { Api } from './api.js';

/** The chart of this checkout. */
export const CHART = fileURLToPath(new URL('../../deploy/helm/understudy', import.meta.url));
export const OPERATOR_NAMESPACE = 'understudy-system';
export const LEADER_LEASE = 'understudy-operator';
const READY_MS = 360_000;

interface Pod {
  metadata: { name: string; uid: string; labels?: Record<string, string>; deletionTimestamp?: string };
  spec: { nodeName?: string };
  status: {
    phase?: string;
    conditions?: { type: string; status: string }[];
    containerStatuses?: { state?: { waiting?: { reason?: string } } }[];
  };
}

export interface Replica {
  readonly pod: string;
  readonly podUID: string;
  readonly node: string;
  readonly ready: boolean;
  /** The kubelet waits before it starts the container again, the longer the more often it has ended. */
  readonly backsOff: boolean;
}

/** The operator as installed by its chart. */
export interface Operator {
  replicas(): Promise<Replica[]>;
  /** The replica that holds the leader Lease; undefined while nobody leads. */
  leader(): Promise<Replica | undefined>;
  /** Node of the replica that holds the leader Lease; undefined while nobody leads. */
  leaderNode(): Promise<string | undefined>;
  /** Waits for two ready replicas on two nodes, one of which leads. */
  ready(): Promise<void>;
  /** Deletes the pod of a replica; its Deployment makes another one. */
  replace(pod: string): Promise<void>;
}

/** Installs the chart with the image that the nodes have already. */
export async function installOperator(cluster: Cluster, api: Api, image: string, chart: string): Promise<Operator> {
  const colon = image.lastIndexOf(':');
  const settings = {
    'image.repository': image.slice(0, colon),
    'image.tag': image.slice(colon + 1),
    'image.pullPolicy': 'Never',
  };
  const values = Object.entries(settings).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
  const where = ['--namespace', OPERATOR_NAMESPACE, '--create-namespace'];
  await cluster.helm(['upgrade', '--install', 'understudy', chart, ...where, ...values]);
  return operatorOf(api);
}

function operatorOf(api: Api): Operator {
  const replicas = async () => {
    const pods = await api.list<Pod>(resources.pods, OPERATOR_NAMESPACE);
    return pods
      .filter((pod) => pod.metadata.labels?.['app.kubernetes.io/component'] === 'operator')
      .filter((pod) => pod.metadata.deletionTimestamp === undefined)
      .map(replicaOf);
  };
  const leader = async () => {
    const key = { namespace: OPERATOR_NAMESPACE, name: LEADER_LEASE };
    const lease = await api.find<{ spec?: { holderIdentity?: string } }>(resources.leases, key);
    const holder = lease?.spec?.holderIdentity ?? '';
    return (await replicas()).find(({ pod }) => holder === pod || holder.startsWith(`${pod}_`));
  };
  const leaderNode = async () => (await leader())?.node;
  const replace = (pod: string) => api.remove(resources.pods, { namespace: OPERATOR_NAMESPACE, name: pod });
  const ready = async () => {
    const isUp = async () => {
      const all = await replicas();
      return all.length === 2 && all.every((replica) => replica.ready) && (await leaderNode()) !== undefined;
    };
    const hint = async () => `The replicas are: ${JSON.stringify(await replicas())}`;
    // After an outage Kubernetes may have evicted a replica while only the other's node was well: being apart is a wish
    // of the scheduler's, which it heeds only when a pod is placed. So the one that does not lead is placed anew.
    const isApart = async () => {
      if (!(await isUp())) return false;
      const all = await replicas();
      if (new Set(all.map(({ node }) => node)).size === 2) return true;
      const leading = await leader();
      const follower = leading && all.find(({ pod }) => pod !== leading.pod);
      if (follower) await replace(follower.pod);
      return false;
    };
    const what = 'both replicas of the operator are ready, on two nodes';
    await waitUntil(what, isApart, { timeoutMs: READY_MS, intervalMs: 100, hint });
  };
  return { replicas, leader, leaderNode, ready, replace };
}

function replicaOf(pod: Pod): Replica {
  return {
    pod: pod.metadata.name,
    podUID: pod.metadata.uid,
    node: pod.spec.nodeName ?? '',
    ready: isReady(pod),
    backsOff: pod.status.containerStatuses?.some(({ state }) => state?.waiting?.reason === 'CrashLoopBackOff') ?? false,
  };
}

function isReady(pod: Pod): boolean {
  return pod.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}
