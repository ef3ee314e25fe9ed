import { expect } from 'chai';
import { installCrds, useApiCluster } from '../support/api-cluster.js';
import type { FaultCase } from './cases/case.js';
import { inOrder } from './cases/plan.js';
import { type Reference, runCase } from './cases/run-case.js';
import { type OpenGround, openGround, stallWatchOf } from './run/ground.js';
import { allFaultCases, referencesOf, specJob } from './run/jobs.js';
import { type Job, runJobs } from './run/pool.js';
import { randomFrom } from './run/random.js';
import type { StallWatch } from './run/stalls.js';
import { accountOf } from './run/tell.js';
import { workloads } from './workloads/index.js';

/** The same cases each time; `npm run chaos` takes many more, and others. */
const seed = 4;
const casesPerWorkload = 9;
const parallel = 10;

describe('the operator under faults of the API tier', function () {
  this.timeout(600_000);
  const api = useApiCluster();
  let ground: OpenGround;
  let stalls: StallWatch;
  let references: Map<string, Reference>;

  before(async () => {
    await installCrds(api.cluster);
    ground = await openGround(api.cluster.kubeconfigPath);
    stalls = stallWatchOf(ground);
    references = await referencesOf(ground, workloads, stalls);
  });
  after(() => {
    stalls?.close();
    return ground?.close();
  });

  async function accountsOf(jobs: readonly Job[]): Promise<string[]> {
    const accounts: string[] = [];
    await runJobs(jobs, {
      parallel,
      stop: new AbortController().signal,
      stalls,
      onResult: (result) => {
        if (result.violations.length > 0 && result.disturbed !== true) accounts.push(accountOf(result));
      },
    });
    return accounts;
  }

  function job(one: FaultCase): Job[] {
    const reference = references.get(one.workload);
    return reference === undefined ? [] : [{ name: one.workload, run: () => runCase(ground, one, reference) }];
  }

  for (const { name } of workloads)
    it(`ends the workload ${name} as if nothing had failed`, async () => {
      const all = inOrder(allFaultCases(references), randomFrom(seed)).filter(({ workload }) => workload === name);
      expect(await accountsOf(all.slice(0, casesPerWorkload).flatMap(job))).to.deep.equal([]);
    });

  it('reaches random desired states, reverts them exactly, and refuses or reports what is wrong', async () => {
    const all = ['spec-fit/1', 'spec-fit/2', 'spec-fit/3', 'spec-odd/1', 'spec-odd/2', 'spec-refused/1'];
    const jobs = all.flatMap((name) => specJob(ground, name) ?? []);
    expect(jobs).to.have.length(all.length);
    expect(await accountsOf(jobs)).to.deep.equal([]);
  });
});
