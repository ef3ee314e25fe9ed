// npm run chaos -- [--for 10m] [--seed N] [--only case] [--parallel N] [--write-docs]: faults at the API tier.
import { fileURLToPath } from 'node:url';
import { type Cluster, startCluster } from '../cluster/cluster.js';
import { type CaseResult, nameOf, parseName } from './cases/case.js';
import { casesOf, inOrder } from './cases/plan.js';
import { type Ground, runCase } from './cases/run-case.js';
import { type ChaosRequest, parseRequest } from './run/arguments.js';
import { openGround } from './run/ground.js';
import { type Job, runJobs } from './run/pool.js';
import { randomFrom } from './run/random.js';
import { referenceOf } from './run/references.js';
import { tally, total } from './run/tally.js';
import { workloads } from './workloads/index.js';

async function main(): Promise<number> {
  const request = parseRequest(process.argv.slice(2));
  const cluster = await startCluster({ onProgress: (line) => console.error(`  ${line}`), auditLog: false });
  try {
    await installCrds(cluster);
    const ground = await openGround(cluster.kubeconfigPath);
    try {
      return await runOn(ground, request);
    } finally {
      await ground.close();
    }
  } finally {
    await cluster.stop();
  }
}

async function installCrds(cluster: Cluster): Promise<void> {
  const folder = fileURLToPath(new URL('../../deploy/crds', import.meta.url));
  await cluster.kubectl(['apply', '--server-side', '-f', folder]);
  await cluster.kubectl(['wait', '--for=condition=Established', '--timeout=60s', '-f', folder]);
}

async function runOn(ground: Ground, request: ChaosRequest): Promise<number> {
  const jobs = await faultJobs(ground, request);
  const results: CaseResult[] = [];
  await runJobs(jobs, {
    parallel: request.parallel,
    stop: AbortSignal.timeout(request.forMs),
    onResult: (result) => {
      results.push(result);
      tell(result, results.length, jobs.length);
    },
  });
  return close(results);
}

async function faultJobs(ground: Ground, { only, seed }: ChaosRequest): Promise<Job[]> {
  const concerned = workloads.filter(
    ({ name }) => only === undefined || only.startsWith(name) || name.startsWith(only),
  );
  const random = randomFrom(seed);
  const all: Job[] = [];
  const cases = [];
  const references = new Map<string, Awaited<ReturnType<typeof referenceOf>>>();
  for (const workload of concerned) {
    const reference = await referenceOf(ground, workload);
    references.set(workload.name, reference);
    console.error(`  ${workload.name}: ${reference.writes.length} writes without a fault`);
    cases.push(...casesOf(workload.name, reference));
  }
  const exact = only === undefined ? undefined : parseName(only);
  const chosen = exact === undefined ? cases.filter((one) => nameOf(one).startsWith(only ?? '')) : [exact];
  for (const one of inOrder(chosen, random)) {
    const reference = references.get(one.workload);
    if (reference !== undefined) all.push({ name: nameOf(one), run: () => runCase(ground, one, reference) });
  }
  return all;
}

function tell(result: CaseResult, done: number, all: number): void {
  const { name, reached, violations, warnings, seconds } = result;
  if (violations.length === 0) {
    if (done % 20 === 0) console.error(`  ${done} of ${all} cases; the last was ${name} in ${seconds.toFixed(1)} s`);
    if (!reached) console.error(`  not reached: ${name}`);
    return;
  }
  console.log(`\nVIOLATION in ${name} after ${seconds.toFixed(1)} s`);
  for (const violation of violations.slice(0, 20)) console.log(`  - ${violation}`);
  for (const warning of warnings.slice(-12)) console.log(`    ${warning}`);
  console.log(`  again: npm run chaos -- --only '${name}'`);
}

function close(results: readonly CaseResult[]): number {
  const lines = tally(results, []);
  for (const { fault, cases, unreached, violations } of lines)
    console.log(
      `${fault.padEnd(20)} ${cases} cases, ${violations} violations${unreached > 0 ? `, ${unreached} not reached` : ''}`,
    );
  const { cases, violations, unreached } = total(lines);
  console.log(`\n${cases} cases, ${violations} violations, ${unreached} not reached`);
  return violations > 0 || cases === 0 ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
