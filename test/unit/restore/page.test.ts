import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect } from 'chai';
import { parseCommand, usage } from '../../../src/cli/restore/arguments.js';
import { backupPageCommands } from '../../support/page-commands.js';

const page = readFileSync(resolve(import.meta.dirname, '../../../docs/backup.md'), 'utf8');

describe('the page for whoever is on call', () => {
  const blocks = backupPageCommands();

  it('holds commands in plain shell', () => {
    expect(blocks.length).to.be.greaterThan(10);
    for (const { line, text } of blocks) {
      expect(() => execFileSync('bash', ['-n'], { input: text, stdio: 'pipe' }), `line ${line}`).not.to.throw();
    }
  });

  const restores = blocks.flatMap(({ line, text }) =>
    [...text.matchAll(/npm run --silent restore -- (.*)$/gm)].map(({ 1: words = '' }) => ({ line, words })),
  );
  for (const { line, words } of restores) {
    it(`asks for a restore that the command knows: ${words} (line ${line})`, () => {
      const { command } = parseCommand(words.split(' ').map((word) => word.replaceAll('"', '')));
      expect(command).to.equal(words.startsWith('export') ? 'export' : 'restore');
    });
  }

  it('shows the plan before each restore of more than a camera, and asks for it in the words of the usage', () => {
    expect(restores.some(({ words }) => words.includes('--file') && !words.includes('--apply'))).to.equal(true);
    for (const code of ['0', '1', '2', '3', '4', '5']) {
      expect(page, `exit code ${code}`).to.contain(`| ${code} |`);
      expect(usage.slice(usage.indexOf('Exit codes'))).to.match(new RegExp(`\\b${code} `));
    }
  });
});
