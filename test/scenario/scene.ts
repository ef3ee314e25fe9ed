import type { RecordingServerSpec } from '../../src/crds/index.js';
import type { ClusterNode } from '../cluster/cluster.js';
import type { Api } from './api.js';
import { calmHost, Patience } from './calm-host.js';
import type { Chronicle } from './chronicle.js';
import { awaitAtEnd, CAMERA_NAMES, ground } from './ground.js';
import { type CameraMeasurement, measureCamera, untilRecorded } from './measure.js';
import { nodesReady } from './nodes-ready.js';
import type { PlannedServer, PoolSettings } from './plan.js';
import { copyOf, type DiskCopy, mounted } from './readable-disk.js';
import { withoutSilences } from './silences.js';
import type { Site } from './stand-up.js';
import { buildSystem, nodeOf, type RecordingSystem } from './system.js';

/** The three nodes by what the operator has on them at this moment. */
export interface Places {
  /** The replica that leads. */
  readonly leader: string;
  /** The replica that only observes; undefined when both share a node. */
  readonly follower: string | undefined;
  /** No replica. */
  readonly free: string;
}

export interface SceneServer {
  readonly name: string;
  readonly type: RecordingServerSpec['type'];
  readonly on: keyof Places;
  readonly disks?: number;
}

export interface ScenePlan {
  /** Namespace: short, as the names of disks are made from it. */
  readonly name: string;
  readonly servers: readonly SceneServer[];
  /** Home server of each camera, in the order of CAMERA_NAMES. */
  readonly homes: readonly string[];
  readonly pool?: PoolSettings;
}

/** One system of a test file on the shared ground, all at work. */
export interface Scene {
  readonly ground: Site;
  readonly api: Api;
  readonly system: RecordingSystem;
  readonly chronicle: Chronicle;
  readonly namespace: string;
  /** The pool's name. */
  readonly pool: string;
  /** Cameras by name, of one home or of all. */
  cameras(home?: string): readonly string[];
  nodeOf(server: string): ClusterNode;
  /** Footage of a camera since a moment, without holes that the camera itself made; the disks of the servers named `dead` are read from copies. */
  measure(camera: string, sinceMs: number, dead?: readonly string[]): Promise<CameraMeasurement>;
  /** Waits until some seconds of footage of an epoch, or a later one, lie on disks that work. */
  recorded(camera: string, sinceMs: number, epoch: number): Promise<void>;
  /** Deletes the namespace; the next test need not wait for its end, which is waited for after the last one. */
  close(): void;
}

export const POOL = 'site';
// Here for the tests; chaos runs, which have no test framework, take them from their own file.
export { GAP_SECONDS, HANG_MS } from './limits.js';

/** With a host that withholds its processors: for each scene, and for all of them. Milliseconds. */
const patience = new Patience({ onceMs: 45_000, inAllMs: 300_000 });
/** Long enough for two key frames and a sync. */
const SETTLED_SECONDS = 3;

/**
 * For scenes in which disks die. Others keep the grace of the pool: a machine that stands still for the moment of a probe
 * looks like a disk that hangs.
 */
export const DYING_DISKS: PoolSettings = { storageGraceSeconds: 1 };

const defaults: PoolSettings = {
  failoverTimeoutSeconds: 5,
  recordingServiceGraceSeconds: 2,
  failback: { stableSeconds: 3 },
};

/** Builds the system and waits until it is at work. */
export async function openScene(plan: ScenePlan): Promise<Scene> {
  const shared = await ground();
  // Cheaper than a scene that fails because the machine stood still, and has to be played again.
  await patience.spend((limitMs) => calmHost(shared.processor, limitMs));
  await nodesReady(shared.api);
  await shared.operator.ready();
  const places = await placesOf(shared);
  const servers = plan.servers.map(({ name, type, on, disks }): PlannedServer => {
    const node = places[on];
    if (node === undefined) throw new Error(`both replicas of the operator are on ${places.leader}: no '${on}'`);
    return { name, type, node, ...(disks === undefined ? {} : { disks }) };
  });
  const cameras = plan.homes.map((home, index) => {
    const name = CAMERA_NAMES[index] ?? '';
    return { name, home, url: shared.cameras.url(name) };
  });
  const pool = { name: POOL, spec: { ...defaults, ...plan.pool } };
  const system = await buildSystem(shared.cluster, shared.api, { namespace: plan.name, pool, servers, cameras });
  await system.allAtWork();
  const scene = sceneOf(shared, system);
  for (const camera of scene.cameras()) await scene.recorded(camera, 0, 0);
  return scene;
}

async function placesOf({ cluster, operator }: Site): Promise<Places> {
  const leader = await operator.leaderNode();
  const replicas = (await operator.replicas()).map(({ node }) => node);
  const free = cluster.nodes.map(({ name }) => name).find((name) => !replicas.includes(name));
  if (leader === undefined || free === undefined) throw new Error(`no leader, or no free node: ${replicas.join(', ')}`);
  return { leader, follower: replicas.find((node) => node !== leader), free };
}

function sceneOf(shared: Site, system: RecordingSystem): Scene {
  const { plan, chronicle } = system;
  const measure = async (camera: string, sinceMs: number, dead: readonly string[] = []) => {
    const home = plan.cameras.find(({ name }) => name === camera)?.home ?? '';
    const copies: DiskCopy[] = [];
    try {
      const [broken, fine] = [true, false].map((is) =>
        system.disks.filter((disk) => dead.includes(disk.server) === is),
      );
      for (const disk of broken ?? []) copies.push(await copyOf(shared.cluster.name, disk));
      const measurement = await measureCamera([...mounted(fine ?? []), ...copies], home, camera, sinceMs);
      return withoutSilences(measurement, await shared.witness.silences(camera, sinceMs));
    } finally {
      for (const copy of copies) await copy.release();
    }
  };
  return {
    ground: shared,
    api: shared.api,
    system,
    chronicle,
    namespace: plan.namespace,
    pool: plan.pool.name,
    cameras: (home) =>
      plan.cameras.filter((camera) => home === undefined || camera.home === home).map(({ name }) => name),
    nodeOf: (server) => nodeOf(shared.cluster, plan.servers.find(({ name }) => name === server)?.node ?? ''),
    measure,
    recorded: (camera, sinceMs, epoch) => {
      const role = plan.cameras.find(({ name }) => name === camera)?.home ?? '';
      return untilRecorded(mounted(system.disks), { role, camera, sinceMs, epoch }, SETTLED_SECONDS);
    },
    close: () => awaitAtEnd(system.remove()),
  };
}
