// Fakes of cameras and of the API server's lists: rounds take ten minutes, and networks have to break in between.
import { expect } from 'chai';
import { ApiError, silentLog } from '../../../../src/operator/index.js';
import type { CameraTask } from '../../../../src/recorder/cameras/camera-task.js';
import { ReachProber } from '../../../../src/recorder/reach/reach-prober.js';
import type { ProbeOutcome } from '../../../../src/recorder/reach/rtsp-probe.js';
import { LARGEST_SAMPLE, sampleOf, shareOf, transferable } from '../../../../src/recorder/reach/sample.js';
import { FakeClock } from '../../support/fake-clock.js';

function task(name: string, change: Partial<CameraTask> = {}): CameraTask {
  return {
    name,
    type: 'IP',
    url: `rtsp://camera.example/${name}`,
    secretName: undefined,
    transport: 'TCP',
    connectTimeoutSeconds: 5,
    audio: false,
    segmentSeconds: 10,
    retentionSeconds: 3600,
    priority: 'Normal',
    ...change,
  };
}

describe('the sample of a pool', () => {
  const role = (name: string, count: number): [string, CameraTask[]] => [
    name,
    Array.from({ length: count }, (_, index) => task(`${name}-${String(index).padStart(3, '0')}`)),
  ];

  it('is all cameras of a small pool', () => {
    expect(sampleOf(new Map([role('a', 3), role('b', 2)]))).to.have.length(5);
  });

  it('is the same number of each role of a large one', () => {
    const roles = Array.from({ length: 200 }, (_, index) => role(`r${index}`, 64));
    const cut = roles.map(([name, tasks]): [string, CameraTask[]] => [name, tasks.slice(0, shareOf(roles.length))]);
    const sample = sampleOf(new Map(cut));
    expect(sample).to.have.length(LARGEST_SAMPLE);
    const counts = roles.map(([name]) => sample.filter((each) => each.role === name).length);
    expect(new Set(counts)).to.deep.equal(new Set([1, 2]));
  });

  it('has the most important first, and none that are not transferred', () => {
    const tasks = [
      task('low', { priority: 'Low' }),
      task('never', { priority: 'Never' }),
      task('card', { type: 'Analog' }),
      task('high', { priority: 'High' }),
      task('normal'),
    ];
    expect(transferable(tasks).map(({ name }) => name)).to.deep.equal(['high', 'normal', 'low']);
  });
});

describe('the probes of a standby', () => {
  let clock: FakeClock;
  let roles: Map<string, CameraTask[]>;
  let asked: { name: string; at: number }[];
  let down: Set<string>;
  let unreadable: Error | undefined;
  let lists: number;
  let listFails: boolean;
  let changes: number;
  let aborted: number;
  let hang: boolean;
  let prober: ReachProber;

  beforeEach(() => {
    clock = new FakeClock();
    roles = new Map([
      ['a', ['a1', 'a2'].map((name) => task(name))],
      ['b', ['b1'].map((name) => task(name))],
    ]);
    asked = [];
    down = new Set();
    unreadable = undefined;
    lists = 0;
    listFails = false;
    changes = 0;
    aborted = 0;
    hang = false;
    prober = new ReachProber({
      clock,
      log: silentLog,
      reader: {
        sample: async () => {
          lists += 1;
          if (listFails) throw new ApiError('transient', 'no answer');
          return { cameras: [...roles.values()].flat().length, sample: sampleOf(roles) };
        },
        ofRole: async (role) => {
          if (listFails) throw new ApiError('transient', 'no answer');
          return roles.get(role) ?? [];
        },
      },
      credentials: async () => {
        if (unreadable !== undefined) throw unreadable;
        return { username: 'viewer', password: 'secret' };
      },
      probe: ({ url, signal }) => {
        const name = url.slice(url.lastIndexOf('/') + 1);
        asked.push({ name, at: clock.monotonic() });
        if (!hang) return Promise.resolve<ProbeOutcome>(down.has(name) ? 'Unreachable' : 'Reached');
        return new Promise((resolve) =>
          signal.addEventListener('abort', () => {
            aborted += 1;
            resolve('Unreachable');
          }),
        );
      },
      random: () => 0.5,
      onChange: () => {
        changes += 1;
      },
    });
  });
  afterEach(() => prober.follow(undefined));

  it('begin within seconds, and are told when the first round is complete', async () => {
    prober.follow('pool');
    await clock.advance(3000);
    expect(asked.length).to.be.at.least(1);
    expect(prober.findings).to.equal(undefined);
    await clock.advance(10_000);
    expect(prober.findings).to.include({ cameras: 3, total: 3, reachable: 3 });
    expect(changes).to.equal(1);
  });

  it('come no faster than one a second, and to one camera no sooner than after ten minutes', async function () {
    this.timeout(60_000);
    roles.set(
      'c',
      Array.from({ length: 300 }, (_, index) => task(`c${index}`)),
    );
    prober.follow('pool');
    await clock.advance(1_300_000);
    const gaps = asked.slice(1).map(({ at }, index) => at - (asked[index]?.at ?? 0));
    expect(Math.min(...gaps)).to.be.at.least(1000);
    const times = new Map<string, number[]>();
    for (const { name, at } of asked) times.set(name, [...(times.get(name) ?? []), at]);
    expect(times.size).to.equal(LARGEST_SAMPLE);
    for (const each of times.values()) {
      expect(each.length).to.be.at.least(2);
      for (const [index, at] of each.entries())
        if (index > 0) expect(at - (each[index - 1] ?? 0)).to.be.at.least(600_000);
    }
  });

  it('are told on change only, together', async () => {
    prober.follow('pool');
    await clock.advance(20_000);
    const before = prober.findings;
    await clock.advance(3_600_000);
    expect(prober.findings).to.deep.equal(before);
    expect(changes).to.equal(1);
    down = new Set(['a1', 'a2']);
    await clock.advance(800_000);
    expect(prober.findings).to.deep.include({
      reachable: 1,
      unreachable: ['a1', 'a2'],
      roles: [{ name: 'a', total: 2, reachable: 0 }],
    });
    expect(prober.findings?.checkedTime).to.not.equal(before?.checkedTime);
    expect(changes).to.equal(2);
  });

  it('end at once with a role, and nothing of what they found stays', async () => {
    prober.follow('pool');
    await clock.advance(20_000);
    hang = true;
    await clock.advance(700_000);
    prober.follow(undefined);
    await clock.advance(0);
    expect(aborted).to.be.at.least(1);
    const before = asked.length;
    expect(prober.findings).to.equal(undefined);
    await clock.advance(3_600_000);
    expect(asked.length).to.equal(before);
    expect(clock.pendingTimers).to.equal(0);
  });

  it('tell of Secrets that can not be read, and do not ask their cameras', async () => {
    roles.set('b', [task('b1', { secretName: 's' })]);
    unreadable = new Error('Secret s may not be read', { cause: new ApiError('forbidden', 'no') });
    prober.follow('pool');
    await clock.advance(20_000);
    expect(prober.findings).to.deep.include({ total: 3, reachable: 2, unreachable: [], noCredentials: ['b1'] });
    expect(asked.map(({ name }) => name)).to.not.include('b1');
  });

  it('blame no Secret for an API server that does not answer', async () => {
    roles.set('b', [task('b1', { secretName: 's' })]);
    unreadable = new Error('no answer', { cause: new ApiError('transient', 'no') });
    prober.follow('pool');
    await clock.advance(60_000);
    expect(prober.findings).to.equal(undefined);
    unreadable = undefined;
    await clock.advance(100_000);
    expect(prober.findings).to.deep.include({ total: 3, reachable: 3, noCredentials: [] });
  });

  it('try the list again when the API server did not answer, and find nothing meanwhile', async () => {
    listFails = true;
    prober.follow('pool');
    await clock.advance(60_000);
    expect(lists).to.be.within(2, 4);
    expect(prober.findings).to.equal(undefined);
    listFails = false;
    await clock.advance(60_000);
    expect(prober.findings).to.include({ total: 3 });
  });

  it('hear of cameras that come and go', async () => {
    prober.follow('pool');
    await clock.advance(20_000);
    roles.set('b', [task('b2'), task('b3')]);
    await clock.advance(800_000);
    expect(prober.findings).to.include({ cameras: 4, total: 4, reachable: 4 });
  });

  it('of a pool without cameras have nothing to find', async () => {
    roles = new Map();
    prober.follow('pool');
    await clock.advance(5000);
    expect(prober.findings).to.include({ cameras: 0, total: 0, reachable: 0 });
  });

  describe('asked for by the operator', () => {
    const id = 'a/2026-01-02T03:04:05Z';
    const answers = () => prober.findings?.asked;

    it('are made at once, and answered', async () => {
      prober.follow('pool');
      await clock.advance(20_000);
      down = new Set(['a1']);
      prober.ask([id]);
      await clock.advance(5000);
      expect(answers()).to.deep.equal([{ id, total: 2, reachable: 1 }]);
    });

    it('are made before the first round is complete', async () => {
      prober.follow('pool');
      prober.ask([id]);
      await clock.advance(6000);
      expect(answers()).to.deep.equal([{ id, total: 2, reachable: 2 }]);
    });

    it('are made again while the question stands, and told on change only', async () => {
      prober.follow('pool');
      await clock.advance(20_000);
      prober.ask([id]);
      await clock.advance(5000);
      const before = changes;
      await clock.advance(120_000);
      expect(changes).to.equal(before);
      down = new Set(['a1', 'a2']);
      await clock.advance(40_000);
      expect(answers()).to.deep.equal([{ id, total: 2, reachable: 0 }]);
    });

    it('end with the question, and the answer with them', async () => {
      prober.follow('pool');
      await clock.advance(20_000);
      prober.ask([id]);
      await clock.advance(5000);
      prober.ask([]);
      const before = asked.length;
      expect(answers()).to.equal(undefined);
      await clock.advance(300_000);
      expect(asked.length).to.equal(before);
    });

    it('answer for a role without cameras, and several questions', async () => {
      prober.follow('pool');
      await clock.advance(20_000);
      prober.ask(['none/t', 'b/t']);
      await clock.advance(6000);
      expect(answers()).to.deep.equal([
        { id: 'none/t', total: 0, reachable: 0 },
        { id: 'b/t', total: 1, reachable: 1 },
      ]);
    });

    it('are made once the API server has listed the cameras', async () => {
      prober.follow('pool');
      await clock.advance(20_000);
      listFails = true;
      prober.ask([id]);
      await clock.advance(20_000);
      expect(answers()).to.equal(undefined);
      listFails = false;
      await clock.advance(40_000);
      expect(answers()).to.deep.equal([{ id, total: 2, reachable: 2 }]);
    });

    it('try eight cameras of a role, no faster than one a second', async () => {
      roles.set(
        'a',
        Array.from({ length: 64 }, (_, index) => task(`a${index}`)),
      );
      prober.follow('pool');
      await clock.advance(300_000);
      const before = asked.length;
      prober.ask([id]);
      await clock.advance(20_000);
      const made = asked.slice(before);
      expect(made).to.have.length(8);
      for (const [index, { at }] of made.entries())
        if (index > 0) expect(at - (made[index - 1]?.at ?? 0)).to.be.at.least(1000);
    });

    it('are not made by a recorder that has a role', async () => {
      prober.ask([id]);
      await clock.advance(60_000);
      expect(asked).to.deep.equal([]);
    });
  });
});
