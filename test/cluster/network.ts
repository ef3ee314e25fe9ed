import { type HostAddressing, namespacePrefix, type SlotAddressing } from './addressing.js';
import { exists } from './exists.js';
import type { Journal } from './journal.js';
import { listMounts } from './mounts.js';
import { run, tryRun } from './run-command.js';

/**
 * Makes the switch that all hosts of the cluster are plugged into: a bridge, with the machine's own address on it. No
 * forwarding by the machine is needed or switched on: the hosts reach each other, and each other's pods, over the bridge.
 */
export async function makeNetwork(addressing: SlotAddressing, nodes: number, journal: Journal): Promise<void> {
  await recordNamespaceMount(journal);
  const { bridge } = addressing;
  journal.record({ kind: 'link', name: bridge });
  await ipBatch([
    `link add ${bridge} type bridge stp_state 0 forward_delay 0`,
    `address add ${addressing.bridgeAddress}/${addressing.prefixLength} dev ${bridge}`,
    `link set ${bridge} up`,
    ...podRoutes(addressing, nodes, undefined),
  ]);
  await admitToFirewall(addressing, journal);
  await plugHost(addressing, addressing.controlPlane, podRoutes(addressing, nodes, undefined), journal);
}

/** The first `ip netns add` on a machine mounts /run/netns on itself, for all to share. */
async function recordNamespaceMount(journal: Journal): Promise<void> {
  const path = '/run/netns';
  if (!(await listMounts()).some((mount) => mount.path === path)) journal.record({ kind: 'mount', path });
}

/** Makes a node's network namespace and cable anew. */
export async function plugNode(addressing: SlotAddressing, number: number, nodes: number, journal: Journal) {
  await plugHost(addressing, addressing.node(number), podRoutes(addressing, nodes, number), journal);
}

async function plugHost(addressing: SlotAddressing, host: HostAddressing, routes: readonly string[], journal: Journal) {
  const { namespace, link } = host;
  journal.record({ kind: 'namespace', name: namespace });
  journal.record({ kind: 'link', name: link });
  await run('ip', ['netns', 'add', namespace]);
  await ipBatch([
    `link add ${link} type veth peer name eth0 netns ${namespace}`,
    `link set ${link} master ${addressing.bridge} up`,
  ]);
  const inside = [
    'link set lo up',
    `address add ${host.address}/${addressing.prefixLength} dev eth0`,
    'link set eth0 up',
    `route add default via ${addressing.bridgeAddress}`,
  ];
  await ipBatch([...inside, ...routes], namespace);
  const forward = 'echo 1 > /proc/sys/net/ipv4/ip_forward';
  // Else a pod that reaches a pod of its own node through a Service gets the answer from an address it never asked.
  const bridged = 'f=/proc/sys/net/bridge/bridge-nf-call-iptables; [ ! -e $f ] || echo 1 > $f';
  await run('nsenter', [`--net=/run/netns/${namespace}`, '--', 'sh', '-c', `${forward}; ${bridged}`]);
}

/** Removes a host's cable and namespace; with them goes every link and firewall rule that was made inside. */
export async function unplugHost(host: HostAddressing): Promise<void> {
  // The link first: with the namespace it would vanish too, but some time later, and its name is needed again.
  await tryRun('ip', ['link', 'delete', host.link]);
  if (await exists(`/run/netns/${host.namespace}`)) await run('ip', ['netns', 'delete', host.namespace]);
}

/**
 * Pulls or plugs the cable at the switch's end. Pulled at the host's end, the kernel would forget the routes there;
 * this way the host sees what a real one sees: no carrier.
 */
export async function setCable(host: HostAddressing, state: 'up' | 'down'): Promise<void> {
  await run('ip', ['link', 'set', host.link, state]);
}

function podRoutes(addressing: SlotAddressing, nodes: number, except: number | undefined): string[] {
  const numbers = Array.from({ length: nodes }, (_, index) => index + 1).filter((number) => number !== except);
  return numbers.map((number) => {
    const node = addressing.node(number);
    return `route add ${node.podRange} via ${node.address}`;
  });
}

/** Where a firewall (Docker's, for one) drops forwarded traffic, it drops bridged traffic too: ours must pass. */
async function admitToFirewall(addressing: SlotAddressing, journal: Journal): Promise<void> {
  const rules = ((await tryRun('iptables', ['-w', '5', '-S', 'FORWARD'])) ?? '').trim();
  if (rules === '' || rules === '-P FORWARD ACCEPT') return;
  const { bridge, slot } = addressing;
  const comment = ['-m', 'comment', '--comment', `${namespacePrefix}${slot}`];
  const rule = ['-i', bridge, '-o', bridge, ...comment, '-j', 'ACCEPT'];
  journal.record({ kind: 'iptables', rule });
  await run('iptables', ['-w', '5', '-I', 'FORWARD', ...rule]);
}

async function ipBatch(commands: readonly string[], namespace?: string): Promise<void> {
  const where = namespace ? ['-netns', namespace] : [];
  await run('ip', [...where, '-batch', '-'], { input: `${commands.join('\n')}\n` });
}
