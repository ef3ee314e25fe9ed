import { after } from 'mocha';
import { type Cluster, startCluster } from '../cluster/cluster.js';
import { buildImage } from '../image/build.js';
import { type Api, openApi } from './api.js';
import { type CameraProcess, startCameraProcess } from './camera-process.js';
import { CHART, installOperator, type Operator } from './operator.js';
import { openWitness, type Witness } from './witness.js';

/** What the e2e tests of one process share: three real nodes, the operator with two replicas, and cameras. */
export interface Ground {
  readonly cluster: Cluster;
  readonly api: Api;
  readonly operator: Operator;
  readonly cameras: CameraProcess;
  readonly witness: Witness;
}

export const CAMERA_NAMES = ['gate', 'yard', 'dock', 'lobby'];

let opened: Promise<Ground> | undefined;
const undo: (() => Promise<void>)[] = [];

/**
 * The ground, brought up at the first call and taken away after the last test. Exactly three nodes: the smallest
 * system that the rules allow (rule 8), so every test here shows that it is enough.
 */
export function ground(): Promise<Ground> {
  opened ??= open();
  return opened;
}

/** Waits for the work after the last test, before the cluster is taken away; its failure is a failure of the run. */
export function awaitAtEnd(work: Promise<void>): void {
  // Reported by the hook below, not as unhandled before.
  work.catch(() => undefined);
  undo.push(() => work);
}

async function open(): Promise<Ground> {
  const onProgress = (line: string) => console.log(`    ${line}`);
  const image = await buildImage({ onProgress });
  const cluster = await startCluster({ name: `e2e-${process.pid}`, nodes: 3, images: [image.archive], onProgress });
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
  return { cluster, api, operator, cameras, witness };
}

// At the top level of a file that test files import, this is a hook of mocha's root suite: it runs once, at the end.
after('take the cluster away', async function () {
  this.timeout(120_000);
  const failures: unknown[] = [];
  for (const step of undo.reverse()) await step().catch((error) => failures.push(error));
  if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join('\n'));
});
