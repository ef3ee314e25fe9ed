import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { baselinesToPrune } from '../../../src/failover/baselines/retention.js';
import type { BackupView } from '../../../src/failover/types.js';

type Reason = BackupView['spec']['reason'];
const now = Date.parse('2026-06-01T00:00:00Z');
const retain = { count: 3, days: 30 };

/** `daysAgo` counts back from the first of June. */
function backup(
  name: string,
  daysAgo: number,
  reason: Reason = 'Scheduled',
  outcome: BackupView['outcome'] = 'Complete',
): BackupView {
  const createdTime = new Date(now - daysAgo * 86_400_000).toISOString();
  return { name, spec: { poolRef: { name: 'pool' }, reason, engine: 'Secret' }, outcome, createdTime };
}

const days = (from: number, to: number, reason?: Reason, outcome?: BackupView['outcome']) =>
  Array.from({ length: to - from + 1 }, (_, i) => backup(`d${from + i}`, from + i, reason, outcome));

describe('the retention of baselines', () => {
  it('keeps the newest ones of each reason, counted apart', () => {
    const takeovers = days(0, 4, 'Failover').map((one) => ({ ...one, name: `f-${one.name}` }));
    expect(baselinesToPrune([...days(0, 4), ...takeovers], retain)).to.have.members(['d3', 'd4', 'f-d3', 'f-d4']);
  });

  it('gives up those that are older by more than its days than the newest complete one', () => {
    const old = [backup('just', 30), backup('over', 30.1)];
    expect(baselinesToPrune([backup('new', 0), ...old], retain)).to.deep.equal(['over']);
  });

  it('deletes nothing for its age alone while nothing newer has come', () => {
    expect(baselinesToPrune([backup('a', 400), backup('b', 401)], retain)).to.deep.equal([]);
  });

  it('never gives up the newest complete one of a reason, however old', () => {
    const views = [backup('scheduled', 0), backup('takeover', 300, 'Failover'), backup('before', 301, 'Failover')];
    expect(baselinesToPrune(views, { count: 1, days: 1 })).to.deep.equal(['before']);
  });

  it('leaves what a person has made to the person', () => {
    expect(baselinesToPrune([backup('new', 0), ...days(1, 50, 'Manual')], { count: 1, days: 1 })).to.deep.equal([]);
  });

  it('never touches one that is not finished, or that is being deleted already', () => {
    const views = [
      ...days(0, 2),
      backup('running', 90, 'Scheduled', 'Running'),
      { ...backup('going', 91), deleting: true },
    ];
    expect(baselinesToPrune(views, retain)).to.deep.equal([]);
  });

  it('keeps the last five failed ones for a week, and does not count them among the others', () => {
    const failed = days(1, 6, 'Scheduled', 'Failed').map((one) => ({ ...one, name: `failed-${one.name}` }));
    expect(baselinesToPrune([...days(0, 2), ...failed], retain)).to.deep.equal(['failed-d6']);
    const old = backup('old', 8, 'Failover', 'Failed');
    expect(baselinesToPrune([...days(0, 2), old], retain)).to.deep.equal(['old']);
    expect(baselinesToPrune([old], retain)).to.deep.equal([]);
  });

  it('keeps something to restore from, whatever there is', () => {
    const view = fc.record({
      daysAgo: fc.integer({ min: 0, max: 400 }),
      reason: fc.constantFrom<Reason>('Failover', 'Scheduled', 'Manual'),
      outcome: fc.constantFrom<BackupView['outcome']>('Complete', 'Failed', 'Running'),
    });
    const limits = fc.record({ count: fc.integer({ min: 1, max: 5 }), days: fc.integer({ min: 1, max: 60 }) });
    fc.assert(
      fc.property(fc.array(view, { maxLength: 40 }), limits, (seeds, limit) => {
        const views = seeds.map(({ daysAgo, reason, outcome }, i) => backup(`b${i}`, daysAgo, reason, outcome));
        const pruned = new Set(baselinesToPrune(views, limit));
        const complete = views.filter(({ outcome }) => outcome === 'Complete');
        const newest = Math.max(...complete.map(({ createdTime }) => Date.parse(createdTime ?? '')));
        const kept = views.filter(({ name }) => !pruned.has(name));
        if (complete.length > 0)
          expect(
            kept.some((one) => one.outcome === 'Complete' && Date.parse(one.createdTime ?? '') === newest),
          ).to.equal(true);
        for (const one of views.filter(({ name }) => pruned.has(name))) {
          expect(one.outcome).to.not.equal('Running');
          expect(one.spec.reason).to.not.equal('Manual');
        }
        for (const reason of ['Failover', 'Scheduled'])
          expect(kept.filter((one) => one.outcome === 'Complete' && one.spec.reason === reason).length).to.be.at.most(
            limit.count,
          );
        // What is kept is kept by the next look, too: it comes to rest.
        expect(baselinesToPrune(kept, limit)).to.deep.equal([]);
      }),
    );
  });
});
