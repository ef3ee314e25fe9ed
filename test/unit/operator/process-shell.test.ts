import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { silentLog } from '../../../src/operator/log.js';
import { ProcessShell } from '../../../src/operator/process-shell.js';

const forbidden =
  /\b(watchResource|setResource\w+|patchResource\w+|handleResource\w+|registerCustomResourceDefinition|getCustomResourceApiUri)\b/;

describe('the process shell', () => {
  it('starts and stops the lifecycle, once', async () => {
    const calls: string[] = [];
    const shell = new ProcessShell(
      { start: async () => void calls.push('start'), stop: async () => void calls.push('stop') },
      silentLog,
    );
    await shell.start();
    shell.stop();
    shell.stop();
    await shell.stopped();
    expect(calls).to.eql(['start', 'stop']);
  });

  it('is the only file that knows the library, and no file uses its watch, status and finalizer functions', async () => {
    const root = new URL('../../../src', import.meta.url).pathname;
    const users: string[] = [];
    for (const entry of await readdir(root, { recursive: true })) {
      if (!entry.endsWith('.ts')) continue;
      const text = await readFile(join(root, entry), 'utf8');
      if (text.includes("'@dot-i/k8s-operator'")) users.push(entry);
      expect(forbidden.exec(text)?.[0], entry).to.equal(undefined);
    }
    expect(users).to.eql(['operator/process-shell.ts']);
  });
});
