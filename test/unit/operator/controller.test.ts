import { expect } from 'chai';
import { ApiError } from '../../../src/operator/api/error.js';
import { type ControllerOptions, createController } from '../../../src/operator/controller/controller.js';
import { type Controller, type Reconcile, TerminalError } from '../../../src/operator/controller/types.js';
import { createMetrics, type Metrics } from '../../../src/operator/metrics.js';
import { FakeClock, settle } from '../support/fake-clock.js';

describe('a controller', () => {
  let clock: FakeClock;
  let metrics: Metrics;
  const controllers: Controller[] = [];

  function control(reconcile: Reconcile, options: Partial<ControllerOptions> = {}): Controller {
    const controller = createController({ name: 'test', reconcile, clock, metrics, random: () => 1, ...options });
    controllers.push(controller);
    return controller;
  }

  /** A controller whose reconcile does what the next function of the list says; collects the times of its runs. */
  function scripted(...script: (() => unknown)[]): { controller: Controller; times: number[] } {
    const times: number[] = [];
    const controller = control(async () => {
      times.push(clock.monotonic());
      return script[times.length - 1]?.() as undefined;
    });
    return { controller, times };
  }

  const fail = (error: Error) => () => {
    throw error;
  };

  beforeEach(() => {
    clock = new FakeClock();
    metrics = createMetrics();
  });

  afterEach(async () => {
    await Promise.all(controllers.splice(0).map((controller) => controller.stop(AbortSignal.abort())));
  });

  it('keeps keys that come before it starts, once each', async () => {
    const seen: string[] = [];
    const controller = control(async (key) => void seen.push(key));
    controller.enqueue('a');
    controller.enqueue('b');
    controller.enqueue('a');
    await settle();
    expect(seen).to.eql([]);
    controller.start();
    await settle();
    expect(seen).to.eql(['a', 'b']);
    expect(controller.idle()).to.equal(true);
  });

  it('retries a failed key after 50 ms, then 100 ms, and forgets its failures after a success', async () => {
    const oops = fail(new Error('oops'));
    const { controller, times } = scripted(oops, oops, () => undefined, oops);
    controller.start();
    controller.enqueue('a');
    await clock.advance(1_000);
    expect(times).to.eql([0, 50, 150]);
    controller.enqueue('a');
    await clock.advance(1_000);
    expect(times.slice(3)).to.eql([1_000, 1_050]);
  });

  it('comes back when the result asks for it', async () => {
    const { controller, times } = scripted(() => ({ requeueAfterMs: 700 }));
    controller.start();
    controller.enqueue('a');
    await clock.advance(10_000);
    expect(times).to.eql([0, 700]);
  });

  for (const error of [new TerminalError('no way'), new ApiError('namespaceTerminating', 'going')]) {
    it(`does not retry after ${error.message} before the next change`, async () => {
      const { controller, times } = scripted(fail(error));
      controller.start();
      controller.enqueue('a');
      await clock.advance(600_000);
      expect(times).to.eql([0]);
      controller.enqueue('a');
      await clock.advance(1_000);
      expect(times).to.eql([0, 600_000]);
    });
  }

  it('waits as long as a 429 says', async () => {
    const { controller, times } = scripted(fail(new ApiError('tooManyRequests', 'slow', { retryAfterMs: 3_000 })));
    controller.start();
    controller.enqueue('a');
    await clock.advance(10_000);
    expect(times).to.eql([0, 3_000]);
  });

  it("aborts a reconcile's signal after its time-out, and keeps the key until it has really ended", async () => {
    const ended = Promise.withResolvers<void>();
    let runs = 0;
    let aborted = false;
    const controller = control(
      async (_key, { signal }) => {
        runs += 1;
        signal.addEventListener('abort', () => {
          aborted = true;
        });
        await ended.promise;
      },
      { reconcileTimeoutMs: 5_000 },
    );
    controller.start();
    controller.enqueue('a');
    await clock.advance(4_999);
    expect(aborted).to.equal(false);
    await clock.advance(1);
    expect(aborted).to.equal(true);
    controller.enqueue('a');
    await settle();
    expect(runs).to.equal(1);
    ended.resolve();
    await settle();
    expect(runs).to.equal(2);
  });

  it('drains when it is stopped: what is ready and running is finished, nothing new is taken', async () => {
    const seen: string[] = [];
    const release = Promise.withResolvers<void>();
    const controller = control(
      async (key) => {
        await release.promise;
        seen.push(key);
      },
      { workers: 1 },
    );
    controller.start();
    controller.enqueue('a');
    controller.enqueue('b');
    controller.enqueueAfter('later', 1_000);
    await settle();
    const stopped = controller.stop();
    controller.enqueue('c');
    release.resolve();
    await stopped;
    await clock.advance(5_000);
    expect(seen).to.eql(['a', 'b']);
  });

  it('aborts what runs and drops what is ready when told to hurry', async () => {
    const seen: string[] = [];
    const controller = control(
      async (key, { signal }) => {
        seen.push(key);
        await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      },
      { workers: 1 },
    );
    controller.start();
    controller.enqueue('a');
    controller.enqueue('b');
    await settle();
    const hurry = new AbortController();
    const stopped = controller.stop(hurry.signal);
    await settle();
    hurry.abort();
    await stopped;
    expect(seen).to.eql(['a']);
    expect(await metrics.scrape()).to.include(
      'controller_runtime_reconcile_total{controller="test",result="aborted"} 1',
    );
  });

  it('works on several keys at once, as many as it has workers', async () => {
    let running = 0;
    let most = 0;
    const controller = control(
      async () => {
        running += 1;
        most = Math.max(most, running);
        await settle();
        running -= 1;
      },
      { workers: 3 },
    );
    controller.start();
    for (let i = 0; i < 10; i++) controller.enqueue(String(i));
    while (!controller.idle()) await settle();
    expect(most).to.equal(3);
  });
});
