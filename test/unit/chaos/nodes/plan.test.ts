import { expect } from 'chai';
import { type NodeCase, nameOf, parseName } from '../../../chaos/nodes/case.js';
import { drawOf, fits, isExclusive, kindsOf, layoutOf } from '../../../chaos/nodes/draw.js';
import { traitsOf } from '../../../chaos/nodes/faults.js';
import { type Round, roundsOf } from '../../../chaos/nodes/plan.js';

const layouts = [0, 1, 2].map(layoutOf);

function first(count: number, seed: number, only?: string): Round[] {
  const rounds: Round[] = [];
  for (const round of roundsOf(seed, layouts, only)) {
    rounds.push(round);
    if (rounds.length === count) break;
  }
  return rounds;
}

const casesIn = (rounds: readonly Round[]): NodeCase[] =>
  rounds.flatMap(({ sideBySide, together }) => [...sideBySide, ...together]);

describe('the cases on real nodes', () => {
  it('have names that are read back', () => {
    for (const one of casesIn(first(40, 7))) expect(parseName(nameOf(one)), nameOf(one)).to.deep.equal(one);
  });

  for (const wrong of [
    'nodes',
    'nodes/power-cut/at-rest',
    'nodes/power-cut/at-noon/1',
    'nodes/nonsense/at-rest/1',
    'nodes/drain/at-backing-up/1',
    'nodes/power-cut/at-rest/1/2',
    'api/power-cut/at-rest/1',
  ])
    it(`have no such name as '${wrong}'`, () => expect(parseName(wrong)).to.equal(undefined));

  it('are the same with the same seed, and others with another', () => {
    const names = (seed: number) => casesIn(first(20, seed)).map(nameOf);
    expect(names(1)).to.deep.equal(names(1));
    expect(names(1)).not.to.deep.equal(names(2));
    expect(new Set([...names(1), ...names(2)]).size).to.equal(names(1).length + names(2).length);
  });

  it('are aimed at the system by their number, one in each side by side and one for all', () => {
    for (const { sideBySide, together } of first(30, 3)) {
      expect(sideBySide.map((one) => drawOf(one, 3).system)).to.deep.equal([0, 1, 2]);
      expect(sideBySide.some(isExclusive)).to.equal(false);
      expect(together.map(isExclusive)).to.deep.equal([true]);
    }
  });

  it('come to every kind before long', () => {
    const seen = new Set(casesIn(first(45, 5)).map(({ fault, moment }) => `${fault}/${moment}`));
    expect(kindsOf().filter(({ fault, moment }) => !seen.has(`${fault}/${moment}`))).to.deep.equal([]);
  });

  it('take a second recorder away only where there is a third', () => {
    for (const one of casesIn(first(60, 9))) {
      const { system } = drawOf(one, 3);
      expect(fits(one, layoutOf(system)), nameOf(one)).to.equal(true);
    }
    expect(fits({ fault: 'all-disks', moment: 'at-backing-up' }, layoutOf(0))).to.equal(false);
    expect(fits({ fault: 'all-disks', moment: 'at-backing-up' }, layoutOf(1))).to.equal(true);
  });

  it('begin in the middle of a failover by another fault, which is of one system where other systems have theirs', () => {
    for (const one of casesIn(first(40, 11))) {
      const { primary } = drawOf(one, 3);
      expect(primary === undefined, nameOf(one)).to.equal(one.moment === 'at-rest');
      if (primary !== undefined && !isExclusive(one)) expect(traitsOf(primary).scope).to.equal('system');
    }
  });

  it('are only those whose name begins so, when that is asked for', () => {
    const found = casesIn(first(5, 1, 'nodes/hung/'));
    expect(found.length).to.equal(15);
    expect(new Set(found.map(({ fault }) => fault))).to.deep.equal(new Set(['hung']));
    expect(kindsOf('nodes/nonsense')).to.deep.equal([]);
  });
});
