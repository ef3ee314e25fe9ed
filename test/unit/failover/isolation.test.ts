import { expect } from 'chai';
import { describe, it } from 'mocha';
import type { FailoverPoolStatus } from '../../../src/crds/index.js';
import type { ConditionVerdict, ReplicaView } from '../../../src/failover/types.js';
import { recordingServer } from '../support/builders/recording-server.js';
import { PoolWorld } from './support/pool-world.js';

const replica = (name: string, nodeName: string, ready = true): ReplicaView => ({ name, nodeName, ready });

/** Recorder a on node-a, standby s1 on node-s1. */
function world(...replicas: ReplicaView[]): PoolWorld {
  const pool = new PoolWorld().add('a').add(recordingServer('s1').standby());
  pool.replicas = replicas;
  return pool;
}

const judged = (pool: PoolWorld): ConditionVerdict => pool.decide().conditions.OperatorIsolated;

/** Decides, and keeps the conditions in status as the reconciler does. */
function keeps(pool: PoolWorld): ConditionVerdict {
  const { conditions } = pool.decide();
  const lastTransitionTime = '2026-01-02T03:04:05Z';
  const kept = Object.entries(conditions).map(([type, verdict]) => ({ type, lastTransitionTime, ...verdict }));
  pool.status = { ...pool.status, conditions: kept } as FailoverPoolStatus;
  return conditions.OperatorIsolated;
}

describe('condition OperatorIsolated (rule 8)', () => {
  const cases: [string, PoolWorld, Partial<ConditionVerdict>, RegExp][] = [
    [
      'is True when all replicas run where no recorder is',
      world(replica('op-1', 'm1'), replica('op-2', 'm2')),
      { status: 'True', reason: 'OnOtherNodes' },
      /^The operator runs on m1, m2/,
    ],
    [
      'names the replica and the recorder that share a node, standbys included',
      world(replica('op-2', 'node-s1'), replica('op-1', 'm1')),
      { status: 'False', reason: 'SharesNode' },
      /: op-2 on node node-s1 with s1$/,
    ],
    [
      'is False with all replicas on one node, and says what helps',
      world(replica('op-1', 'm1'), replica('op-2', 'm1')),
      { status: 'False', reason: 'OneNode' },
      /run on node m1; kubectl rollout restart/,
    ],
    [
      'asks for three nodes before anything else',
      world(replica('op-1', 'node-a'), replica('op-2', 'node-s1')),
      { status: 'False', reason: 'TooFewMachines' },
      /run on 2 nodes in all: node-a, node-s1; have three at least$/,
    ],
    [
      'is Unknown when no replica runs in the cluster',
      world(),
      { status: 'Unknown', reason: 'NotYetObserved' },
      /No replica/,
    ],
    [
      'is Unknown while no recorder has a node',
      world(replica('op-1', 'm1')).change('a', { nodeName: undefined }).change('s1', { nodeName: undefined }),
      { status: 'Unknown', reason: 'NotYetObserved' },
      /No recorder/,
    ],
    [
      'counts a replica that runs and is not ready: it stands where it stands',
      world(replica('op-1', 'm1'), replica('op-2', 'node-a', false)),
      { status: 'False', reason: 'SharesNode' },
      /op-2 on node node-a with a$/,
    ],
  ];
  for (const [sentence, pool, verdict, message] of cases)
    it(sentence, () => {
      expect(judged(pool)).to.include(verdict);
      expect(judged(pool).message).to.match(message);
    });

  it('says the same in whatever order replicas are seen', () => {
    const [one, two] = [replica('op-1', 'node-a'), replica('op-2', 'node-s1')];
    const third = replica('op-3', 'm1');
    expect(judged(world(one, two, third))).to.deep.equal(judged(world(third, two, one)));
  });

  it('does not flap while a replica rolls, and says so when it stays away', () => {
    const pool = world(replica('op-1', 'm1'), replica('op-2', 'm2'));
    const before = keeps(pool);
    pool.replicas = [replica('op-1', 'm1')];
    expect(keeps(pool.advance(1_000))).to.deep.equal(before);
    expect(keeps(pool.advance(59_000))).to.deep.equal(before);
    expect(keeps(pool.advance(1_000)).reason).to.equal('OneNode');
    pool.replicas = [replica('op-1', 'm1'), replica('op-3', 'm2')];
    expect(keeps(pool).reason).to.equal('OnOtherNodes');
  });

  it('is not unsaid by a restart of the operator', () => {
    const pool = world(replica('op-1', 'm1'), replica('op-2', 'm1'));
    keeps(pool);
    keeps(pool.advance(60_000));
    expect(keeps(pool.restartOperator()).reason).to.equal('OneNode');
  });
});
