import type { ClusterNode } from '../../cluster/cluster.js';
import {
  aimAtOperator,
  cutPower,
  type Fault,
  fillDisk,
  freezeRecorder,
  hangDisk,
  isolate,
  killDisk,
  killKubelet,
  killRecorder,
  partitionNode,
  remountReadOnly,
  restartControlPlane,
} from '../../scenario/faults/index.js';
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

/** Looks up what is needed now, and gives what strikes later at once. */
export const aimAtControl: Readonly<Record<FaultOfControl, (ground: NodesGround) => Promise<() => Promise<Fault>>>> = {
  'kill-leader': async ({ operator }) => inTime(await aimAtOperator(operator, 'leader')),
  'kill-operators': async ({ operator }) => inTime(await aimAtOperator(operator, 'both')),
  'restart-api': async ({ cluster }) => () => restartControlPlane(cluster, 'api-server'),
  'restart-control-plane': async ({ cluster }) => () => restartControlPlane(cluster, 'api-server-and-etcd'),
};

const inTime = (shoot: () => Fault) => async () => shoot();

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

async function everyDisk(disks: readonly MaterialDisk[], strike: (disk: MaterialDisk) => Promise<Fault>): Promise<Fault> {
  const faults = await Promise.all(disks.map(strike));
  return {
    heal: async () => {
      for (const fault of faults) await fault.heal();
    },
  };
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
