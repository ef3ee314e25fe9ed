// A fake client: the API server has to be slow, to hang and to refuse to the millisecond.
import { expect } from 'chai';
import { ApiError, type KubeObject, silentLog } from '../../../src/operator/index.js';
import type { Assignment } from '../../../src/recorder/assignment/assignment.js';
import { Heartbeat } from '../../../src/recorder/heartbeat/heartbeat.js';
import { FakeClock } from '../support/fake-clock.js';

type Answer = { afterMs: number; epoch?: number; error?: ApiError };

describe('the heartbeat', () => {
  let clock: FakeClock;
  let sent: number[];
  let epochs: (number | undefined)[];
  let answer: (attempt: number) => Answer;
  let heartbeat: Heartbeat;

  /** Answers as `answer` says, but never after the request's own time-out. */
  function reply<T>(timeoutMs = 10_000): Promise<T> {
    sent.push(clock.monotonic());
    const { afterMs, epoch, error } = answer(sent.length);
    const annotations = epoch === undefined ? {} : { 'understudy.dev/epoch': String(epoch) };
    const lease: KubeObject & { spec: object } = {
      metadata: { name: 'l', annotations },
      spec: { leaseDurationSeconds: 30 },
    };
    return new Promise((resolve, reject) => {
      clock.setTimer(timeoutMs, () => reject(new ApiError('transient', 'no answer')));
      clock.setTimer(afterMs, () => (error === undefined ? resolve(lease as T) : reject(error)));
    });
  }

  beforeEach(() => {
    clock = new FakeClock();
    sent = [];
    epochs = [];
    answer = () => ({ afterMs: 10 });
    heartbeat = new Heartbeat({
      client: {
        get: (_type, _key, options) => reply(options?.timeoutMs),
        patch: (_type, _key, _patch, options) => reply(options?.timeoutMs),
      },
      lease: { namespace: 'site', name: 'l' },
      podUID: 'p',
      clock,
      log: silentLog,
      onAnswer: (assignment: Assignment | undefined) => {
        epochs.push(assignment?.epoch);
        heartbeat.setSilent(false);
      },
    });
    heartbeat.start();
  });
  afterEach(() => heartbeat.stop());

  it('renews at once after the first answer, and then at a third of the timeout', async () => {
    await clock.advance(30_000);
    expect(sent.map((time) => Math.round(time / 100))).to.deep.equal([0, 0, 100, 200]);
  });

  it('is heard by an API server that takes longer to answer than the retry', async () => {
    answer = () => ({ afterMs: 1500 });
    await clock.advance(30_000);
    expect(epochs.length).to.be.greaterThan(2);
    expect(heartbeat.lastRenewal).to.not.equal(undefined);
  });

  it('asks each second while the API server hangs or refuses, and never has more than a few questions open', async () => {
    await clock.advance(1000);
    const before = sent.length;
    for (const error of [undefined, new ApiError('tooManyRequests', 'x', { retryAfterMs: 60_000 })]) {
      answer = () => (error === undefined ? { afterMs: 1e9 } : { afterMs: 5, error });
      await clock.advance(30_000);
    }
    expect(sent.length - before).to.be.within(48, 62);
    const gaps = sent.slice(before + 1).map((time, index) => time - (sent[before + index] ?? 0));
    expect(Math.max(...gaps)).to.be.at.most(1000);
  });

  it('takes no older answer after a younger one', async () => {
    await clock.advance(9000);
    answer = (attempt) => (attempt === 3 ? { afterMs: 2500, epoch: 1 } : { afterMs: 10, epoch: 2 });
    await clock.advance(6000);
    expect(sent.length).to.be.greaterThan(3);
    expect(new Set(epochs.filter((epoch) => epoch !== undefined))).to.deep.equal(new Set([2]));
  });
});
