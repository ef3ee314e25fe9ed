// npm run bench -- [--cameras 100,5000,64000]: measures baselines and their restore on a real API server, prints a table
// and writes it to docs/benchmarks.md.
import { parseArgs } from 'node:util';
import { commitNow } from '../chaos/run/results.js';
import { startCluster } from '../cluster/cluster.js';
import { machineSize, ProcessorWatch } from '../scenario/machine.js';
import { installCrds } from '../support/install-crds.js';
import { type BaselineTimes, measureBaselines } from './baselines/measure.js';
import { baselineSection } from './baselines/table.js';
import { writeSection } from './page.js';

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { cameras: { type: 'string', default: '100,5000,64000' } } });
  const sizes = values.cameras.split(',').map(Number);
  if (sizes.some((size) => !Number.isInteger(size) || size < 1)) {
    throw new Error(
      `--cameras takes numbers above 0 with commas between them, such as 100,5000; not '${values.cameras}'`,
    );
  }
  const commit = await commitNow();
  const processor = new ProcessorWatch();
  const startMs = Date.now();
  const cluster = await startCluster({ onProgress: (line) => console.log(`  ${line}`) });
  try {
    await installCrds(cluster);
    const times: BaselineTimes[] = [];
    // The smallest first: the peak of memory is of all that the process has done so far.
    for (const cameras of sizes.sort((a, b) => a - b)) {
      const measured = await measureBaselines(cluster, cameras);
      console.log(`  ${JSON.stringify(measured)}`);
      times.push(measured);
    }
    const withheld = processor.withheldShare(startMs, Date.now());
    const section = baselineSection({ times, machine: machineSize(), commit, withheld });
    console.log(`\n${section}`);
    await writeSection('baselines', section);
  } finally {
    await cluster.stop();
    processor.close();
  }
}

await main();
