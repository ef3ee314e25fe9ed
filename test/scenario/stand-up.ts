import { type Cluster, startCluster } from '../cluster/cluster.js';
import { buildImage } from '../image/build.js';
import { type Api, openApi } from './api.js';
import { type CameraProcess, startCameraProcess } from './camera-process.js';
import { ProcessorWatch } from './machine.js';
import { CHART, installOperator, type Operator } from './operator.js';
import { openWitness, type Witness } from './witness.js';

/** What every system on real nodes needs: the nodes, the operator with two replicas, cameras, and who watches both. */
export interface Site {
  readonly cluster: Cluster;
  readonly api: Api;
  readonly operator: Operator;
  readonly cameras: CameraProcess;
  readonly witness: Witness;
  readonly processor: ProcessorWatch;
}

export interface SiteRequest {
  /** Of the cluster. */
  readonly name: string;
  readonly nodes: number;
  readonly cameras: readonly string[];
  /** Between key frames of each camera; 1 by default. */
  readonly keyFrameSeconds?: number;
  /** True by default. */
  readonly auditLog?: boolean;
  note(line: string): void;
  /** Is given each step that takes something away again as soon as that something is there; the last comes first. */
  undo(name: string, step: () => Promise<void>): void;
}

/** Builds the image and the cluster, and installs the operator, which may not be ready yet. On failure what is there is left to `undo`. */
export async function standUp({ note, undo, ...request }: SiteRequest): Promise<Site> {
  const image = await buildImage({ onProgress: note });
  const { name, nodes, auditLog = true } = request;
  const cluster = await startCluster({ name, nodes, auditLog, images: [image.archive], onProgress: note });
  undo('the cluster', () => cluster.stop());
  const api = openApi(cluster.kubeconfigPath);
  undo('connections', () => api.close());
  const [operator, cameras] = await Promise.all([
    installOperator(cluster, api, image.reference, CHART),
    startCameraProcess(request.cameras, cluster, request.keyFrameSeconds),
  ]);
  undo('the cameras', () => cameras.stop());
  const witness = await openWitness(cluster.name, cameras);
  undo('the witness', async () => witness.stop());
  const processor = new ProcessorWatch();
  undo('the watch over the processor', async () => processor.close());
  return { cluster, api, operator, cameras, witness, processor };
}
