import { expect } from 'chai';
import { watchFaults, writeFaults } from '../../chaos/cases/case.js';
import { casesOf } from '../../chaos/cases/plan.js';

const reference = {
  writes: [
    { identity: 'create pods alpha', occurrence: 0 },
    { identity: 'update failoverpools/status site', occurrence: 2 },
  ],
  changedKinds: new Set(['leases', 'nodes']),
};

describe('the faults that a workload is played under', () => {
  const cases = casesOf({ name: 'play', alsoWatches: ['nodes'] }, reference);
  const kindsOf = (fault: string) =>
    cases.flatMap((one) => ('kind' in one && one.fault === fault ? [one.kind] : [])).sort();

  it('are each write with each of its faults', () => {
    expect(cases.filter((one) => 'write' in one)).to.have.length(reference.writes.length * writeFaults.length);
  });

  it('are no watches that bring nothing, since nothing of them can be late or lost', () => {
    for (const fault of watchFaults.filter((name) => name !== 'expire'))
      expect(kindsOf(fault), fault).to.deep.equal(['all', 'leases', 'nodes']);
  });

  it('let every watch end, whether it brings something or not', () => {
    expect(kindsOf('expire')).to.include.members(['pods', 'services', 'nodes']);
  });
});
