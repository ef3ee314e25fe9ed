import { expect } from 'chai';
import { describe, it } from 'mocha';
import { calmHost } from '../../../scripts/test/calm-host.js';

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
    expect(asked[0]).to.be.at.least(2000);
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
});
