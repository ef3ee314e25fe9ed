import type { Cluster } from '../cluster/cluster.js';
import type { CameraProcess } from '../scenario/camera-process.js';
import type { PlannedCamera, PlannedServer, SystemPlan } from '../scenario/plan.js';
import { type Site, standUp } from '../scenario/stand-up.js';
import { buildSystem, type RecordingSystem } from '../scenario/system.js';

/** Everything that the demo has brought up. */
export interface Stage extends Site {
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
  const cameras = Object.values(homes).flat();
  const request = { name: clusterName(), nodes: 4, cameras, keyFrameSeconds: KEY_FRAME_SECONDS, note, undo };
  const site = await standUp(request);
  note(`The operator is installed, and ${cameras.length} cameras send real video by RTSP`);
  const system = await buildSystem(site.cluster, site.api, planFor(site.cluster, site.cameras));
  undo('the observer', async () => system.chronicle.stop());
  return { ...site, system } satisfies Stage;
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
