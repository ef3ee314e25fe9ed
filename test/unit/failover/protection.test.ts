import { expect } from 'chai';
import { describe, it } from 'mocha';
import type { FailoverPoolStatus } from '../../../src/crds/index.js';
import { recordingServer } from '../support/builders/recording-server.js';
import { health, PoolWorld } from './support/pool-world.js';

/** Recorders a and b, standbys s1 and s2, each on a node of its own; the operator on two others. */
function world(): PoolWorld {
  const pool = new PoolWorld()
    .add('a')
    .add('b')
    .add(recordingServer('s1').standby(1))
    .add(recordingServer('s2').standby(2));
  pool.replicas = [replica('op-1', 'm1'), replica('op-2', 'm2')];
  pool.project();
  return pool.settle();
}

const replica = (name: string, nodeName: string, ready = true) => ({ name, nodeName, ready });
const on = (pool: PoolWorld, nodeName: string, ...names: string[]) => {
  for (const name of names) pool.change(name, { nodeName });
  return pool;
};
const without = (pool: PoolWorld, ...names: string[]) => {
  for (const name of names) pool.servers.delete(name);
  return pool;
};
const pooled = (pool: PoolWorld) => pool.decide().conditions.Protected;
const server = (pool: PoolWorld, name: string) => pool.decide().protection.get(name);

describe('condition Protected of a pool', () => {
  const cases: [string, (pool: PoolWorld) => unknown, string, RegExp][] = [
    ['is True when any one recorder and any one node could be lost', () => {}, 'AllSurvivable', /^Any one/],
    [
      'is True when one standby serves whichever recorder is lost',
      (p) => without(p, 's2'),
      'AllSurvivable',
      /^Any one/,
    ],
    [
      'counts the standbys that several recorders of one node need',
      (p) => on(without(p, 's2'), 'n1', 'a', 'b'),
      'NotSurvivable',
      /unrecorded: node n1: a, b need 2 standbys, 1 fits$/,
    ],
    [
      'does not count a standby that would be lost with the node',
      (p) => on(p, 'n1', 'a', 's1', 's2'),
      'NotSurvivable',
      /unrecorded: node n1: a needs 1 standby, none fits$/,
    ],
    [
      'names nodes first, then the single recorders that would be too much as well',
      (p) => {
        on(p, 'n1', 'a', 'b');
        for (const name of ['s1', 's2']) p.add(recordingServer(name).standby().mounts('/x'));
        return p.add(recordingServer('c').mounts('/x'));
      },
      'NotSurvivable',
      /unrecorded: node n1: a, b need 2 standbys, none fits; server a: a needs 1 standby, none fits; server b: /,
    ],
    [
      'gives each role a standby that fits it, not the first that comes',
      (p) => {
        p.add(recordingServer('b').mounts('/x')).add(recordingServer('s1').standby(1).mounts('/x'));
        return on(p, 'n1', 'a', 'b');
      },
      'AllSurvivable',
      /^Any one/,
    ],
    [
      'says that no server stands by',
      (p) => without(p, 's1', 's2'),
      'NoStandby',
      /add a RecordingServer of type Failover/,
    ],
    [
      'judges a recorder without a node by itself',
      (p) => p.add(recordingServer('b').mounts('/x')).change('b', { nodeName: undefined }),
      'NotSurvivable',
      /unrecorded: server b: b needs 1 standby, none fits$/,
    ],
    [
      'does not count a standby in maintenance',
      (p) => without(p, 's2').add(recordingServer('s1').standby().inMaintenance()),
      'NotSurvivable',
      /node node-a: a needs 1 standby, none fits; node node-b: b/,
    ],
    ['does not flap with a late heartbeat', (p) => p.change('s1', { health: health('Late') }), 'AllSurvivable', /^Any/],
    [
      'is False while the pool is paused',
      (p) => {
        p.spec = { ...p.spec, paused: true };
      },
      'PoolPaused',
      /spec.paused/,
    ],
    [
      'has nothing to say of a pool without roles',
      (p) => without(p, 'a', 'b'),
      'AllSurvivable',
      /No server holds a role/,
    ],
  ];
  for (const [sentence, prepare, reason, message] of cases)
    it(sentence, () => {
      const pool = world();
      prepare(pool);
      expect(pooled(pool)).to.include({ status: reason === 'AllSurvivable' ? 'True' : 'False', reason });
      expect(pooled(pool).message).to.match(message);
    });

  it('follows a failover: the standby that took over stands by no more', () => {
    const pool = without(world(), 's2').breaks('a').settle();
    expect(pool.holder('a')).to.equal('s1');
    expect(pooled(pool)).to.include({ status: 'False', reason: 'NotSurvivable' });
    pool.recovers('a').settle();
    expect(pooled(pool).reason).to.equal('AllSurvivable');
  });

  it('keeps the standby for the role that waits for one already', () => {
    const pool = without(world(), 's2');
    pool.spec = { ...pool.spec, storm: { maxUnreachablePercent: 1, holdSeconds: 60 } };
    pool
      .breaks('a')
      .change('s1', { health: { ...health('Late'), suspected: true } })
      .settle();
    expect(pool.status.queue?.[0]?.waitingFor).to.match(/^FailoversHeld/);
    expect(pooled(pool).message).to.match(/node node-b: b needs 1 standby, none fits$/);
  });

  it('names ten losses and counts the rest', () => {
    const pool = world();
    for (const name of ['s1', 's2']) pool.add(recordingServer(name).standby().mounts('/x'));
    for (let n = 0; n < 198; n += 1) pool.add(`r${n}`);
    const { message } = pooled(pool);
    expect(message).to.match(/; and 190 more$/);
    expect(message.length).to.be.below(1024);
  });

  describe('and the operator', () => {
    const together = (pool: PoolWorld) => {
      pool.replicas = [replica('op-1', 'node-a'), replica('op-2', 'node-a')];
      return pool;
    };
    /** As the reconciler keeps it: what was said stays in status. */
    const said = (pool: PoolWorld) => {
      const lastTransitionTime = '2026-01-02T03:04:05Z';
      const conditions = Object.entries(pool.decide().conditions).map(([type, verdict]) => ({
        ...{ type, lastTransitionTime },
        ...verdict,
      }));
      pool.status = { ...pool.status, conditions } as FailoverPoolStatus;
      return pool;
    };

    it('is False when one node runs recorders and every ready replica, once that has lasted a minute', () => {
      const pool = together(world());
      expect(pooled(pool).reason).to.equal('AllSurvivable');
      expect(pool.last?.requeueAfterMs).to.equal(60_000);
      pool.advance(60_000);
      expect(pooled(pool)).to.include({ status: 'False', reason: 'OperatorAtRisk' });
      expect(pooled(pool).message).to.contain('node node-a: it runs recorders and every ready replica of the operator');
      expect(server(pool, 'a')).to.include({ status: 'False', reason: 'OperatorAtRisk' });
      expect(server(pool, 'b')).to.include({ status: 'True' });
    });

    it('is not unsaid by a restart of the operator', () => {
      const pool = together(world());
      pool.decide();
      said(pool.advance(60_000));
      pool.memory = new Map();
      expect(pooled(pool).reason).to.equal('OperatorAtRisk');
    });

    it('does not count a replica that is not ready', () => {
      const pool = world();
      pool.replicas = [replica('op-1', 'node-a'), replica('op-2', 'm2', false)];
      pool.decide();
      expect(pooled(pool.advance(60_000)).reason).to.equal('OperatorAtRisk');
    });

    it('may stand together where no recorder with a role is, and outside of the cluster', () => {
      const pool = world();
      pool.replicas = [replica('op-1', 'node-s1'), replica('op-2', 'node-s1')];
      pool.decide();
      expect(pooled(pool.advance(60_000)).reason).to.equal('AllSurvivable');
      pool.replicas = [];
      pool.decide();
      expect(pooled(pool.advance(60_000)).reason).to.equal('AllSurvivable');
    });
  });
});

describe('condition Protected of servers of one node', () => {
  it('is True for as many as there are standbys, by name, and says what the others need', () => {
    const pool = on(without(world(), 's2'), 'n1', 'a', 'b');
    expect(server(pool, 'a')).to.include({ status: 'True', reason: 'StandbyReady', message: 's1 would take over' });
    expect(server(pool, 'b')).to.include({ status: 'False', reason: 'NoStandby' });
    expect(server(pool, 'b')?.message).to.equal(
      's1 fits, but other roles would need it too; add a RecordingServer of type Failover',
    );
  });

  it('is that of the role that waits, for a broken holder, and none once the role has moved', () => {
    const pool = world();
    pool.spec = { ...pool.spec, storm: { maxUnreachablePercent: 1, holdSeconds: 60 } };
    pool
      .breaks('a')
      .change('b', { health: { ...health('Late'), suspected: true } })
      .settle();
    expect(server(pool, 'a')).to.include({ status: 'True', message: 's1 would take over' });
    expect(server(without(pool, 's1', 's2'), 'a')).to.include({ status: 'False', reason: 'NoStandby' });
    const moved = world().breaks('a').settle();
    expect(server(moved, 'a')).to.equal(undefined);
    expect(server(moved, 's1')).to.include({ status: 'True', message: 's2 would take over' });
  });
});
