import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SlotAddressing } from './addressing.js';
import type { Binaries } from './binaries.js';
import { findCgroups, makeCgroup, processesIn, removeCgroup, weighCgroup } from './cgroups.js';
import type { ControlPlane } from './control-plane.js';
import { type Daemon, startDaemon, tailOf } from './daemon.js';
import { addDisk, cutDisks, mountDiskRoot, type NodeDisk } from './disk.js';
import { exists } from './exists.js';
import { cloneImages, pauseImage } from './images.js';
import type { Journal } from './journal.js';
import { plugNode, setCable, unplugHost } from './network.js';
import {
  bootScript,
  cniConfig,
  containerdConfig,
  containerdSocket,
  kubeletConfig,
  kubeProxyConfig,
} from './node-config.js';
import { childrenOf, endProcesses, identify, type ProcessIdentity } from './process-identity.js';
import { run } from './run-command.js';
import { waitUntil } from './wait-until.js';

/** A machine of the cluster: network, mount and process namespaces of its own, a container runtime and a kubelet. */
export interface ClusterNode {
  readonly name: string;
  /** Its address on the bridge. */
  readonly address: string;
  readonly disks: readonly NodeDisk[];
  /**
   * The power goes: the network first, so that nobody hears a last word; then the disks, without flushing, so that
   * unsynced data is lost; then every process of the node at once, pods included. Resolves when all are gone.
   */
  powerCut(): Promise<void>;
  /**
   * The power comes back: disks checked and mounted, network, runtime and kubelet started under the same name. Resolves
   * when they run; the kubelet then starts the node's pods again by itself.
   */
  powerOn(): Promise<void>;
  /** Its cable is pulled: everything on it goes on, alone. */
  partition(): Promise<void>;
  heal(): Promise<void>;
  /** Kills the kubelet alone; the pods go on. */
  killKubelet(): Promise<void>;
  startKubelet(): Promise<void>;
  /** Plugs in a disk; see NodeDisk. */
  addDisk(name: string, sizeMiB: number): Promise<NodeDisk>;
  /** Imports a Docker archive into this node alone; for all nodes ClusterOptions.images is far faster. */
  loadImage(archivePath: string): Promise<void>;
}

export interface NodeContext {
  readonly folder: string;
  readonly addressing: SlotAddressing;
  readonly journal: Journal;
  readonly binaries: Binaries;
  readonly controlPlane: ControlPlane;
  /** The runtime data that each node begins with (images.ts). */
  readonly images: string;
  readonly graceSeconds: number;
}

/** A few recorders with what they start; more than that would keep the control plane waiting. */
const PROCESSES_OF_A_NODE = 4;

/** Starts the nodes, all at once; they are not Ready yet when it resolves. */
export async function startNodes(count: number, context: NodeContext): Promise<readonly ClusterNode[]> {
  const { folder, journal, addressing } = context;
  await mountDiskRoot(folder, journal);
  journal.record({ kind: 'cgroup', path: addressing.cgroup });
  const nodes = Array.from({ length: count }, (_, index) => new RunningNode(index + 1, count, context));
  await Promise.all(nodes.map((node) => node.install()));
  await Promise.all(nodes.map((node) => node.boot()));
  await weighCgroup(addressing.cgroup, count * PROCESSES_OF_A_NODE);
  return nodes;
}

class RunningNode implements ClusterNode {
  readonly name: string;
  readonly address: string;
  readonly disks: NodeDisk[] = [];
  readonly #number: number;
  readonly #count: number;
  readonly #context: NodeContext;
  readonly #folder: string;
  #first: ProcessIdentity | undefined;
  #kubelet: Daemon | undefined;
  #daemons: Daemon[] = [];

  constructor(number: number, count: number, context: NodeContext) {
    this.#number = number;
    this.#count = count;
    this.#context = context;
    this.name = `node-${number}`;
    this.address = context.addressing.node(number).address;
    this.#folder = join(context.folder, 'nodes', this.name);
  }

  /** What a node has on its disk before it is switched on for the first time. */
  async install(): Promise<void> {
    const { addressing, controlPlane, images } = this.#context;
    for (const each of ['log', 'var-lib/upper', 'var-lib/work', 'cni', 'kubelet', 'volume-plugins']) {
      await mkdir(join(this.#folder, each), { recursive: true });
    }
    const kubelet = {
      name: `${this.name}-kubelet`,
      commonName: `system:node:${this.name}`,
      organization: 'system:nodes',
    };
    await controlPlane.writeKubeconfig(kubelet);
    const proxy = await controlPlane.writeKubeconfig({
      name: `${this.name}-proxy`,
      commonName: 'system:kube-proxy',
    });
    const write = (file: string, text: string) => writeFile(join(this.#folder, file), text);
    const address = addressing.node(this.#number);
    await Promise.all([
      write('boot.sh', bootScript({ nodeFolder: this.#folder, pauseBinary: this.#context.binaries('pause') })),
      write('containerd.toml', await this.#containerdConfig()),
      write('cni/10-pods.conflist', cniConfig(address)),
      write('resolv.conf', ''),
      write('kubelet.yaml', this.#kubeletConfig()),
      write('kube-proxy.yaml', kubeProxyConfig(proxy, this.name)),
      cloneImages(images, join(this.#folder, 'containerd')),
    ]);
  }

  async #containerdConfig(): Promise<string> {
    return containerdConfig({
      root: join(this.#folder, 'containerd'),
      sandboxImage: pauseImage,
      cniConfigFolder: join(this.#folder, 'cni'),
      restrictOomScoreAdj: !(await mayLowerOomScore()),
    });
  }

  #kubeletConfig(): string {
    return kubeletConfig({
      authorityPath: this.#context.controlPlane.authority.certificate,
      podRange: this.#context.addressing.node(this.#number).podRange,
      cgroupRoot: `/${this.#cgroup}`,
      resolvConf: join(this.#folder, 'resolv.conf'),
      volumePluginFolder: join(this.#folder, 'volume-plugins'),
      nodeMonitorGraceSeconds: this.#context.graceSeconds,
    });
  }

  get #cgroup(): string {
    return `${this.#context.addressing.cgroup}/${this.name}`;
  }

  /** Switches it on: namespaces, first process, container runtime, kubelet, kube-proxy. */
  async boot(): Promise<void> {
    const { addressing, journal, binaries } = this.#context;
    await makeCgroup(this.#cgroup);
    await plugNode(addressing, this.#number, this.#count, journal);
    await this.#startFirstProcess();
    const containerd = await this.#start('containerd', [
      'containerd',
      '--config',
      join(this.#folder, 'containerd.toml'),
    ]);
    // The node's own /run, seen through its first process.
    const socket = `/proc/${this.#first?.pid}/root${containerdSocket}`;
    await this.#until(containerd, 'listens', () => exists(socket));
    await this.startKubelet();
    const config = join(this.#folder, 'kube-proxy.yaml');
    await this.#start('kube-proxy', [binaries('kube-proxy'), `--config=${config}`]);
  }

  async #startFirstProcess(): Promise<void> {
    const booted = join(this.#folder, 'booted');
    await rm(booted, { force: true });
    const { namespace } = this.#context.addressing.node(this.#number);
    const isolated = ['--mount', '--propagation', 'slave', '--pid', '--fork', '--kill-child', '--mount-proc'];
    const daemon = await this.#startOutside('first-process', [
      'nsenter',
      `--net=/run/netns/${namespace}`,
      '--',
      'unshare',
      ...isolated,
      '--',
      'sh',
      join(this.#folder, 'boot.sh'),
    ]);
    await this.#until(daemon, 'has booted', () => exists(booted));
    this.#first = await onlyChild(daemon);
  }

  #startOutside(what: string, command: readonly string[]): Promise<Daemon> {
    const { folder, journal } = this.#context;
    return startDaemon({ name: `${this.name}-${what}`, command, clusterFolder: folder, journal }).then((daemon) => {
      this.#daemons.push(daemon);
      return daemon;
    });
  }

  #start(what: string, command: readonly string[]): Promise<Daemon> {
    return this.#startOutside(what, [...this.#inside(), ...command]);
  }

  #inside(): string[] {
    if (!this.#first) throw new Error(`${this.name} is switched off.`);
    return ['nsenter', '--target', `${this.#first.pid}`, '--mount', '--net', '--pid', '--'];
  }

  async #until(daemon: Daemon, what: string, condition: () => Promise<boolean>): Promise<void> {
    const met = async () => {
      if (await condition()) return true;
      if (!(await daemon.isAlive())) throw new Error(`${daemon.name} ended. ${await tailOf(daemon.logPath)}`);
      return false;
    };
    const hint = () => tailOf(daemon.logPath);
    await waitUntil(`${daemon.name} ${what}`, met, { timeoutMs: 60_000, intervalMs: 50, hint });
  }

  async startKubelet(): Promise<void> {
    if (await this.#kubelet?.isAlive()) return;
    this.#kubelet = await this.#start('kubelet', [
      this.#context.binaries('kubelet'),
      `--config=${join(this.#folder, 'kubelet.yaml')}`,
      `--kubeconfig=${join(this.#context.folder, 'kubeconfigs', `${this.name}-kubelet.yaml`)}`,
      `--hostname-override=${this.name}`,
      `--node-ip=${this.address}`,
      `--root-dir=${join(this.#folder, 'kubelet')}`,
      `--cert-dir=${join(this.#folder, 'kubelet', 'pki')}`,
    ]);
  }

  async killKubelet(): Promise<void> {
    if (!this.#kubelet || !(await this.#kubelet.isAlive())) return;
    const kubelet = await onlyChild(this.#kubelet);
    // Its own parent waits for it outside of the node, and ends with it.
    await endProcesses([kubelet, this.#kubelet.identity], 0);
  }

  async powerCut(): Promise<void> {
    if (!this.#first) throw new Error(`${this.name} is switched off already.`);
    await this.partition();
    await cutDisks(this.#context.folder, this.disks);
    // The kernel kills every process of a process namespace together with its first one.
    await endProcesses([this.#first, ...this.#daemons.map((daemon) => daemon.identity)], 0);
    this.#first = undefined;
    this.#daemons = [];
    const empty = async () => (await this.#podProcesses()).length === 0;
    await waitUntil(`every process of ${this.name} is gone`, empty, { timeoutMs: 20_000 });
  }

  async #podProcesses(): Promise<number[]> {
    return (await Promise.all((await this.#cgroupFolders()).map(processesIn))).flat();
  }

  async #cgroupFolders(): Promise<string[]> {
    const tops = await findCgroups((name) => name === this.#context.addressing.cgroup);
    return tops.map((top) => join(top, this.name));
  }

  async powerOn(): Promise<void> {
    if (this.#first) throw new Error(`${this.name} is switched on already.`);
    await unplugHost(this.#context.addressing.node(this.#number));
    for (const folder of await this.#cgroupFolders()) await removeCgroup(folder);
    for (const disk of this.disks) await disk.repair();
    await this.boot();
  }

  async partition(): Promise<void> {
    await setCable(this.#context.addressing.node(this.#number), 'down');
  }

  async heal(): Promise<void> {
    if (!this.#first) throw new Error(`${this.name} is switched off: switch it on instead.`);
    await setCable(this.#context.addressing.node(this.#number), 'up');
  }

  async addDisk(name: string, sizeMiB: number): Promise<NodeDisk> {
    const { folder, journal } = this.#context;
    const disk = await addDisk({ name, sizeMiB, nodeName: this.name, clusterFolder: folder, journal });
    this.disks.push(disk);
    return disk;
  }

  async loadImage(archivePath: string): Promise<void> {
    const [command = '', ...args] = this.#inside();
    const load = ['ctr', '--namespace', 'k8s.io', 'images', 'import', archivePath];
    await run(command, [...args, ...load], { timeoutMs: 300_000 });
  }
}

async function onlyChild(daemon: Daemon): Promise<ProcessIdentity> {
  const [pid] = await childrenOf(daemon.identity.pid);
  const child = pid === undefined ? undefined : await identify(pid);
  if (!child) throw new Error(`${daemon.name} has no process. ${await tailOf(daemon.logPath)}`);
  return child;
}

async function mayLowerOomScore(): Promise<boolean> {
  const status = await readFile('/proc/self/status', 'utf8');
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  const CAP_SYS_RESOURCE = 24n;
  return ((effective >> CAP_SYS_RESOURCE) & 1n) === 1n;
}
