import { resources } from '../../../src/operator/resources.js';
import type { ClusterNode } from '../../cluster/cluster.js';
import type { Api } from '../../scenario/api.js';
import {
  cutPower,
  everyDisk,
  type Fault,
  fillDisk,
  freezeRecorder,
  hangDisk,
  isolate,
  killDisk,
  killKubelet,
  killRecorder,
  operatorBack,
  partitionNode,
  remountReadOnly,
  restartControlPlane,
  watchOperator,
} from '../../scenario/faults/index.js';
import { OPERATOR_NAMESPACE, type Operator } from '../../scenario/operator.js';
import type { MaterialDisk } from '../../scenario/system.js';
import type { NodeFault } from './faults.js';
import type { NodesGround } from './ground.js';
import { type Plot, ROLE } from './plot.js';

/** Faults of a whole node. */
export type FaultOfNodes = 'power-cut' | 'partition' | 'isolation' | 'kill-kubelet' | 'drain';
/** Faults of what all systems share. */
export type FaultOfControl = 'kill-leader' | 'kill-operators' | 'restart-api' | 'restart-control-plane';

/** How long a drain may wait for the roles to move. Seconds. */
const DRAIN_SECONDS = 90;

/** Injects a fault into a node. */
export const strikeNode: Readonly<Record<FaultOfNodes, (ground: NodesGround, node: ClusterNode) => Promise<Fault>>> = {
  'power-cut': (_, node) => cutPower(node),
  partition: (_, node) => partitionNode(node),
  isolation: ({ cluster }, node) => isolate(cluster, node),
  'kill-kubelet': (_, node) => killKubelet(node),
  drain: drainNode,
};

/** Healing waits until the drain has ended, and throws if it could not. */
async function drainNode({ cluster }: NodesGround, { name }: ClusterNode): Promise<Fault> {
  const options = ['--ignore-daemonsets', '--delete-emptydir-data', '--force', `--timeout=${DRAIN_SECONDS}s`];
  const drained = cluster.kubectl(['drain', name, ...options]).then(
    () => undefined,
    (error: Error) => error,
  );
  return {
    heal: async () => {
      const failure = await drained;
      await cluster.kubectl(['uncordon', name]);
      if (failure !== undefined) throw failure;
    },
  };
}

/** A fault that is ready: some moments are over before a process could be looked up. */
export interface Aim {
  shoot(): Promise<Fault>;
  /** Stops looking. */
  drop(): void;
}

/** Makes a fault of what all systems share ready. */
export const aimAtControl: Readonly<Record<FaultOfControl, (ground: NodesGround) => Promise<Aim>>> = {
  'kill-leader': (ground) => aimAtOperator(ground, 'leader'),
  'kill-operators': (ground) => aimAtOperator(ground, 'all'),
  'restart-api': async ({ cluster }) => ready(() => restartControlPlane(cluster, 'api-server')),
  'restart-control-plane': async ({ cluster }) => ready(() => restartControlPlane(cluster, 'api-server-and-etcd')),
};

const ready = (shoot: () => Promise<Fault>): Aim => ({ shoot, drop: () => undefined });

async function aimAtOperator({ api, operator }: NodesGround, target: 'leader' | 'all'): Promise<Aim> {
  const sight = await watchOperator(api, operator);
  const shoot = async () => {
    if (!sight.shoot(target)) {
      // The fault before has taken the leader with it: the next one is as good.
      await sight.newLeader();
      if (!sight.shoot(target)) throw new Error(`the operator (${target}) could not be hit`);
    }
    return { heal: () => likeNew(api, operator) };
  };
  return { shoot, drop: () => sight.close() };
}

interface OperatorPod {
  readonly metadata: { readonly name: string };
  readonly status: { readonly containerStatuses?: readonly { readonly restartCount: number }[] };
}

/**
 * A kubelet keeps a container waiting that ends again and again. So that each case begins alike, replicas that were
 * killed are replaced, one after the other, when both are back.
 */
async function likeNew(api: Api, operator: Operator): Promise<void> {
  await operatorBack(operator);
  for (const { pod } of await operator.replicas()) {
    const found = await api.find<OperatorPod>(resources.pods, { namespace: OPERATOR_NAMESPACE, name: pod });
    if (found?.status.containerStatuses?.some(({ restartCount }) => restartCount > 0) !== true) continue;
    await operator.replace(pod);
    await operator.ready();
  }
}

/** Injects a fault into one server of a system. `id` tells a person's requests apart. */
export async function strikeServer(fault: NodeFault, plot: Plot, server: string, id: string): Promise<Fault> {
  const disks = plot.disksOf(server);
  switch (fault) {
    case 'kill-recorder':
      return killRecorder(await plot.podUIDOf(server));
    case 'freeze-recorder':
      return freezeRecorder(await plot.podUIDOf(server));
    case 'all-disks':
      return everyDisk(disks, killDisk);
    case 'one-disk':
      return everyDisk(writtenBy(plot, server), killDisk);
    case 'read-only':
      return everyDisk(disks, remountReadOnly);
    case 'full':
      return everyDisk(writtenBy(plot, server), fillDisk);
    case 'hung':
      return everyDisk(disks, hangDisk);
    case 'maintenance':
      await plot.setMode(server, 'Maintenance');
      return {
        heal: async () => {
          await plot.untilSafeToRepair(server);
          await plot.setMode(server, 'Normal');
        },
      };
    case 'request':
      await plot.request(id, `switchover ${ROLE}`);
      return { heal: async () => undefined };
    default:
      throw new Error(`${fault} is no fault of one server`);
  }
}

/** The disk that the recorder writes its first camera to; the first one while it does not say. */
function writtenBy(plot: Plot, server: string): readonly MaterialDisk[] {
  const cameras = plot.chronicle.find('reports', server)?.status?.cameras ?? [];
  const volume = cameras.find((camera) => camera.state === 'Recording')?.volume ?? 'a';
  const disks = plot.disksOf(server);
  return [disks.find(({ disk }) => disk.name.endsWith(`-${volume}`)) ?? disks[0]].filter((disk) => disk !== undefined);
}

/** Whether a fault is one of a whole node. */
export function isNodeFault(fault: NodeFault): fault is FaultOfNodes {
  return fault in strikeNode;
}

/** Whether a fault is one of what all systems share. */
export function isControlFault(fault: NodeFault): fault is FaultOfControl {
  return fault in aimAtControl;
}
