import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { withFileLock } from '../../cluster/file-lock.js';

describe('a file lock', () => {
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'understudy-lock-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('lets one action in at a time', async () => {
    const path = join(folder, 'one');
    let inside = 0;
    let most = 0;
    const action = async () => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((resolve) => setTimeout(resolve, 20));
      inside -= 1;
    };
    await Promise.all([1, 2, 3].map(() => withFileLock(path, action)));
    expect(most).to.equal(1);
  });

  it('is released when the action fails, and hands on its error', async () => {
    const path = join(folder, 'failing');
    const failure = await withFileLock(path, () => Promise.reject(new Error('no'))).catch(
      (error: Error) => error.message,
    );
    expect(failure).to.equal('no');
    expect(await withFileLock(path, async () => 'in')).to.equal('in');
  });

  it('is released when its holder is killed', async () => {
    const path = join(folder, 'killed');
    const lock = fileURLToPath(new URL('../../cluster/file-lock.ts', import.meta.url));
    const script = `import(${JSON.stringify(lock)}).then((m) => m.withFileLock(${JSON.stringify(path)}, () => {
      console.log('held');
      return new Promise((resolve) => setTimeout(resolve, 60_000));
    }))`;
    const holder = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), '-e', script], { stdio: 'pipe' });
    await once(holder.stdout, 'data');
    holder.kill('SIGKILL');
    expect(await withFileLock(path, async () => 'in')).to.equal('in');
  });
});
