import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { describe, it } from 'mocha';

const run = promisify(execFile);
const script = fileURLToPath(new URL('support/load.ts', import.meta.url));

describe('the baseline of 64,000 cameras', () => {
  it('is made within 256 MiB of process memory, as measured', async function () {
    this.timeout(300_000);
    const node = ['--import', 'tsx', '--max-old-space-size=192', script, '64000'];
    const { stdout } = await run(process.execPath, node, { timeout: 290_000 });
    const result = JSON.parse(stdout);
    console.log(`      ${stdout.trim()}`);
    expect(result.artifact).to.include({ cameras: 64_000, servers: 1000 });
    expect(result.maxMebibytes).to.be.at.most(256);
  });
});
