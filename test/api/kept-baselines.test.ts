import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import { type Backup, backups, type FailoverPool, failoverPools, GROUP } from '../../src/crds/index.js';
import type { KubeObject } from '../../src/operator/index.js';
import { installCrds, testNamespace, useApiCluster } from '../support/api-cluster.js';
import { type OperatorUnderTest, quiet, startOperator, until } from './support/operator-under-test.js';

/** Two minutes and a bit: the schedule's finest grain is the minute. */
const dueWithinMs = 130_000;

describe('baselines that a pool keeps, on a real API server', () => {
  const api = useApiCluster();
  let operator: OperatorUnderTest;
  let namespace: string;
  /** Until then nothing is written of baselines whose names begin with 'held-'. */
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();

  before(async () => {
    await installCrds(api.cluster);
    namespace = await testNamespace('kept');
    operator = await startOperator(api.cluster.kubeconfigPath, namespace, async (write, send) => {
      if (write.startsWith('create secrets held-')) await gate;
      return send();
    });
  });
  after(() => {
    open();
    return operator?.stop();
  });

  const typed = (kind: string, name: string): KubeObject => ({
    ...{ apiVersion: `${GROUP}/v1alpha1`, kind, metadata: { namespace, name } },
  });

  async function createPool(name: string, backup: object): Promise<void> {
    await operator.client.create(failoverPools, { ...typed('FailoverPool', name), spec: { backup } } as KubeObject);
    await condition(name, 'BaselineCurrent', 'NoBaseline');
  }

  function condition(name: string, type: string, reason: string) {
    return until(`${type} of pool ${name} is ${reason}`, async () => {
      const pool = (await operator.client.get(failoverPools, { namespace, name })) as unknown as FailoverPool;
      const found = pool.status?.conditions?.find((one) => one.type === type);
      return found?.reason === reason ? found : undefined;
    });
  }

  const ofPool = async (pool: string): Promise<Backup[]> => {
    const { items } = await operator.client.list(backups, { namespace, fieldSelector: `spec.poolRef.name=${pool}` });
    return items as unknown as Backup[];
  };

  function complete(pool: string, name: string): Promise<Backup> {
    return until(`Backup ${name} is complete`, async () => {
      const found = (await ofPool(pool)).find(({ metadata }) => metadata.name === name);
      return found?.status?.conditions?.some(({ type, status }) => type === 'Complete' && status === 'True')
        ? found
        : undefined;
    });
  }

  async function make(pool: string, name: string, reason: 'Manual' | 'Scheduled'): Promise<void> {
    const spec = { poolRef: { name: pool }, reason };
    await operator.client.create(backups, { ...typed('Backup', name), spec } as KubeObject);
    await complete(pool, name);
  }

  it('are pruned down to what it retains, those of people never, and none is made again', async () => {
    await createPool('pruned', { retain: { count: 2 } });
    await make('pruned', 'by-hand', 'Manual');
    for (const name of ['kept-1', 'kept-2', 'kept-3', 'kept-4']) {
      await make('pruned', name, 'Scheduled');
      // The API server tells whole seconds, and which is newer is to be certain.
      const made = await complete('pruned', name);
      const second = Date.parse(made.metadata.creationTimestamp ?? '');
      await until('the next second', () => (Date.now() >= second + 1_000 ? true : undefined));
    }
    const left = await until('the old ones are deleted', async () => {
      const names = (await ofPool('pruned')).map(({ metadata }) => metadata.name);
      return names.length === 3 ? names : undefined;
    });
    expect(left).to.have.members(['by-hand', 'kept-3', 'kept-4']);
    await condition('pruned', 'BaselineCurrent', 'BaselineCurrent');
    await quiet(operator);
    expect(await ofPool('pruned')).to.have.length(3);
  });

  it('outlive it', async () => {
    await createPool('gone', { retain: { count: 1 } });
    await make('gone', 'outlives-1', 'Scheduled');
    await operator.client.delete(failoverPools, { namespace, name: 'gone' });
    await quiet(operator);
    expect((await ofPool('gone')).map(({ metadata }) => metadata.name)).to.deep.equal(['outlives-1']);
  });

  it('of a takeover are made while those by hand and by schedule hang in their store, all of them', async () => {
    await createPool('busy', {});
    const started = ['held-1', 'held-2', 'held-3', 'held-4'];
    for (const [index, name] of started.entries()) {
      const spec = { poolRef: { name: 'busy' }, reason: index % 2 === 0 ? 'Manual' : 'Scheduled' };
      await operator.client.create(backups, { ...typed('Backup', name), spec } as KubeObject);
    }
    const begun = () => operator.written.filter((write) => write.startsWith('create secrets held-')).length;
    await until('as many hang as there are workers for them', () => (begun() === 2 ? true : undefined));
    const { status } = (await operator.client.get(failoverPools, {
      namespace,
      name: 'busy',
    })) as unknown as FailoverPool;
    const epoch = status?.epoch ?? 0;
    const spec = { poolRef: { name: 'busy' }, reason: 'Failover', epoch };
    await operator.client.create(backups, { ...typed('Backup', 'busy-takeover'), spec } as KubeObject);
    await complete('busy', 'busy-takeover');
    expect(begun()).to.equal(2);
    open();
    for (const name of started) await complete('busy', name);
  });

  it('come by its schedule, once for each time', async function () {
    this.timeout(3 * dueWithinMs);
    await createPool('timed', { schedule: '* * * * *' });
    await condition('timed', 'BackupsScheduled', 'Scheduled');
    const [first] = await until(
      'the first scheduled baseline',
      async () => {
        const found = await ofPool('timed');
        return found.length > 0 ? found : undefined;
      },
      dueWithinMs,
    );
    expect(first?.spec.reason).to.equal('Scheduled');
    expect(first?.metadata.name).to.match(/^timed-\d{8}t\d{4}z$/);
    await complete('timed', first?.metadata.name ?? '');
    await condition('timed', 'BaselineCurrent', 'BaselineCurrent');
  });

  it('say why they do not come by a schedule that no clock can follow, and the pool is ready all the same', async () => {
    await createPool('nonsense', { schedule: '0 0 30 2 *' });
    expect((await condition('nonsense', 'BackupsScheduled', 'InvalidSchedule')).message).to.contain('never comes');
    await condition('nonsense', 'Ready', 'AsExpected');
    await createPool('nowhere', { schedule: '@daily', timeZone: 'Mars/Phobos' });
    expect((await condition('nowhere', 'BackupsScheduled', 'UnknownTimeZone')).message).to.contain("'Mars/Phobos'");
  });
});
