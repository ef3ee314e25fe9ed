import { expect } from 'chai';
import type { NodeResult } from '../../../chaos/nodes/case.js';
import { nodeFaults, traitsOf } from '../../../chaos/nodes/faults.js';
import { casesOf, tallyOf } from '../../../chaos/nodes/tally.js';
import { commandOf } from '../../../chaos/nodes/tell.js';
import { reliabilityPage } from '../../../chaos/run/reliability-page.js';

function result(change: Partial<NodeResult>): NodeResult {
  return {
    ...{ name: 'nodes/hung/at-rest/1', system: 'site-1', fault: 'hung', moment: 'at-rest', reached: true },
    ...{ disturbed: false, violations: [], notes: [], longestGapSeconds: 4.26, seconds: 30 },
    ...change,
  };
}

const counted = [
  result({}),
  result({ moment: 'at-backing-up', longestGapSeconds: 5.01 }),
  result({ moment: 'at-taking-over', violations: ['wrong'], longestGapSeconds: 99 }),
  result({ disturbed: true, violations: ['late'] }),
  result({ fault: 'drain', reached: false, violations: ['touched'], longestGapSeconds: undefined }),
];

describe('the count of cases on real nodes', () => {
  it('has each by the moment at which it was hit, and none that says nothing', () => {
    const [drain, hung] = tallyOf(counted);
    const moments = { atRest: 1, takingOver: 1, backingUp: 1 };
    expect(hung).to.deep.equal({ fault: 'hung', ...moments, void: 1, violations: 1, longestGapSeconds: 5 });
    expect(drain).to.include({ fault: 'drain', violations: 1 });
    expect(tallyOf(counted).map(casesOf)).to.deep.equal([0, 3]);
  });

  it('gives commands that repeat a case with as many systems', () => {
    expect(commandOf('nodes/hung/at-rest/1', 3)).to.equal("npm run chaos -- --only 'nodes/hung/at-rest/1'");
    expect(commandOf('nodes/hung/at-rest/1', 5)).to.equal("npm run chaos -- --only 'nodes/hung/at-rest/1' --systems 5");
  });
});

describe('the page of reliability', () => {
  const run = { seed: 3, minutes: 45, machine: '2 cores, 24 GiB', commit: 'abcdef' };
  const nodes = { ...run, systems: 3, nodes: 4, injections: 5, stolenPercent: 12, lines: tallyOf(counted) };
  const api = { ...run, lines: [{ fault: 'cut', cases: 7, void: 1, violations: 0 }], workloads: { calm: 12 } };

  it('has what each tier has counted, and on which commit', () => {
    const page = reliabilityPage({ nodes, api });
    expect(page).to.match(/\| real nodes \|.*\| 3 \| 2 \|\n\| API \|.*\| 7 \| 0 \|/);
    expect(page).to.contain('| hung | all disks of a recorder hang');
    expect(page).to.contain('| **7** | **0** |');
    expect(page).to.contain('--tier nodes --for 45m --seed 3 --write-docs` at commit abcdef');
    expect(page).to.contain('calm (12 writes)');
  });

  it('says which tier has not been run', () => {
    expect(reliabilityPage({ api })).to.contain('| real nodes | not run yet');
    expect(reliabilityPage({ nodes })).to.contain('| API | not run yet');
  });

  it('can say of each fault what it is', () => {
    for (const fault of nodeFaults) expect(traitsOf(fault).meaning, fault).to.match(/\S/);
  });
});
