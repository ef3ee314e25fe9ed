import { expect } from 'chai';
import {
  allowanceOf,
  type Hit,
  knownToBeOut,
  OPERATOR_LOSS_SECONDS,
  TIMEOUT_SECONDS,
} from '../../../chaos/nodes/hits.js';
import { GAP_SECONDS } from '../../../scenario/limits.js';

const servers = ['recorder', 'standby-1', 'standby-2'];

function hit(fault: Hit['fault'], change: Partial<Hit> = {}): Hit {
  const server = change.server ?? 'recorder';
  const basis = { fault, server, onHolder: true, moment: 'at-rest', operatorLost: 'none', atMs: 1_000 } as const;
  return { ...basis, ...change };
}

const control = (fault: Hit['fault'], change: Partial<Hit> = {}): Hit => ({
  ...hit(fault, { operatorLost: 'leader', onHolder: false, ...change }),
  server: undefined,
});

describe('what faults on real nodes allow', () => {
  it('is one move and one hole for the loss of a holder', () => {
    for (const fault of ['power-cut', 'partition', 'freeze-recorder', 'all-disks', 'read-only', 'hung'] as const)
      expect(allowanceOf([hit(fault)], servers), fault).to.include({ least: 1, most: 1, holeSeconds: GAP_SECONDS });
  });

  it('is no hole, but a move, for a holder that is only not heard, and for planned moves', () => {
    for (const fault of ['isolation', 'maintenance', 'request', 'drain'] as const)
      expect(allowanceOf([hit(fault)], servers), fault).to.include({ least: 1, most: 1, holeSeconds: 0 });
  });

  it('is nothing at all where no recorder that holds the role is touched', () => {
    const harmless = [
      hit('kill-kubelet'),
      hit('power-cut', { server: 'standby-1', onHolder: false }),
      hit('drain', { server: 'standby-1', onHolder: false }),
      control('kill-leader'),
      control('kill-operators'),
      control('restart-api', { endMs: 9_000 }),
    ];
    for (const one of harmless)
      expect(allowanceOf([one], servers), one.fault).to.include({ least: 0, most: 0, holeSeconds: 0 });
  });

  it('is a hole, but no move, for a disk of two; and perhaps a move for a recorder that starts again', () => {
    expect(allowanceOf([hit('one-disk')], servers)).to.include({ least: 0, most: 0, holeSeconds: GAP_SECONDS });
    expect(allowanceOf([hit('kill-recorder')], servers)).to.include({ least: 0, most: 1, holeSeconds: GAP_SECONDS });
  });

  it('is longer where the second fault strikes before the proof, and two holes where it strikes after it', () => {
    const second = (moment: Hit['moment']) => hit('hung', { server: 'standby-1', moment });
    const before = allowanceOf([hit('all-disks'), second('at-taking-over')], servers);
    expect(before).to.include({ least: 2, most: 2, holeSeconds: 2 * GAP_SECONDS });
    const after = allowanceOf([hit('all-disks'), second('at-backing-up')], servers);
    expect(after).to.include({ least: 2, most: 2, holeSeconds: GAP_SECONDS });
  });

  it('is longer by a dead leader and an API server that is away, but only before the proof', () => {
    const holes = (moment: Hit['moment'], one: Hit) =>
      allowanceOf([hit('all-disks'), { ...one, moment }], servers).holeSeconds;
    expect(holes('at-taking-over', control('kill-leader'))).to.equal(GAP_SECONDS + OPERATOR_LOSS_SECONDS);
    const restart = control('restart-api', { atMs: 2_000, endMs: 9_000 });
    expect(holes('at-taking-over', restart)).to.equal(GAP_SECONDS + OPERATOR_LOSS_SECONDS + 7 + TIMEOUT_SECONDS);
    expect(holes('at-backing-up', control('kill-leader'))).to.equal(GAP_SECONDS);
    // Both replicas are healed long after they are at work again: that is no outage of the API server.
    const killed = control('kill-operators', { atMs: 2_000, endMs: 90_000 });
    expect(holes('at-taking-over', killed)).to.equal(GAP_SECONDS + OPERATOR_LOSS_SECONDS);
  });

  it('is longer where the leader of the operator goes down with the holder', () => {
    const { holeSeconds } = allowanceOf([hit('power-cut', { operatorLost: 'leader' })], servers);
    expect(holeSeconds).to.equal(GAP_SECONDS + OPERATOR_LOSS_SECONDS);
    const both = allowanceOf([hit('power-cut', { operatorLost: 'all' })], servers);
    expect(both.holeSeconds).to.be.greaterThan(holeSeconds);
  });

  it('is a hole without end where nobody is left', () => {
    const both = [hit('power-cut'), hit('partition', { server: 'standby-1', moment: 'at-taking-over' })];
    expect(allowanceOf(both, ['recorder', 'standby-1'])).to.include({ nobodyLeft: true, least: 0 });
    expect(allowanceOf(both, ['recorder', 'standby-1']).holeSeconds).to.equal(Number.POSITIVE_INFINITY);
    expect(allowanceOf(both, servers)).to.include({ nobodyLeft: false, least: 2 });
  });
});

describe('a server that is out', () => {
  const out = [hit('hung', { server: 'standby-1', atMs: 10_000, endMs: 60_000 })];

  it('is known to be after a while, until it is healed', () => {
    expect(knownToBeOut(out, 'standby-1', 12_000)).to.equal(undefined);
    expect(knownToBeOut(out, 'standby-1', 30_000)).to.equal(out[0]);
    expect(knownToBeOut(out, 'standby-1', 61_000)).to.equal(undefined);
    expect(knownToBeOut(out, 'standby-2', 30_000)).to.equal(undefined);
  });

  it('is not one that can hold a role all the same', () => {
    expect(knownToBeOut([hit('one-disk', { atMs: 0 })], 'recorder', 30_000)).to.equal(undefined);
  });
});
