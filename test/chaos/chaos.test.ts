import { expect } from 'chai';
import { installCrds, useApiCluster } from '../support/api-cluster.js';
import type { FaultCase } from './cases/case.js';
import { casesOf, inOrder } from './cases/plan.js';
import { type Reference, runCase } from './cases/run-case.js';
import { type OpenGround, openGround, stallWatchOf } from './run/ground.js';
import { specJob } from './run/jobs.js';
import { type Job, undisturbed } from './run/pool.js';
import { randomFrom } from './run/random.js';
import { referenceOf } from './run/references.js';
import { Slots } from './run/slots.js';
import type { StallWatch } from './run/stalls.js';
import { accountOf } from './run/tell.js';
import { edits, failovers, holds, plannedMoves, type Workload, workloads } from './workloads/index.js';

/** The same cases each time; `npm run chaos` takes many more, and others. */
const seed = 4;
const casesPerWorkload = 2;
const parallel = 12;
const specs = ['spec-fit/1', 'spec-fit/2', 'spec-fit/3', 'spec-odd/1', 'spec-odd/2', 'spec-refused/1'];

describe('the operator under faults of the API tier', function () {
  this.timeout(900_000);
  const api = useApiCluster({ auditLog: false });
  /** What went wrong, by name of the workload. All are played side by side from the start, and each test waits for its own. */
  const accounts = new Map<string, Promise<string[]>>();
  const stop = new AbortController();
  let ground: OpenGround;
  let stalls: StallWatch;
  let slots: Slots;

  before(async () => {
    await installCrds(api.cluster);
    ground = await openGround(api.cluster.kubeconfigPath, api.cluster.context === undefined);
    stalls = stallWatchOf(ground);
    slots = new Slots(parallel, stalls);
    for (const [index, workload] of workloads.entries()) begin(workload.name, () => accountsOfCases(workload, index));
    begin('specs', () => accountsOf(specs.map(specOf)));
  });
  after(async () => {
    stop.abort();
    await Promise.allSettled(accounts.values());
    stalls?.close();
    await ground?.close();
  });

  function begin(name: string, play: () => Promise<string[]>): void {
    const account = play();
    // The test that waits for it may begin much later: until then its failure is nobody's.
    account.catch(() => undefined);
    accounts.set(name, account);
  }

  async function accountsOfCases(workload: Workload, index: number): Promise<string[]> {
    const reference = await turn(() => referenceOf(ground, workload, stalls), 2);
    const cases = inOrder(casesOf(workload, reference), randomFrom(seed + index));
    return accountsOf(cases.slice(0, casesPerWorkload).map((one) => jobOf(one, reference)));
  }

  function jobOf(one: FaultCase, reference: Reference): Job {
    return { name: one.workload, run: () => runCase(ground, one, reference) };
  }

  async function accountsOf(jobs: readonly Job[]): Promise<string[]> {
    const results = await Promise.all(jobs.map((job) => turn(() => undisturbed(job, stalls))));
    return results.filter(({ violations, disturbed }) => violations.length > 0 && disturbed !== true).map(accountOf);
  }

  function specOf(name: string): Job {
    const job = specJob(ground, name);
    if (job === undefined) throw new Error(`there is no ${name}`);
    return job;
  }

  function turn<T>(work: () => Promise<T>, size = 1): Promise<T> {
    return slots.run(() => {
      stop.signal.throwIfAborted();
      return work();
    }, size);
  }

  function ends(some: readonly Workload[]): void {
    for (const { name } of some)
      it(`ends the workload ${name} as if nothing had failed`, async () => {
        expect(await accounts.get(name)).to.deep.equal([]);
      });
  }

  describe('in the middle of failovers', () => ends(failovers));
  describe('in the middle of planned moves', () => ends(plannedMoves));
  describe('while failovers are held', () => ends(holds));
  describe('while specs are edited in the middle of a failover', () => ends(edits));

  it('reaches random desired states, reverts them exactly, and refuses or reports what is wrong', async () => {
    expect(await accounts.get('specs')).to.deep.equal([]);
  });
});
