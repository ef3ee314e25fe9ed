import { startCluster } from '../cluster/cluster.js';
import { buildImage } from '../image/build.js';
import { openApi } from './api.js';
import { startCameraProcess } from './camera-process.js';
import { CHART, installOperator } from './operator.js';
import { buildSystem } from './system.js';

const t0 = performance.now();
const say = (l: string) => console.log(((performance.now() - t0) / 1000).toFixed(1), l);
const image = await buildImage({ onProgress: say });
const cluster = await startCluster({ name: 'e2e-dev', nodes: 3, images: [image.archive], onProgress: say });
await cluster.keep();
const api = openApi(cluster.kubeconfigPath);
const [op, cams] = await Promise.all([
  installOperator(cluster, api, image.reference, CHART),
  startCameraProcess(['gate', 'yard', 'dock', 'lobby'], cluster),
]);
say('installed');
const spec = {
  failoverTimeoutSeconds: 5,
  storageGraceSeconds: 1,
  recordingServiceGraceSeconds: 2,
  failback: { stableSeconds: 3 },
};
const system = await buildSystem(cluster, api, {
  namespace: 'dev',
  pool: { name: 'site', spec },
  servers: [
    { name: 'recorder', type: 'Standard', node: 'node-1' },
    { name: 'standby', type: 'Failover', node: 'node-2' },
  ],
  cameras: [
    { name: 'gate', home: 'recorder', url: cams.url('gate') },
    { name: 'yard', home: 'recorder', url: cams.url('yard') },
  ],
});
try {
  await op.ready();
  say('operator ready');
} catch (e) {
  say(String(e));
}
try {
  await system.allAtWork(40000);
  say('all at work');
} catch (e) {
  say(String(e));
}
process.exit(0);
