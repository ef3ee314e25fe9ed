import { expect } from 'chai';
import { describe, it } from 'mocha';
import { camera } from '../support/builders/camera.js';
import { recordingServer } from '../support/builders/recording-server.js';
import { PoolWorld } from './support/pool-world.js';

/** Recorder a with its camera, and standby s1. */
function world(): PoolWorld {
  const pool = new PoolWorld().add('a').add(recordingServer('s1').standby(1));
  pool.cameras = [camera('a-1').build()];
  pool.project();
  return pool.settle();
}

describe('a home whose type is changed to Failover', () => {
  it('stands by, whether its role has never moved or it was given back', () => {
    const fresh = world();
    fresh.edit('a', { type: 'Failover' });
    fresh.settle();
    const experienced = world();
    for (const type of ['Failover', 'Standard', 'Failover'] as const) {
      experienced.edit('a', { type });
      experienced.settle();
    }
    for (const pool of [fresh, experienced]) {
      expect(pool.view('a').status).to.include({ servingRole: '', state: 'Standby' });
      expect(pool.status.roles ?? []).to.deep.equal([]);
    }
  });

  it('has its role again as soon as it is Standard again', () => {
    const pool = world();
    for (const type of ['Failover', 'Standard', 'Failover', 'Standard'] as const) {
      pool.edit('a', { type });
      pool.settle();
    }
    expect(pool.view('a').status).to.include({ servingRole: 'a', state: 'Active' });
    expect(pool.recording('a')).to.deep.equal(['a']);
  });

  it('does not get a role from a pool that was applied again', () => {
    const pool = world();
    for (const type of ['Failover', 'Standard', 'Failover'] as const) pool.edit('a', { type });
    pool.change('a', { status: { ...pool.view('a').status, servingRole: 'a', epoch: 3 } });
    pool.status = {};
    pool.settle();
    expect(pool.view('a').status).to.include({ servingRole: '' });
  });

  it('leaves a role that a substitute holds where it is', () => {
    const pool = world().breaks('a').settle();
    pool.edit('a', { type: 'Failover' });
    pool.settle();
    expect(pool.holder('a')).to.equal('s1');
    expect(pool.recording('a')).to.deep.equal(['s1']);
  });
});
