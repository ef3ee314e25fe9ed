import { type Cluster, startCluster } from '../../cluster/cluster.js';
import { userId } from '../../cluster/paths.js';
import { buildImage } from '../../image/build.js';
import { type Api, openApi } from '../../scenario/api.js';
import { type CameraProcess, startCameraProcess } from '../../scenario/camera-process.js';
import { CHART, installOperator, type Operator } from '../../scenario/operator.js';
import { openWitness, type Witness } from '../../scenario/witness.js';

/** What all systems of a run share: four real nodes, the operator with two replicas, and cameras. */
export interface NodesGround {
  readonly cluster: Cluster;
  readonly api: Api;
  readonly operator: Operator;
  readonly cameras: CameraProcess;
  readonly witness: Witness;
  /** Takes everything away again. */
  close(): Promise<void>;
}

const NODES = 4;
/** Every system watches the same cameras: one picture is enough, since each recorder has a session of its own. */
export const CAMERA_NAMES: readonly string[] = ['gate', 'yard'];

/** Why there can be no real nodes here, in one line; undefined when there can. */
export function whyNoNodes(): string | undefined {
  if (process.platform !== 'linux') return 'the nodes tier needs Linux: its nodes are made of namespaces of the kernel';
  if (userId() === 0) return undefined;
  return 'the nodes tier needs root: its nodes are network namespaces with a container runtime and disks of their own';
}

/** Brings the ground up; on failure nothing is left. */
export async function openNodesGround(note: (line: string) => void): Promise<NodesGround> {
  const undo: (() => Promise<void>)[] = [];
  const close = async () => {
    const failures: unknown[] = [];
    for (const step of undo.splice(0).reverse()) await step().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join('\n'));
  };
  try {
    const image = await buildImage({ onProgress: note });
    const name = `chaos-${process.pid}`;
    // The audit log of hours would be gigabytes that nobody reads.
    const options = { name, nodes: NODES, images: [image.archive], auditLog: false, onProgress: note };
    const cluster = await startCluster(options);
    undo.push(() => cluster.stop());
    const api = openApi(cluster.kubeconfigPath);
    undo.push(() => api.close());
    const [operator, cameras] = await Promise.all([
      installOperator(cluster, api, image.reference, CHART),
      startCameraProcess(CAMERA_NAMES, cluster),
    ]);
    undo.push(() => cameras.stop());
    const witness = await openWitness(cluster.name, cameras);
    undo.push(async () => witness.stop());
    await operator.ready();
    return { cluster, api, operator, cameras, witness, close };
  } catch (error) {
    await close();
    throw error;
  }
}
