import { expect } from 'chai';
import { describe, it } from 'mocha';
import { decide } from '../../../src/failover/decide.js';
import { assignedRole } from '../../../src/failover/standby/standby-choice.js';
import { camera } from '../support/builders/camera.js';
import { recordingServer } from '../support/builders/recording-server.js';
import { health, PoolWorld } from './support/pool-world.js';

/** Recorders a and b, standbys s1 and s2, two cameras on a. */
function world(): PoolWorld {
  const pool = new PoolWorld()
    .add('a')
    .add('b')
    .add(recordingServer('s1').standby(1))
    .add(recordingServer('s2').standby(2));
  pool.cameras = [camera('a-1').build(), camera('a-2').build(), camera('b-1').of('b').build()];
  pool.project();
  return pool.settle();
}

describe('rules of a pool', () => {
  it('write nothing when nothing happens', () => {
    const pool = world();
    const before = JSON.stringify(pool.status);
    pool.advance(3_600_000).decide();
    expect(JSON.stringify(pool.status)).to.equal(before);
    expect(pool.events).to.deep.equal([]);
  });

  describe('rule 1: a standby takes the place of a broken recorder', () => {
    it('moves the role in the very decision that sees the failure', () => {
      const decision = world().breaks('a').decide();
      expect(decision.record.current).to.include({ server: 'a', standby: 's1', epoch: 2, step: 'TakingOver' });
      expect(decision.record.roles?.[0]).to.include({ name: 'a', holder: 's1', previousHolder: 'a', epoch: 2 });
      expect(decision.affected).to.deep.equal(['s1']);
    });

    it('has the Lease read again before it moves the role of an unreachable server', () => {
      expect(world().breaks('a').decide().confirmSilence).to.deep.equal(['a']);
      expect(world().breaks('a', 'AllDisksLost').decide().confirmSilence).to.deep.equal([]);
    });

    it('keeps the previous holder recording until the takeover is proved', () => {
      const pool = world().breaks('a');
      pool.decide();
      pool.project();
      expect(pool.view('a').status).to.include({ servingRole: 'a', epoch: 1 });
      pool.settle();
      expect(pool.status.roles?.[0]?.handedOverTime).to.be.a('string');
      expect(pool.view('a').status).to.include({ servingRole: '', epoch: 2, state: 'Broken' });
    });

    it('tells the whole story in history and events', () => {
      const pool = world().breaks('a', 'AllDisksLost', 700).settle();
      const [entry] = pool.status.history ?? [];
      expect(entry).to.include({
        from: 'a',
        to: 's1',
        trigger: 'AllDisksLost',
        outcome: 'Completed',
        backupName: 'pool-2',
      });
      expect(entry?.brokenTime).to.equal('2026-01-02T03:04:04.300Z');
      expect(pool.events.map(({ reason }) => reason)).to.deep.equal([
        'ServerBroken',
        'TakeoverCommitted',
        'TakeoverProved',
        'FailoverCompleted',
      ]);
    });

    it('moves nothing without evidence', () => {
      for (const verdict of ['Unknown', 'NeverReady', 'Late', 'Healthy'] as const) {
        const decision = world()
          .change('a', { health: health(verdict) })
          .decide();
        expect(decision.record.queue, verdict).to.equal(undefined);
        expect(decision.record.current, verdict).to.equal(undefined);
      }
    });

    it('moves the role on when the substitute breaks later', () => {
      const pool = world().breaks('a').settle().breaks('s1').settle();
      expect(pool.holder('a')).to.equal('s2');
      expect(pool.status.roles?.[0]).to.include({ epoch: 3, previousHolder: 's1' });
      expect(pool.backups.map(({ name }) => name)).to.deep.equal(['pool-2', 'pool-3']);
    });
  });

  describe('rule 2: the repaired server stands by, the substitute stays', () => {
    it('comes from Broken to Standby after stableSeconds, and the role stays', () => {
      const pool = world().breaks('a').settle().recovers('a').settle();
      expect(pool.view('a').status?.state).to.equal('Broken');
      pool.advance(299_000).settle();
      expect(pool.view('a').status?.state).to.equal('Broken');
      pool.advance(1_000).settle();
      expect(pool.view('a').status?.state).to.equal('Standby');
      expect(pool.holder('a')).to.equal('s1');
      expect(pool.status.counts).to.deep.equal({ active: 2, standby: 2, broken: 0, maintenance: 0 });
    });

    it('takes a role itself before it is stable when nobody else is left', () => {
      const pool = world().breaks('a').settle().recovers('a').breaks('s2').breaks('s1').settle();
      expect(pool.holder('a')).to.equal('a');
    });
  });

  describe('rule 4: which standby', () => {
    const cases: [string, (pool: PoolWorld) => void, string | undefined][] = [
      ['takes the lowest standbyOrder', () => {}, 's1'],
      ['never takes a standby in maintenance', (p) => p.add(recordingServer('s1').standby(1).inMaintenance()), 's2'],
      ['never takes a late one', (p) => p.change('s1', { health: health('Late') }), 's2'],
      ['never takes one that was never ready', (p) => p.change('s1', { health: health('NeverReady') }), 's2'],
      ['never takes one with other mount paths', (p) => p.add(recordingServer('s1').standby(1).mounts('/x')), 's2'],
      ['never takes one of another minor version', (p) => p.report('s1', { version: '1.3.0' }), 's2'],
      ['takes one of another patch version', (p) => p.report('s1', { version: '1.2.9' }), 's1'],
      ['never takes one that has not reported', (p) => p.change('s1', { report: undefined }), 's2'],
      ['never takes one whose report is by another pod', (p) => p.change('s1', { podUID: 'pod-new' }), 's2'],
      ['prefers one that takes all cameras', (p) => p.add(recordingServer('s1').standby(1).capacity(1)), 's2'],
      ['never takes one that is being deleted', (p) => p.change('s1', { deleting: true }), 's2'],
    ];
    for (const [sentence, prepare, expected] of cases) {
      it(sentence, () => {
        const pool = world();
        prepare(pool);
        expect(pool.breaks('a').decide().record.current?.standby).to.equal(expected);
      });
    }

    it('never takes one with another file system', () => {
      const pool = world();
      const [volume] = pool.view('s1').report?.volumes ?? [];
      if (volume) pool.report('s1', { volumes: [{ ...volume, fileSystem: 'xfs' }] });
      expect(pool.breaks('a').decide().record.current?.standby).to.equal('s2');
    });

    it('says for each standby why it does not fit', () => {
      const pool = world()
        .report('s1', { version: '2.0.0' })
        .change('s2', { health: health('Late') });
      const [entry] = pool.breaks('a').decide().record.queue ?? [];
      expect(entry?.waitingFor).to.match(/^NoCompatibleStandby: .*s1: VersionDiffers.*s2: NotHealthy/);
      expect(pool.last?.conditions.Stalled).to.include({ status: 'True', reason: 'NoCompatibleStandby' });
    });

    it('says that there is no standby at all (rule 6)', () => {
      const pool = new PoolWorld().add('a').add('b').breaks('a');
      pool.decide();
      expect(pool.status.queue?.[0]?.waitingFor).to.match(/^NoStandby: /);
      expect(pool.last?.conditions.StandbyAvailable).to.include({ status: 'False', reason: 'NoStandby' });
    });
  });

  describe('rule 13: one at a time, the others queue', () => {
    it('queues by the time of the failure, ties by name, and serves them in that order', () => {
      const pool = world().breaks('b', 'Unreachable', 500).breaks('a', 'Unreachable', 100);
      expect(pool.decide().record.current?.server).to.equal('b');
      expect(pool.status.queue?.map(({ server }) => server)).to.deep.equal(['a']);
      expect(pool.status.queue?.[0]?.waitingFor).to.match(/^FailoverRunning: /);
      pool.settle();
      expect([pool.holder('b'), pool.holder('a')]).to.deep.equal(['s1', 's2']);
      expect(pool.status.queue).to.equal(undefined);
    });

    it('does not let one without a standby block one behind it', () => {
      const pool = world().add(recordingServer('a').mounts('/other'));
      pool.breaks('a', 'Unreachable', 900).breaks('b').settle();
      expect(pool.holder('b')).to.equal('s1');
      expect(pool.status.queue?.map(({ server }) => server)).to.deep.equal(['a']);
    });

    it('lets one that recovers before its turn leave the queue, and says so', () => {
      const pool = world().breaks('a', 'Unreachable', 9).breaks('b');
      pool.backupsWork = false;
      pool.settle().recovers('b').settle();
      expect(pool.status.queue).to.equal(undefined);
      expect(pool.holder('b')).to.equal('b');
      expect(pool.happened('RecoveredBeforeTurn')).to.equal(1);
    });

    it('lets one that left the pool leave the queue', () => {
      const pool = world().breaks('a', 'Unreachable', 9).breaks('b');
      pool.decide();
      pool.change('b', { member: false, spec: recordingServer('b').unmonitored().build().spec }).decide();
      expect(pool.status.queue).to.equal(undefined);
    });

    it('keeps one in the queue after a restart, but waits until it is seen broken again', () => {
      const pool = world()
        .change('s1', { health: health('Late') })
        .change('s2', { health: health('Late') })
        .breaks('a');
      pool.decide();
      pool
        .change('a', { health: health('Unknown') })
        .recovers('s1')
        .decide();
      expect(pool.status.current).to.equal(undefined);
      expect(pool.status.queue?.[0]?.waitingFor).to.match(/^NotYetObserved: /);
      expect(pool.breaks('a').decide().record.current?.standby).to.equal('s1');
    });

    it('moves nothing while paused, and goes on afterwards', () => {
      const pool = world().breaks('a');
      pool.spec = { ...pool.spec, paused: true };
      pool.settle();
      expect(pool.holder('a')).to.equal('a');
      expect(pool.status.queue?.[0]?.waitingFor).to.match(/^Paused: /);
      expect(pool.last?.conditions.Paused.status).to.equal('True');
      pool.spec = { ...pool.spec, paused: false };
      expect(pool.settle().holder('a')).to.equal('s1');
    });
  });

  describe('a pool that is paused in the middle', () => {
    const paused = (pool: PoolWorld, isPaused = true) => {
      pool.spec = { ...pool.spec, paused: isPaused };
      return pool;
    };

    it('finishes what is committed, hands over and makes the baseline, and begins nothing new', () => {
      const pool = world().breaks('a', 'Unreachable', 9).breaks('b');
      pool.decide();
      expect(paused(pool).decide().conditions.Paused.message).to.contain('what is committed is finished: a to s1');
      pool.settle();
      expect(pool.status.history?.[0]).to.include({ from: 'a', to: 's1', outcome: 'Completed' });
      expect(pool.status.roles?.[0]?.handedOverTime).to.be.a('string');
      expect(pool.status.current).to.equal(undefined);
      expect(pool.status.queue?.[0]?.waitingFor).to.match(/^Paused: /);
      expect(pool.holder('b')).to.equal('b');
    });

    it('gives the role to no other standby when the first one fails, and says that it waits for a person', () => {
      const pool = world().breaks('a').silenceAgent('s1');
      pool.decide();
      paused(pool).breaks('s1', 'AllDisksLost').settle();
      expect(pool.status.current).to.include({ standby: 's1', step: 'TakingOver' });
      expect(pool.last?.conditions.Stalled).to.include({ status: 'True', reason: 'Paused' });
      expect(pool.last?.conditions.Stalled.message).to.match(/^s1 was to take over the role a, but it broke too/);
      expect(pool.last?.conditions.Ready.status).to.equal('False');
      expect(paused(pool, false).settle().holder('a')).to.equal('s2');
    });

    it('says so of a standby that does not acknowledge, and takes it when it does so late', () => {
      const pool = world().breaks('a').silenceAgent('s1');
      pool.decide();
      paused(pool).advance(5_000).decide();
      expect(pool.status.current?.standby).to.equal('s1');
      expect(pool.last?.conditions.Stalled.reason).to.equal('Paused');
      pool.recovers('s1').settle();
      expect(pool.status.history?.[0]).to.include({ to: 's1', outcome: 'Completed' });
      expect(pool.last?.conditions.Stalled.status).to.equal('False');
    });

    it('keeps the evidence of what breaks meanwhile, in its order, and serves it afterwards', () => {
      const pool = paused(world());
      pool.breaks('b').decide();
      pool.advance(1_000).breaks('a').settle();
      expect(pool.status.queue?.map(({ server }) => server)).to.deep.equal(['b', 'a']);
      paused(pool, false).settle();
      expect([pool.holder('b'), pool.holder('a')]).to.deep.equal(['s1', 's2']);
    });
  });

  describe('proof of a takeover', () => {
    it('takes a reported failed attempt for a proof', () => {
      const pool = world().breaks('a').silenceAgent('s1');
      pool.decide();
      const failed = { name: 'a-1', state: 'Failed' as const, sinceTime: '2026-01-02T03:04:06Z' };
      const other = { ...failed, name: 'a-2', state: 'Recording' as const };
      pool.report('s1', { role: 'a', epoch: 2, cameras: [failed, { ...other, state: 'Connecting' }] }).decide();
      expect(pool.status.current?.step).to.equal('TakingOver');
      pool.report('s1', { cameras: [failed, other] }).decide();
      expect(pool.status.current?.step).to.equal('BackingUp');
      expect(pool.happened('TakeoverProved')).to.equal(1);
    });

    it('takes no failed attempt for a proof from a standby that cannot write at all', () => {
      const sinceTime = '2026-01-02T03:04:06Z';
      const failed = ['a-1', 'a-2'].map((name) => ({ name, state: 'Failed' as const, sinceTime }));
      const lost = [{ name: 'a', mountPath: '/footage/a', state: 'Lost' as const, sinceTime }];
      for (const fault of [{ volumes: lost }, { recordingService: { state: 'Failed' as const, sinceTime } }]) {
        const pool = world().breaks('a').silenceAgent('s1').silenceAgent('s2');
        pool.decide();
        pool.project();
        pool.report('s1', { role: 'a', epoch: 2, cameras: failed, ...fault }).decide();
        expect(pool.status.current?.step).to.equal('TakingOver');
        expect(pool.status.roles?.[0]?.handedOverTime).to.equal(undefined);
      }
    });

    it('asks nothing of analogue cameras and those that stay behind', () => {
      const pool = world().breaks('a').silenceAgent('s1');
      pool.cameras = [camera('x').analog().build(), camera('y').priority('Never').build()];
      pool.decide();
      pool.report('s1', { role: 'a', epoch: 2, cameras: [] }).decide();
      expect(pool.status.current?.step).to.equal('BackingUp');
    });

    it('asks nothing of cameras that failed before the fault, but of those that failed by it', () => {
      const at = (sinceTime: string) => ({ state: 'Failed' as const, sinceTime });
      const pool = world().report('a', {
        volumes: [{ name: 'a', mountPath: '/footage/a', state: 'Lost', sinceTime: '2026-01-02T03:04:00Z' }],
        cameras: [
          { name: 'a-1', ...at('2026-01-02T02:00:00Z') },
          { name: 'a-2', ...at('2026-01-02T03:03:59Z') },
        ],
      });
      pool.breaks('a', 'AllDisksLost').decide();
      expect(pool.status.current?.failingBefore).to.deep.equal(['a-1']);
    });

    it('waits 30 s after the acknowledgement and names the cameras without proof', () => {
      const pool = world().breaks('a').silenceAgent('s1');
      pool.decide();
      pool.report('s1', { role: 'a', epoch: 2 }).decide();
      expect(pool.last?.requeueAfterMs).to.equal(30_000);
      pool.advance(29_999).decide();
      expect(pool.status.current?.step).to.equal('TakingOver');
      pool.advance(1).decide();
      expect(pool.status.current).to.deep.include({ step: 'BackingUp', unproved: ['a-1', 'a-2'] });
      expect(pool.status.roles?.[0]?.handedOverTime).to.be.a('string');
      expect(pool.happened('TakeoverUnproved')).to.equal(1);
    });

    it('does not take the word of another pod, role or epoch', () => {
      const pool = world().breaks('a').silenceAgent('s1');
      pool.decide();
      for (const report of [
        { role: 'a', epoch: 1 },
        { role: 'b', epoch: 2 },
        { role: 'a', epoch: 2, podUID: 'other' },
      ]) {
        pool.report('s1', report).decide();
        expect(pool.status.current?.acknowledgedTime).to.equal(undefined);
      }
    });
  });

  describe('a standby that fails on the way', () => {
    it('loses the role when it does not acknowledge within max(2 heartbeats, 5 s)', () => {
      const pool = world().breaks('a').silenceAgent('s1');
      pool.decide();
      pool.advance(4_999).decide();
      expect(pool.holder('a')).to.equal('s1');
      const brokenTime = pool.status.current?.brokenTime;
      pool.advance(1).decide();
      expect(pool.status.current).to.include({ standby: 's2', epoch: 3, server: 'a', brokenTime });
      expect(pool.status.history?.[0]).to.include({ to: 's1', outcome: 'Superseded' });
    });

    it('gets its whole time again after a restart of the operator', () => {
      const pool = world().breaks('a').silenceAgent('s1');
      pool.decide();
      pool.advance(4_999).restartOperator().decide();
      pool.advance(4_999).decide();
      expect(pool.holder('a')).to.equal('s1');
    });

    it('has its report read anew before it loses the role for what it did not say', () => {
      const pool = world().breaks('a', 'AllDisksLost').silenceAgent('s1');
      expect(pool.decide().confirmReports).to.deep.equal([]);
      expect(pool.advance(20_000).decide().confirmReports).to.deep.equal(['s1']);
      expect(pool.holder('a')).to.equal('s2');
    });

    it('has its silence confirmed before it loses the role, and only its silence', () => {
      for (const [trigger, asked] of [
        ['Unreachable', ['s1']],
        ['AllDisksLost', []],
      ] as const) {
        const pool = world().breaks('a', 'AllDisksLost').silenceAgent('s1');
        pool.decide();
        expect(pool.breaks('s1', trigger).decide().confirmSilence).to.deep.equal(asked);
        expect(pool.holder('a')).to.equal('s2');
      }
    });

    it('does not lose the role while the API server does not answer', () => {
      const pool = world().breaks('a').silenceAgent('s1');
      pool.decide();
      const silent = { since: 0, last: pool.advance(8_000).monotonic - 3_001 };
      expect(decide({ ...pool.input(), contact: silent }).record.current).to.include({ server: 'a', standby: 's1' });
    });

    it('loses the role when it breaks before the proof, and the role keeps its place', () => {
      const pool = world().breaks('a', 'Unreachable', 50).silenceAgent('s1');
      pool.decide();
      pool.report('s1', { role: 'a', epoch: 2 }).decide();
      pool.breaks('b', 'AllDisksLost').breaks('s1', 'AllDisksLost').decide();
      expect(pool.status.current).to.include({ server: 'a', standby: 's2' });
    });

    it('loses the role when it is deleted before the proof', () => {
      const pool = world().breaks('a').silenceAgent('s1');
      pool.decide();
      pool.servers.delete('s1');
      pool.settle();
      expect(pool.holder('a')).to.equal('s2');
    });

    it('has its time from the first answer of the API server after an outage, in which nobody could acknowledge', () => {
      const pool = world().breaks('a').silenceAgent('s1');
      pool.decide();
      pool.advance(8_000);
      const away = decide({ ...pool.input(), contact: { since: 0, last: pool.monotonic - 3_001 } });
      expect(away.record.current).to.include({ standby: 's1', step: 'TakingOver' });
      pool.contactSince = pool.monotonic;
      pool.advance(4_999).decide();
      expect(pool.status.current).to.include({ standby: 's1', step: 'TakingOver' });
      pool.advance(1).decide();
      expect(pool.status.current).to.include({ standby: 's2', step: 'TakingOver' });
    });

    it('waits in the queue when there is no other, and gets it when it acknowledges late', () => {
      const pool = world()
        .change('s2', { health: health('Late') })
        .breaks('a')
        .silenceAgent('s1');
      pool.decide();
      pool.advance(5_000).decide();
      expect(pool.status.current).to.equal(undefined);
      expect(pool.status.queue?.[0]?.waitingFor).to.match(/s1: DidNotAcknowledge/);
      pool.recovers('s1').settle();
      expect(pool.status.history?.[0]).to.include({ to: 's1', outcome: 'Completed' });
      expect(pool.status.queue).to.equal(undefined);
    });

    it('is tried again after a minute when there is no other', () => {
      const pool = world()
        .change('s2', { health: health('Late') })
        .breaks('a')
        .silenceAgent('s1');
      pool.decide();
      pool.advance(5_000).decide();
      pool.advance(59_999).decide();
      expect(pool.status.current).to.equal(undefined);
      pool.advance(1).decide();
      expect(pool.status.current?.standby).to.equal('s1');
    });

    it('gives the role back to the repaired home when nobody else is left', () => {
      const pool = world()
        .change('s2', { health: health('Late') })
        .breaks('a');
      pool.decide();
      pool.breaks('s1').recovers('a').settle();
      expect(pool.holder('a')).to.equal('a');
      expect(pool.status.queue).to.equal(undefined);
    });
  });

  describe('rule 12: the new baseline', () => {
    it('is ordered once the takeover is proved, under the name of its epoch', () => {
      const pool = world().breaks('a');
      pool.backupsWork = false;
      pool.settle();
      expect(pool.backups.map(({ name, spec }) => [name, spec.epoch])).to.deep.equal([['pool-2', 2]]);
      expect(pool.status.current).to.include({ step: 'BackingUp', backupName: 'pool-2' });
    });

    it('lets the queue go on loudly when its deadline has passed', () => {
      const pool = world().breaks('a', 'Unreachable', 9).breaks('b');
      pool.backupsWork = false;
      pool.settle().advance(19_999).decide();
      expect(pool.status.current?.server).to.equal('a');
      pool.advance(1).decide();
      expect(pool.status.history?.[0]).to.include({ outcome: 'BaselineLate' });
      expect(pool.status.current?.server).to.equal('b');
      expect(pool.happened('BaselineLate')).to.equal(1);
    });

    it('lets the queue go on loudly when it failed', () => {
      const pool = world().breaks('a');
      pool.backupsWork = false;
      pool.settle();
      pool.backups = pool.backups.map((backup) => ({ ...backup, outcome: 'Failed', message: 'quota' }));
      pool.decide();
      expect(pool.status.history?.[0]?.outcome).to.equal('BaselineFailed');
      expect(pool.events.find(({ reason }) => reason === 'BaselineFailed')?.note).to.contain('quota');
    });

    it('does not take a Backup of that name for its own', () => {
      const pool = world().breaks('a');
      pool.backups = [
        {
          name: 'pool-2',
          spec: { poolRef: { name: 'pool' }, reason: 'Manual', engine: 'Secret' },
          outcome: 'Complete',
        },
      ];
      // The name shows an epoch, so the takeover's own lies above it.
      expect(pool.settle().status.history?.[0]).to.include({ outcome: 'Completed', backupName: 'pool-3' });
    });
  });

  describe('law 2: a pool without memory', () => {
    it('starts at 1 when nothing has ever moved', () => {
      const pool = new PoolWorld().add('a').add(recordingServer('s1').standby());
      pool.status = {};
      expect(pool.settle().status.epoch).to.equal(1);
      expect(pool.happened('EpochSeeded')).to.equal(0);
    });

    it('adopts the holders that it finds, above every visible epoch, and moves nothing', () => {
      const pool = world().breaks('a').settle();
      const before = [...pool.servers.values()].map(({ view }) => view.status?.servingRole);
      pool.status = {};
      pool.restartOperator().settle();
      expect(pool.holder('a')).to.equal('s1');
      expect(pool.status.roles?.[0]).to.include({ name: 'a', holder: 's1', epoch: 2 });
      expect(pool.status.epoch).to.equal(3);
      expect([...pool.servers.values()].map(({ view }) => view.status?.servingRole)).to.deep.equal(before);
      expect(pool.happened('EpochSeeded')).to.equal(1);
      expect(pool.breaks('s1').settle().status.epoch).to.be.greaterThan(3);
    });

    it('counts an adopted role among the epochs that it has decided', () => {
      const pool = world();
      const { spec, status } = pool.view('s1');
      pool.change('s1', { spec: { ...spec, type: 'Standard' }, status: { ...status, servingRole: 's1', epoch: 2 } });
      pool.decide();
      expect(pool.status.roles?.[0]).to.include({ name: 's1', holder: 's1', epoch: 2 });
      expect(pool.status.epoch).to.equal(2);
    });

    it('adopts a holder that is later than all that it remembers: an older baseline was restored', () => {
      const pool = world().breaks('a').settle();
      const restored = { ...pool.status, history: [] };
      pool.breaks('s1').settle();
      expect(pool.status.roles?.[0]).to.include({ holder: 's2', epoch: 3 });
      pool.status = restored;
      pool.restartOperator().recovers('s1');
      pool.decide();
      expect(pool.status.roles?.[0]).to.include({ name: 'a', holder: 's2', previousHolder: 's1', epoch: 3 });
      expect(pool.settle().holder('a')).to.equal('s2');
      expect(pool.recording('a')).to.deep.equal(['s2']);
    });

    it('raises a role to the later epoch of its very holder, whose word would not count otherwise', () => {
      const pool = world().breaks('a').settle();
      const { handedOverTime } = pool.status.roles?.[0] ?? {};
      pool.change('s1', { leaseAssignment: { role: 'a', epoch: 9 } });
      pool.decide();
      expect(pool.status.roles?.[0]).to.include({ holder: 's1', previousHolder: 'a', epoch: 9, handedOverTime });
      expect(pool.status.epoch).to.equal(9);
      expect(pool.status.current).to.equal(undefined);
    });

    it('gives nobody two roles, whatever the memory of its holder says', () => {
      const pool = world().breaks('a').settle();
      pool.change('s1', { leaseAssignment: { role: 'b', epoch: 9 } });
      pool.decide();
      expect(pool.status.roles?.map(({ name, holder }) => `${name} by ${holder}`)).to.deep.equal(['a by s1']);
    });

    it('leaves a role alone that moves right now, whatever an old memory says of it', () => {
      const pool = world().breaks('a');
      pool.decide();
      expect(pool.status.current).to.include({ role: 'a', standby: 's1' });
      pool.change('s2', { leaseAssignment: { role: 'a', epoch: 9 } }).report('s2', { role: 'a', epoch: 9 });
      pool.decide();
      expect(pool.holder('a')).to.equal('s1');
    });

    it('takes nobody for free whose recorder goes on with a role that it remembers', () => {
      const pool = world().breaks('a');
      pool.decide();
      pool.report('s2', { role: 'a', epoch: 9 });
      expect(assignedRole(pool.input(), pool.view('s2'))).to.equal('a');
      pool.report('s2', { podUID: 'an earlier pod' });
      expect(assignedRole(pool.input(), pool.view('s2'))).to.equal('');
    });

    it('believes no epoch that nobody can have decided: behind it no takeover would have room', () => {
      const pool = world().breaks('a').settle();
      pool.change('s1', { leaseAssignment: { role: 'a', epoch: 2 ** 53 - 1 } });
      pool.report('s2', { role: 'b', epoch: 2 ** 53 - 1 });
      pool.settle();
      expect(pool.status.roles?.map(({ name, holder, epoch }) => [name, holder, epoch])).to.deep.equal([
        ['a', 's1', 2],
      ]);
      expect(pool.breaks('b').settle().status.epoch).to.equal(3);
    });

    it('adopts a later holder of a role whose home is scrapped, too', () => {
      const pool = world().breaks('a').settle();
      pool.servers.delete('a');
      pool.settle();
      pool.report('s2', { role: 'a', epoch: 9 }).change('s2', { leaseAssignment: { role: 'a', epoch: 9 } });
      pool.decide();
      expect(pool.status.roles?.[0]).to.include({ name: 'a', holder: 's2', previousHolder: 's1', epoch: 9 });
    });

    it('takes no role from its holder for one whose recorder has not said itself that it serves it', () => {
      const pool = world().breaks('a').settle();
      pool.change('s2', { leaseAssignment: { role: 'a', epoch: 9 } });
      pool.decide();
      expect(pool.holder('a')).to.equal('s1');
      pool.report('s2', { role: 'a', epoch: 9 });
      pool.change('s2', { health: { ...pool.view('s2').health, verdict: 'Broken', trigger: 'Unreachable' } });
      pool.decide();
      expect(pool.holder('a')).to.equal('s1');
      const { affected } = pool.recovers('s2').change('s2', { leaseAssignment: undefined }).decide();
      expect(pool.status.roles?.[0]).to.include({ holder: 's2', previousHolder: 's1', epoch: 9 });
      // Nobody has to be told anything: it serves the role already, and its predecessor goes on until the handover.
      expect(affected).to.deep.equal([]);
    });

    it('finds the holder by its Lease when its status was lost too', () => {
      const pool = world().breaks('a').settle();
      pool.status = {};
      pool.change('s1', { status: undefined, leaseAssignment: { role: 'a', epoch: 2 } });
      pool.decide();
      expect(pool.holder('a')).to.equal('s1');
    });

    it('counts Backup names and bindings among the visible epochs', () => {
      const pool = world();
      pool.status = {};
      const spec = { poolRef: { name: 'pool' }, reason: 'Failover' as const, engine: 'Secret' as const, epoch: 9 };
      pool.backups = [{ name: 'pool-9', spec, outcome: 'Complete' }];
      expect(pool.decide().record.epoch).to.equal(10);
    });

    it('finishes a takeover that it finds half done', () => {
      const pool = world().breaks('a');
      pool.decide();
      pool.project();
      pool.status = {};
      pool.decide();
      expect(pool.status.roles?.[0]).to.include({ holder: 's1', previousHolder: 'a' });
      expect(pool.settle().status.roles?.[0]?.handedOverTime).to.be.a('string');
    });
  });

  describe('deleted servers', () => {
    it('moves a role at once when its substitute is deleted', () => {
      const pool = world().breaks('a').settle();
      pool.servers.delete('s1');
      expect(pool.decide().record.current).to.include({ server: 's1', trigger: 'ServerDeleted', standby: 's2' });
    });

    it('takes a namesake of the deleted substitute for another server', () => {
      const pool = world().breaks('a').settle().add(recordingServer('s1').standby(1).uid('other'), 'NeverReady');
      expect(pool.decide().record.current).to.include({ trigger: 'ServerDeleted', standby: 's2' });
    });

    it('ends the role of a deleted home, queued or not', () => {
      const pool = world()
        .change('s1', { health: health('Late') })
        .change('s2', { health: health('Late') })
        .breaks('a');
      pool.decide();
      pool.servers.delete('a');
      pool.settle();
      expect(pool.status.queue).to.equal(undefined);
      expect(pool.status.current).to.equal(undefined);
    });

    it('ends nothing when a broken home is deleted, and says so once', () => {
      const pool = world().breaks('a').settle();
      pool.servers.delete('a');
      pool.settle().settle();
      expect(pool.holder('a')).to.equal('s1');
      expect(pool.happened('HomeDeleted')).to.equal(1);
      expect(pool.breaks('s1').settle().holder('a')).to.equal('s2');
    });

    it('goes on with a takeover whose broken home is deleted in the middle', () => {
      const pool = world().breaks('a');
      pool.decide();
      pool.servers.delete('a');
      expect(pool.settle().status.history?.[0]).to.include({ to: 's1', outcome: 'Completed' });
    });

    it('gives a home that was made again its role at a new epoch', () => {
      const pool = world().breaks('a').settle().recovers('a').breaks('s2').breaks('s1').settle();
      expect(pool.holder('a')).to.equal('a');
      const epoch = pool.status.roles?.[0]?.epoch ?? 0;
      pool.add(recordingServer('a').uid('other').status({}), 'NeverReady').settle();
      expect(pool.status.roles?.[0]).to.include({ holder: 'a', holderUID: 'other' });
      expect(pool.status.roles?.[0]?.epoch).to.be.greaterThan(epoch);
    });
  });

  describe('conditions', () => {
    it('leave a pool Ready while substitutes record', () => {
      const conditions = world().breaks('a').settle().last?.conditions;
      expect(conditions?.Ready.status).to.equal('True');
      expect(conditions?.OnSubstitute).to.include({ status: 'True', message: 'Recorded by substitutes: a by s1' });
      expect(conditions?.Reconciling.status).to.equal('False');
    });

    it('say Reconciling only while a failover runs', () => {
      expect(world().breaks('a').decide().conditions.Reconciling).to.include({ status: 'True', reason: 'FailingOver' });
    });
  });

  it('keep no more than 20 failovers in the history', () => {
    const pool = world();
    for (let round = 0; round < 24; round += 1) {
      const holder = pool.holder('a') ?? '';
      pool.breaks(holder).settle().recovers(holder).advance(301_000).settle();
    }
    expect(pool.status.history).to.have.length(20);
  });
});
