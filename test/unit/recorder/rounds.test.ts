import { expect } from 'chai';
import { sleep } from '../../../src/operator/index.js';
import { Rounds } from '../../../src/recorder/rounds.js';
import { FakeClock } from '../support/fake-clock.js';

describe('rounds', () => {
  it('follow each other as each one says, and at once when one was asked for meanwhile, never two at a time', async () => {
    const clock = new FakeClock();
    const begun: number[] = [];
    const rounds = new Rounds(clock, async () => {
      begun.push(clock.monotonic());
      await sleep(clock, 100);
      return 1000;
    });
    rounds.soon();
    await clock.advance(10);
    expect(begun).to.deep.equal([]);
    rounds.start();
    rounds.start();
    await clock.advance(50);
    rounds.soon();
    rounds.soon();
    await clock.advance(1400);
    expect(begun).to.deep.equal([10, 110, 1210]);
    rounds.soon();
    await clock.advance(0);
    expect(begun.at(-1)).to.equal(1460);
    rounds.stop();
    await clock.advance(5000);
    expect(begun).to.have.length(4);
    rounds.start();
    await clock.advance(0);
    expect(begun).to.have.length(5);
  });
});
