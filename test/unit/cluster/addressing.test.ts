import { expect } from 'chai';
import fc from 'fast-check';
import { conflicts, maxNodes, rangesOf, slotAddressing, slotCount } from '../../cluster/addressing.js';

const slots = Array.from({ length: slotCount }, (_, slot) => slotAddressing(slot));

describe('the addressing of a slot', () => {
  it('shares no address range with any other slot', () => {
    const ranges = slots.flatMap((slot) => rangesOf(slot).map((range) => ({ slot: slot.slot, range })));
    for (const one of ranges) {
      for (const other of ranges) {
        if (one === other) continue;
        expect(conflicts(one.range, other.range), `${one.range} and ${other.range}`).to.equal(false);
      }
    }
  });

  it('gives every host of every slot a name, a link and an address of its own', () => {
    const numbers = Array.from({ length: maxNodes }, (_, index) => index + 1);
    const hosts = slots.flatMap((slot) => [slot.controlPlane, ...numbers.map((number) => slot.node(number))]);
    for (const property of ['namespace', 'link', 'address'] as const) {
      expect(new Set(hosts.map((host) => host[property])).size).to.equal(hosts.length);
    }
  });

  it('names links within the 15 characters that the kernel allows', () => {
    for (const slot of slots) {
      for (const link of [slot.bridge, slot.controlPlane.link, slot.node(maxNodes).link]) {
        expect(link.length).to.be.at.most(15);
      }
    }
  });

  it('puts hosts into the bridge’s network and pods into the slot’s pod network', () => {
    const slot = slotAddressing(3);
    expect(conflicts(slot.network, slot.node(2).address)).to.equal(true);
    expect(conflicts(slot.network, slot.controlPlane.address)).to.equal(true);
    expect(conflicts(slot.podNetwork, slot.node(2).podRange)).to.equal(true);
    expect(conflicts(slot.serviceRange, slot.kubernetesService)).to.equal(true);
  });

  it('knows no slot and no node outside of its limits', () => {
    for (const slot of [-1, slotCount, 0.5]) expect(() => slotAddressing(slot)).to.throw(RangeError);
    for (const node of [0, maxNodes + 1, 1.5]) expect(() => slotAddressing(0).node(node)).to.throw(RangeError);
  });
});

describe('a conflict of a range with a route of the machine', () => {
  it('is found for the same, a wider and a narrower range', () => {
    expect(conflicts('10.77.0.0/24', '10.77.0.0/24')).to.equal(true);
    expect(conflicts('10.77.0.0/24', '10.76.0.0/14')).to.equal(true);
    expect(conflicts('10.77.0.0/24', '10.77.0.128/25')).to.equal(true);
    expect(conflicts('10.77.0.0/24', '10.77.0.9')).to.equal(true);
  });

  it('is not seen in a neighbour, in a default route or in a VPN for a whole class', () => {
    for (const route of ['10.77.1.0/24', 'default', '10.0.0.0/8', '127.0.0.1', 'fe80::/64']) {
      expect(conflicts('10.77.0.0/24', route), route).to.equal(false);
    }
  });

  it('is mutual', () => {
    const range = fc
      .tuple(fc.ipV4(), fc.integer({ min: 9, max: 32 }))
      .map(([address, length]) => `${address}/${length}`);
    fc.assert(fc.property(range, range, (one, other) => conflicts(one, other) === conflicts(other, one)));
  });
});
