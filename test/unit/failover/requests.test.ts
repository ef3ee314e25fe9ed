import { expect } from 'chai';
import { describe, it } from 'mocha';
import { commandOf, newRequest, releaseAsked, requestOf } from '../../../src/failover/moves/requests.js';
import { camera } from '../support/builders/camera.js';
import { recordingServer } from '../support/builders/recording-server.js';
import { health, PoolWorld } from './support/pool-world.js';

/** Recorders a and b, standbys s1 and s2, a camera on each recorder. */
function world(): PoolWorld {
  const pool = new PoolWorld()
    .add('a')
    .add('b')
    .add(recordingServer('s1').standby(1))
    .add(recordingServer('s2').standby(2));
  pool.cameras = [camera('a-1').build(), camera('b-1').of('b').build()];
  pool.project();
  return pool.settle();
}

function ask(pool: PoolWorld, request: string): PoolWorld {
  pool.request = request;
  return pool;
}

describe('the annotation of a request', () => {
  const cases: [string, string | undefined, ReturnType<typeof requestOf>][] = [
    ['is none when it is absent', undefined, undefined],
    ['is none when it is empty', '  ', undefined],
    [
      'is an id and a switchover',
      '1 switchover a',
      { id: '1', text: 'switchover a', command: { kind: 'switchover', role: 'a' } },
    ],
    [
      'may name the target',
      ' x-7  switchover a  to s1 ',
      { id: 'x-7', text: 'switchover a to s1', command: { kind: 'switchover', role: 'a', to: 's1' } },
    ],
    ['is a failback', '2 failback a', { id: '2', text: 'failback a', command: { kind: 'failback', role: 'a' } }],
    ['releases a hold', '3 release-hold', { id: '3', text: 'release-hold', command: { kind: 'release-hold' } }],
    ['without a command is nonsense', '4', { id: '4', text: '', command: undefined }],
    ['with an unknown verb is nonsense', '5 move a', { id: '5', text: 'move a', command: undefined }],
    ['with a word too many is nonsense', '6 failback a b', { id: '6', text: 'failback a b', command: undefined }],
    [
      'with a target but no "to" is nonsense',
      '7 switchover a s1',
      { id: '7', text: 'switchover a s1', command: undefined },
    ],
    [
      'with an endless id is nonsense',
      `${'i'.repeat(64)} failback a`,
      { id: 'i'.repeat(63), text: 'failback a', command: undefined },
    ],
  ];
  for (const [sentence, annotation, expected] of cases)
    it(sentence, () => expect(requestOf(annotation)).to.deep.equal(expected));

  it('with an endless command is cut for status and never done', () => {
    const found = requestOf(`1 failback ${'r'.repeat(300)}`);
    expect(found?.text).to.have.length(256);
    expect(found?.command).to.equal(undefined);
    expect(commandOf(`failback ${'r'.repeat(200)}`)?.kind).to.equal('failback');
  });

  it('is new until its id is in status', () => {
    const lastRequest = { id: '1', command: 'release-hold', outcome: 'Done' as const, message: '', time: '' };
    expect(newRequest({ request: '1 release-hold', status: { lastRequest } })).to.equal(undefined);
    expect(releaseAsked({ request: '1 release-hold', status: { lastRequest } })).to.equal(false);
    expect(releaseAsked({ request: '2 release-hold', status: { lastRequest } })).to.equal(true);
    expect(releaseAsked({ request: '2 failback a', status: { lastRequest } })).to.equal(false);
  });
});

describe('the request of a person', () => {
  it('moves the role, and is done when the role has been handed over', () => {
    const pool = ask(world(), '1 switchover a to s2');
    pool.decide();
    expect(pool.status.lastRequest).to.include({ id: '1', command: 'switchover a to s2', outcome: 'Running' });
    expect(pool.status.current).to.include({ standby: 's2', trigger: 'Requested', requestId: '1' });
    pool.settle();
    expect(pool.status.lastRequest).to.include({ outcome: 'Done', message: 's2 records the role a' });
    expect(pool.holder('a')).to.equal('s2');
  });

  it('is handled once, whatever happens later', () => {
    const pool = ask(world(), '1 switchover a').settle();
    expect(pool.holder('a')).to.equal('s1');
    const answered = pool.status.lastRequest;
    pool.breaks('s1').settle().recovers('s1').advance(400_000).restartOperator().settle();
    expect(pool.holder('a')).to.equal('s2');
    expect(pool.status.lastRequest).to.deep.equal(answered);
  });

  it('is done at once when it is so already', () => {
    const pool = ask(world(), '1 switchover a to a').settle();
    expect(pool.status.lastRequest).to.include({ outcome: 'Done', message: 'a records the role a already' });
    expect(ask(pool, '2 failback a').settle().status.lastRequest).to.include({ id: '2', outcome: 'Done' });
    expect(pool.status.history).to.equal(undefined);
  });

  const refusals: [string, string, (pool: PoolWorld) => void, RegExp][] = [
    ['that is no command', '1 swichover a', () => {}, /no command: write '<id> switchover <role>'/],
    ['for a role that is not there', '1 switchover z', () => {}, /no role z in this pool; its roles are: a, b$/],
    ['to a server that is not there', '1 switchover a to z', () => {}, /z is no server of this pool/],
    ['to a server that is broken', '1 switchover a to s1', (p) => p.breaks('s1'), /s1: NotHealthy/],
    ['to a server that is busy', '1 switchover a to b', () => {}, /b: Busy \(it records the role b\)/],
    [
      'to a server of a cordoned node',
      '1 switchover a to s1',
      (p) => p.change('s1', { cordonedNode: 'n1' }),
      /s1: NodeCordoned \(its node n1 is cordoned\)/,
    ],
    [
      'to a server that would leave cameras behind',
      '1 switchover a to s1',
      (p) => {
        p.edit('s1', { capacity: { cameras: 1 } });
        p.cameras = [...p.cameras, camera('a-2').build()];
        p.settle();
      },
      /s1: CapacityExceeded \(it takes 1 of 2 cameras\)/,
    ],
    [
      'when nobody stands by',
      '1 switchover a',
      (p) => p.breaks('s1').breaks('s2'),
      /s1: NotHealthy.*s2: NotHealthy.*new id$/,
    ],
    [
      'while the pool is paused',
      '1 switchover a',
      (p) => {
        p.spec = { ...p.spec, paused: true };
      },
      /paused; unset spec.paused/,
    ],
    [
      'for a role whose holder waits in the queue',
      '1 switchover a',
      (p) => p.breaks('s1').breaks('s2').breaks('a').settle(),
      /waits for its failover, which goes first/,
    ],
    [
      'of a pool that has lost its memory',
      '1 switchover a',
      (p) => {
        p.status = {};
      },
      /no memory yet.*new id/,
    ],
  ];
  for (const [sentence, request, prepare, message] of refusals)
    it(`is refused ${sentence}, and says why`, () => {
      const pool = world();
      prepare(pool);
      ask(pool, request).decide();
      expect(pool.status.lastRequest).to.include({ id: '1', outcome: 'Refused' });
      expect(pool.status.lastRequest?.message).to.match(message);
      expect(pool.status.current).to.equal(undefined);
      expect(pool.happened('RequestRefused')).to.equal(1);
    });

  it('writes nothing more once it is answered', () => {
    const pool = ask(world(), '1 nonsense').settle();
    const before = JSON.stringify(pool.status);
    pool.advance(3_600_000).restartOperator().decide();
    expect(JSON.stringify(pool.status)).to.equal(before);
  });

  it('waits for the failover that runs, and begins after it', () => {
    const pool = world().breaks('b');
    pool.backupsWork = false;
    ask(pool.settle(), '1 switchover a to s2').settle();
    expect(pool.status.lastRequest?.outcome).to.equal('Running');
    expect(pool.last?.conditions.MovesPending).to.include({ status: 'True', reason: 'MoveWaiting' });
    expect(pool.last?.conditions.MovesPending.message).to.match(/^a \(Requested\): waits until the move of b/);
    pool.backupsWork = true;
    pool.project();
    expect(pool.settle().holder('a')).to.equal('s2');
    expect(pool.status.lastRequest?.outcome).to.equal('Done');
  });

  const waiting = (): PoolWorld => {
    const pool = world().breaks('b');
    pool.backupsWork = false;
    return ask(pool.settle(), '1 switchover a to s2').settle();
  };

  it('is withdrawn when the annotation is taken away before it begins', () => {
    const pool = waiting();
    pool.request = undefined;
    pool.backupsWork = true;
    pool.project();
    expect(pool.settle().holder('a')).to.equal('a');
    expect(pool.status.lastRequest).to.include({ id: '1', outcome: 'Failed' });
    expect(pool.status.lastRequest?.message).to.match(/withdrawn/);
  });

  it('fails when its holder breaks while it waits', () => {
    const pool = waiting().breaks('a').settle();
    expect(pool.status.lastRequest).to.include({ outcome: 'Failed' });
    expect(pool.status.lastRequest?.message).to.match(/waits for its failover/);
  });

  it('fails when its target breaks while it waits', () => {
    expect(waiting().breaks('s2').settle().status.lastRequest?.message).to.match(/s2: NotHealthy/);
  });

  it('gives way to a later one', () => {
    const pool = ask(waiting(), '2 switchover b to a');
    pool.settle();
    expect(pool.status.lastRequest).to.include({ id: '2', outcome: 'Refused' });
    pool.backupsWork = true;
    pool.project();
    expect(pool.settle().holder('a')).to.equal('a');
  });

  it('goes on when the annotation is taken away in the middle', () => {
    const pool = ask(world(), '1 switchover a');
    pool.decide();
    pool.request = undefined;
    expect(pool.settle().holder('a')).to.equal('s1');
    expect(pool.status.lastRequest).to.include({ id: '1', outcome: 'Done' });
  });

  it('fails, and is not tried again, when its move is abandoned', () => {
    const pool = ask(world().silenceAgent('s1'), '1 switchover a to s1');
    pool.decide();
    pool.advance(5_000).settle();
    expect(pool.status.lastRequest).to.include({ outcome: 'Failed' });
    expect(pool.status.lastRequest?.message).to.match(/did not acknowledge.*ask again with a new id/);
    pool.recovers('s1').advance(600_000).settle();
    expect(pool.holder('a')).to.equal('a');
  });

  it('of a failback works although the mode is None, and says why it can not', () => {
    const pool = world().breaks('a').settle();
    ask(pool, '1 failback a').settle();
    expect(pool.status.lastRequest?.message).to.match(/^a: .*it has|^a: NotHealthy/);
    ask(pool.recovers('a'), '2 failback a').settle();
    expect(pool.holder('a')).to.equal('a');
    expect(pool.status.lastRequest).to.include({ id: '2', outcome: 'Done' });
  });

  it('releases a hold, and only that', () => {
    const pool = ask(world(), '1 release-hold').settle();
    expect(pool.status.lastRequest).to.include({ outcome: 'Done', command: 'release-hold' });
    expect(pool.status.history).to.equal(undefined);
  });

  it('waits for a late target without a word too many', () => {
    const pool = ask(world().change('s1', { health: health('Late') }), '1 switchover a to s1').settle();
    expect(pool.status.lastRequest?.outcome).to.equal('Running');
    expect(pool.recovers('s1').settle().holder('a')).to.equal('s1');
  });
});
