/** The command lines of the control plane's processes. Pure. */

import { join } from 'node:path';

export interface ControlPlaneSettings {
  /** The cluster's run folder; certificates are in `pki`, kubeconfigs in `kubeconfigs`. */
  readonly folder: string;
  /** Where the API server listens: loopback, or the control plane's address on the bridge. */
  readonly address: string;
  readonly apiPort: number;
  readonly etcdPort: number;
  readonly etcdPeerPort: number;
  readonly serviceRange: string;
  /** False for a control plane alone: nobody could reach its loopback address from a pod, and there are none. */
  readonly hasNodes: boolean;
  readonly auditLog: boolean;
  /** How long a node may be silent before it counts as lost, in seconds. */
  readonly nodeMonitorGraceSeconds: number;
}

export const auditLogPath = (folder: string) => join(folder, 'audit.jsonl');
export const auditPolicyPath = (folder: string) => join(folder, 'audit-policy.yaml');

/** Every write with who, what and when, once it is answered; reads would only be noise for "quiet means quiet". */
export const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: None
    verbs: [get, list, watch]
  - level: Metadata
`;

export function etcdArguments(settings: ControlPlaneSettings): string[] {
  const client = `http://127.0.0.1:${settings.etcdPort}`;
  const peer = `http://127.0.0.1:${settings.etcdPeerPort}`;
  return [
    '--name=etcd',
    `--data-dir=${join(settings.folder, 'etcd')}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=etcd=${peer}`,
    // The data lives no longer than the cluster: no test is worth waiting for the disk.
    '--unsafe-no-fsync',
    // Hours of faults leave more behind than the 2 GiB at which it would refuse every write.
    `--quota-backend-bytes=${8 * 1024 ** 3}`,
    '--log-level=warn',
  ];
}

export function apiServerArguments(settings: ControlPlaneSettings): string[] {
  const pki = (name: string) => join(settings.folder, 'pki', name);
  return [
    `--etcd-servers=http://127.0.0.1:${settings.etcdPort}`,
    `--bind-address=${settings.hasNodes ? '0.0.0.0' : settings.address}`,
    `--advertise-address=${settings.address}`,
    // Endpoints on loopback are refused; without nodes nobody uses them.
    ...(settings.hasNodes ? [] : ['--endpoint-reconciler-type=none']),
    `--secure-port=${settings.apiPort}`,
    `--tls-cert-file=${pki('api-server.crt')}`,
    `--tls-private-key-file=${pki('api-server.key')}`,
    `--client-ca-file=${pki('ca.crt')}`,
    `--service-account-key-file=${pki('service-account.key')}`,
    `--service-account-signing-key-file=${pki('service-account.key')}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-cluster-ip-range=${settings.serviceRange}`,
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--allow-privileged=true',
    `--kubelet-client-certificate=${pki('kubelet-client.crt')}`,
    `--kubelet-client-key=${pki('kubelet-client.key')}`,
    '--kubelet-preferred-address-types=InternalIP',
    '--profiling=false',
    ...(settings.auditLog ? auditArguments(settings.folder) : []),
  ];
}

function auditArguments(folder: string): string[] {
  return [
    `--audit-policy-file=${auditPolicyPath(folder)}`,
    `--audit-log-path=${auditLogPath(folder)}`,
    '--audit-log-mode=blocking',
  ];
}

export function controllerManagerArguments(settings: ControlPlaneSettings): string[] {
  const pki = (name: string) => join(settings.folder, 'pki', name);
  const grace = settings.nodeMonitorGraceSeconds;
  return [
    `--kubeconfig=${join(settings.folder, 'kubeconfigs', 'controller-manager.yaml')}`,
    // One instance: waiting for a Lease would only delay the start, and its renewals would be noise.
    '--leader-elect=false',
    '--secure-port=0',
    '--use-service-account-credentials=true',
    // At the default of 20 a second the accounts and tokens of its forty controllers would take five seconds.
    '--kube-api-qps=300',
    '--kube-api-burst=600',
    `--service-account-private-key-file=${pki('service-account.key')}`,
    `--root-ca-file=${pki('ca.crt')}`,
    `--node-monitor-grace-period=${grace}s`,
    `--node-monitor-period=${Math.min(5, Math.max(1, Math.floor(grace / 4)))}s`,
    '--profiling=false',
    ...(settings.hasNodes ? [] : [`--controllers=*,${idleWithoutNodes.map((name) => `-${name}`).join(',')}`]),
  ];
}

/**
 * Controllers that look after what runs on nodes. Without any they have nothing to look after, and would write all the
 * same: Endpoints of pods that nobody reaches, and an Event for each unbound claim every 15 seconds.
 */
const idleWithoutNodes = [
  ...['endpoints-controller', 'endpointslice-controller', 'endpointslice-mirroring-controller'],
  ...['disruption-controller', 'node-lifecycle-controller', 'taint-eviction-controller'],
  ...['pod-garbage-collector-controller', 'root-ca-certificate-publisher-controller', 'selinux-warning-controller'],
  ...['persistentvolume-binder-controller', 'persistentvolume-attach-detach-controller'],
  ...['persistentvolume-expander-controller', 'ephemeral-volume-controller', 'resourceclaim-controller'],
];

/**
 * A control plane alone is for thousands of short tests on a machine with few processors: up to half of the memory is
 * cheaper there than the time that is spent on collecting garbage. `memoryBytes`: what the machine has.
 */
export function controlPlaneEnvironment(
  { hasNodes }: Pick<ControlPlaneSettings, 'hasNodes'>,
  memoryBytes: number,
): Record<string, string> {
  return hasNodes ? {} : { GOGC: '300', GOMEMLIMIT: String(Math.floor(memoryBytes / 2)) };
}

export function schedulerArguments(settings: ControlPlaneSettings): string[] {
  return [
    `--kubeconfig=${join(settings.folder, 'kubeconfigs', 'scheduler.yaml')}`,
    '--leader-elect=false',
    '--secure-port=0',
    '--profiling=false',
  ];
}
