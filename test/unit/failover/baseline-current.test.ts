import { expect } from 'chai';
import { describe, it } from 'mocha';
import type { BackupView } from '../../../src/failover/types.js';
import { camera } from '../support/builders/camera.js';
import { recordingServer } from '../support/builders/recording-server.js';
import { PoolWorld } from './support/pool-world.js';

function world(): PoolWorld {
  const pool = new PoolWorld().add('a').add(recordingServer('s1').standby(1)).add(recordingServer('s2').standby(2));
  pool.cameras = [camera('a-1').build()];
  pool.project();
  return pool.settle();
}

const verdict = (pool: PoolWorld) => pool.settle().last?.conditions.BaselineCurrent;
const ended = (pool: PoolWorld, change: Partial<BackupView>) => {
  pool.backups = pool.backups.map((backup) => ({ ...backup, ...change }));
  return pool;
};
function made(name: string, change: Partial<BackupView>): BackupView {
  const spec = { poolRef: { name: 'pool' }, reason: 'Manual' as const, engine: 'Secret' as const };
  return { name, spec, outcome: 'Complete', createdTime: '2026-01-02T05:00:00Z', poolEpoch: 1, ...change };
}
const scheduled = { poolRef: { name: 'pool' }, reason: 'Scheduled', engine: 'Secret' } as const;

describe('condition BaselineCurrent of a pool (rule 12)', () => {
  it('says that there is none yet, and how to make one', () => {
    expect(verdict(world())).to.include({ status: 'False', reason: 'NoBaseline' });
    expect(verdict(world())?.message).to.contain('create a Backup');
  });

  it('is true with a baseline by hand while nothing has moved', () => {
    const pool = world();
    pool.backups = [made('by-hand', {})];
    expect(verdict(pool)).to.include({
      status: 'True',
      reason: 'BaselineCurrent',
      message: 'Backup by-hand is complete',
    });
  });

  it('is true after a takeover and its baseline, and does not flap while they run', () => {
    const pool = world();
    pool.backups = [made('by-hand', {})];
    pool.settle().breaks('a').decide();
    expect(pool.last?.conditions.BaselineCurrent.status).to.equal('True');
    expect(verdict(pool)).to.include({ status: 'True', message: 'Backup pool-2 is complete' });
  });

  it('does not count one that was begun before the last takeover, whenever it was complete', () => {
    const pool = world().breaks('a');
    pool.backupsWork = false;
    ended(pool.settle(), { outcome: 'Failed', message: 'quota' });
    pool.backups.push(made('stale', { poolEpoch: 1 }));
    expect(verdict(pool)).to.include({ status: 'False', reason: 'BaselineFailed' });
    expect(pool.last?.conditions.BaselineCurrent.message).to.contain('Backup pool-2: quota').and.to.contain('stale');
    pool.backups.push(made('by-hand', { poolEpoch: 2 }));
    expect(verdict(pool)).to.include({ status: 'True', message: 'Backup by-hand is complete' });
  });

  it('says late as long as the baseline of a takeover is still being made after its deadline', () => {
    const pool = world().breaks('a');
    pool.backupsWork = false;
    pool.settle().advance(20_000);
    expect(verdict(pool)).to.include({ status: 'False', reason: 'BaselineLate' });
    expect(verdict(ended(pool, { outcome: 'Complete' }))).to.include({ status: 'True' });
  });

  it('is loud about a scheduled one that failed, until the next one is complete', () => {
    const pool = world();
    pool.backupsWork = false;
    pool.backups = [made('old', {})];
    pool.backups.push(made('pool-1', { spec: scheduled, outcome: 'Failed', createdTime: '2026-01-03T05:00:00Z' }));
    expect(verdict(pool)).to.include({ status: 'False', reason: 'BaselineFailed' });
    pool.backups.push(made('pool-2', { spec: scheduled, createdTime: '2026-01-04T05:00:00Z' }));
    expect(verdict(pool)).to.include({ status: 'True' });
  });

  it('fits into a condition, however much the Backup has to say: the commit of a failover carries it', () => {
    const pool = world();
    pool.backupsWork = false;
    pool.backups = [made('pool-1', { spec: scheduled, outcome: 'Failed', message: 'x'.repeat(4096) })];
    expect(verdict(pool)?.message.length).to.be.below(2000);
  });

  it('leaves what a person tried in vain to that Backup itself', () => {
    const pool = world();
    pool.backupsWork = false;
    pool.backups = [made('old', {}), made('typo', { outcome: 'Failed', createdTime: '2026-01-03T05:00:00Z' })];
    expect(verdict(pool)).to.include({ status: 'True', message: 'Backup old is complete' });
  });

  it('says that it is gone when somebody has deleted it, and makes none again', () => {
    const pool = world().breaks('a').settle();
    pool.backups = [];
    expect(verdict(pool)).to.include({ status: 'False', reason: 'NoBaseline' });
    expect(pool.last?.createBackup).to.equal(undefined);
    expect(pool.backups).to.deep.equal([]);
  });
});

describe('the baseline of a takeover, exactly once (rule 12)', () => {
  /** At the step where the baseline is to be made; nothing of it is there yet. */
  function backingUp(): PoolWorld {
    const pool = world().breaks('a');
    pool.backupsWork = false;
    pool.settle();
    expect(pool.status.current?.step).to.equal('BackingUp');
    return pool;
  }

  it('is ordered again when the operator died after the commit and before the Backup', () => {
    const pool = backingUp();
    pool.backups = [];
    pool.restartOperator();
    expect(pool.decide().createBackup).to.deep.equal({ name: 'pool-2', reason: 'Failover', epoch: 2 });
  });

  it('is not ordered again when it died after the Backup', () => {
    expect(backingUp().restartOperator().decide().createBackup).to.equal(undefined);
  });

  it('is taken as it is when it was finished while no operator ran', () => {
    const pool = ended(backingUp(), { outcome: 'Complete' }).restartOperator();
    expect(pool.decide().createBackup).to.equal(undefined);
    expect(pool.status.history?.[0]).to.include({ outcome: 'Completed', backupName: 'pool-2' });
  });

  for (const outcome of ['Complete', 'Failed', 'Running'] as const) {
    it(`is not made again once the takeover is over and it was pruned, when it was ${outcome}`, () => {
      const pool = ended(backingUp(), { outcome });
      pool.advance(20_000).decide();
      expect(pool.status.current).to.equal(undefined);
      pool.backups = [];
      pool.restartOperator();
      for (let round = 0; round < 3; round += 1) {
        expect(pool.advance(60_000).decide().createBackup).to.equal(undefined);
        pool.project();
      }
      expect(pool.backups).to.deep.equal([]);
    });
  }

  it('is one for each of two takeovers, under names of their own', () => {
    const pool = world().breaks('a').settle().breaks('s1').settle();
    expect(pool.backups.map(({ name }) => name)).to.deep.equal(['pool-2', 'pool-3']);
  });
});
