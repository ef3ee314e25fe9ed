import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { maxNodes } from './addressing.js';
import { ensureBinaries } from './binaries.js';
import { writeState } from './cluster-state.js';
import { adminKubeconfigPath, type ControlPlane, startControlPlane } from './control-plane.js';
import { auditLogPath, type ControlPlaneSettings } from './control-plane-arguments.js';
import type { NodeDisk } from './disk.js';
import { freePorts } from './free-ports.js';
import { startGuard } from './guard.js';
import { buildNodeImages } from './images.js';
import { openJournal } from './journal.js';
import { makeNetwork } from './network.js';
import { type ClusterNode, startNodes } from './node.js';
import { ensurePackages } from './packages.js';
import { checkFoldersForNodes, clusterFolder, userId } from './paths.js';
import { type Reservation, reserveCluster } from './reservation.js';
import { run } from './run-command.js';
import { tearDown } from './teardown.js';
import { controlPlaneTools, nodeTools } from './tool-catalog.js';
import { waitUntil } from './wait-until.js';

export type { ClusterNode, NodeDisk };

export interface ClusterOptions {
  /** A DNS label, unique on this machine; a random one unless given. */
  readonly name?: string;
  /** 0, the default, is a control plane alone, which needs no root; at most 20. */
  readonly nodes?: number;
  /** Docker archives that every node has from the start. Far faster than loading them into each node afterwards. */
  readonly images?: readonly string[];
  readonly onProgress?: (line: string) => void;
  /** On unless switched off: every write, with who and when, as JSON lines. */
  readonly auditLog?: boolean;
  /** How long a node may be silent before Kubernetes calls it lost, in seconds; 40 unless given, at least 4. */
  readonly nodeMonitorGraceSeconds?: number;
}

/**
 * A running cluster. It ends with the process that started it, even by kill -9, unless `keep` was called.
 */
export interface Cluster {
  readonly name: string;
  /** An administrator's kubeconfig, complete in one file. */
  readonly kubeconfigPath: string;
  /** The context to use in that file; undefined: its current one. */
  readonly context: string | undefined;
  /** Undefined for a cluster of the user's own, or if it was switched off. */
  readonly auditLogPath: string | undefined;
  readonly nodes: readonly ClusterNode[];
  /** The address of this machine that pods can reach; undefined without nodes. */
  readonly bridgeAddress: string | undefined;
  /** Runs kubectl as administrator and gives its output. Throws CommandError with what kubectl said. */
  kubectl(args: readonly string[], input?: string): Promise<string>;
  /** Runs helm, which is built at the first call. */
  helm(args: readonly string[]): Promise<string>;
  /** Takes the cluster away and proves that nothing is left; it throws if something is. May be called twice. */
  stop(): Promise<void>;
  /** From now on the cluster stays until `npm run cluster -- down`. */
  keep(): Promise<void>;
  readonly controlPlane: {
    /** Kills the API server and resolves when it is gone; etcd keeps its data. */
    stopApiServer(): Promise<void>;
    /** Starts it on the same port with the same data, and resolves when it is ready: etcd must run by then. */
    startApiServer(): Promise<void>;
    /** Kills etcd and resolves when it is gone. An API server that still runs then answers with errors, or not at all. */
    stopEtcd(): Promise<void>;
    /** Starts etcd with the data that it had. */
    startEtcd(): Promise<void>;
  };
}

/** Starts a cluster and resolves when its API server is ready and all its nodes are Ready. On failure nothing is left. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const onProgress = options.onProgress ?? (() => undefined);
  const nodeCount = options.nodes ?? 0;
  const name = options.name ?? `c${randomBytes(3).toString('hex')}`;
  checkOptions(name, nodeCount, options);
  await ensurePackages(nodeCount > 0, onProgress);
  const names = nodeCount > 0 ? [...controlPlaneTools, ...nodeTools] : controlPlaneTools;
  const binaries = await ensureBinaries(names, onProgress);

  const reservation = await reserveCluster(name, nodeCount, onProgress);
  try {
    return await buildCluster({ ...options, onProgress }, reservation, nodeCount, binaries);
  } catch (error) {
    await tearDown(name);
    throw error;
  }
}

function checkOptions(name: string, nodes: number, options: ClusterOptions): void {
  clusterFolder(name);
  if (!Number.isInteger(nodes) || nodes < 0 || nodes > maxNodes)
    throw new Error(`A cluster has 0 to ${maxNodes} nodes, not ${nodes}.`);
  if (nodes > 0 && userId() !== 0) {
    throw new Error('Real nodes need root: they are network namespaces with a container runtime each. Run it as root.');
  }
  if (nodes > 0) checkFoldersForNodes();
  if ((options.nodeMonitorGraceSeconds ?? 40) < 4) throw new Error('nodeMonitorGraceSeconds must be at least 4.');
}

type Binaries = Awaited<ReturnType<typeof ensureBinaries>>;

async function buildCluster(
  options: ClusterOptions & { onProgress: (line: string) => void },
  reservation: Reservation,
  nodeCount: number,
  binaries: Binaries,
): Promise<Cluster> {
  const { state, folder, addressing } = reservation;
  const journal = openJournal(folder);
  const guard = await startGuard(state.name, folder, journal);
  const images = addressing && buildNodeImages(folder, binaries, options.images ?? [], options.onProgress);
  // It is awaited below; if something else fails first, its own failure must not be reported as unhandled.
  images?.catch(() => undefined);

  if (addressing) await makeNetwork(addressing, nodeCount, journal);
  const settings = await settingsOf(options, reservation);
  const controlPlane = await startControlPlane({
    name: state.name,
    settings,
    binaries,
    journal,
    namespace: addressing?.controlPlane.namespace,
    serverNames: ['127.0.0.1', ...(addressing ? [addressing.controlPlane.address, addressing.kubernetesService] : [])],
  });
  options.onProgress(`The control plane of ${state.name} is ready at ${controlPlane.server}`);

  const kubectl = (args: readonly string[], input?: string) =>
    run(binaries('kubectl'), ['--kubeconfig', state.kubeconfigPath, ...args], input === undefined ? {} : { input });
  const withNodes = async (): Promise<readonly ClusterNode[]> => {
    if (!addressing || !images) return [];
    const grace = settings.nodeMonitorGraceSeconds;
    const context = { folder, addressing, journal, binaries, controlPlane, images: await images, graceSeconds: grace };
    const started = await startNodes(nodeCount, context);
    await untilNodesAreReady(kubectl, nodeCount);
    options.onProgress(nodeCount === 1 ? 'The node is Ready' : `All ${nodeCount} nodes are Ready`);
    return started;
  };
  const nodes = await withNodes().catch((error) => {
    controlPlane.letGo();
    throw error;
  });
  await writeState({ ...state, ready: true });
  return clusterOf({ reservation, guard, settings, nodes, controlPlane, kubectl, onProgress: options.onProgress });
}

async function settingsOf(options: ClusterOptions, reservation: Reservation): Promise<ControlPlaneSettings> {
  const { addressing, folder } = reservation;
  const common = {
    folder,
    auditLog: options.auditLog ?? true,
    nodeMonitorGraceSeconds: options.nodeMonitorGraceSeconds ?? 40,
  };
  if (addressing) {
    const { address } = addressing.controlPlane;
    const ports = { apiPort: 6443, etcdPort: 2379, etcdPeerPort: 2380 };
    return { ...common, ...ports, address, serviceRange: addressing.serviceRange, hasNodes: true };
  }
  const [apiPort = 0, etcdPort = 0, etcdPeerPort = 0] = await freePorts(3);
  const ports = { apiPort, etcdPort, etcdPeerPort };
  // Nothing is ever sent to an address of it; a run of thousands of tests, each with Services of its own, needs many.
  return { ...common, ...ports, address: '127.0.0.1', serviceRange: '10.0.0.0/16', hasNodes: false };
}

async function untilNodesAreReady(kubectl: Cluster['kubectl'], count: number): Promise<void> {
  const query = '{range .items[*]}{.status.conditions[?(@.type=="Ready")].status}{" "}{end}';
  const ready = async () => {
    const states = (await kubectl(['get', 'nodes', '-o', `jsonpath=${query}`])).trim().split(' ');
    return states.filter((state) => state === 'True').length === count;
  };
  const hint = () => kubectl(['describe', 'nodes']);
  await waitUntil(`all ${count} nodes are Ready`, ready, { timeoutMs: 90_000, intervalMs: 200, hint });
}

interface ClusterParts {
  readonly reservation: Reservation;
  readonly guard: { dismiss(): Promise<void> };
  readonly settings: ControlPlaneSettings;
  readonly nodes: readonly ClusterNode[];
  readonly controlPlane: ControlPlane;
  readonly kubectl: Cluster['kubectl'];
  readonly onProgress: (line: string) => void;
}

function clusterOf(parts: ClusterParts): Cluster {
  const { reservation, settings, controlPlane } = parts;
  const { state, folder, addressing } = reservation;
  let stopping: Promise<void> | undefined;
  return {
    name: state.name,
    kubeconfigPath: adminKubeconfigPath(folder),
    context: undefined,
    auditLogPath: settings.auditLog ? auditLogPath(folder) : undefined,
    nodes: parts.nodes,
    bridgeAddress: addressing?.bridgeAddress,
    kubectl: parts.kubectl,
    helm: (args) => runHelm(state.kubeconfigPath, args, parts.onProgress),
    stop: () => {
      controlPlane.letGo();
      stopping ??= tearDown(state.name).then(() => undefined);
      return stopping;
    },
    keep: async () => {
      const { owner: _, ...persistent } = state;
      await writeState({ ...persistent, ready: true });
      await parts.guard.dismiss();
    },
    controlPlane: {
      stopApiServer: () => controlPlane.stopApiServer(),
      startApiServer: () => controlPlane.startApiServer(),
      stopEtcd: () => controlPlane.stopEtcd(),
      startEtcd: () => controlPlane.startEtcd(),
    },
  };
}

/** Its caches go to a folder beside the kubeconfig, so that no repository of the user's is read or changed. */
export async function runHelm(kubeconfig: string, args: readonly string[], onProgress: (line: string) => void) {
  const binaries = await ensureBinaries(['helm'], onProgress);
  const home = join(kubeconfig, '..', 'helm');
  const env = { ...process.env, HELM_CACHE_HOME: home, HELM_CONFIG_HOME: home, HELM_DATA_HOME: home };
  return run(binaries('helm'), ['--kubeconfig', kubeconfig, ...args], { env, timeoutMs: 600_000 });
}
