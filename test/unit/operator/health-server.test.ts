import { expect } from 'chai';
import type { Reflector } from '../../../src/operator/cache/types.js';
import { eventLoopBeat, stuckReflectors } from '../../../src/operator/health-server.js';
import { resources } from '../../../src/operator/resources.js';
import { FakeClock } from '../support/fake-clock.js';

describe('the health checks', () => {
  const clock = new FakeClock();

  it('fail for a watch without data and without attempts beyond the limit, and name it', () => {
    let progress: number | undefined;
    const reflector = { type: resources.pods, lastProgress: () => progress } as unknown as Reflector<unknown>;
    const check = stuckReflectors([reflector], clock, 300_000);
    clock.stall(300_000);
    expect(check()).to.eql([]);
    clock.stall(1);
    expect(check()).to.eql(['pods: no data and no attempt for 300 s']);
    progress = clock.monotonic();
    expect(check()).to.eql([]);
  });

  it('fail after the event loop hung, and pass again once it beats', async () => {
    const beat = eventLoopBeat(clock, 30_000);
    await clock.advance(60_000);
    expect(beat.check()).to.eql([]);
    clock.stall(31_000);
    expect(beat.check()).to.eql(['the event loop hung for 31 s']);
    await clock.advance(1_000);
    expect(beat.check()).to.eql([]);
    beat.stop();
    expect(clock.pendingTimers).to.equal(0);
  });
});
