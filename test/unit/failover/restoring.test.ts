import { expect } from 'chai';
import type { FailoverPoolStatus } from '../../../src/crds/index.js';
import { RESTORE_MS } from '../../../src/failover/restoring.js';
import { recordingServer } from '../support/builders/recording-server.js';
import { PoolWorld } from './support/pool-world.js';

const startTime = '2026-01-02T03:00:00Z';

/** The status as a restore writes it first: standby-a stands in for recorder-a, and nobody is made yet. */
function restoredStatus(): FailoverPoolStatus {
  return {
    epoch: 8,
    roles: [
      {
        name: 'recorder-a',
        holder: 'standby-a',
        previousHolder: 'recorder-a',
        epoch: 7,
        startTime,
        handedOverTime: startTime,
        cause: 'Unreachable',
      },
    ],
    restore: { sha256: 'abc', startTime },
  };
}

function restoredPool(): PoolWorld {
  const world = new PoolWorld();
  world.status = restoredStatus();
  return world;
}

const addServers = (world: PoolWorld): PoolWorld =>
  world
    .add(recordingServer('recorder-a').serving('', 7), 'NeverReady')
    .add(recordingServer('standby-a').standby().serving('recorder-a', 7), 'NeverReady')
    .add(recordingServer('standby-b').standby().serving('', 1), 'NeverReady');

const finish = (world: PoolWorld): void => {
  const { restore: _finished, ...status } = world.status;
  world.status = status;
};

const reasonsOf = (world: PoolWorld): string[] => world.events.map(({ reason }) => reason);

describe('a pool that is being restored', () => {
  it('decides nothing while its holders are still to come', () => {
    const world = restoredPool();
    const { record, conditions, createBackup } = world.decide();
    expect(record.roles).to.deep.equal(restoredStatus().roles);
    expect(record.epoch).to.equal(8);
    expect([record.queue, record.current, createBackup]).to.deep.equal([undefined, undefined, undefined]);
    expect(world.events).to.deep.equal([]);
    expect(conditions.Ready).to.include({ status: 'False', reason: 'Restoring' });
    expect(conditions.Reconciling).to.include({ status: 'True', reason: 'Restoring' });
  });

  it('would take them for deleted ones without that', () => {
    const world = restoredPool();
    finish(world);
    world.decide();
    expect(reasonsOf(world)).to.include('ServerBroken');
  });

  it('holds the roles by the same servers at the same epochs when it is finished, without a failover', () => {
    const world = addServers(restoredPool());
    world.decide();
    finish(world);
    world.settle();
    expect(world.status.roles?.map(({ name, holder, epoch }) => ({ name, holder, epoch }))).to.deep.equal([
      { name: 'recorder-a', holder: 'standby-a', epoch: 7 },
    ]);
    expect([world.status.epoch, world.status.current, world.status.queue]).to.deep.equal([8, undefined, undefined]);
    expect(world.events).to.deep.equal([]);
  });

  it('stays so when its recorders start, in whatever order', () => {
    for (const order of [
      ['recorder-a', 'standby-b', 'standby-a'],
      ['standby-a', 'recorder-a', 'standby-b'],
    ]) {
      const world = addServers(restoredPool());
      finish(world);
      world.settle();
      for (const name of order) world.recovers(name).settle();
      expect(world.holder('recorder-a')).to.equal('standby-a');
      expect(reasonsOf(world)).to.deep.equal([]);
    }
  });

  it('fails over as ever once a restored holder has been ready and breaks', () => {
    const world = addServers(restoredPool());
    finish(world);
    for (const name of ['recorder-a', 'standby-a', 'standby-b']) world.recovers(name);
    world.settle().breaks('standby-a').settle();
    expect(world.holder('recorder-a')).not.to.equal('standby-a');
    expect(world.status.epoch).to.be.greaterThan(8);
  });

  it('decides again, and says so, when the restore is not finished in time', () => {
    const world = addServers(restoredPool());
    expect(world.decide().requeueAfterMs).to.equal(RESTORE_MS);
    world.advance(RESTORE_MS - 1).decide();
    expect(world.status.restore).not.to.equal(undefined);
    world.advance(1).decide();
    expect(world.status.restore).to.equal(undefined);
    expect(reasonsOf(world)).to.deep.equal(['RestoreUnfinished']);
  });

  it('goes on waiting for a long restore that says it is at work', () => {
    const world = addServers(restoredPool());
    world.decide();
    world.advance(RESTORE_MS - 1);
    const renewTime = '2026-01-02T03:09:59Z';
    world.status = { ...world.status, restore: { sha256: 'abc', startTime, renewTime } };
    world.decide();
    world.advance(RESTORE_MS - 1).decide();
    expect(world.status.restore?.renewTime).to.equal(renewTime);
    expect(world.events).to.deep.equal([]);
  });

  it('counts that time anew after a restart of the operator', () => {
    const world = addServers(restoredPool());
    world.decide();
    world.advance(RESTORE_MS).restartOperator().decide();
    expect(world.status.restore).not.to.equal(undefined);
  });
});
