import { expect } from 'chai';
import { describe, it } from 'mocha';
import { calmHost, Patience } from '../../scenario/calm-host.js';

describe('the wait for a calm host', () => {
  it('ends as soon as the processors are given', async () => {
    const asked: number[] = [];
    const withheldShare = (startMs: number, endMs: number) => {
      asked.push(endMs - startMs);
      return 0.1;
    };
    await calmHost({ withheldShare }, 60_000);
    expect(asked).to.have.length(1);
    // It has wanted them: what nobody wants is not withheld.
    expect(asked[0]).to.be.at.least(1000);
  });

  it('ends at its limit although they are not', async () => {
    let times = 0;
    const withheldShare = () => {
      times += 1;
      return 0.9;
    };
    await calmHost({ withheldShare }, 3_000);
    expect(times).to.equal(1);
  });

  it('becomes shorter the more of it was spent', async () => {
    const patience = new Patience({ onceMs: 100, inAllMs: 120 });
    const limits: number[] = [];
    const wait = async (limitMs: number) => {
      limits.push(limitMs);
      const end = performance.now() + 60;
      while (performance.now() < end);
    };
    for (let i = 0; i < 3; i++) await patience.spend(wait);
    expect(limits[0]).to.equal(100);
    expect(limits[1]).to.be.at.most(60);
    expect(limits[2]).to.equal(0);
  });
});
