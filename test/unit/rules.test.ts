import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/rules.md'), 'utf8');
/** Rows of the tables: cells between bars, without the headings. */
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| #') && !line.startsWith('| what'))
  .map((line) => line.split('|').map((cell) => cell.trim()));
/** `path`: title */
const reference = /^`([^`]+)`: (.+)$/;

describe('the page of rules', () => {
  it('has every rule', () => {
    const named = rows.map(([, number]) => number);
    const wanted = [...Array.from({ length: 16 }, (_, index) => String(index + 1)), '9a', '9b', '9c'];
    expect(wanted.filter((number) => !named.includes(number))).to.deep.equal([]);
  });

  for (const row of rows) {
    const [, name = ''] = row;
    it(`names tests that are there: ${name}`, () => {
      const tests = (row.at(-2) ?? '').split('<br>').filter((entry) => entry !== '');
      expect(tests, 'tests').to.not.have.length(0);
      for (const test of tests) {
        const [, path = '', title = ''] = reference.exec(test) ?? [];
        expect(path, test).to.match(/^test\/.+\.test\.ts$/);
        expect(existsSync(join(root, path)), path).to.equal(true);
        expect(readFileSync(join(root, path), 'utf8'), path).to.contain(`'${title}'`);
      }
    });
  }
});
