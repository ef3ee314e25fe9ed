import { expect } from 'chai';
import { describe, it } from 'mocha';
import { camera } from '../support/builders/camera.js';
import { recordingServer } from '../support/builders/recording-server.js';
import { PoolWorld } from './support/pool-world.js';

const HOUR = 3_600_000;

/** Every full hour, in UTC. */
const hourly = (now: Date) => ({
  expression: '@hourly UTC',
  previousTime: new Date(Math.floor(now.getTime() / HOUR) * HOUR),
  nextTime: new Date((Math.floor(now.getTime() / HOUR) + 1) * HOUR),
});

/** Recorder a and two standbys; the clock stands at 03:04:05, and the schedule has been seen. */
function world(): PoolWorld {
  const pool = new PoolWorld().add('a').add(recordingServer('s1').standby(1)).add(recordingServer('s2').standby(2));
  pool.cameras = [camera('a-1').build()];
  pool.schedule = hourly;
  pool.project();
  return pool.settle();
}

const names = (pool: PoolWorld) => pool.backups.map(({ name }) => name);
const scheduled = (pool: PoolWorld) => pool.last?.conditions.BackupsScheduled;

describe('scheduled baselines', () => {
  it('are made at their time, under a name that carries it', () => {
    const pool = world();
    expect(names(pool)).to.deep.equal([]);
    pool.advance(HOUR - 245_001).settle();
    expect(names(pool)).to.deep.equal([]);
    pool.advance(1).settle();
    expect(names(pool)).to.deep.equal(['pool-20260102t0400z']);
    expect(pool.backups[0]?.spec).to.deep.equal({ poolRef: { name: 'pool' }, reason: 'Scheduled' });
    expect(pool.happened('BackupScheduled')).to.equal(1);
    expect(scheduled(pool)).to.include({ status: 'True', reason: 'Scheduled' });
  });

  it('ask to be looked at when the next one is due, and each minute for the sake of the clock', () => {
    const pool = world();
    expect(pool.decide().requeueAfterMs).to.equal(60_000);
    expect(pool.advance(HOUR - 245_000 - 500).decide().requeueAfterMs).to.equal(500);
  });

  it('are not made for times before the schedule was set', () => {
    const pool = world();
    pool.schedule = (now) => ({ ...hourly(now), expression: '0 * * * * Europe/Berlin' });
    expect(names(pool.settle())).to.deep.equal([]);
    expect(pool.status.backupSchedule?.expression).to.equal('0 * * * * Europe/Berlin');
  });

  it('that were missed while no operator ran are made once, late, and not one for each', () => {
    const pool = world()
      .restartOperator()
      .advance(7 * HOUR)
      .settle();
    expect(names(pool)).to.deep.equal(['pool-20260102t1000z']);
  });

  it('come once when the operator dies between its commit and the Backup', () => {
    const pool = world().advance(HOUR);
    pool.decide();
    pool.backups = [];
    pool.restartOperator();
    expect(pool.decide().createBackup).to.deep.equal({ name: 'pool-20260102t0400z', reason: 'Scheduled' });
    pool.settle();
    expect(names(pool)).to.deep.equal(['pool-20260102t0400z']);
    expect(pool.happened('BackupScheduled')).to.equal(1);
  });

  it('come once when another replica, or a clock that was set back, comes to the same time again', () => {
    const pool = world().advance(HOUR).settle();
    pool.wall -= 2 * HOUR;
    pool.settle();
    pool.advance(2 * HOUR).settle();
    expect(names(pool).filter((name) => name === 'pool-20260102t0400z')).to.have.length(1);
  });

  it('go on when the clock had been set forward for years', () => {
    const pool = world();
    pool.wall += 10 * 365 * 24 * HOUR;
    pool.settle();
    expect(names(pool)).to.have.length(1);
    pool.wall -= 10 * 365 * 24 * HOUR;
    pool.settle().advance(HOUR).settle();
    expect(names(pool)).to.include('pool-20260102t0400z');
  });

  it('are never made again when they were pruned', () => {
    const pool = world().advance(HOUR).settle();
    pool.backups = [];
    pool.restartOperator().settle();
    pool.advance(HOUR / 2).settle();
    expect(names(pool)).to.deep.equal([]);
  });

  it('leave a foreign Backup of their name as it is, and say so', () => {
    const pool = world();
    const foreign = { poolRef: { name: 'pool' }, reason: 'Manual' as const, engine: 'Secret' as const };
    pool.backups = [{ name: 'pool-20260102t0400z', spec: foreign, outcome: 'Complete' }];
    pool.advance(HOUR).settle().settle();
    expect(pool.backups).to.have.length(1);
    expect(pool.happened('NameTaken')).to.equal(1);
    pool.advance(HOUR).settle();
    expect(names(pool)).to.include('pool-20260102t0500z');
  });

  describe('during a failover and its baseline', () => {
    it('wait at every step of it, say for what, and are made when it is over (rule 13)', () => {
      const pool = world().breaks('a').silenceAgent('s1').silenceAgent('s2');
      pool.decide();
      expect(pool.status.current?.step).to.equal('TakingOver');
      // The wall clock alone: the waits of the failover run on the monotonic one.
      pool.wall += HOUR;
      expect(pool.decide().createBackup).to.equal(undefined);
      expect(scheduled(pool)).to.include({ status: 'True', reason: 'FailoverRunning' });
      expect(scheduled(pool)?.message).to.equal(
        'The baseline of 2026-01-02T04:00:00.000Z waits for the failover of a and its baseline',
      );
      pool.backupsWork = false;
      pool.recovers('s1').settle();
      expect(pool.status.current?.step).to.equal('BackingUp');
      expect(names(pool)).to.deep.equal(['pool-2']);
      pool.backupsWork = true;
      pool.settle();
      expect(names(pool)).to.deep.equal(['pool-2', 'pool-20260102t0400z']);
    });

    it('wait with their Backup, too, when it was decided and not made', () => {
      const pool = world().advance(HOUR);
      pool.decide();
      pool.backups = [];
      expect(pool.breaks('a').decide().createBackup).to.equal(undefined);
      expect(names(pool.settle())).to.deep.equal(['pool-2', 'pool-20260102t0400z']);
    });
  });

  it('are made while a broken server waits for a standby that never comes', () => {
    const pool = new PoolWorld().add('a');
    pool.schedule = hourly;
    pool.project();
    pool.settle().breaks('a').settle();
    expect(pool.status.queue).to.have.length(1);
    expect(names(pool.advance(HOUR).settle())).to.deep.equal(['pool-20260102t0400z']);
  });

  describe('of a schedule that can not be read', () => {
    const nonsense = () => ({ reason: 'InvalidSchedule' as const, message: 'mend it' });

    it('disturb nothing else in the pool', () => {
      const pool = world();
      pool.schedule = nonsense;
      pool.settle();
      expect(scheduled(pool)).to.deep.equal({ status: 'False', reason: 'InvalidSchedule', message: 'mend it' });
      expect(pool.last?.conditions.Ready.status).to.equal('True');
      expect(pool.last?.conditions.Stalled.status).to.equal('False');
      pool.breaks('a').settle();
      expect(pool.status.history?.[0]).to.include({ to: 's1', outcome: 'Completed' });
    });

    it('go on where they were once it is mended', () => {
      const pool = world();
      pool.schedule = nonsense;
      pool.settle().advance(HOUR).settle();
      pool.schedule = hourly;
      expect(names(pool.settle())).to.deep.equal(['pool-20260102t0400z']);
    });
  });

  it('end, and leave nothing behind, with the schedule', () => {
    const pool = world();
    pool.schedule = undefined;
    pool.settle();
    expect(pool.status.backupSchedule).to.equal(undefined);
    expect(scheduled(pool)).to.include({ status: 'False', reason: 'NotScheduled' });
  });
});
