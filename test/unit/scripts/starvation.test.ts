import { expect } from 'chai';
import { describe, it } from 'mocha';
import type { FileRun } from '../../../scripts/test/counts.js';
import { blamed, type LevelRun, replaced, secondRunMs, starvedFailures } from '../../../scripts/test/starvation.js';
import type { ProcessorSample } from '../../scenario/machine.js';
import { starvationOf } from '../../scenario/starvation.js';

const TICKS = 100;

/** One sample a second; each pair is what was used and what was stolen in that second, in seconds of one core. */
function seconds(...pairs: readonly (readonly [used: number, stolen: number])[]): ProcessorSample[] {
  const samples: ProcessorSample[] = [{ atMs: 0, used: 0, stolen: 0 }];
  for (const [used, stolen] of pairs) {
    const last = samples.at(-1) ?? { atMs: 0, used: 0, stolen: 0 };
    samples.push({ atMs: last.atMs + 1000, used: last.used + used * TICKS, stolen: last.stolen + stolen * TICKS });
  }
  return samples;
}

const times = (count: number, used: number, stolen: number): [number, number][] =>
  Array.from({ length: count }, () => [used, stolen]);
const well = times(60, 1, 0.2);
const starvedAt20 = [...times(20, 1, 0.2), ...times(10, 0.3, 1.5), ...times(30, 1, 0.2)];
const ran = (file: string, startS: number, endS: number, failed: number): FileRun => ({
  ...{ file, startMs: startS * 1000, endMs: endS * 1000 },
  ...{ passed: 1, failed, skipped: 0 },
});
const levelRun = (...files: FileRun[]): LevelRun => ({
  ...{ passed: files.length, failed: 0, skipped: 0, died: undefined },
  files,
});

describe('a machine whose host takes processor time', () => {
  it('is judged by what it wanted and did not get, not by what it left idle', () => {
    expect(starvationOf(seconds(...well), 0, 60_000)).to.equal(undefined);
    expect(starvationOf(seconds(...times(60, 0.6, 0.4)), 0, 60_000)?.mean).to.be.closeTo(0.4, 1e-9);
  });

  it('counts as starved by ten bad seconds in a minute that is good as a whole', () => {
    const starvation = starvationOf(seconds(...starvedAt20), 0, 60_000);
    expect(starvation?.worst).to.be.closeTo(15 / 18, 1e-9);
    expect(starvation?.mean).to.be.below(1 / 3);
  });

  it('does not count as starved at another time, nor when it wanted next to nothing', () => {
    expect(starvationOf(seconds(...starvedAt20), 32_000, 60_000)).to.equal(undefined);
    expect(starvationOf(seconds(...times(60, 0.01, 0.04)), 0, 60_000)).to.equal(undefined);
  });

  it('does not count as starved by one bad second', () => {
    expect(starvationOf(seconds([0.1, 1.8], ...well), 0, 60_000)).to.equal(undefined);
  });

  it('is not known to have starved when nothing was seen of it', () => {
    expect(starvationOf([], 0, 60_000)).to.equal(undefined);
  });
});

describe('a failure on a starved machine', () => {
  const samples = seconds(...starvedAt20);

  it('is run again with those after it, and not with those before it or those that passed', () => {
    const run = levelRun(ran('a', 0, 15, 1), ran('b', 16, 32, 2), ran('c', 33, 40, 0), ran('d', 45, 59, 1));
    expect(starvedFailures(run, samples).map(({ file }) => file)).to.deep.equal(['b', 'd']);
  });

  it('stays one when the level itself died', () => {
    const run = { ...levelRun(ran('b', 16, 32, 2)), died: 'it was ended by SIGKILL' };
    expect(starvedFailures(run, samples)).to.deep.equal([]);
  });

  it('is told with its cause', () => {
    const [first] = starvedFailures(levelRun(ran('/tests/b.test.ts', 16, 32, 2)), samples);
    expect(first && blamed(first)).to.match(/b\.test\.ts had 2 failures .* withheld 6\d % .* \(83 % in the worst/);
  });

  it('is run again only in as much time as its files took, and a cluster for them', () => {
    expect(secondRunMs([ran('a', 0, 15, 1), ran('b', 16, 32, 2)])).to.equal(31_000 + 90_000);
  });

  it('gives way to the outcome of the second run, file by file', () => {
    const before = levelRun(ran('a', 0, 15, 1), ran('b', 16, 32, 2));
    const after = replaced(before, levelRun(ran('b', 70, 80, 0)));
    expect(after).to.include({ passed: 2, failed: 1, skipped: 0, died: undefined });
    expect(replaced(before, { ...levelRun(), died: 'it was ended by SIGKILL' })).to.include({ failed: 4 });
  });
});
