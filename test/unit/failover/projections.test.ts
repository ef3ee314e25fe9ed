import { expect } from 'chai';
import { describe, it } from 'mocha';
import { withoutPool } from '../../../src/failover/conditions/protection.js';
import { decide } from '../../../src/failover/decide.js';
import { assignmentOf, foundAssignment } from '../../../src/failover/server/assignment.js';
import { type StateInput, serverState } from '../../../src/failover/server/server-state.js';
import { recordingServer } from '../support/builders/recording-server.js';
import { health, PoolWorld } from './support/pool-world.js';

const startTime = '2026-01-02T03:04:05Z';
const moved = { name: 'a', holder: 's1', holderUID: 'uid-s1', previousHolder: 'a', epoch: 5, startTime };

describe('what is found of an assignment beside a status', () => {
  const lease = { role: 'a', epoch: 4 };
  const cases: [string, Parameters<typeof foundAssignment>, ReturnType<typeof foundAssignment>][] = [
    ['is what stands on the Lease', [lease, undefined, 'p'], lease],
    [
      'is what the recorder says, when that is later',
      [lease, { role: '', epoch: 9, podUID: 'p' }, 'p'],
      { role: '', epoch: 9 },
    ],
    [
      'is what the recorder says, when there is no Lease',
      [undefined, { role: 'b', epoch: 2, podUID: 'p' }, 'p'],
      { role: 'b', epoch: 2 },
    ],
    [
      'is no epoch that nobody can have decided',
      [{ role: 'a', epoch: 2 ** 53 - 1 }, { role: 'b', epoch: 2 ** 53 - 1, podUID: 'p' }, 'p'],
      undefined,
    ],
    ['is not what an earlier pod has said', [lease, { role: '', epoch: 9, podUID: 'old' }, 'p'], lease],
    ['is not what nobody says any more', [lease, { role: '', epoch: 9, podUID: 'p' }, undefined], lease],
    ['is the Lease where the recorder has only followed it', [lease, { role: 'a', epoch: 4, podUID: 'p' }, 'p'], lease],
  ];
  for (const [sentence, given, expected] of cases) {
    it(sentence, () => {
      expect(foundAssignment(...given)).to.deep.equal(expected);
    });
  }
});

describe('the assignment of a server', () => {
  const serving = (name: string, role: string, epoch: number) => recordingServer(name).serving(role, epoch);
  const handedOver = { epoch: 5, roles: [{ ...moved, handedOverTime: startTime }] };
  const running = { epoch: 5, roles: [moved] };
  const cases: [string, Parameters<typeof assignmentOf>, { role: string; epoch: number }][] = [
    [
      'is its own role at epoch 1 when nothing has moved',
      [recordingServer('a').build(), { epoch: 1 }],
      { role: 'a', epoch: 1 },
    ],
    [
      'is none for a standby that holds nothing',
      [recordingServer('s1').standby().build(), { epoch: 1 }],
      { role: '', epoch: 1 },
    ],
    ['is the role that the pool gives it', [serving('s1', '', 1).standby().build(), running], { role: 'a', epoch: 5 }],
    [
      'stays with the previous holder until the handover',
      [serving('a', 'a', 1).build(), running],
      { role: 'a', epoch: 1 },
    ],
    [
      'ends at the handover, at the epoch at which it moved',
      [serving('a', 'a', 1).build(), handedOver],
      { role: '', epoch: 5 },
    ],
    [
      'stays below the new epoch when its status was lost in the middle',
      [recordingServer('a').build(), running],
      { role: 'a', epoch: 4 },
    ],
    [
      'is a role that it has by a later epoch than anything that its pool has decided: that is to adopt it',
      [recordingServer('s2').standby().build(), handedOver, { role: 'a', epoch: 9 }],
      { role: 'a', epoch: 9 },
    ],
    [
      'is not its own role by a later epoch when it has been made a standby since: nobody would ever end that',
      [recordingServer('a').standby().build(), handedOver, { role: 'a', epoch: 9 }],
      { role: '', epoch: 10 },
    ],
    [
      'is given above a later epoch that its recorder remembers',
      [recordingServer('s1').standby().build(), handedOver, { role: '', epoch: 9 }],
      { role: 'a', epoch: 10 },
    ],
    [
      'is its own role above a later epoch that its recorder remembers',
      [recordingServer('b').build(), { epoch: 5 }, { role: '', epoch: 9 }],
      { role: 'b', epoch: 10 },
    ],
    [
      'is its own role above the epoch at which the pool that it left has given it away',
      [serving('a', 'a', 1).unmonitored().build(), undefined, undefined, undefined, 5],
      { role: 'a', epoch: 6 },
    ],
    [
      'is not the role of a namesake',
      [serving('s1', '', 1).standby().uid('other').build(), handedOver],
      { role: '', epoch: 1 },
    ],
    [
      'is found on the Lease when status was lost',
      [recordingServer('s1').standby().build(), {}, { role: 'a', epoch: 5 }],
      { role: 'a', epoch: 5 },
    ],
    [
      'stays as it is when the pool is gone',
      [serving('s1', 'a', 5).standby().build(), undefined],
      { role: 'a', epoch: 5 },
    ],
    [
      'stays as it is until the pool has decided',
      [serving('s1', 'a', 5).standby().build(), {}],
      { role: 'a', epoch: 5 },
    ],
    [
      'is its own role, at a higher epoch, once it left its pool',
      [serving('b', 'a', 5).unmonitored().build(), undefined],
      { role: 'b', epoch: 6 },
    ],
    [
      'stays with a server that moved to another pool until the role is recorded elsewhere',
      [serving('s1', 'a', 5).standby().build(), { epoch: 2 }, undefined, 'Held'],
      { role: 'a', epoch: 5 },
    ],
    [
      'ends for a server that moved to another pool once the role is recorded elsewhere',
      [serving('s1', 'a', 5).standby().build(), { epoch: 2 }, undefined, 'HandedOver'],
      { role: '', epoch: 6 },
    ],
    [
      'stays with a server that left its pool until the role is recorded elsewhere',
      [serving('b', 'a', 5).unmonitored().build(), undefined, undefined, 'Held'],
      { role: 'a', epoch: 5 },
    ],
    ['keeps a relieved server relieved', [serving('a', '', 5).build(), handedOver], { role: '', epoch: 5 }],
  ];
  for (const [sentence, input, expected] of cases)
    it(sentence, () => expect(assignmentOf(...input)).to.deep.equal(expected));
});

describe('the folder of a server (rule 15)', () => {
  const now = new Date('2026-01-02T03:10:00.000Z');
  const base: StateInput = {
    operatingMode: 'Normal',
    holdsRole: false,
    verdict: 'Healthy',
    brokenForMs: 0,
    previous: undefined,
    stableSeconds: 300,
    now,
  };
  const brokenTime = '2026-01-02T03:00:00.000Z';
  const broken = { state: 'Broken' as const, brokenTime };
  const cases: [string, Partial<StateInput>, object][] = [
    ['is Pending before the first start', { verdict: 'NeverReady' }, { state: 'Pending' }],
    ['is Active with a role', { holdsRole: true }, { state: 'Active' }],
    ['is Standby without one', {}, { state: 'Standby' }],
    [
      'is Broken since it was judged so',
      { verdict: 'Broken', brokenForMs: 1000 },
      { state: 'Broken', brokenTime: '2026-01-02T03:09:59.000Z' },
    ],
    ['stays Broken while it is late', { verdict: 'Late', previous: broken }, { state: 'Broken', brokenTime }],
    [
      'counts its health from when it is seen healthy',
      { previous: broken },
      { state: 'Broken', healthyTime: now.toISOString(), nextCheckInMs: 300_000 },
    ],
    [
      'loses the health that it had counted when it breaks again',
      { verdict: 'Broken', previous: { ...broken, healthyTime: brokenTime } },
      { healthyTime: undefined },
    ],
    [
      'counts its health anew when the clock was set back, and does not wait for a time to come',
      { previous: { ...broken, healthyTime: '2027-01-01T00:00:00.000Z' } },
      { state: 'Broken', healthyTime: now.toISOString(), nextCheckInMs: 300_000 },
    ],
    [
      'is Standby again when stable (rule 2)',
      { previous: { ...broken, healthyTime: '2026-01-02T03:05:00.000Z' } },
      { state: 'Standby', repaired: true },
    ],
    ['is Active at once when it holds its role again', { previous: broken, holdsRole: true }, { state: 'Active' }],
    ['is in Maintenance once it holds no role', { operatingMode: 'Maintenance' }, { state: 'Maintenance' }],
    [
      'is Active in maintenance while it holds a role',
      { operatingMode: 'Maintenance', holdsRole: true },
      { state: 'Active' },
    ],
    [
      'is Pending, not Broken, when it starts after maintenance',
      { verdict: 'Broken', previous: { state: 'Maintenance' } },
      { state: 'Pending' },
    ],
    [
      'stays where it was when the operator has just started',
      { verdict: 'Unknown', previous: { state: 'Standby' } },
      { state: 'Standby' },
    ],
  ];
  for (const [sentence, change, expected] of cases)
    it(sentence, () => {
      const outcome: Record<string, unknown> = { ...serverState({ ...base, ...change }) };
      for (const [field, value] of Object.entries(expected)) expect(outcome[field], field).to.equal(value);
    });
});

describe('condition Protected (rules 7, 8 and 15)', () => {
  const world = () => new PoolWorld().add('a').add(recordingServer('s1').standby());
  const of = (pool: PoolWorld, name: string) => decide(pool.input()).protection.get(name);

  it('is True when a standby on another node would take over', () => {
    expect(of(world(), 'a')).to.include({ status: 'True', reason: 'StandbyReady' });
  });

  it('is not kept by a standby on the same node', () => {
    expect(of(world().change('s1', { nodeName: 'node-a' }), 'a')?.status).to.equal('False');
  });

  it('does not flap with a late heartbeat of the standby', () => {
    expect(of(world().change('s1', { health: health('Late') }), 'a')?.status).to.equal('True');
  });

  it('says why the standby would not', () => {
    expect(of(world().breaks('s1'), 'a')).to.include({ status: 'False', reason: 'NoCompatibleStandby' });
  });

  it('is NotMonitored without a pool, and PoolNotFound with one that is not there', () => {
    expect(withoutPool(recordingServer('a').unmonitored().build(), false)?.reason).to.equal('NotMonitored');
    expect(withoutPool(recordingServer('a').build(), false)?.reason).to.equal('PoolNotFound');
    expect(withoutPool(recordingServer('a').build(), true)).to.equal(undefined);
  });

  it('is not the pool’s to say for a standby, and PoolPaused while the pool is paused', () => {
    const pool = world();
    expect(of(pool, 's1')).to.equal(undefined);
    pool.spec = { ...pool.spec, paused: true };
    expect(of(pool, 'a')?.reason).to.equal('PoolPaused');
  });
});
