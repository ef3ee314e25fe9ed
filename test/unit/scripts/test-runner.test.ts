import { expect } from 'chai';
import { describe, it } from 'mocha';
import {
  fileRuns,
  type Mark,
  marks,
  outcomeOf,
  readMarks,
  sum,
  summary,
  writtenMark,
} from '../../../scripts/test/counts.js';
import { levels, parseArguments, turnsOf } from '../../../scripts/test/levels.js';

const clean = { code: 0, signal: null, interrupted: false };
const text = (...all: Mark['mark'][]): Mark[] => all.map((mark) => ({ mark, atMs: 0, file: 'a.test.ts' }));
const at = (atMs: number, mark: Mark['mark'], file = ''): Mark => ({ mark, atMs, file });

describe('the outcome of a test level', () => {
  it('counts marks', () => {
    const marked = text(marks.passed, marks.failed, marks.passed, marks.skipped, marks.end);
    const outcome = outcomeOf(marked, { ...clean, code: 1 });
    expect(outcome).to.deep.equal({ passed: 2, failed: 1, skipped: 1, died: undefined });
  });

  it('is a failure when the process ended before its last test', () => {
    const outcome = outcomeOf(text(marks.passed), { ...clean, code: 0 });
    expect(outcome.failed).to.equal(1);
    expect(outcome.died).to.contain('ended before its last test');
  });

  it('is a failure when the process was killed, on top of the tests that failed', () => {
    const outcome = outcomeOf(text(marks.failed), { ...clean, code: null, signal: 'SIGKILL' });
    expect(outcome).to.include({ failed: 2, died: 'it was ended by SIGKILL' });
  });

  it('is a failure when mocha reports one by its exit code alone', () => {
    expect(outcomeOf(text(marks.passed, marks.end), { ...clean, code: 7 }).failed).to.equal(1);
  });

  it('is a failure when it was interrupted, whatever had passed', () => {
    const outcome = outcomeOf(text(marks.passed, marks.end), { ...clean, interrupted: true });
    expect(outcome).to.include({ failed: 1, died: 'it was interrupted' });
  });

  it('is a failure when the tests stopped themselves by a signal', () => {
    const outcome = outcomeOf(text(marks.passed, marks.stopped, marks.end), clean);
    expect(outcome).to.include({ failed: 1, died: 'it was interrupted' });
  });
});

describe('the marks of a test level', () => {
  const all = [at(1, 'b', '/t/a b.test.ts'), at(2, 'p', '/t/a b.test.ts'), at(3, 'f'), at(4, 'e')];

  it('are read as they were written, apart from one that was cut off', () => {
    expect(readMarks(`${all.map(writtenMark).join('')}p 17`)).to.deep.equal(all);
  });

  it('are counted by file, with what belongs to none in the one before it', () => {
    const more = [...all.slice(0, 3), at(5, 'b', '/t/c.test.ts'), at(9, 's', '/t/c.test.ts'), at(10, 'e')];
    expect(fileRuns(more)).to.deep.equal([
      { file: '/t/a b.test.ts', startMs: 1, endMs: 3, passed: 1, failed: 1, skipped: 0 },
      { file: '/t/c.test.ts', startMs: 5, endMs: 9, passed: 0, failed: 0, skipped: 1 },
    ]);
  });
});

describe('the closing line', () => {
  it('sums all levels, and names skipped tests only when there are some', () => {
    const total = sum([
      { passed: 3, failed: 0, skipped: 0 },
      { passed: 4, failed: 2, skipped: 0 },
    ]);
    expect(summary(total)).to.equal('7 passed, 2 failed');
    expect(summary({ ...total, skipped: 1 })).to.equal('7 passed, 2 failed, 1 skipped');
  });
});

describe('the turns of the levels', () => {
  const turns = (...names: string[]) =>
    turnsOf(parseArguments(names).levels).map(({ level, beside }) => [level, ...beside].map(({ name }) => name));

  it('let what only computes run beside what mostly waits', () => {
    expect(turns()).to.deep.equal([['media'], ['store'], ['api', 'unit'], ['chaos'], ['e2e']]);
  });

  it('leave a level alone when there is no other', () => {
    expect(turns('unit')).to.deep.equal([['unit']]);
    expect(turns('api', 'e2e')).to.deep.equal([['api'], ['e2e']]);
  });
});

describe('the arguments of npm test', () => {
  it('mean all levels when none is named', () => {
    expect(parseArguments([]).levels).to.deep.equal(levels);
  });

  it('name levels, which run fast ones first whatever the order', () => {
    expect(parseArguments(['e2e', 'unit']).levels.map((level) => level.name)).to.deep.equal(['unit', 'e2e']);
  });

  it('go to mocha after -- and from the first option or file on', () => {
    expect(parseArguments(['unit', '--', '--grep', 'x']).mochaArguments).to.deep.equal(['--grep', 'x']);
    expect(parseArguments(['unit', '--grep', 'x']).mochaArguments).to.deep.equal(['--grep', 'x']);
    expect(parseArguments(['unit', 'a.test.ts', '-b']).mochaArguments).to.deep.equal(['a.test.ts', '-b']);
  });

  it('are refused with the known names when a level does not exist', () => {
    expect(() => parseArguments(['units'])).to.throw(
      "no test level 'units'; the levels are media, store, unit, api, chaos, e2e",
    );
  });
});
