import { expect } from 'chai';
import { describe, it } from 'mocha';
import type { Trigger } from '../../../src/crds/index.js';
import type { ServerHealth, ServerView } from '../../../src/failover/types.js';
import { recordingServer } from '../support/builders/recording-server.js';
import { health, PoolWorld } from './support/pool-world.js';

const silent = (verdict: 'Late' | 'Broken' = 'Broken'): ServerHealth => ({
  ...health(verdict, verdict === 'Broken' ? 'Unreachable' : undefined),
  suspected: true,
});
const notSeenYet = health('Unknown');

/** Recorders a, b and c, standbys s1 and s2: five nodes. */
function world(): PoolWorld {
  const pool = new PoolWorld()
    .add('a')
    .add('b')
    .add('c')
    .add(recordingServer('s1').standby(1))
    .add(recordingServer('s2').standby(2));
  pool.project();
  return pool.settle();
}

/** a and b broken by silence, c late: three of five nodes. */
function storm(pool = world()): PoolWorld {
  return pool
    .breaks('a')
    .breaks('b')
    .change('c', { health: silent('Late') });
}

const waitingFor = (pool: PoolWorld) => pool.status.queue?.map((entry) => entry.waitingFor ?? '') ?? [];
const held = (pool: PoolWorld) => pool.last?.conditions.FailoversHeld;

describe('the storm hold', () => {
  it('holds the failovers of silent servers and says who is held and until when', () => {
    const pool = storm().settle();
    expect(pool.status.current).to.equal(undefined);
    expect(pool.status.hold).to.deep.equal({
      startTime: '2026-01-02T03:04:05.000Z',
      untilTime: '2026-01-02T03:05:05.000Z',
    });
    expect(held(pool)).to.include({ status: 'True', reason: 'StormHold' });
    expect(held(pool)?.message).to.match(/^Held: a, b; more than 50 % .* until 2026-01-02T03:05:05.000Z/);
    expect(held(pool)?.message).to.contain(
      "kubectl annotate fop pool --overwrite understudy.dev/request='<id> release",
    );
    for (const words of waitingFor(pool)) expect(words).to.match(/^FailoversHeld: more than 50 %/);
    expect(pool.events.find(({ reason }) => reason === 'StormHold')?.note).to.contain(
      '3 of 5 nodes fell silent at once (node-a, node-b, node-c)',
    );
  });

  it('writes once at its start, and then nothing until it ends', () => {
    const pool = storm().settle();
    const [before, conditions] = [JSON.stringify(pool.status), pool.last?.conditions];
    for (const ms of [1, 999, 20_000, 38_999]) {
      pool.advance(ms).decide();
      expect(JSON.stringify(pool.status)).to.equal(before);
      expect(pool.last?.conditions).to.deep.equal(conditions);
    }
    expect(pool.happened('StormHold')).to.equal(1);
    expect(pool.last?.requeueAfterMs).to.equal(1);
  });

  describe('begins', () => {
    const notSeen = (name: string) => (pool: PoolWorld) => pool.change(name, { health: notSeenYet });
    const lateStandby = (name: string) => (pool: PoolWorld) => pool.change(name, { health: silent('Late') });
    const all =
      (...steps: ((pool: PoolWorld) => unknown)[]) =>
      (pool: PoolWorld) => {
        for (const step of steps) step(pool);
      };
    const breaks = (name: string, trigger?: Trigger) => (pool: PoolWorld) => pool.breaks(name, trigger);
    const onNode = (name: string, nodeName: string) => (pool: PoolWorld) => pool.change(name, { nodeName });
    const limit =
      (maxUnreachablePercent: number, holdSeconds = 60) =>
      (pool: PoolWorld) => {
        pool.spec = { ...pool.spec, storm: { maxUnreachablePercent, holdSeconds } };
      };
    const broken = (brokenTime: string, name: string) => (pool: PoolWorld) =>
      pool.change(name, { health: silent(), status: { state: 'Broken', servingRole: '', epoch: 1, brokenTime } });
    const maintained = (name: string) => (pool: PoolWorld) => {
      const { spec } = pool.view(name);
      pool.change(name, { spec: { ...spec, operatingMode: 'Maintenance' }, health: silent(), nodeName: undefined });
    };
    const cases: [string, (pool: PoolWorld) => unknown, boolean][] = [
      ['with a single silent node', breaks('a'), false],
      ['with as many as are allowed', all(limit(40), breaks('a'), breaks('b')), false],
      ['with one more than are allowed', all(limit(39), breaks('a'), breaks('b')), true],
      ['with silent standbys, which count too', all(breaks('a'), lateStandby('s1'), lateStandby('s2')), true],
      ['with late servers and none that is broken yet', all(...['a', 'b', 'c'].map(lateStandby)), false],
      [
        'with one node that runs several recorders',
        all(...['a', 'b', 'c'].map((name) => onNode(name, 'n1')), ...['a', 'b', 'c'].map((name) => breaks(name))),
        false,
      ],
      [
        'with two of three nodes, one of which runs several recorders',
        all(onNode('b', 'node-a'), onNode('s2', 'node-s1'), ...['a', 'b', 'c'].map((name) => breaks(name))),
        true,
      ],
      [
        'with disk failures, however many',
        all(...['a', 'b', 'c', 's1'].map((name) => breaks(name, 'AllDisksLost'))),
        false,
      ],
      [
        'with service failures, however many',
        all(...['a', 'b', 'c', 's1'].map((name) => breaks(name, 'RecordingServiceFailed'))),
        false,
      ],
      [
        'where 100 percent are allowed',
        all(limit(100), ...['a', 'b', 'c', 's1', 's2'].map((name) => breaks(name))),
        false,
      ],
      ['where it would last for 0 seconds', all(limit(50, 0), ...['a', 'b', 'c'].map((name) => breaks(name))), false],
      [
        'when those long broken are the majority, and one more falls silent',
        all(broken('2026-01-01T00:00:00Z', 's1'), broken('2026-01-01T00:00:00Z', 's2'), breaks('a')),
        false,
      ],
      [
        'when those broken just now and one more are the majority',
        all(broken('2026-01-02T03:03:00Z', 's1'), broken('2026-01-02T03:03:00Z', 's2'), breaks('a')),
        true,
      ],
      [
        'with one broken and others that this replica has not seen yet',
        all(breaks('a'), notSeen('b'), notSeen('c')),
        true,
      ],
      ['with servers that it has not seen yet, and none that is broken', all(...['a', 'b', 'c'].map(notSeen)), false],
      [
        'when servers in maintenance have no pod, as they should',
        all(maintained('s1'), maintained('s2'), breaks('a')),
        false,
      ],
    ];
    for (const [sentence, prepare, expected] of cases)
      it(`${expected ? '' : 'not '}${sentence}`, () => {
        const pool = world();
        prepare(pool);
        pool.decide();
        expect(pool.status.hold !== undefined, 'hold').to.equal(expected);
        expect(held(pool)?.status).to.equal(expected ? 'True' : 'False');
      });

    it('in a pool of two nodes when both are silent, and never in one of a single node', () => {
      const two = new PoolWorld().add('a').add(recordingServer('s1').standby()).settle();
      two.breaks('a').breaks('s1').decide();
      expect(two.status.hold).not.to.equal(undefined);
      const one = new PoolWorld().add('a').add('b').add(recordingServer('s1').standby());
      for (const name of ['a', 'b', 's1']) one.change(name, { nodeName: 'n1' });
      one.settle().breaks('a').breaks('b').breaks('s1').decide();
      expect(one.status.hold).to.equal(undefined);
    });

    it('never by a server whose failover was through before: the substitute of three nodes may die, too', () => {
      const three = new PoolWorld()
        .add('a')
        .add(recordingServer('s1').standby(1))
        .add(recordingServer('s2').standby(2));
      three.settle().breaks('a').settle();
      expect(three.holder('a')).to.equal('s1');
      three.breaks('s1').settle();
      expect(three.happened('StormHold')).to.equal(0);
      expect(three.holder('a')).to.equal('s2');
    });

    it('by a server that was repaired after its failover and falls silent again with another', () => {
      const three = new PoolWorld().add('a').add('b').add(recordingServer('s1').standby());
      three.settle().breaks('a').settle().recovers('a').settle().advance(3_600_000).settle();
      three.breaks('a').breaks('b').settle();
      expect(three.happened('StormHold')).to.equal(1);
    });

    it('by a server that is repaired, not yet stable, and falls silent again with another', () => {
      const three = new PoolWorld().add('a').add('b').add(recordingServer('s1').standby());
      three.settle().breaks('a').settle().recovers('a').settle().advance(10_000).settle();
      three.breaks('a').settle().breaks('b').settle();
      expect(three.happened('StormHold')).to.equal(1);
    });

    it('when the substitute falls silent while its takeover runs', () => {
      const three = new PoolWorld()
        .add('a')
        .add(recordingServer('s1').standby(1))
        .add(recordingServer('s2').standby(2));
      three.settle().breaks('a').decide();
      three.breaks('s1').settle();
      expect(three.happened('StormHold')).to.equal(1);
    });

    it('with servers whose pods are gone, by the node where they last ran, or each by itself', () => {
      const gone = (name: string, change: Partial<ServerView['status']>) => (pool: PoolWorld) =>
        pool.change(name, { nodeName: undefined, status: { ...pool.view(name).status, ...change } });
      const pool = storm();
      for (const name of ['a', 'b', 'c']) gone(name, { nodeName: 'n1' })(pool);
      expect(pool.decide().record.hold).to.equal(undefined);
      const other = storm();
      for (const name of ['a', 'b', 'c']) gone(name, {})(other);
      expect(other.decide().record.hold).not.to.equal(undefined);
    });
  });

  it('serves disk and service failures behind those that it holds', () => {
    const pool = storm()
      .breaks('c', 'AllDisksLost')
      .change('s2', { health: silent('Late') })
      .settle();
    expect(pool.status.hold).not.to.equal(undefined);
    expect(pool.holder('c')).to.equal('s1');
    expect(pool.status.queue?.map(({ server }) => server)).to.deep.equal(['a', 'b']);
  });

  it('no longer holds a server that turns out to have a dead disk', () => {
    const pool = storm().settle();
    pool
      .change('a', { health: health('Broken', 'AllDisksLost') })
      .change('s2', { health: silent('Late') })
      .decide();
    expect(pool.status.current?.server).to.equal('a');
    expect(pool.status.hold?.releasedTime).to.equal(undefined);
  });

  it('finishes the takeover that ran when the storm came', () => {
    const pool = world().breaks('a');
    pool.decide();
    storm(pool)
      .change('s2', { health: silent('Late') })
      .settle();
    expect(pool.status.history?.[0]).to.include({ from: 'a', to: 's1', outcome: 'Completed' });
    expect(pool.status.queue?.map(({ server }) => server)).to.deep.equal(['b']);
    expect(waitingFor(pool)[0]).to.match(/^FailoversHeld: /);
  });

  it('moves the role of a deleted substitute all the same: nobody can come back', () => {
    const pool = world().breaks('a').settle();
    storm(pool).servers.delete('s1');
    pool.decide();
    expect(pool.status.hold).not.to.equal(undefined);
    expect(pool.status.current).to.include({ trigger: 'ServerDeleted', standby: 's2' });
  });

  describe('ends by recovery', () => {
    it('at once when nobody is held any more, and moves nothing', () => {
      const pool = storm().settle();
      for (const name of ['a', 'b', 'c']) pool.recovers(name);
      pool.settle();
      expect(pool.status.hold).to.equal(undefined);
      expect(pool.status.history).to.equal(undefined);
      expect(pool.happened('StormOver')).to.equal(1);
      expect(held(pool)).to.include({ status: 'False', reason: 'NoStorm' });
    });

    it('gives the last ones five seconds to be heard too, and then takes their silence for a failure', () => {
      const pool = storm().settle().advance(10_000).recovers('b').recovers('c').settle();
      expect(pool.status.current).to.equal(undefined);
      expect(pool.last?.requeueAfterMs).to.equal(5_000);
      pool.advance(4_999).settle();
      expect(pool.status.hold).not.to.equal(undefined);
      pool.advance(1).settle();
      expect(pool.status.hold).to.equal(undefined);
      expect(pool.holder('a')).to.equal('s1');
    });

    it('waits no longer than the storm has lasted: a heartbeat that was late for a moment costs little', () => {
      const pool = world()
        .breaks('a')
        .breaks('b')
        .change('c', { health: silent('Late') })
        .settle()
        .advance(300);
      pool.recovers('b').recovers('c').settle();
      expect(pool.last?.requeueAfterMs).to.equal(300);
      pool.advance(300).settle();
      expect(pool.holder('a')).to.equal('s1');
    });

    it('starts these five seconds anew when the storm comes back', () => {
      const pool = storm().settle().advance(10_000).recovers('b').recovers('c').settle().advance(4_000);
      storm(pool).settle();
      pool.recovers('b').recovers('c').settle().advance(4_999).settle();
      expect(pool.status.hold).not.to.equal(undefined);
      expect(pool.happened('StormHold')).to.equal(1);
    });
  });

  describe('ends by itself', () => {
    it('after holdSeconds, and serves one after the other', () => {
      const pool = storm().settle().advance(59_999).settle();
      expect(pool.status.current).to.equal(undefined);
      pool.advance(1).decide();
      expect(pool.status.current).to.include({ server: 'a', standby: 's1' });
      expect(pool.last?.confirmSilence).to.deep.equal(['a']);
      expect(pool.status.hold).to.include({ releasedTime: '2026-01-02T03:05:05.000Z', reason: 'Elapsed' });
      pool.settle();
      expect([pool.holder('a'), pool.holder('b')]).to.deep.equal(['s1', 's2']);
      expect(pool.happened('HoldReleased')).to.equal(1);
      expect(held(pool)).to.include({ status: 'False', reason: 'HoldReleased' });
    });

    it('later when the API server did not answer in between, and says so once', () => {
      const pool = storm().settle().advance(30_000);
      pool.contactSince = pool.monotonic;
      pool.settle();
      expect(pool.status.hold?.untilTime).to.equal('2026-01-02T03:05:35.000Z');
      const before = JSON.stringify(pool.status);
      pool.advance(59_999).settle();
      expect(JSON.stringify(pool.status)).to.equal(before);
      pool.advance(1).decide();
      expect(pool.status.current?.server).to.equal('a');
    });

    it('never while the API server does not answer', () => {
      const pool = storm().settle();
      const input = { ...pool.advance(600_000).input(), contact: { since: 0, last: pool.monotonic - 3_001 } };
      pool.input = () => input;
      pool.decide();
      expect(pool.status.hold?.releasedTime).to.equal(undefined);
      expect(pool.last?.requeueAfterMs).to.equal(1_000);
    });

    it('after the whole time again when the operator was restarted in the middle', () => {
      const pool = storm().settle().advance(59_000).restartOperator().settle();
      expect(pool.status.hold).to.include({
        startTime: '2026-01-02T03:04:05.000Z',
        untilTime: '2026-01-02T03:06:04.000Z',
      });
      pool.advance(59_999).settle();
      expect(pool.status.current).to.equal(undefined);
      pool.advance(1).decide();
      expect(pool.status.current?.server).to.equal('a');
    });

    it('by the new time when holdSeconds is changed meanwhile', () => {
      const pool = storm().settle().advance(10_000);
      pool.spec = { ...pool.spec, storm: { ...pool.spec.storm, holdSeconds: 20 } };
      pool.settle();
      expect(pool.status.hold?.untilTime).to.equal('2026-01-02T03:04:25.000Z');
      expect(pool.last?.requeueAfterMs).to.equal(10_000);
    });
  });

  it('ends when a person asks for it', () => {
    const pool = storm().settle().advance(1_000);
    pool.request = 'r1 release-hold';
    pool.decide();
    expect(pool.status.hold).to.include({ releasedTime: '2026-01-02T03:04:06.000Z', reason: 'Requested' });
    expect(pool.status.current?.server).to.equal('a');
    expect(pool.events.find(({ reason }) => reason === 'HoldReleased')?.note).to.contain('a person asked for it');
  });

  it('does nothing when a person asks for the release of a hold that is not there', () => {
    const pool = world();
    pool.request = 'r1 release-hold';
    pool.settle();
    expect(pool.status).to.not.have.property('hold');
    expect(pool.status.lastRequest).to.include({ id: 'r1', outcome: 'Done' });
  });

  describe('once released', () => {
    const released = () => {
      const pool = storm().settle().advance(60_000).settle();
      pool.project();
      return pool.settle();
    };

    it('stays so while the storm lasts, for servers that fall silent later too', () => {
      const pool = released().recovers('s2').breaks('c').settle();
      expect(pool.status.queue?.map(({ server }) => server)).to.deep.equal(['c']);
      expect(waitingFor(pool)[0]).to.match(/^NoCompatibleStandby/);
    });

    it('stays so over a restart of the operator, which has not seen anybody yet', () => {
      const pool = released();
      const { hold } = pool.status;
      for (const name of ['a', 'b', 'c']) pool.change(name, { health: notSeenYet });
      pool.restartOperator().settle();
      expect(pool.status.hold).to.deep.equal(hold);
      for (const name of ['a', 'b', 'c']) pool.breaks(name);
      pool.settle();
      expect(pool.status.hold).to.deep.equal(hold);
    });

    it('stays so when an old heartbeat is heard late, and silence goes on', () => {
      const pool = released();
      const { hold } = pool.status;
      for (const name of ['a', 'b', 'c']) pool.recovers(name);
      pool.settle().advance(4_999).settle();
      for (const name of ['a', 'b', 'c']) pool.breaks(name);
      pool.settle();
      expect(pool.status.hold).to.deep.equal(hold);
    });

    it('is forgotten when the storm is over, so that the next one is held', () => {
      const pool = released();
      for (const name of ['a', 'b', 'c']) pool.recovers(name);
      pool.settle().advance(5_000).settle();
      expect(pool.status.hold).to.equal(undefined);
      expect(pool.happened('StormOver')).to.equal(0);
      pool.advance(400_000).settle();
      storm(pool).breaks('s1').settle();
      expect(pool.status.hold).to.include({ startTime: new Date(pool.wall).toISOString() });
    });

    it('is forgotten when those that stay dead have been so for five minutes', () => {
      const pool = released().recovers('c').breaks('a').breaks('b').breaks('c').settle();
      const again = pool.last?.requeueAfterMs ?? 0;
      expect(again).to.be.within(1, 300_001);
      pool.advance(300_001).settle().advance(5_000).settle();
      expect(pool.status.hold).to.equal(undefined);
    });
  });

  it('is not ended by a restart of the operator, which has not seen anybody yet', () => {
    const pool = storm().settle();
    for (const name of ['a', 'b', 'c']) pool.change(name, { health: notSeenYet });
    pool.restartOperator().settle();
    expect(pool.status.hold).to.include({ startTime: '2026-01-02T03:04:05.000Z' });
    expect(pool.happened('StormOver')).to.equal(0);
  });

  it('begins anew when the status of the pool was lost', () => {
    const pool = storm().settle().advance(30_000).restartOperator();
    pool.status = {};
    pool.settle();
    expect(pool.status.hold?.startTime).to.equal('2026-01-02T03:04:35.000Z');
    expect(pool.status.current).to.equal(undefined);
  });
});
