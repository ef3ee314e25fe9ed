import { type Cluster, startCluster } from '../cluster/cluster.js';
import { machineSize } from '../scenario/machine.js';
import { installCrds } from '../support/install-crds.js';
import type { CaseResult } from './cases/case.js';
import type { Reference } from './cases/run-case.js';
import type { ChaosRequest } from './run/arguments.js';
import { openGround, stallWatchOf } from './run/ground.js';
import { concerned, jobsOf, referencesOf } from './run/jobs.js';
import { runJobs } from './run/pool.js';
import { faultNames } from './run/reliability-page.js';
import type { ApiPart } from './run/results.js';
import { type Line, tally } from './run/tally.js';
import { tellResult } from './run/tell.js';

/** Runs faults between the operator and a real API server, and random desired states. */
export async function runApiTier(request: ChaosRequest, stop: () => AbortSignal): Promise<ApiPart> {
  const cluster = await startCluster({ onProgress: (line) => console.error(`  ${line}`), auditLog: false });
  try {
    return await runOn(cluster, request, stop);
  } catch (error) {
    // Told before the cluster goes: that it could not be stopped must not hide why it was to be.
    console.error(error);
    throw error;
  } finally {
    await cluster.stop();
  }
}

async function runOn(cluster: Cluster, request: ChaosRequest, stop: () => AbortSignal): Promise<ApiPart> {
  await installCrds(cluster);
  const ground = await openGround(cluster.kubeconfigPath, true);
  const stalls = stallWatchOf(ground);
  try {
    const references = await referencesOf(ground, concerned(request.only), stalls);
    const results: CaseResult[] = [];
    const onResult = (result: CaseResult): void => {
      results.push(result);
      tellResult(result, results.length);
    };
    const { parallel } = request;
    await runJobs(jobsOf(ground, references, request), { parallel, stop: stop(), stalls, onResult });
    return partOf(results, references, request);
  } finally {
    stalls.close();
    await ground.close();
  }
}

function partOf(
  results: readonly CaseResult[],
  references: ReadonlyMap<string, Reference>,
  { seed, forMs }: ChaosRequest,
): ApiPart {
  const lines = tally(results, faultNames).filter((line) => line.cases + line.void > 0);
  for (const line of lines) console.log(`${line.fault.padEnd(18)} ${sentenceOf(line)}`);
  for (const { name } of results.filter((result) => result.violations.length > 0 && result.disturbed !== true))
    console.log(`again: npm run chaos -- --only '${name}'`);
  const workloads = Object.fromEntries([...references].map(([name, { writes }]) => [name, writes.length]));
  return { seed, minutes: Math.round(forMs / 60_000), machine: machineSize(), lines, workloads };
}

/** Counts for the terminal. */
export function sentenceOf(line: Omit<Line, 'fault'>): string {
  return `${line.cases} cases, ${line.violations} violations, ${line.void} that say nothing`;
}
