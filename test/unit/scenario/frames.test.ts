import { expect } from 'chai';
import { type Frame, holesIn } from '../../scenario/frames.js';

const frame = (timeMs: number, writer = 'a'): Frame => ({ timeMs, isKey: false, server: 's', epoch: 1, writer });
/** Ten pictures a second. */
const frames = (fromMs: number, toMs: number, writer = 'a'): Frame[] =>
  Array.from({ length: Math.round((toMs - fromMs) / 100) }, (_, index) => frame(fromMs + index * 100, writer));
const seconds = (all: Frame[]) => holesIn(all, 500).map((hole) => hole.seconds);

describe('holes in the footage of a camera', () => {
  it('are none in an even stream', () => {
    expect(seconds(frames(0, 20_000))).to.deep.equal([]);
  });

  it('are where pictures of one writer are lost', () => {
    expect(seconds([...frames(0, 10_000), ...frames(11_000, 20_000)])).to.deep.equal([1.1]);
  });

  it('are not where pictures of one writer were late and arrive together', () => {
    const late = Array.from({ length: 11 }, (_, index) => frame(11_000 + index));
    expect(seconds([...frames(0, 10_000), ...late, ...frames(11_100, 20_000)])).to.deep.equal([]);
  });

  it('are not where they were late when the writer had only begun, or was ended soon after', () => {
    const late = (fromMs: number) => Array.from({ length: 11 }, (_, index) => frame(fromMs + index));
    const begun = [...frames(0, 300), ...late(1_400), ...frames(1_420, 20_000)];
    expect(seconds(begun)).to.deep.equal([]);
    const ended = [...frames(0, 3_000), ...late(4_000), frame(4_100)];
    expect(seconds([...ended, ...frames(6_000, 9_000, 'b')])).to.deep.equal([1.9]);
  });

  it('are not where the late ones come little by little, while the machine is busy', () => {
    const catchingUp = Array.from({ length: 50 }, (_, index) => frame(11_000 + index * 80));
    expect(seconds([...frames(0, 10_000), ...catchingUp, ...frames(15_000, 25_000)])).to.deep.equal([]);
  });

  it('are where less than a second was lost, however long the writer goes on', () => {
    expect(seconds([...frames(0, 10_000), ...frames(10_800, 40_000)])).to.deep.equal([0.9]);
  });

  it('are where the writer came back for an instant before it was ended', () => {
    expect(seconds([...frames(0, 3_000), frame(5_000), ...frames(7_000, 9_000, 'b')])).to.deep.equal([2.1, 2]);
  });

  it('are not where two recorders had the same pictures late, whichever came first', () => {
    const late = (writer: string, fromMs: number) =>
      Array.from({ length: 11 }, (_, index) => frame(fromMs + index, writer));
    const one = [...frames(0, 10_000), ...late('a', 11_000), ...frames(11_100, 20_000)];
    const other = [...frames(50, 10_050, 'b'), ...late('b', 11_001), ...frames(11_150, 20_000, 'b')];
    expect(seconds([...one, ...other].sort((x, y) => x.timeMs - y.timeMs))).to.deep.equal([]);
  });

  it('are between two writers, whatever comes at once afterwards', () => {
    const burst = Array.from({ length: 20 }, (_, index) => frame(12_000 + index, 'b'));
    expect(seconds([...frames(0, 10_000), ...burst, ...frames(12_100, 20_000, 'b')])).to.deep.equal([2.1]);
  });

  it('are not where a second recorder goes on', () => {
    const both = [...frames(0, 10_000), ...frames(9_000, 20_000, 'b')].sort((x, y) => x.timeMs - y.timeMs);
    expect(seconds(both)).to.deep.equal([]);
  });
});
