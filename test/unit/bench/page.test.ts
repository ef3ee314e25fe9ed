import { expect } from 'chai';
import { describe, it } from 'mocha';
import { baselineSection } from '../../bench/baselines/table.js';
import { withSection } from '../../bench/page.js';

describe('the page of benchmarks', () => {
  const page = withSection(withSection('# Benchmarks\n', 'one', 'first'), 'two', 'second');

  it('keeps the sections of other runs', () => {
    const text = withSection(page, 'one', 'first again');
    expect(text).to.contain('first again').and.contain('second');
    expect(text.match(/begin one/g)).to.have.length(1);
  });

  it('is the same after the same run', () => {
    expect(withSection(page, 'two', 'second')).to.equal(page);
  });

  it('tells sizes with their units, and what the host withheld', () => {
    const times = [{ cameras: 64_000, servers: 1001, plainBytes: 3 * 1024 * 1024, keptBytes: 2048, parts: 2 }];
    const seconds = { backupSeconds: 1, restoreSeconds: 61.26, comparedSeconds: 3, peakMebibytes: 300 };
    const run = { machine: '2 cores', commit: 'abc', withheld: 0.314 };
    const text = baselineSection({ ...run, times: times.map((one) => ({ ...one, ...seconds })) });
    expect(text).to.contain('| 64,000 | 1,001 | 3.0 MiB | 2.0 KiB | 2 | 1.0 s | 61.3 s | 3.0 s | 300 MiB |');
    expect(text).to.contain('31 %');
  });
});
