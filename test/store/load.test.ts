import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { bundle } from '../../scripts/build.js';

const run = promisify(execFile);
const script = fileURLToPath(new URL('support/load.ts', import.meta.url));

describe('the baseline of 64,000 cameras', () => {
  it('is made within 256 MiB of process memory, as measured', async function () {
    this.timeout(300_000);
    // Bundled as the operator is: a loader of TypeScript would take more memory than what is measured.
    const outdir = await mkdtemp(join(tmpdir(), 'understudy-load-'));
    await bundle({ entryPoints: { load: script }, outdir });
    const node = ['--max-old-space-size=96', join(outdir, 'load.js'), '64000'];
    const { stdout } = await run(process.execPath, node, { timeout: 290_000 });
    await rm(outdir, { recursive: true, force: true });
    const result = JSON.parse(stdout);
    console.log(`      ${stdout.trim()}`);
    expect(result.artifact).to.include({ cameras: 64_000, servers: 1000 });
    expect(result.maxMebibytes).to.be.at.most(256);
  });
});
