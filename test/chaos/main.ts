// npm run chaos -- [--for 10m] [--seed N] [--only case] [--parallel N] [--write-docs]: faults at the API tier.
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Cluster, startCluster } from '../cluster/cluster.js';
import { installCrds } from '../support/install-crds.js';
import type { CaseResult } from './cases/case.js';
import type { Reference } from './cases/run-case.js';
import { type ChaosRequest, parseRequest } from './run/arguments.js';
import { openGround, stallWatchOf } from './run/ground.js';
import { concerned, jobsOf, referencesOf } from './run/jobs.js';
import { runJobs } from './run/pool.js';
import { faultNames, reliabilityPage } from './run/reliability-page.js';
import { type Line, tally, total } from './run/tally.js';
import { tellResult } from './run/tell.js';

const page = fileURLToPath(new URL('../../docs/reliability.md', import.meta.url));

async function main(): Promise<number> {
  const request = parseRequest(process.argv.slice(2));
  const cluster = await startCluster({ onProgress: (line) => console.error(`  ${line}`), auditLog: false });
  try {
    return await runOn(cluster, request);
  } catch (error) {
    // Told before the cluster goes: that it could not be stopped must not hide why it was to be.
    console.error(error);
    return 1;
  } finally {
    await cluster.stop();
  }
}

async function runOn(cluster: Cluster, request: ChaosRequest): Promise<number> {
  await installCrds(cluster);
  const ground = await openGround(cluster.kubeconfigPath);
  const stalls = stallWatchOf(ground);
  try {
    const references = await referencesOf(ground, concerned(request.only), stalls);
    const results: CaseResult[] = [];
    const onResult = (result: CaseResult): void => {
      results.push(result);
      tellResult(result, results.length);
    };
    const { parallel } = request;
    const stop = stopSignal(request);
    await runJobs(jobsOf(ground, references, request), { parallel, stop, stalls, onResult });
    return await close(results, references, request);
  } finally {
    stalls.close();
    await ground.close();
  }
}

/** The time is over, or somebody pressed Ctrl-C: what runs is finished and counted. */
function stopSignal({ forMs }: ChaosRequest): AbortSignal {
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => interrupted.abort(new Error(`ended by ${signal}`)));
  return AbortSignal.any([AbortSignal.timeout(forMs), interrupted.signal]);
}

async function close(
  results: readonly CaseResult[],
  references: ReadonlyMap<string, Reference>,
  { seed, forMs, writeDocs }: ChaosRequest,
): Promise<number> {
  const lines = tally(results, faultNames).filter((line) => line.cases + line.void > 0);
  for (const line of lines) console.log(`${line.fault.padEnd(18)} ${sentence(line)}`);
  const sum = total(lines);
  const { cases, violations } = sum;
  console.log(`\n${sentence(sum)}`);
  for (const { name } of results.filter((result) => result.violations.length > 0 && result.disturbed !== true))
    console.log(`again: npm run chaos -- --only '${name}'`);
  const workloads = new Map([...references].map(([name, { writes }]) => [name, writes.length]));
  if (writeDocs) await writeFile(page, reliabilityPage({ lines, seed, minutes: forMs / 60_000, workloads }));
  return violations > 0 || cases === 0 ? 1 : 0;
}

function sentence(line: Omit<Line, 'fault'>): string {
  return `${line.cases} cases, ${line.violations} violations, ${line.void} that say nothing`;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
