import { expect } from 'chai';
import { describe, it } from 'mocha';
import { flapped } from '../../../src/failover/moves/failback.js';
import { camera } from '../support/builders/camera.js';
import { recordingServer } from '../support/builders/recording-server.js';
import { health, PoolWorld } from './support/pool-world.js';

/** Recorders a and b, standbys s1 and s2, two cameras on a, one on b. */
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

/** Decides and projects until nothing changes; the role is recorded whole by somebody after every single step. */
function withoutGap(pool: PoolWorld, role = 'a'): PoolWorld {
  const recorded = (step: string) => expect(pool.recording(role), `${role} is recorded ${step}`).to.not.deep.equal([]);
  for (let round = 0; round < 40; round += 1) {
    const before = JSON.stringify([pool.status, [...pool.servers.values()], pool.backups]);
    pool.decide();
    recorded('after a decision');
    pool.project();
    recorded('after the projections');
    if (JSON.stringify([pool.status, [...pool.servers.values()], pool.backups]) === before) return pool;
  }
  throw new Error(`the pool does not come to rest: ${JSON.stringify(pool.status, null, 1)}`);
}

function failback(pool: PoolWorld, mode: 'None' | 'Automatic' | 'Manual'): PoolWorld {
  pool.spec = { ...pool.spec, failback: { mode, stableSeconds: 300 } };
  return pool;
}

const pending = (pool: PoolWorld) => pool.last?.conditions.MovesPending;
const inMaintenance = (pool: PoolWorld, name: string) => pool.edit(name, { operatingMode: 'Maintenance' });
const cordon = (pool: PoolWorld, name: string) => pool.change(name, { cordonedNode: `node-${name}` });
const uncordon = (pool: PoolWorld, name: string) => pool.change(name, { cordonedNode: undefined, drained: undefined });

/** a is in maintenance, and s1 has its role but has not said a word. */
function halfMoved(): PoolWorld {
  const pool = inMaintenance(world().silenceAgent('s1'), 'a');
  pool.decide();
  pool.project();
  return pool;
}

describe('planned moves (rule 16)', () => {
  it('are none when nothing is to move, and say so', () => {
    const pool = world();
    pool.decide();
    expect(pending(pool)).to.include({ status: 'False', reason: 'NoMoves' });
  });

  describe('make before break', () => {
    it('records at every step, by the two steps of a failover', () => {
      const pool = inMaintenance(world(), 'a');
      const decision = pool.decide();
      expect(decision.record.current).to.include({ server: 'a', standby: 's1', trigger: 'Maintenance', epoch: 2 });
      expect(decision.record.current).to.not.have.property('brokenTime');
      expect(decision.record.roles?.[0]).to.include({ holder: 's1', previousHolder: 'a' });
      expect(decision.affected).to.deep.equal(['s1']);
      expect(decision.confirmSilence).to.deep.equal([]);
      withoutGap(pool);
      expect(pool.holder('a')).to.equal('s1');
      expect(pool.status.roles?.[0]).to.include({ cause: 'Maintenance' });
      expect(pool.events.map(({ reason }) => reason)).to.deep.equal([
        'MoveCommitted',
        'TakeoverProved',
        'MoveCompleted',
      ]);
    });

    it('makes a baseline after each, under the name of its epoch', () => {
      const pool = withoutGap(inMaintenance(world(), 'a'));
      expect(pool.backups.map(({ name }) => name)).to.deep.equal(['pool-2']);
      expect(pool.status.history?.[0]).to.include({
        outcome: 'Completed',
        trigger: 'Maintenance',
        backupName: 'pool-2',
      });
    });

    it('leaves the pool Ready, since everything is recorded', () => {
      const { conditions } = inMaintenance(world(), 'a').decide();
      expect(conditions.Ready.status).to.equal('True');
      expect(conditions.Reconciling).to.include({ status: 'True', reason: 'Moving' });
    });

    it('keeps the previous holder recording until each camera that it records is recorded', () => {
      const pool = halfMoved();
      const since = { sinceTime: '2026-01-02T03:04:06Z' };
      const word = (...states: ('Recording' | 'Failed')[]) =>
        pool.report('s1', {
          ...{ role: 'a', epoch: 2 },
          cameras: states.map((state, index) => ({ name: `a-${index + 1}`, state, ...since })),
        });
      word('Recording', 'Failed').decide();
      expect(pool.status.current?.step, 'a failed attempt is no proof for a move').to.equal('TakingOver');
      expect(pool.recording('a')).to.deep.equal(['a']);
      word('Recording', 'Recording').decide();
      expect(pool.status.current?.step).to.equal('BackingUp');
    });

    it('asks nothing of cameras that the previous holder does not record either', () => {
      const dead = { name: 'a-2', state: 'Failed' as const, sinceTime: '2026-01-02T03:00:00Z' };
      const live = { ...dead, name: 'a-1', state: 'Recording' as const };
      const pool = inMaintenance(
        world()
          .silenceAgent('a')
          .silenceAgent('s1')
          .report('a', { cameras: [live, dead] }),
        'a',
      );
      pool.decide();
      expect(pool.status.current?.failingBefore).to.deep.equal(['a-2']);
      pool.report('s1', { role: 'a', epoch: 2, cameras: [live, dead] }).decide();
      expect(pool.status.current?.step).to.equal('BackingUp');
    });

    it('excuses a camera that dies at both in the middle', () => {
      const pool = halfMoved().silenceAgent('a');
      const at = { sinceTime: '2026-01-02T03:04:06Z' };
      const cameras = [
        { name: 'a-1', state: 'Recording' as const, ...at },
        { name: 'a-2', state: 'Failed' as const, ...at },
      ];
      pool.report('s1', { role: 'a', epoch: 2, cameras }).report('a', { cameras }).decide();
      expect(pool.status.current?.step).to.equal('BackingUp');
    });

    it('begins only while the holder records and says so', () => {
      for (const verdict of ['Late', 'Unknown'] as const) {
        const pool = inMaintenance(world(), 'a').change('a', { health: health(verdict) });
        pool.decide();
        expect(pool.status.current, verdict).to.equal(undefined);
        expect(pending(pool)?.message).to.equal('a (Maintenance): waits until a records it and is healthy');
      }
      const mute = inMaintenance(world().silenceAgent('a').report('a', { role: '' }), 'a');
      mute.decide();
      expect(mute.status.current).to.equal(undefined);
    });

    it('takes the role of one that was never ready for its repair: it records nothing', () => {
      const pool = inMaintenance(world(), 'a').change('a', { health: health('NeverReady') });
      expect(pool.settle().holder('a')).to.equal('s1');
    });
  });

  describe('what can not be proved is abandoned', () => {
    const cases: [string, (pool: PoolWorld) => void, RegExp][] = [
      ['when the target does not acknowledge in time', (p) => p.advance(5_000), /did not acknowledge/],
      ['when the target breaks', (p) => p.breaks('s1'), /it broke too/],
      ['when the target is deleted', (p) => void p.servers.delete('s1'), /deleted or left the pool/],
      [
        'when a camera is not recorded there within the bounded wait',
        (p) => {
          const cameras = [{ name: 'a-1', state: 'Recording' as const, sinceTime: '2026-01-02T03:04:06Z' }];
          p.report('s1', { role: 'a', epoch: 2, cameras }).decide();
          p.advance(30_000);
        },
        /does not record 1 cameras that a records: a-2/,
      ],
      ['when another server breaks: failures go first', (p) => p.breaks('b'), /a broken server goes first/],
    ];
    for (const [sentence, fault, why] of cases)
      it(`${sentence}; the role goes back and has never stopped`, () => {
        const pool = halfMoved();
        fault(pool);
        const { record } = pool.decide();
        expect(pool.recording('a')).to.deep.equal(['a']);
        const role = record.roles?.find(({ name }) => name === 'a');
        expect(role).to.include({ holder: 'a', previousHolder: 's1' });
        expect(role?.epoch).to.be.greaterThan(2);
        expect(role?.handedOverTime).to.be.a('string');
        expect(record.history?.[0]).to.include({ from: 'a', to: 's1', outcome: 'Abandoned', trigger: 'Maintenance' });
        expect(record.history?.[0]?.message).to.match(why);
        expect(pool.happened('MoveAbandoned')).to.equal(1);
        pool.project();
        expect(pool.view('a').status).to.include({ servingRole: 'a', epoch: role?.epoch });
        expect(pool.recording('a')).to.deep.equal(['a']);
      });

    it('has the silence of its target confirmed before that', () => {
      expect(halfMoved().breaks('s1', 'Unreachable').decide().confirmSilence).to.deep.equal(['s1']);
    });

    it('serves the failure first, in the very decision', () => {
      const pool = halfMoved().breaks('b');
      expect(pool.decide().record.current).to.include({ server: 'b', trigger: 'Unreachable' });
    });

    it('is tried again after five minutes, by another target first', () => {
      const pool = halfMoved();
      pool.advance(5_000);
      withoutGap(pool);
      expect(pending(pool)?.message).to.match(/tried again 5 minutes after it was abandoned: s1 was to take over/);
      const quiet = JSON.stringify(pool.status);
      withoutGap(pool.advance(299_999));
      expect(JSON.stringify(pool.status)).to.equal(quiet);
      withoutGap(pool.advance(1));
      expect(pool.holder('a')).to.equal('s2');
    });

    it('waits its whole time again after a restart of the operator', () => {
      const pool = withoutGap(halfMoved().advance(5_000));
      withoutGap(pool.advance(299_999).restartOperator());
      withoutGap(pool.advance(299_999));
      expect(pool.holder('a')).to.equal('a');
    });

    it('does not push the failovers out of the history', () => {
      const pool = world().breaks('b').settle().recovers('b').advance(301_000).settle();
      inMaintenance(pool, 'a').silenceAgent('s2').silenceAgent('b');
      for (let round = 0; round < 12; round += 1) withoutGap(pool.advance(301_000)).advance(5_000).decide();
      expect(pool.status.history?.length).to.be.at.most(4);
      expect(pool.status.history?.at(-1)).to.include({ trigger: 'Unreachable' });
    });

    it('also while the pool is paused: it undoes, and moves nothing', () => {
      const pool = halfMoved();
      pool.spec = { ...pool.spec, paused: true };
      pool.breaks('s1').decide();
      expect(pool.holder('a')).to.equal('a');
    });
  });

  describe('a source that breaks in the middle', () => {
    it('makes it an ordinary failover to the same target, without a way back', () => {
      const pool = halfMoved().breaks('a', 'AllDisksLost', 700);
      pool.decide();
      expect(pool.status.current).to.include({ server: 'a', standby: 's1', trigger: 'AllDisksLost', epoch: 2 });
      expect(pool.status.current?.brokenTime).to.equal('2026-01-02T03:04:04.300Z');
      pool.recovers('s1').settle();
      expect(pool.status.history?.[0]).to.include({ trigger: 'AllDisksLost', to: 's1', outcome: 'Completed' });
      expect(pool.status.history).to.have.length(1);
    });

    it('has its silence confirmed before that', () => {
      expect(halfMoved().breaks('a').decide().confirmSilence).to.deep.equal(['a']);
    });

    it('passes on to the next standby when the target fails too', () => {
      const pool = halfMoved().breaks('a').breaks('s1');
      expect(pool.decide().record.current).to.include({ server: 'a', standby: 's2', trigger: 'Unreachable' });
    });

    it('goes on when the source, and home of the role, is deleted', () => {
      const pool = halfMoved();
      pool.servers.delete('a');
      pool.decide();
      expect(pool.status.current).to.include({ trigger: 'ServerDeleted', standby: 's1' });
      expect(pool.recovers('s1').settle().holder('a')).to.equal('s1');
    });

    it('fails the request of the person, who is told', () => {
      const pool = world().silenceAgent('s1');
      pool.request = '1 switchover a';
      pool.decide();
      pool.breaks('a').decide();
      expect(pool.status.lastRequest).to.include({ outcome: 'Failed' });
      expect(pool.status.lastRequest?.message).to.match(/a broke in the middle/);
    });
  });

  describe('a failure while the baseline of a move is made', () => {
    it('does not wait for that baseline: its own follows', () => {
      const pool = inMaintenance(world(), 'a');
      pool.backupsWork = false;
      pool.settle();
      expect(pool.status.current?.step).to.equal('BackingUp');
      pool.breaks('b').decide();
      expect(pool.status.current).to.include({ server: 'b', standby: 's2' });
      expect(pool.status.history?.[0]).to.include({ trigger: 'Maintenance', outcome: 'BaselineLate' });
    });
  });

  describe('one at a time, in order', () => {
    it('begins with a request, then maintenance, cordon, template, failback; ties by name', () => {
      const pool = new PoolWorld();
      for (const name of ['a', 'b', 'c', 'd', 'e']) pool.add(name);
      for (const name of ['s1', 's2', 's3', 's4', 's5', 's6', 's7']) pool.add(recordingServer(name).standby());
      pool.project();
      failback(pool.settle().breaks('a').settle().recovers('a'), 'Automatic').settle().advance(301_000);
      pool.project();
      pool.edit('b', { updateStrategy: 'Switchover' }).change('b', { outdated: true });
      cordon(pool, 'd');
      inMaintenance(pool, 'e');
      inMaintenance(pool, 'c');
      pool.request = '1 switchover d';
      const begun = pool.events.length;
      pool.settle();
      const causes = (pool.status.history ?? []).map(({ role, trigger }) => `${trigger} ${role}`).reverse();
      expect(causes.slice(1)).to.deep.equal([
        'Requested d',
        'Maintenance c',
        'Maintenance e',
        'TemplateUpdated b',
        'Failback a',
      ]);
      expect(pool.events.length).to.be.greaterThan(begun);
    });

    it('does not let one without a target block one behind it', () => {
      const pool = world().edit('a', { volumes: recordingServer('a').mounts('/other').build().spec.volumes });
      inMaintenance(inMaintenance(pool, 'a'), 'b').settle();
      expect(pool.holder('b')).to.equal('s1');
      expect(pending(pool)?.message).to.match(/^a \(Maintenance\): waits: s2: MountPathsDiffer/);
    });

    it('waits while the pool is paused, and a running one may finish', () => {
      const pool = inMaintenance(inMaintenance(world(), 'a'), 'b');
      pool.decide();
      pool.spec = { ...pool.spec, paused: true };
      withoutGap(pool);
      expect([pool.holder('a'), pool.holder('b')]).to.deep.equal(['s1', 'b']);
      expect(pending(pool)?.message).to.equal('b (Maintenance): waits until spec.paused is unset');
    });

    it('waits while a broken server is queued', () => {
      const pool = world().change('s1', { health: health('NeverReady') });
      pool
        .edit('b', { volumes: recordingServer('b').mounts('/other').build().spec.volumes })
        .breaks('b')
        .settle();
      inMaintenance(pool, 'a').settle();
      expect(pool.holder('a')).to.equal('a');
      expect(pending(pool)?.message).to.equal('a (Maintenance): waits until no broken server is queued');
    });
  });

  describe('maintenance', () => {
    it('leaves the server in Maintenance without a role', () => {
      const pool = withoutGap(inMaintenance(world(), 'a'));
      expect(pool.view('a').status).to.include({ state: 'Maintenance', servingRole: '' });
    });

    it('of a substitute moves the role on', () => {
      const pool = withoutGap(inMaintenance(world().breaks('a').settle(), 's1'));
      expect(pool.holder('a')).to.equal('s2');
    });

    it('that is taken back in the middle lets the move finish, and nothing more moves', () => {
      const pool = inMaintenance(world(), 'a');
      pool.decide();
      withoutGap(pool.edit('a', { operatingMode: 'Normal' }));
      expect(pool.holder('a')).to.equal('s1');
      expect(pending(pool)?.reason).to.equal('NoMoves');
    });

    it('that is taken back while it waits moves nothing', () => {
      const pool = inMaintenance(world(), 'a').breaks('s1').breaks('s2').settle();
      expect(pending(pool)?.reason).to.equal('MoveWaiting');
      pool.edit('a', { operatingMode: 'Normal' }).settle();
      expect(pool.holder('a')).to.equal('a');
      expect(pending(pool)?.reason).to.equal('NoMoves');
    });

    it('says for each standby why it does not fit', () => {
      const pool = inMaintenance(world(), 'a').report('s1', { version: '9.0.0' }).breaks('s2').settle();
      expect(pending(pool)?.message).to.match(/s1: VersionDiffers.*s2: NotHealthy/);
    });
  });

  describe('a cordoned node', () => {
    it('loses its roles, so that a drain can go on', () => {
      const pool = withoutGap(cordon(world(), 'a'));
      expect(pool.holder('a')).to.equal('s1');
      expect(pool.status.history?.[0]?.trigger).to.equal('NodeCordoned');
    });

    it('keeps them when the pool says so', () => {
      const pool = world();
      pool.spec = { ...pool.spec, moveOnCordon: false };
      expect(cordon(pool, 'a').settle().holder('a')).to.equal('a');
      expect(pending(pool)?.reason).to.equal('NoMoves');
    });

    it('gets none by plan, and by a failover only when nobody else is left', () => {
      expect(cordon(inMaintenance(world(), 'a'), 's1').settle().holder('a')).to.equal('s2');
      expect(cordon(world(), 's1').breaks('a').settle().holder('a')).to.equal('s2');
      expect(cordon(world(), 's1').breaks('s2').breaks('a').settle().holder('a')).to.equal('s1');
    });

    it('that is uncordoned in the middle lets the move finish', () => {
      const pool = cordon(world(), 'a');
      pool.decide();
      expect(withoutGap(uncordon(pool, 'a')).holder('a')).to.equal('s1');
    });

    it('makes no broken server of one whose pod waits for it', () => {
      const pool = withoutGap(cordon(world(), 'a')).breaks('a').change('a', { drained: true });
      pool.settle();
      expect(pool.view('a').status?.state).to.equal('Pending');
      expect(pool.status.counts).to.deep.equal({ active: 2, standby: 1, broken: 0, maintenance: 0 });
      uncordon(pool, 'a').recovers('a').settle();
      expect(pool.view('a').status?.state).to.equal('Standby');
    });

    it('gets its role back, by failback Automatic, only after it is uncordoned', () => {
      const pool = failback(withoutGap(cordon(world(), 'a')), 'Automatic').settle();
      withoutGap(pool.advance(400_000));
      expect(pool.holder('a')).to.equal('s1');
      expect(pending(pool)?.message).to.equal('a (Failback): waits until node node-a is uncordoned');
      expect(withoutGap(uncordon(pool, 'a')).holder('a')).to.equal('a');
    });
  });

  describe('failback', () => {
    const away = (mode: 'None' | 'Automatic' | 'Manual') => failback(world().breaks('a').settle(), mode).settle();

    it('None leaves the role with the substitute', () => {
      const pool = withoutGap(away('None').recovers('a')).advance(400_000);
      expect(withoutGap(pool).holder('a')).to.equal('s1');
      expect(pending(pool)?.reason).to.equal('NoMoves');
    });

    it('Automatic takes it home once the home has been healthy for stableSeconds', () => {
      const pool = withoutGap(away('Automatic').recovers('a'));
      expect(pending(pool)).to.include({ status: 'True', reason: 'AwaitingStability' });
      expect(withoutGap(pool.advance(299_999)).holder('a')).to.equal('s1');
      withoutGap(pool.advance(1));
      expect(pool.holder('a')).to.equal('a');
      expect(pool.status.history?.[0]).to.include({ trigger: 'Failback', from: 's1', to: 'a', outcome: 'Completed' });
      expect(pool.view('s1').status).to.include({ state: 'Standby', servingRole: '' });
      expect(pending(pool)?.reason).to.equal('NoMoves');
    });

    it('Automatic begins the wait anew when the home breaks again before it is stable', () => {
      const pool = withoutGap(away('Automatic').recovers('a')).advance(200_000);
      withoutGap(withoutGap(pool.breaks('a')).recovers('a'));
      expect(withoutGap(pool.advance(299_999)).holder('a')).to.equal('s1');
      expect(withoutGap(pool.advance(1)).holder('a')).to.equal('a');
    });

    it('Automatic does nothing while the home is in maintenance', () => {
      const pool = inMaintenance(withoutGap(away('Automatic').recovers('a')), 'a').advance(400_000);
      expect(withoutGap(pool).holder('a')).to.equal('s1');
      expect(pending(pool)?.message).to.match(/not in Maintenance any more/);
    });

    it('Automatic waits while the home has probed the cameras of its role and reaches none', () => {
      const pool = withoutGap(away('Automatic').recovers('a'));
      const reaches = (reachable: number) =>
        pool.report('a', {
          reachability: {
            checkedTime: '2026-01-02T03:00:00Z',
            cameras: 2,
            total: 2,
            reachable,
            unreachable: [],
            noCredentials: [],
            roles: [{ name: 'a', total: 2, reachable }],
          },
        });
      reaches(0);
      expect(withoutGap(pool.advance(301_000)).holder('a')).to.equal('s1');
      expect(pending(pool)?.message).to.match(/waits until a reaches cameras of the role again/);
      reaches(1);
      expect(withoutGap(pool.advance(301_000)).holder('a')).to.equal('a');
    });

    it('Automatic waits until the home is free, and says so', () => {
      const pool = away('None').recovers('a').settle().advance(301_000).settle().breaks('s2').breaks('b').settle();
      expect(pool.holder('b')).to.equal('a');
      withoutGap(failback(pool, 'Automatic').settle().advance(301_000));
      expect(pending(pool)?.message).to.match(/^a \(Failback\): waits: a: Busy \(it records the role b\)/);
    });

    it('Manual waits for a person, and gives the very command', () => {
      const pool = withoutGap(withoutGap(away('Manual').recovers('a')).advance(301_000));
      expect(pool.holder('a')).to.equal('s1');
      expect(pending(pool)).to.include({ status: 'True', reason: 'AwaitingPerson' });
      const [, request] = /request="\$\(date \+%s\) (failback a)" --overwrite/.exec(pending(pool)?.message ?? '') ?? [];
      pool.request = `17 ${request}`;
      expect(withoutGap(pool).holder('a')).to.equal('a');
      expect(pool.status.lastRequest).to.include({ id: '17', outcome: 'Done' });
    });

    it('that has flapped is left to a person', () => {
      const pool = withoutGap(withoutGap(away('Automatic').recovers('a')).advance(301_000));
      pool.advance(60_000).breaks('a').settle().recovers('a').settle().advance(301_000);
      withoutGap(pool);
      expect(pool.holder('a')).to.equal('s1');
      expect(pending(pool)).to.include({ status: 'True', reason: 'FlappedRecently' });
      pool.request = '1 failback a';
      expect(withoutGap(pool).holder('a')).to.equal('a');
    });

    it('leaves a role where a person has put it', () => {
      const pool = failback(world(), 'Automatic');
      pool.request = '1 switchover a';
      withoutGap(withoutGap(pool).advance(400_000));
      expect(pool.holder('a')).to.equal('s1');
      expect(pending(pool)?.reason).to.equal('NoMoves');
    });

    it('leaves it there after an abandoned move too', () => {
      const pool = failback(world(), 'Automatic');
      pool.request = '1 switchover a';
      inMaintenance(withoutGap(pool), 's1').silenceAgent('s2').silenceAgent('a').decide();
      withoutGap(pool.advance(5_000));
      expect(pool.holder('a')).to.equal('s1');
      expect(pool.status.roles?.[0]?.cause).to.equal('Requested');
    });

    const entry = (from: string, to: string, trigger: 'Unreachable' | 'Failback' | 'Requested', minutes: number) => {
      const time = new Date(Date.parse('2026-01-02T00:00:00Z') + minutes * 60_000).toISOString();
      const base = { epoch: 1, role: 'a', from, to, trigger, outcome: 'Completed' as const, committedTime: time };
      return trigger === 'Unreachable' ? { ...base, brokenTime: time } : base;
    };
    const flaps: [string, Parameters<typeof flapped>[0], number, boolean][] = [
      ['is not one that never went home', [entry('a', 's1', 'Unreachable', 0)], 300, false],
      [
        'is one that broke within the hour',
        [entry('a', 's1', 'Unreachable', 59), entry('s1', 'a', 'Failback', 0)],
        300,
        true,
      ],
      [
        'is not one that broke after it',
        [entry('a', 's1', 'Unreachable', 61), entry('s1', 'a', 'Failback', 0)],
        300,
        false,
      ],
      [
        'is one that broke within ten stable times',
        [entry('a', 's1', 'Unreachable', 90), entry('s1', 'a', 'Failback', 0)],
        600,
        true,
      ],
      [
        'counts a return by request',
        [entry('a', 's1', 'Unreachable', 10), entry('s1', 'a', 'Requested', 0)],
        300,
        true,
      ],
      [
        'is forgiven by a later return that lasted',
        [
          entry('a', 's1', 'Unreachable', 600),
          entry('s1', 'a', 'Requested', 100),
          entry('a', 's1', 'Unreachable', 10),
          entry('s1', 'a', 'Failback', 0),
        ],
        300,
        false,
      ],
    ];
    for (const [sentence, history, stableSeconds, expected] of flaps)
      it(`a home that flapped ${sentence}`, () => expect(flapped(history, 'a', stableSeconds)).to.equal(expected));
  });

  describe('a new template', () => {
    const outdated = () => world().edit('a', { updateStrategy: 'Switchover' }).change('a', { outdated: true });

    it('moves nothing with OnDelete', () => {
      expect(world().change('a', { outdated: true }).settle().holder('a')).to.equal('a');
    });

    it('moves the role with Switchover', () => {
      const pool = withoutGap(outdated());
      expect(pool.holder('a')).to.equal('s1');
      expect(pool.status.history?.[0]?.trigger).to.equal('TemplateUpdated');
    });

    it('waits until a standby has it', () => {
      const pool = outdated().change('s1', { outdated: true }).change('s2', { outdated: true }).settle();
      expect(pending(pool)?.message).to.match(/standbys are replaced first/);
      expect(withoutGap(pool.change('s2', { outdated: false })).holder('a')).to.equal('s2');
    });

    it('never takes the last ready standby', () => {
      const pool = outdated().breaks('s2').settle();
      expect(pool.holder('a')).to.equal('a');
      expect(pending(pool)?.message).to.match(/waits for another ready standby beside s1/);
    });
  });

  it('find the holders of a move that a pool without memory finds half done, and lose nothing', () => {
    const pool = halfMoved().recovers('s1');
    pool.project();
    pool.status = {};
    withoutGap(pool.restartOperator());
    expect(pool.holder('a')).to.equal('s1');
  });
});
