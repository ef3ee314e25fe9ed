/**
 * Which addresses and names a cluster with nodes uses. Each such cluster on a machine holds one slot, and everything
 * that must differ between two clusters follows from the slot's number.
 */

export const slotCount = 16;
export const maxNodes = 20;

/** Every network namespace, link and cgroup of every cluster begins with this: `down` finds leftovers by it. */
export const namespacePrefix = 'understudy-';
export const linkPrefix = 'usty';

export interface HostAddressing {
  readonly namespace: string;
  /** The end of the cable on the bridge's side; at most 15 characters, as the kernel demands. */
  readonly link: string;
  readonly address: string;
}

export interface NodeAddressing extends HostAddressing {
  readonly podRange: string;
}

export interface SlotAddressing {
  readonly slot: number;
  readonly bridge: string;
  /** The machine's own address on the bridge. */
  readonly bridgeAddress: string;
  readonly network: string;
  readonly prefixLength: 24;
  readonly podNetwork: string;
  readonly serviceRange: string;
  /** The first address of the service range: the in-cluster API server. */
  readonly kubernetesService: string;
  readonly cgroup: string;
  readonly controlPlane: HostAddressing;
  /** The addressing of node 1 to maxNodes. */
  node(number: number): NodeAddressing;
}

/** Gives the addressing of a slot from 0 to slotCount - 1. Throws a RangeError for any other number. */
export function slotAddressing(slot: number): SlotAddressing {
  if (!Number.isInteger(slot) || slot < 0 || slot >= slotCount) throw new RangeError(`There is no slot ${slot}.`);
  return {
    slot,
    bridge: `${linkPrefix}${slot}`,
    bridgeAddress: `10.77.${slot}.1`,
    network: `10.77.${slot}.0/24`,
    prefixLength: 24,
    podNetwork: `10.${128 + slot}.0.0/16`,
    serviceRange: `10.${160 + slot}.0.0/24`,
    kubernetesService: `10.${160 + slot}.0.1`,
    cgroup: `${namespacePrefix}${slot}`,
    controlPlane: {
      namespace: `${namespacePrefix}${slot}-control`,
      link: `${linkPrefix}${slot}c`,
      address: `10.77.${slot}.2`,
    },
    node: (number) => nodeAddressing(slot, number),
  };
}

function nodeAddressing(slot: number, number: number): NodeAddressing {
  if (!Number.isInteger(number) || number < 1 || number > maxNodes) {
    throw new RangeError(`There is no node ${number}: a cluster has 1 to ${maxNodes} nodes.`);
  }
  return {
    namespace: `${namespacePrefix}${slot}-node-${number}`,
    link: `${linkPrefix}${slot}n${number}`,
    address: `10.77.${slot}.${10 + number}`,
    podRange: `10.${128 + slot}.${number}.0/24`,
  };
}

/** All ranges of a slot, to be compared with the machine's own routes. */
export function rangesOf(addressing: SlotAddressing): readonly string[] {
  return [addressing.network, addressing.podNetwork, addressing.serviceRange];
}

/**
 * True if the machine's own route would lose traffic to this range. A wider route (a default route, a VPN for
 * 10.0.0.0/8) loses nothing that anyone uses: ours is the longer prefix, and it is ours alone.
 */
export function conflicts(range: string, route: string): boolean {
  if (!/^\d+\.\d+\.\d+\.\d+(\/\d+)?$/.test(route)) return false;
  const ours = parseRange(range);
  const theirs = parseRange(route);
  if (theirs.length < 9) return false;
  const shared = Math.min(ours.length, theirs.length);
  const mask = (0xffffffff << (32 - shared)) >>> 0;
  return (ours.bits & mask) >>> 0 === (theirs.bits & mask) >>> 0;
}

function parseRange(text: string): { bits: number; length: number } {
  const [address = '', length = '32'] = text.split('/');
  const bits = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  return { bits, length: Number(length) };
}
