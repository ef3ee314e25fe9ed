import { type Cluster, startCluster } from '../cluster/cluster.js';
import { buildImage } from '../image/build.js';
import { type Api, openApi } from '../scenario/api.js';
import { type CameraProcess, startCameraProcess } from '../scenario/camera-process.js';
import { CHART, installOperator, type Operator } from '../scenario/operator.js';
import type { PlannedCamera, PlannedServer, SystemPlan } from '../scenario/plan.js';
import { buildSystem, type RecordingSystem } from '../scenario/system.js';
import { openWitness, type Witness } from '../scenario/witness.js';

/** Everything that the demo has brought up. */
export interface Stage {
  readonly cluster: Cluster;
  readonly api: Api;
  readonly operator: Operator;
  readonly cameras: CameraProcess;
  readonly witness: Witness;
  readonly system: RecordingSystem;
}

export const POOL = 'site';
export const NAMESPACE = 'demo';
export const TIMEOUT_SECONDS = 5;
export const STORAGE_GRACE_SECONDS = 0;
export const STABLE_SECONDS = 10;
/** As many real cameras have it. A takeover waits for the key frame of each camera. */
export const KEY_FRAME_SECONDS = 3;

const homes = {
  'recorder-1': ['gate', 'yard', 'dock', 'lobby'],
  'recorder-2': ['stairs', 'vault', 'garage', 'roof'],
};
const standbys = ['standby-1', 'standby-2'];

/** Builds the image and the cluster, then everything on it; `undo` takes it away again, whatever has been reached. */
export async function setUp(note: (line: string) => void, undo: (name: string, step: () => Promise<void>) => void) {
  const image = await buildImage({ onProgress: note });
  const cluster = await startCluster({ name: clusterName(), nodes: 4, images: [image.archive], onProgress: note });
  undo('the cluster', () => cluster.stop());
  const api = openApi(cluster.kubeconfigPath);
  undo('connections', () => api.close());

  const cameraNames = Object.values(homes).flat();
  const [operator, cameras] = await Promise.all([
    installOperator(cluster, api, image.reference, CHART),
    startCameraProcess(cameraNames, cluster, KEY_FRAME_SECONDS),
  ]);
  undo('the cameras', () => cameras.stop());
  const witness = await openWitness(cluster.name, cameras);
  undo('the witness', async () => witness.stop());
  note(`The operator is installed, and ${cameraNames.length} cameras send real video by RTSP`);
  const system = await buildSystem(cluster, api, planFor(cluster, cameras));
  undo('the observer', async () => system.chronicle.stop());
  return { cluster, api, operator, cameras, witness, system } satisfies Stage;
}

function clusterName(): string {
  return `demo-${process.pid}`;
}

function planFor(cluster: Cluster, cameras: CameraProcess): SystemPlan {
  const names = [...Object.keys(homes), ...standbys];
  const servers = names.map((name, index): PlannedServer => {
    const node = cluster.nodes[index]?.name;
    if (node === undefined)
      throw new Error(`the cluster has ${cluster.nodes.length} nodes, the demo needs ${names.length}`);
    return { name, node, type: name in homes ? 'Standard' : 'Failover' };
  });
  const planned = Object.entries(homes).flatMap(([home, own]) =>
    own.map((name): PlannedCamera => ({ name, home, url: cameras.url(name) })),
  );
  const spec = {
    failoverTimeoutSeconds: TIMEOUT_SECONDS,
    storageGraceSeconds: STORAGE_GRACE_SECONDS,
    failback: { stableSeconds: STABLE_SECONDS },
  };
  return { namespace: NAMESPACE, pool: { name: POOL, spec }, servers, cameras: planned };
}
