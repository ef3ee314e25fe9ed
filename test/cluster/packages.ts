import { userId } from './paths.js';
import { run, tryRun } from './run-command.js';

/** A command that must be there, and the Debian package that brings it. */
export interface Need {
  readonly command: string;
  readonly package: string;
  readonly why: string;
}

const controlPlaneNeeds: readonly Need[] = [
  { command: 'openssl', package: 'openssl', why: 'makes the certificates' },
  { command: 'flock', package: 'util-linux', why: 'keeps two runs apart' },
];

const nodeNeeds: readonly Need[] = [
  { command: 'containerd', package: 'containerd', why: 'runs the pods' },
  { command: 'runc', package: 'runc', why: 'runs the containers' },
  { command: '/usr/lib/cni/bridge', package: 'containernetworking-plugins', why: 'connects the pods' },
  { command: 'iptables', package: 'iptables', why: 'leads Services to pods' },
  { command: 'conntrack', package: 'conntrack', why: 'kube-proxy clears old connections with it' },
  { command: 'ip', package: 'iproute2', why: 'makes the nodes’ networks' },
  { command: 'xfs_io', package: 'xfsprogs', why: 'shuts file systems down, as a power cut does' },
  { command: 'mkfs.ext4', package: 'e2fsprogs', why: 'makes the nodes’ disks' },
];

/**
 * Installs the Debian packages whose commands are missing, saying which and why.
 * Throws when some are missing and this user may not install them.
 */
export async function ensurePackages(withNodes: boolean, onProgress: (line: string) => void): Promise<void> {
  await installMissing([...controlPlaneNeeds, ...(withNodes ? nodeNeeds : [])], onProgress);
}

/** The same for what somebody else needs, for example the demo. */
export async function installMissing(needs: readonly Need[], onProgress: (line: string) => void): Promise<void> {
  const present = await Promise.all(needs.map((need) => tryRun('sh', ['-c', `command -v ${need.command}`])));
  const missing = needs.filter((_, index) => present[index] === undefined);
  if (missing.length === 0) return;
  const names = [...new Set(missing.map((need) => need.package))];
  if (userId() !== 0 || (await tryRun('sh', ['-c', 'command -v apt-get'])) === undefined) {
    const commands = missing.map((need) => `${need.command} (it ${need.why})`).join(', ');
    throw new Error(`Missing: ${commands}. Install them as root: apt-get install ${names.join(' ')}`);
  }
  const reasons = missing.map((need) => `${need.package} (${need.why})`).join(', ');
  onProgress(`Installing Debian packages: ${reasons}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const install = () =>
    run('apt-get', ['install', '--yes', '--no-install-recommends', ...names], { env, timeoutMs: 600_000 });
  await install().catch(async () => {
    // A machine whose package lists are missing or old does not know the packages.
    await run('apt-get', ['update'], { env, timeoutMs: 300_000 });
    await install();
  });
}
