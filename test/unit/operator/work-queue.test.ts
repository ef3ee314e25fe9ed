import { expect } from 'chai';
import fc from 'fast-check';
import { WorkQueue } from '../../../src/operator/controller/work-queue.js';
import { createMetrics } from '../../../src/operator/metrics.js';
import { FakeClock, settle } from '../support/fake-clock.js';

describe('the work queue', () => {
  let clock: FakeClock;
  let queue: WorkQueue;

  beforeEach(() => {
    clock = new FakeClock();
    queue = new WorkQueue({ name: 'test', clock, random: () => 1 });
  });

  it('holds a key once, however often it is added', async () => {
    queue.add('a');
    queue.add('b');
    queue.add('a');
    expect(queue.depth).to.equal(2);
    expect([await queue.take(), await queue.take()]).to.eql(['a', 'b']);
  });

  it('gives a key that is added while it is worked on once more, and only afterwards', async () => {
    queue.add('a');
    await queue.take();
    queue.add('a');
    queue.add('a');
    expect(queue.depth).to.equal(0);
    queue.done('a');
    expect(queue.depth).to.equal(1);
    await queue.take();
    queue.done('a');
    expect(queue.depth).to.equal(0);
  });

  it('keeps the earliest of several due times', async () => {
    queue.addAfter('a', 1_000);
    queue.addAfter('a', 200);
    queue.addAfter('a', 5_000);
    await clock.advance(199);
    expect(queue.depth).to.equal(0);
    await clock.advance(1);
    expect(queue.depth).to.equal(1);
    await queue.take();
    queue.done('a');
    await clock.advance(10_000);
    expect(queue.depth).to.equal(0);
  });

  it('retries first after 50 ms, then doubles up to 5 minutes, and starts afresh once forgotten', async () => {
    const delays: (number | undefined)[] = [];
    const failOnce = async (): Promise<void> => {
      queue.addRateLimited('a');
      delays.push(clock.nextTimerMs);
      await clock.advance(clock.nextTimerMs ?? 0);
      await queue.take();
      queue.done('a');
    };
    for (let i = 0; i < 15; i++) await failOnce();
    expect(delays.slice(0, 4)).to.eql([50, 100, 200, 400]);
    expect(delays.slice(-2)).to.eql([300_000, 300_000]);
    queue.forget('a');
    await failOnce();
    expect(delays.at(-1)).to.equal(50);
  });

  it('spreads retries over the upper half of their delay', () => {
    const lower = new WorkQueue({ name: 'test', clock, random: () => 0 });
    lower.addRateLimited('a');
    expect(clock.nextTimerMs).to.equal(25);
  });

  it('retries all that waits for its backoff when the cause has ended, with a fresh backoff, and nothing else', async () => {
    for (let failures = 0; failures < 10; failures += 1) queue.addRateLimited('a');
    queue.addAfter('not failed', 60_000);
    await clock.advance(1);
    expect(queue.depth).to.equal(0);
    queue.retryNow();
    expect(await queue.take()).to.equal('a');
    expect(queue.depth).to.equal(0);
    queue.addRateLimited('a');
    expect(clock.nextTimerMs).to.equal(50);
  });

  it('retries a key that is worked on when its cause has ended only when it fails again', async () => {
    queue.addRateLimited('a');
    await clock.advance(50);
    await queue.take();
    queue.retryNow();
    queue.done('a');
    expect(queue.depth).to.equal(0);
  });

  it('waits longer when the server asked for it', () => {
    queue.addRateLimited('a', 7_000);
    expect(clock.nextTimerMs).to.equal(7_000);
  });

  it('once closed takes nothing, gives out what is ready, and lets waiting workers go', async () => {
    const idle = queue.take();
    queue.add('a');
    expect(await idle).to.equal('a');
    queue.add('b');
    const later = new WorkQueue({ name: 'other', clock });
    const waiting = later.take();
    later.close();
    expect(await waiting).to.equal(undefined);
    queue.addAfter('d', 10);
    queue.close();
    queue.add('c');
    await clock.advance(20);
    expect(await queue.take()).to.equal('b');
    expect(await queue.take()).to.equal(undefined);
  });

  it("reports client-go's metrics", async () => {
    const metrics = createMetrics();
    const measured = new WorkQueue({ name: 'q', clock, metrics });
    measured.add('a');
    measured.add('b');
    await measured.take();
    clock.stall(3_000);
    const text = await metrics.scrape();
    for (const line of [
      'workqueue_depth{name="q"} 1',
      'workqueue_adds_total{name="q"} 2',
      'workqueue_unfinished_work_seconds{name="q"} 3',
      'workqueue_longest_running_processor_seconds{name="q"} 3',
      'workqueue_queue_duration_seconds_count{name="q"} 1',
    ]) {
      expect(text).to.include(line);
    }
  });

  type Step = { op: 'add' | 'addAfter' | 'retry' | 'finish' | 'pass'; key: string; ms: number };
  const steps = fc.array(
    fc.record<Step>({
      op: fc.constantFrom('add', 'addAfter', 'retry', 'finish', 'pass'),
      key: fc.constantFrom('a', 'b', 'c'),
      ms: fc.integer({ min: 0, max: 500 }),
    }),
    { maxLength: 60 },
  );

  /** Runs workers over random steps; `finish` ends one piece of work on the key. Returns what they saw. */
  async function play(list: Step[], workers: number) {
    const fake = new FakeClock();
    const tested = new WorkQueue({ name: 'property', clock: fake, random: () => 0.5 });
    const working = new Map<string, () => void>();
    const lastAdd = new Map<string, number>();
    const lastStart = new Map<string, number>();
    let sequence = 0;
    let overlaps = 0;
    const work = async (): Promise<void> => {
      for (let key = await tested.take(); key !== undefined; key = await tested.take()) {
        if (working.has(key)) overlaps += 1;
        lastStart.set(key, sequence++);
        const finished = Promise.withResolvers<void>();
        working.set(key, finished.resolve);
        await finished.promise;
        working.delete(key);
        tested.done(key);
      }
    };
    const running = Array.from({ length: workers }, work);
    const finish = async (key: string): Promise<void> => {
      working.get(key)?.();
      for (let i = 0; i < 6; i++) await Promise.resolve();
    };
    for (const { op, key, ms } of list) {
      if (op !== 'finish' && op !== 'pass') lastAdd.set(key, sequence++);
      if (op === 'add') tested.add(key);
      if (op === 'addAfter') tested.addAfter(key, ms);
      if (op === 'retry') tested.addRateLimited(key);
      if (op === 'finish') await finish(key);
      if (op === 'pass') await fake.advance(ms);
    }
    await fake.advance(3_600_000);
    while (working.size > 0) {
      for (const key of [...working.keys()]) await finish(key);
      await settle();
    }
    tested.close();
    await Promise.all(running);
    return { overlaps, lastAdd, lastStart };
  }

  it('never has two workers on one key', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 4 }), async (list, workers) => {
        expect((await play(list, workers)).overlaps).to.equal(0);
      }),
      { numRuns: 60 },
    );
  });

  it('loses no add: after the last one of a key, work on it starts once more', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 4 }), async (list, workers) => {
        const { lastAdd, lastStart } = await play(list, workers);
        for (const [key, added] of lastAdd) expect(lastStart.get(key) ?? -1).to.be.above(added);
      }),
      { numRuns: 60 },
    );
  });
});
