import { expect } from 'chai';
import type { RecorderReportStatus, ReportedCamera } from '../../../src/crds/index.js';
import { foldContact } from '../../../src/failover/health/contact.js';
import { judge } from '../../../src/failover/health/health.js';
import { observe } from '../../../src/failover/health/observation.js';
import { openQuestions } from '../../../src/failover/takeover/camera-loss.js';
import type { ApiContact, HealthSettings, Observation, ServerHealth } from '../../../src/failover/types.js';
import { camera } from '../support/builders/camera.js';
import { recordingServer } from '../support/builders/recording-server.js';
import { signals } from '../support/builders/signals.js';
import { health, PoolWorld } from './support/pool-world.js';

const sinceTime = '2026-01-02T03:00:00Z';

type Word = Pick<ReportedCamera, 'state' | 'failure'>;
const recording: Word = { state: 'Recording' };
const cutOff: Word = { state: 'Failed', failure: 'Unreachable' };
const refused: Word = { state: 'Failed', failure: 'Rejected' };
const retrying: Word = { state: 'Connecting', failure: 'Unreachable' };
const trying: Word = { state: 'Connecting' };
const noDisk: Word = { state: 'Failed', failure: 'Local' };
const noLogin: Word = { state: 'Failed', failure: 'Credentials' };
const taken: Word = { state: 'Failed', failure: 'SessionLimit' };
const left: Word = { state: 'Stopped' };

/** One replica that watches one recorder with a heartbeat every 2 s. */
class Replica {
  now = 0;
  settings: HealthSettings = {
    timeoutSeconds: 6,
    storageGraceSeconds: 5,
    recordingServiceGraceSeconds: 30,
    startGraceSeconds: 120,
    restartGraceSeconds: 60,
    camerasGraceSeconds: 60,
  };
  #observation: Observation | undefined;
  #contact: ApiContact | undefined = { since: 0, last: 0 };
  #beats = 0;

  /** It reports these cameras, and goes on so for a while. */
  tells(words: readonly Word[], forMs = 2000): this {
    const cameras = words.map((word, index) => ({ name: `c${index}`, sinceTime, ...word }));
    return this.reports({ mode: 'Record', cameras }, forMs);
  }

  reports(report: Partial<RecorderReportStatus>, forMs = 2000): this {
    for (const end = this.now + forMs; this.now < end; ) {
      this.#beats += 1;
      const seen = signals().report(report).renewed(`t${this.#beats}`).build();
      this.#observation = observe(this.#observation, seen, this.now);
      this.now += 2000;
      this.#contact = foldContact(this.#contact, this.now);
    }
    return this;
  }

  outage(ms: number): this {
    this.now += ms;
    this.#contact = foldContact(this.#contact, this.now);
    return this;
  }

  judges(): ServerHealth {
    return judge(this.#observation, this.settings, this.now - 1, this.#contact);
  }

  get reason(): string {
    return this.judges().camerasReachable.reason;
  }
}

describe('condition CamerasReachable', () => {
  const cases: [string, readonly Word[], string][] = [
    ['is AllReachable while all are recorded', [recording, recording], 'AllReachable'],
    ['is AllReachable without cameras', [], 'AllReachable'],
    ['tells one camera that is down', [recording, cutOff], 'SomeUnreachable'],
    ['tells one that answers, but not with a stream', [recording, refused], 'SomeUnreachable'],
    ['tells when all are down', [cutOff, refused], 'AllUnreachable'],
    ['does not count those that are left out', [cutOff, left], 'AllUnreachable'],
    ['is not observed before the first has been tried', [trying, trying], 'NotYetObserved'],
    ['does not blame cameras for a disk', [noDisk, noDisk], 'NotYetObserved'],
    ['does not blame cameras for a Secret', [recording, noLogin], 'AllReachable'],
    ['does not blame cameras for a session that is taken', [recording, taken], 'AllReachable'],
  ];
  for (const [sentence, words, reason] of cases) {
    it(sentence, () => expect(new Replica().tells(words, 4000).reason).to.equal(reason));
  }

  it('counts and names the first ones', () => {
    const words = [...Array<Word>(7).fill(cutOff), recording];
    expect(new Replica().tells(words).judges().camerasReachable.message).to.equal(
      '7 of 8 cameras do not answer: c0, c1, c2, c3, c4, ...',
    );
  });

  it('does not change at the attempts of a camera that is down', () => {
    const replica = new Replica().tells([recording, cutOff], 4000);
    const before = replica.judges().camerasReachable;
    for (const word of [retrying, refused, retrying, trying, cutOff, recording, retrying, cutOff]) {
      replica.tells([recording, word]);
      expect(replica.judges().camerasReachable, JSON.stringify(word)).to.deep.equal(before);
    }
  });

  it('is True again when the camera has been recorded for half a minute, and says when to look', () => {
    const replica = new Replica().tells([recording, cutOff], 4000).tells([recording, recording], 20_000);
    expect(replica.reason).to.equal('SomeUnreachable');
    expect(replica.judges().nextCheckInMs).to.be.at.most(12_000);
    expect(replica.tells([recording, recording], 12_000).reason).to.equal('AllReachable');
  });

  it('of a standby is what it has probed itself', () => {
    const checked = { checkedTime: sinceTime, cameras: 4, total: 4, noCredentials: [] };
    const idle = (reachable: number, unreachable: string[]) =>
      new Replica().reports({ mode: 'Idle', reachability: { ...checked, reachable, unreachable } }).reason;
    expect(new Replica().reports({ mode: 'Idle' }).reason).to.equal('NotYetObserved');
    expect(idle(4, [])).to.equal('AllReachable');
    expect(idle(3, ['x'])).to.equal('SomeUnreachable');
    expect(idle(0, ['w', 'x', 'y', 'z'])).to.equal('AllUnreachable');
  });
});

describe('the loss of all cameras', () => {
  it('is one after the grace, and no failure of the server', () => {
    const replica = new Replica().tells([recording], 4000).tells([cutOff], 60_000);
    expect(replica.judges().camerasLost).to.equal(undefined);
    const judged = replica.tells([cutOff], 4000).judges();
    expect(judged.verdict).to.equal('Healthy');
    expect(judged.camerasLost?.evidence).to.contain('none of its 1 cameras');
  });

  it('is none where the pool does not ask for it', () => {
    const replica = new Replica();
    const { camerasGraceSeconds: _off, ...settings } = replica.settings;
    replica.settings = settings;
    expect(replica.tells([recording], 4000).tells([cutOff], 200_000).judges().camerasLost).to.equal(undefined);
  });

  const cases: [string, readonly Word[]][] = [
    ['one of which is recorded', [cutOff, recording]],
    ['one of which has not been tried yet', [cutOff, trying]],
    ['one of which fails by the disk', [cutOff, noDisk]],
    ['one of which has no session left, so it answers', [cutOff, taken]],
    ['of which there are none', []],
  ];
  for (const [which, words] of cases) {
    it(`is not seen with cameras ${which}`, () => {
      expect(new Replica().tells(words, 200_000).judges().camerasLost).to.equal(undefined);
    });
  }

  it('begins anew when one of them is recorded in between', () => {
    const replica = new Replica().tells([cutOff], 50_000).tells([recording], 2000).tells([cutOff], 50_000);
    expect(replica.judges().camerasLost).to.equal(undefined);
    expect(replica.tells([cutOff], 14_000).judges().camerasLost).to.not.equal(undefined);
  });

  it('goes on over the retries', () => {
    const replica = new Replica().tells([cutOff], 40_000).tells([retrying], 2000).tells([cutOff], 24_000);
    expect(replica.judges().camerasLost).to.not.equal(undefined);
  });

  it('is counted anew after a time without the API server', () => {
    const replica = new Replica().tells([cutOff], 50_000).outage(30_000).tells([cutOff], 50_000);
    expect(replica.judges().camerasLost).to.equal(undefined);
  });
});

/** Recorder a with two cameras, standbys s1 and s2; a role may move for its cameras. */
function world(failoverWhenUnreachable = true): PoolWorld {
  const pool = new PoolWorld().add('a').add(recordingServer('s1').standby(1)).add(recordingServer('s2').standby(2));
  pool.spec = { ...pool.spec, cameras: { ...pool.spec.cameras, failoverWhenUnreachable } };
  pool.cameras = [camera('a-1').build(), camera('a-2').build()];
  pool.project();
  return pool.settle();
}

const lost: ServerHealth = {
  ...health('Healthy'),
  camerasReachable: { status: 'False', reason: 'AllUnreachable', message: '' },
  camerasLost: { forMs: 500, evidence: 'none of its 2 cameras is reached' },
};

/** The standby's answer to the question of the queue. */
function answers(pool: PoolWorld, name: string, reachable: number): void {
  const asked = openQuestions(pool.status.queue).map(({ id }) => ({ id, total: 2, reachable }));
  const found = { checkedTime: sinceTime, cameras: 2, total: 2, reachable: 2, unreachable: [], noCredentials: [] };
  pool.report(name, { reachability: { ...found, asked } });
}

function waitingFor(pool: PoolWorld): string {
  return pool.status.queue?.[0]?.waitingFor ?? '';
}

describe('a role whose cameras are all out of reach', () => {
  it('stays where it is until a standby has reached them', () => {
    const pool = world().change('a', { health: lost }).settle();
    expect(pool.status.queue?.[0]).to.include({ server: 'a', role: 'a', trigger: 'CamerasUnreachable' });
    expect(waitingFor(pool)).to.match(/^NoStandbyReachesCameras: .*s1.*not answered yet/);
    answers(pool, 's1', 0);
    answers(pool, 's2', 0);
    pool.settle();
    expect(waitingFor(pool)).to.match(/^NoStandbyReachesCameras: .*none of the cameras/);
    expect(pool.holder('a')).to.equal('a');
    expect(pool.happened('TakeoverCommitted')).to.equal(0);
  });

  it('moves to the standby that reaches them, although another would go first', () => {
    const pool = world().change('a', { health: lost }).settle();
    answers(pool, 's1', 0);
    answers(pool, 's2', 1);
    pool.settle();
    expect(pool.holder('a')).to.equal('s2');
    expect(pool.status.history?.[0]).to.include({ trigger: 'CamerasUnreachable', outcome: 'Completed' });
  });

  it('is not moved by an answer from before', () => {
    const pool = world().change('a', { health: lost }).settle();
    answers(pool, 's1', 2);
    const early = pool.view('s1').report;
    pool.change('s1', { report: { ...early, reachability: undefined } });
    pool.change('a', { health: health('Healthy') }).settle();
    pool.advance(5000).change('a', { health: lost });
    pool.change('s1', { report: early }).settle();
    expect(waitingFor(pool)).to.contain('not answered yet');
  });

  it('stays where the pool has not asked for more', () => {
    const pool = world(false);
    pool.change('a', { health: { ...lost, camerasLost: undefined } }).settle();
    expect(pool.status.queue).to.equal(undefined);
  });

  it('leaves the queue when its recorder reaches them again, or the pool asks for it no more', () => {
    const back = world().change('a', { health: lost }).settle();
    back.change('a', { health: health('Healthy') }).settle();
    expect(back.status.queue).to.equal(undefined);
    expect(back.happened('RecoveredBeforeTurn')).to.equal(1);
    const off = world().change('a', { health: lost }).settle();
    off.spec = { ...off.spec, cameras: { ...off.spec.cameras, failoverWhenUnreachable: false } };
    off.change('a', { health: { ...lost, camerasLost: undefined } }).settle();
    expect(off.status.queue).to.equal(undefined);
  });

  it('keeps its place over a restart of the operator, and moves only when that has seen the loss itself', () => {
    const pool = world().change('a', { health: lost }).settle();
    const { brokenTime } = pool.status.queue?.[0] ?? {};
    pool.restartOperator().change('a', { health: { ...lost, camerasLost: undefined } });
    answers(pool, 's1', 2);
    pool.settle();
    expect(pool.status.queue?.[0]).to.include({ brokenTime });
    expect(pool.holder('a')).to.equal('a');
    pool.change('a', { health: lost }).settle();
    expect(pool.holder('a')).to.equal('s1');
  });

  it('moves like any other when its recorder breaks meanwhile', () => {
    const pool = world().change('a', { health: lost }).settle().breaks('a').settle();
    expect(pool.holder('a')).to.equal('s1');
    expect(pool.status.history?.[0]?.trigger).to.equal('Unreachable');
  });

  it('asks proof of every camera, since all of them were failing', () => {
    const pool = world();
    const cameras = ['a-1', 'a-2'].map((name) => ({ name, sinceTime, ...cutOff }));
    pool.report('a', { role: 'a', cameras }).silenceAgent('a').change('a', { health: lost }).settle();
    answers(pool, 's1', 2);
    expect(pool.decide().record.current).to.include({ standby: 's1', step: 'TakingOver' });
    expect(pool.status.current?.failingBefore).to.equal(undefined);
  });

  it('does not move on at once when its new holder loses them too', () => {
    const pool = world().change('a', { health: lost }).settle();
    answers(pool, 's1', 2);
    pool.settle().change('a', { health: health('Healthy') });
    pool.change('s1', { health: lost }).settle();
    expect(pool.status.queue).to.equal(undefined);
    pool.advance(599_000).settle();
    expect(pool.status.queue).to.equal(undefined);
    pool.advance(1_000).settle();
    expect(pool.status.queue?.[0]).to.include({ server: 's1', trigger: 'CamerasUnreachable' });
  });

  it('goes back to a holder that reaches them again when its standby dies on the way', () => {
    const pool = world().change('a', { health: lost }).settle();
    answers(pool, 's1', 2);
    pool.decide();
    pool.breaks('s1').breaks('s2');
    const cameras = [{ name: 'a-1', sinceTime, ...recording }];
    pool.change('a', { health: health('Healthy') }).report('a', { role: 'a', cameras });
    pool.settle();
    expect(pool.holder('a')).to.equal('a');
  });

  it('does not keep the next in the queue waiting', () => {
    const pool = world().add('b').settle();
    pool.change('a', { health: lost }).settle().breaks('b').settle();
    expect(pool.holder('b')).to.equal('s1');
    expect(pool.status.queue?.map(({ role }) => role)).to.deep.equal(['a']);
  });
});

describe('a substitute that leaves cameras out', () => {
  const word = (name: string, state: 'Recording' | 'Stopped', error?: string) => ({
    name,
    state,
    sinceTime,
    ...(error === undefined ? {} : { error }),
  });

  it('has them counted in the condition OnSubstitute of its pool', () => {
    const pool = world().breaks('a').settle();
    expect(pool.last?.conditions.OnSubstitute.message).to.equal('Recorded by substitutes: a by s1');
    const cameras = [
      word('a-1', 'Recording'),
      word('a-2', 'Stopped', 'CapacityExceeded'),
      word('a-3', 'Stopped', 'AnalogNotTransferable'),
      word('a-4', 'Stopped', 'CameraSessionLimit'),
    ];
    pool.report('s1', { cameras });
    expect(pool.decide().conditions.OnSubstitute.message).to.contain('a by s1 (2 cameras left out)');
    pool.report('s1', { role: 'b', cameras });
    expect(pool.decide().conditions.OnSubstitute.message).to.not.contain('left out');
  });
});

describe('a standby that does not reach cameras', () => {
  const found = { checkedTime: sinceTime, cameras: 2, total: 2, reachable: 0, unreachable: [], noCredentials: [] };
  const reach = (pool: PoolWorld, name: string, reachable: number) =>
    pool.report(name, { reachability: { ...found, reachable, roles: [{ name: 'a', total: 2, reachable }] } });

  it('goes last', () => {
    const pool = world();
    reach(pool, 's1', 0);
    expect(pool.breaks('a').settle().holder('a')).to.equal('s2');
  });

  it('goes behind one that reaches some', () => {
    const pool = world();
    reach(pool, 's1', 0);
    reach(pool, 's2', 1);
    expect(pool.breaks('a').settle().holder('a')).to.equal('s2');
  });

  it('takes the role when there is no other', () => {
    const pool = world();
    reach(pool, 's1', 0);
    expect(pool.breaks('s2', 'AllDisksLost').breaks('a').settle().holder('a')).to.equal('s1');
  });
});
