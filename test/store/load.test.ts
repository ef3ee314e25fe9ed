import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { parse } from 'yaml';
import { bundle } from '../../scripts/build.js';

const run = promisify(execFile);
const script = fileURLToPath(new URL('support/load.ts', import.meta.url));
const chart = fileURLToPath(new URL('../../deploy/helm/understudy/', import.meta.url));

/** Node's options as the chart gives them, with the percentage of the default memory limit worked out. */
async function chartOptions(): Promise<string[]> {
  const { resources } = parse(await readFile(join(chart, 'values.yaml'), 'utf8'));
  const limitMebibytes = Number(/^(\d+)Mi$/.exec(resources.limits.memory)?.[1]);
  const deployment = await readFile(join(chart, 'templates/deployment.yaml'), 'utf8');
  const options = [...deployment.matchAll(/^\s+- (--\S+)$/gm)].map(([, option = '']) => option);
  return options.map((option) =>
    option.replace(
      /^--max-old-space-size-percentage=(\d+)$/,
      (_all, percent) => `--max-old-space-size=${Math.floor((limitMebibytes * Number(percent)) / 100)}`,
    ),
  );
}

describe('the baseline of 64,000 cameras', () => {
  it('is made within 256 MiB, beside what the operator holds of the cameras, with the memory that the chart gives', async function () {
    this.timeout(300_000);
    const options = await chartOptions();
    expect(options.join(' ')).to.match(/--max-old-space-size=\d+/);
    // Bundled as the operator is: a loader of TypeScript would take more memory than what is measured.
    const outdir = await mkdtemp(join(tmpdir(), 'understudy-load-'));
    await bundle({ entryPoints: { load: script }, outdir });
    const { stdout } = await run(process.execPath, [...options, join(outdir, 'load.js'), '64000'], {
      timeout: 290_000,
    });
    await rm(outdir, { recursive: true, force: true });
    const result = JSON.parse(stdout);
    console.log(`      ${stdout.trim()}`);
    expect(result.artifact).to.include({ cameras: 64_000, servers: 1000 });
    expect(result.maxMebibytes).to.be.at.most(256);
  });
});
