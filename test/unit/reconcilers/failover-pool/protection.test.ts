import { expect } from 'chai';
import { describe, it } from 'mocha';
import type { ConditionVerdict } from '../../../../src/failover/types.js';
import { createProtection } from '../../../../src/reconcilers/failover-pool/index.js';
import { failoverPool } from '../../support/builders/failover-pool.js';
import { recordingServer } from '../../support/builders/recording-server.js';
import { memoryStores } from '../support/memory-stores.js';

const ready: ConditionVerdict = { status: 'True', reason: 'StandbyReady', message: 's1 would take over' };
const lost: ConditionVerdict = { status: 'False', reason: 'NoStandby', message: 'no server stands by' };

function scene() {
  const stores = memoryStores();
  stores.pools.put(failoverPool().build());
  const changed: string[] = [];
  const protection = createProtection(stores, (key) => void changed.push(key));
  const of = (name: string) => protection.of(recordingServer(name).build());
  const decided = (verdicts: Record<string, ConditionVerdict>) => {
    changed.length = 0;
    protection.decided('ns/pool', new Map(Object.entries(verdicts)));
    return changed;
  };
  return { stores, protection, of, decided };
}

describe('the protection of servers, as their pool decides', () => {
  it('is not known before the first decision, and tells those that asked by then', () => {
    const { of, decided } = scene();
    expect(of('a')).to.include({ status: 'Unknown', reason: 'NotYetObserved' });
    expect(of('s1').status).to.equal('Unknown');
    expect(decided({ a: ready })).to.have.members(['ns/a', 'ns/s1']);
    expect(of('a')).to.deep.equal(ready);
    expect(of('s1')).to.include({ status: 'False', reason: 'NoRole' });
  });

  it('tells a server of a change, and nobody when nothing changes', () => {
    const { decided } = scene();
    decided({ a: ready, b: ready });
    expect(decided({ a: ready, b: ready })).to.deep.equal([]);
    expect(decided({ a: ready, b: lost })).to.deep.equal(['ns/b']);
    expect(decided({ a: ready })).to.deep.equal(['ns/b']);
  });

  it('is none without a pool, and none in a pool that is not there', () => {
    const { stores, protection, of, decided } = scene();
    expect(protection.of(recordingServer('a').unmonitored().build()).reason).to.equal('NotMonitored');
    decided({ a: ready });
    stores.pools.remove('ns/pool');
    expect(of('a').reason).to.equal('PoolNotFound');
    stores.pools.put(failoverPool().build());
    protection.forget('ns/pool');
    expect(of('a').reason).to.equal('NotYetObserved');
  });
});
