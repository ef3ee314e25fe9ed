/** The binaries a cluster is made of: which Go module pins each, and how it tells its version. */

export type ToolName =
  | 'etcd'
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'kube-scheduler'
  | 'kubelet'
  | 'kube-proxy'
  | 'kubectl'
  | 'helm'
  | 'versitygw'
  | 'velero'
  | 'velero-plugin-for-aws'
  | 'pause';

export interface Tool {
  readonly name: ToolName;
  /** The folder in `tools/` whose go.mod pins it. */
  readonly module: 'kubernetes' | 'etcd' | 'helm' | 'versitygw' | 'velero' | 'pause';
  /** The Go package that is built. */
  readonly package: string;
  readonly version: string;
  /** Absent: it says nothing of itself; go.mod, go.sum and the flags stand in the name of its folder. */
  readonly versionArguments?: readonly string[];
}

export const kubernetesVersion = '1.36.3';
const etcdVersion = '3.6.16';
const helmVersion = '4.3.1';
const versitygwVersion = '1.8.0';
const veleroVersion = '1.18.3';
const veleroPluginVersion = '1.14.3';
const pauseVersion = '1.0.0';

function kubernetesTool(name: ToolName, versionArguments: readonly string[] = ['--version']): Tool {
  return {
    name,
    module: 'kubernetes',
    package: `k8s.io/kubernetes/cmd/${name}`,
    version: kubernetesVersion,
    versionArguments,
  };
}

const versionFlag = ['--version'] as const;

export const tools: Readonly<Record<ToolName, Tool>> = {
  etcd: {
    name: 'etcd',
    module: 'etcd',
    package: 'go.etcd.io/etcd/server/v3',
    version: etcdVersion,
    versionArguments: versionFlag,
  },
  'kube-apiserver': kubernetesTool('kube-apiserver'),
  'kube-controller-manager': kubernetesTool('kube-controller-manager'),
  'kube-scheduler': kubernetesTool('kube-scheduler'),
  kubelet: kubernetesTool('kubelet'),
  'kube-proxy': kubernetesTool('kube-proxy'),
  kubectl: kubernetesTool('kubectl', ['version', '--client']),
  helm: {
    name: 'helm',
    module: 'helm',
    package: 'helm.sh/helm/v4/cmd/helm',
    version: helmVersion,
    versionArguments: ['version', '--short'],
  },
  // The S3 server of the backup tests.
  versitygw: {
    name: 'versitygw',
    module: 'versitygw',
    package: 'github.com/versity/versitygw/cmd/versitygw',
    version: versitygwVersion,
    versionArguments: versionFlag,
  },
  // What the engine that delegates hands baselines to, and the plugin by which that writes to S3. One go.mod: they share
  // most of what they are made of.
  velero: {
    name: 'velero',
    module: 'velero',
    package: 'github.com/vmware-tanzu/velero/cmd/velero',
    version: veleroVersion,
    versionArguments: ['version', '--client-only'],
  },
  'velero-plugin-for-aws': {
    name: 'velero-plugin-for-aws',
    module: 'velero',
    package: 'github.com/vmware-tanzu/velero-plugin-for-aws/velero-plugin-for-aws',
    version: veleroPluginVersion,
  },
  pause: { name: 'pause', module: 'pause', package: '.', version: pauseVersion, versionArguments: versionFlag },
};

/** What the tests of baselines in Velero need beyond a control plane. */
export const veleroTools: readonly ToolName[] = ['versitygw', 'velero', 'velero-plugin-for-aws'];

/** What a control plane alone needs. Nothing is scheduled there: no node would take a pod. */
export const controlPlaneTools: readonly ToolName[] = ['etcd', 'kube-apiserver', 'kubectl', 'kube-controller-manager'];

/** What a cluster with nodes needs beyond that. */
export const nodeTools: readonly ToolName[] = ['kube-scheduler', 'kubelet', 'kube-proxy', 'pause'];

/** Without these linker variables every Kubernetes binary calls itself v0.0.0, and kubectl warns about a version skew. */
export function linkerFlags(tool: Tool): string {
  const flags = ['-s', '-w'];
  if (tool.module === 'kubernetes') {
    const [major, minor] = tool.version.split('.');
    for (const at of ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version']) {
      flags.push(`-X ${at}.gitVersion=v${tool.version}`, `-X ${at}.gitMajor=${major}`, `-X ${at}.gitMinor=${minor}`);
      flags.push(`-X ${at}.gitTreeState=clean`);
    }
  }
  if (tool.module === 'helm') flags.push(`-X helm.sh/helm/v4/internal/version.version=v${tool.version}`);
  if (tool.module === 'versitygw') flags.push(`-X main.Version=v${tool.version}`);
  if (tool.module === 'velero') {
    flags.push(`-X github.com/vmware-tanzu/velero/pkg/buildinfo.Version=v${veleroVersion}`);
    // Outside of a pod it would take port 8080 of the whole machine, and no flag says otherwise.
    flags.push('-X sigs.k8s.io/controller-runtime/pkg/metrics/server.DefaultBindAddress=0');
  }
  return flags.join(' ');
}

/** True if the tool's own answer names exactly this version, not merely one that begins with it. */
export function tellsVersion(answer: string, version: string): boolean {
  return new RegExp(`(^|[^0-9.])${version.replaceAll('.', '\\.')}($|[^0-9.])`, 'm').test(answer);
}
