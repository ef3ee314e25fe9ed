/** The configuration files of a node's container runtime, kubelet and kube-proxy. Pure. */

import { stringify } from 'yaml';
import type { NodeAddressing } from './addressing.js';

/** Sockets are in /run, which is a node's own (node-boot.ts). */
export const containerdSocket = '/run/containerd/containerd.sock';

export interface ContainerdSettings {
  /** Where images and containers are kept. */
  readonly root: string;
  readonly sandboxImage: string;
  readonly cniConfigFolder: string;
  /** Without CAP_SYS_RESOURCE no process may lower its oom_score_adj, and each pod sandbox would fail. */
  readonly restrictOomScoreAdj: boolean;
}

export function containerdConfig(settings: ContainerdSettings): string {
  return `version = 2
root = ${JSON.stringify(settings.root)}
state = "/run/containerd"
# They would make folders outside the node, or need file systems that are not there.
disabled_plugins = [
  "io.containerd.internal.v1.opt",
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
]

[grpc]
  address = "${containerdSocket}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = ${JSON.stringify(settings.sandboxImage)}
  restrict_oom_score_adj = ${settings.restrictOomScoreAdj}
  # A profile would be loaded into the machine's kernel and stay there.
  disable_apparmor = true

[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "overlayfs"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  SystemdCgroup = false

[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = ${JSON.stringify(settings.cniConfigFolder)}
`;
}

/** Pods of a node share a bridge and a range of addresses; the routes of the other hosts lead there. */
export function cniConfig(addressing: NodeAddressing): string {
  const ipam = {
    type: 'host-local',
    ranges: [[{ subnet: addressing.podRange }]],
    routes: [{ dst: '0.0.0.0/0' }],
  };
  const bridge = { type: 'bridge', bridge: 'cni0', isGateway: true, ipMasq: false, hairpinMode: true, ipam };
  const plugins = [bridge, { type: 'portmap', capabilities: { portMappings: true } }];
  return JSON.stringify({ cniVersion: '0.4.0', name: 'pods', plugins }, undefined, 2);
}

export interface KubeletSettings {
  readonly authorityPath: string;
  readonly podRange: string;
  /** Below the root of every cgroup hierarchy, with a slash in front. */
  readonly cgroupRoot: string;
  readonly resolvConf: string;
  readonly volumePluginFolder: string;
  /** How long the control plane waits for this node, in seconds: the Lease is renewed at a quarter of it. */
  readonly nodeMonitorGraceSeconds: number;
}

export function kubeletConfig(settings: KubeletSettings): string {
  return stringify({
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: settings.authorityPath },
    },
    authorization: { mode: 'Webhook' },
    containerRuntimeEndpoint: `unix://${containerdSocket}`,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: settings.cgroupRoot,
    failCgroupV1: false,
    failSwapOn: false,
    enforceNodeAllocatable: [],
    // The machine's disk may be nearly full without harm to a test; evictions and image collection would do harm.
    evictionHard: { 'memory.available': '50Mi', 'nodefs.available': '0%', 'nodefs.inodesFree': '0%' },
    imageGCHighThresholdPercent: 100,
    imageMinimumGCAge: '24h',
    podCIDR: settings.podRange,
    // Nobody answers there, at once: without a DNS server a look-up must fail, not hang.
    clusterDNS: ['127.0.0.1'],
    clusterDomain: 'cluster.local',
    resolvConf: settings.resolvConf,
    volumePluginDir: settings.volumePluginFolder,
    nodeLeaseDurationSeconds: Math.min(40, Math.max(4, Math.floor(settings.nodeMonitorGraceSeconds))),
    nodeStatusUpdateFrequency: `${Math.min(10, Math.max(1, Math.floor(settings.nodeMonitorGraceSeconds / 4)))}s`,
    // Unless said otherwise it would be the update frequency, and a quiet cluster would write all the time.
    nodeStatusReportFrequency: '5m',
    oomScoreAdj: 0,
    rotateCertificates: false,
    serializeImagePulls: false,
    shutdownGracePeriod: '0s',
  });
}

export function kubeProxyConfig(kubeconfigPath: string, nodeName: string): string {
  return stringify({
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'iptables',
    clientConnection: { kubeconfig: kubeconfigPath },
    hostnameOverride: nodeName,
    // The table's size is the machine's own setting, which a node must not change.
    conntrack: { maxPerCore: 0, min: 0 },
    iptables: { minSyncPeriod: '0s', syncPeriod: '30s' },
  });
}

/** Settings of the machine's kernel that a kubelet changes when it starts, and what it wants them to be. */
const kubeletSettings: Readonly<Record<string, string>> = {
  'vm/overcommit_memory': '1',
  'vm/panic_on_oom': '0',
  'kernel/panic': '10',
  'kernel/panic_on_oops': '1',
  'kernel/keys/root_maxkeys': '1000000',
  'kernel/keys/root_maxbytes': '25000000',
};

export interface BootSettings {
  readonly nodeFolder: string;
  readonly pauseBinary: string;
}

/**
 * The script that a node's first process begins with, in mount and process namespaces of its own. Whatever the node
 * would write outside its folder gets a place of its own; mounts end with the node. It ends as `pause`, which reaps.
 */
export function bootScript({ nodeFolder, pauseBinary }: BootSettings): string {
  const settings = Object.entries(kubeletSettings).map(([name, value]) => {
    const file = `/run/sysctl/${name.replaceAll('/', '.')}`;
    return `[ ! -e /proc/sys/${name} ] || { echo ${value} > ${file}; mount --bind ${file} /proc/sys/${name}; }`;
  });
  return `set -e
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock /run/sysctl
mount --bind '${nodeFolder}/log' /var/log
# The runtime keeps what it knows of the pods' network in /var/lib/cni, which the machine may not have: writes below
# /var/lib end in the node's folder.
mount -t overlay -o 'lowerdir=/var/lib,upperdir=${nodeFolder}/var-lib/upper,workdir=${nodeFolder}/var-lib/work' overlay /var/lib
# Pods with mountPropagation need a shared root; as a slave of the machine's it still sees disks being plugged.
mount --make-rshared /
# A kubelet sets these for its machine; here it must think so, and the machine stay as it is.
${settings.join('\n')}
touch '${nodeFolder}/booted'
exec '${pauseBinary}'
`;
}
