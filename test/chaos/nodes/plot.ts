import {
  childNames,
  type FailoverPool,
  failoverPools,
  labels,
  type RecordingServer,
  recordingServers,
} from '../../../src/crds/index.js';
import { resources } from '../../../src/operator/resources.js';
import type { ClusterNode } from '../../cluster/cluster.js';
import { waitUntil } from '../../cluster/wait-until.js';
import type { Chronicle } from '../../scenario/chronicle.js';
import { HANG_MS } from '../../scenario/limits.js';
import type { PlannedServer, PoolSettings, SystemPlan } from '../../scenario/plan.js';
import { isTrue } from '../../scenario/summary.js';
import { buildSystem, type MaterialDisk, nodeOf, type RecordingSystem } from '../../scenario/system.js';
import { type Layout, layoutOf } from './draw.js';
import { CAMERA_NAMES, type NodesGround } from './ground.js';
import { TIMEOUT_SECONDS } from './hits.js';

export const POOL = 'site';
/** The one role of each system, and its home server. */
export const ROLE = 'recorder';

/** As who needs every picture asks for it: the operator has a request, too, and would go first. */
const PROCESSOR = '200m';

const settings: PoolSettings = {
  failoverTimeoutSeconds: TIMEOUT_SECONDS,
  storageGraceSeconds: 1,
  recordingServiceGraceSeconds: 2,
  failback: { mode: 'None', stableSeconds: 2 },
  // Two of three nodes may fall silent one after the other; that is what some cases are for.
  storm: { maxUnreachablePercent: 67, holdSeconds: 30 },
};

/** One recording system of a run: a namespace with a pool, a recorder, standbys and cameras, on nodes that all share. */
export class Plot {
  readonly number: number;
  readonly layout: Layout;
  readonly ground: NodesGround;
  #system: RecordingSystem;
  #built: number;
  /** Changes of a spec by us, by server: nobody else may change one. */
  readonly #edits = new Map<string, number>();

  private constructor(ground: NodesGround, number: number, system: RecordingSystem) {
    this.ground = ground;
    this.number = number;
    this.layout = layoutOf(number);
    this.#system = system;
    this.#built = 1;
  }

  /** Builds the system and waits until it is at work. */
  static async open(ground: NodesGround, number: number): Promise<Plot> {
    const plan = planOf(ground, number, `site-${number}`);
    const plot = new Plot(ground, number, await buildSystem(ground.cluster, ground.api, plan));
    await plot.#system.allAtWork(2 * HANG_MS);
    return plot;
  }

  /** Builds it anew under another name, after it could not be made whole; what is left of the old one is taken away. */
  async rebuild(): Promise<void> {
    await this.#system.remove();
    this.#edits.clear();
    this.#built += 1;
    const plan = planOf(this.ground, this.number, `site-${this.number}-b${this.#built}`);
    this.#system = await buildSystem(this.ground.cluster, this.ground.api, plan);
    await this.#system.allAtWork(2 * HANG_MS);
  }

  get system(): RecordingSystem {
    return this.#system;
  }
  get chronicle(): Chronicle {
    return this.#system.chronicle;
  }
  get namespace(): string {
    return this.#system.plan.namespace;
  }
  get servers(): readonly string[] {
    return this.#system.plan.servers.map(({ name }) => name);
  }
  get cameras(): readonly string[] {
    return this.#system.plan.cameras.map(({ name }) => name);
  }

  pool(): FailoverPool | undefined {
    return this.chronicle.find('pools', POOL);
  }
  server(name: string): RecordingServer | undefined {
    return this.chronicle.find('servers', name);
  }
  /** Who holds the role by the pool's decision: in a takeover the one that takes over. */
  holder(): string {
    return this.pool()?.status?.roles?.find(({ name }) => name === ROLE)?.holder ?? ROLE;
  }
  nodeNameOf(server: string): string {
    return this.#system.plan.servers.find(({ name }) => name === server)?.node ?? '';
  }
  nodeOf(server: string): ClusterNode {
    return nodeOf(this.ground.cluster, this.nodeNameOf(server));
  }
  /** The server on a node; a system has at most one on each. */
  serverOn(node: string): string | undefined {
    return this.servers.find((server) => this.nodeNameOf(server) === node);
  }
  disksOf(server: string): readonly MaterialDisk[] {
    return this.#system.disksOf(server);
  }

  /** How often we have changed the spec of a server since it was made. */
  editsOf(server: string): number {
    return this.#edits.get(server) ?? 0;
  }

  async podUIDOf(server: string): Promise<string> {
    const key = { namespace: this.namespace, name: childNames.pod(server) };
    return (await this.ground.api.get<{ metadata: { uid: string } }>(resources.pods, key)).metadata.uid;
  }

  /** A person sets the operating mode of a server. */
  async setMode(server: string, operatingMode: 'Normal' | 'Maintenance'): Promise<void> {
    this.#edits.set(server, this.editsOf(server) + 1);
    await this.ground.api.patch(recordingServers, this.#key(server), { spec: { operatingMode } });
  }

  /** A person asks for something by annotation. */
  async request(id: string, command: string): Promise<void> {
    const annotations = { [labels.request]: `${id} ${command}` };
    await this.ground.api.patch(failoverPools, this.#key(POOL), { metadata: { annotations } });
  }

  /** Waits until a server in maintenance says that it may be worked on, and its pod is really gone. */
  async untilSafeToRepair(server: string): Promise<void> {
    const safe = () => isTrue(this.server(server), 'SafeToRepair');
    await this.chronicle.until(`${this.namespace}/${server} says that it is safe to repair`, safe, HANG_MS);
    const key = this.#key(childNames.pod(server));
    const gone = async () => (await this.ground.api.find(resources.pods, key)) === undefined;
    await waitUntil(`the pod of ${this.namespace}/${server} is gone`, gone, { timeoutMs: HANG_MS });
  }

  #key(name: string): { namespace: string; name: string } {
    return { namespace: this.namespace, name };
  }
}

/** Homes on different nodes, standbys on the nodes after them, so that every node has something of several systems. */
function planOf({ cluster, cameras }: NodesGround, number: number, namespace: string): SystemPlan {
  const layout = layoutOf(number);
  const names = [ROLE, ...Array.from({ length: layout.standbys }, (_, index) => `standby-${index + 1}`)];
  const servers = names.map((name, index): PlannedServer => {
    const node = cluster.nodes[(number + index) % cluster.nodes.length];
    if (node === undefined) throw new Error('the cluster has no nodes');
    return { name, type: name === ROLE ? 'Standard' : 'Failover', node: node.name, disks: 2, processor: PROCESSOR };
  });
  const watched = CAMERA_NAMES.slice(0, layout.cameras).map((name) => ({ name, home: ROLE, url: cameras.url(name) }));
  return { namespace, pool: { name: POOL, spec: settings }, servers, cameras: watched };
}
