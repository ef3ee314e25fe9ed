// A stand-in for the engine: these tests need one that fails as it is told, and that is held in the middle of a write.
import { expect } from 'chai';
import { beforeEach, describe, it } from 'mocha';
import { type BackupEngine, BackupError, createSecretEngine } from '../../../../src/backup/index.js';
import { type Backup, backups, type FailoverPool, failoverPools } from '../../../../src/crds/index.js';
import { ApiError, createMetrics, type EventInput, type Result, silentLog } from '../../../../src/operator/index.js';
import { createBackupReconciler } from '../../../../src/reconcilers/backup/index.js';
import { createBaselineMetrics } from '../../../../src/reconcilers/backup/metrics.js';
import { type MemoryApi, memoryApi } from '../../backup/support/memory-api.js';
import { backup, namespace, pool, putSystem } from '../../backup/support/system.js';
import { FakeClock } from '../../support/fake-clock.js';
import { type MemoryStores, memoryStores } from '../support/memory-stores.js';

const time = '2026-11-22T10:00:00Z';

/** The failover of recorder-a, as it stands in the pool's status while it runs. */
function running(epoch = 4): NonNullable<NonNullable<FailoverPool['status']>['current']> {
  return {
    ...{ role: 'recorder-a', server: 'standby-a', standby: 'standby-b', epoch, step: 'TakingOver' },
    ...{ trigger: 'Unreachable', brokenTime: time, committedTime: time },
  };
}

describe('a try at a baseline', () => {
  let api: MemoryApi;
  let stores: MemoryStores;
  let clock: FakeClock;
  let events: EventInput[];
  let metrics: ReturnType<typeof createMetrics>;
  /** Thrown by the next writes. */
  let fault: Error | undefined;
  /** Done right after the baseline was written, before anything else. */
  let whenWritten: () => void;
  let reconcile: ReturnType<typeof createBackupReconciler>;

  beforeEach(() => {
    api = memoryApi();
    stores = memoryStores();
    clock = new FakeClock();
    events = [];
    metrics = createMetrics();
    fault = undefined;
    whenWritten = () => undefined;
    reconcile = start(createBaselineMetrics(metrics, stores, clock));
    putSystem(api);
    stores.pools.put(pool());
  });

  function start(baselines?: ReturnType<typeof createBaselineMetrics>) {
    const secrets = createSecretEngine({ client: api });
    const engine: BackupEngine = {
      name: 'Secret',
      maxBytes: secrets.maxBytes,
      read: (target, signal) => secrets.read(target, signal),
      check: (target, signal) => secrets.check(target, signal),
      write: async (baseline, target, signal) => {
        if (fault) throw fault;
        const artifact = await secrets.write(baseline, target, signal);
        whenWritten();
        return artifact;
      },
    };
    return createBackupReconciler({
      ...{ client: api, stores, clock, version: '0.1.0', engines: [engine] },
      events: { event: (event) => void events.push(event) },
      ...(baselines === undefined ? {} : { metrics: baselines }),
    });
  }

  async function run(name = 'north-3'): Promise<Result | undefined> {
    const context = { signal: new AbortController().signal, log: silentLog };
    return (await reconcile(`${namespace}/${name}`, context)) ?? undefined;
  }
  const stored = (name = 'north-3') => api.all<Backup>(backups).find(({ metadata }) => metadata.name === name);
  const condition = (type: string, name?: string) => stored(name)?.status?.conditions?.find((one) => one.type === type);
  const away = () => new BackupError('EndpointUnreachable', 'the store does not answer', { mayPass: true });

  describe('that failed for a reason that may pass', () => {
    beforeEach(() => {
      fault = away();
    });

    it('is repeated with backoff, and says meanwhile what it met', async () => {
      const pauses: (number | undefined)[] = [];
      for (let attempt = 0; attempt < 9; attempt += 1) {
        const pause = (await run())?.requeueAfterMs;
        pauses.push(pause);
        await clock.advance(pause ?? 0);
      }
      expect(pauses).to.deep.equal([250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000]);
      expect(condition('Ready')).to.include({ status: 'False', reason: 'EndpointUnreachable' });
      expect(condition('Ready')?.message).to.equal('the store does not answer. It is tried again for 3600 s in all');
      expect(condition('Reconciling')).to.include({ status: 'True', reason: 'Retrying' });
      expect(condition('Failed')?.status).to.equal('False');
      expect(events).to.deep.equal([]);
    });

    it('is not hastened by the change that its own word on it is, and says it once', async () => {
      await run();
      api.writes.length = 0;
      await clock.advance(100);
      expect(await run()).to.deep.equal({ requeueAfterMs: 150 });
      expect(api.writes).to.deep.equal([]);
      await clock.advance(150);
      expect(await run()).to.deep.equal({ requeueAfterMs: 500 });
      expect(api.writes).to.deep.equal([]);
    });

    it('succeeds as soon as the reason has passed', async () => {
      await run();
      fault = undefined;
      await clock.advance(250);
      await run();
      expect(condition('Complete')).to.include({ status: 'True', reason: 'Complete' });
    });

    it('fails loudly once the time of the pool for it is over: condition, event, metric', async () => {
      await run();
      await clock.advance(3_599_000);
      await run();
      expect(condition('Failed')?.status).to.equal('False');
      await clock.advance(1_000);
      expect(await run()).to.equal(undefined);
      expect(condition('Failed')).to.include({ status: 'True', reason: 'EndpointUnreachable' });
      expect(condition('Failed')?.message).to.contain('3600 s').and.to.contain('the store does not answer');
      expect(events.at(-1)).to.include({ type: 'Warning', reason: 'EndpointUnreachable' });
      expect(await metrics.scrape()).to.contain('understudy_baseline_failures_total{reason="EndpointUnreachable"} 1');
    });

    it('has as long as the queue waits for it, if that is longer', async () => {
      const short = pool();
      short.spec.backup = { ...short.spec.backup, retrySeconds: 0 };
      stores.pools.put(short);
      await run();
      await clock.advance(19_999);
      await run();
      expect(condition('Failed')?.status).to.equal('False');
      await clock.advance(10_000);
      await run();
      expect(condition('Failed')?.status).to.equal('True');
    });

    it('has its whole time again after a restart of the operator', async () => {
      await run();
      await clock.advance(3_599_000);
      reconcile = start();
      await run();
      await clock.advance(3_599_000);
      await run();
      expect(condition('Failed')?.status).to.equal('False');
    });
  });

  it('does not fail for an outage of the API server that was longer than its time', async () => {
    fault = new ApiError('transient', '503');
    const refused = () => run().catch((error: unknown) => error);
    expect(await refused()).to.include({ kind: 'transient' });
    await clock.advance(4_000_000);
    expect(await refused()).to.include({ kind: 'transient' });
    fault = undefined;
    await run();
    expect(condition('Complete')?.status).to.equal('True');
  });

  it('ends all the same when the API server answers and refuses it for ever', async () => {
    fault = new ApiError('transient', 'a webhook is out of order');
    await run().catch(() => undefined);
    await clock.advance(4_000_000);
    for (let round = 0; round < 2; round += 1) await run().catch(() => undefined);
    expect(condition('Failed')?.status).to.equal('False');
    await run();
    expect(condition('Failed')).to.include({ status: 'True', reason: 'DeadlineExceeded' });
  });

  it('keeps the words of an error that it does not know out of the status', async () => {
    fault = new TypeError('a secret in it');
    await run().catch(() => undefined);
    await clock.advance(4_000_000);
    for (let round = 0; round < 3; round += 1) await run().catch(() => undefined);
    expect(condition('Failed')?.status).to.equal('True');
    expect(JSON.stringify(stored())).to.not.contain('a secret in it');
  });

  describe('by hand or by schedule', () => {
    const manual = (reason: 'Manual' | 'Scheduled' = 'Manual'): Backup => {
      const { epoch: _none, ...spec } = backup({ reason }).spec;
      return { metadata: { namespace, name: 'other' }, spec };
    };
    const commit = (epoch = 4) =>
      api.corrupt(failoverPools, { namespace, name: 'north' }, (object) => {
        object.status = { ...(object.status as object), epoch, current: running(epoch) };
      });

    for (const reason of ['Manual', 'Scheduled'] as const) {
      it(`waits while a failover and its baseline run, when it is ${reason}`, async () => {
        api.put(backups, manual(reason));
        commit();
        expect(await run('other')).to.deep.equal({ requeueAfterMs: 1000 });
        expect(condition('Ready', 'other')).to.include({ status: 'False', reason: 'FailoverRunning' });
      });

      it(`is complete and marked stale when a failover is committed in the middle of it, when it is ${reason}`, async () => {
        api.put(backups, manual(reason));
        whenWritten = () => commit();
        await run('other');
        expect(condition('Complete', 'other')?.status).to.equal('True');
        expect(condition('Ready', 'other')?.status).to.equal('True');
        expect(condition('Stale', 'other')).to.include({ status: 'True', reason: 'RolesMoved' });
        expect(condition('Stale', 'other')?.message)
          .to.contain('the failover of standby-a to standby-b (epoch 4)')
          .and.to.contain('roles are those of epoch 3')
          .and.to.contain('use Backup north-4');
        expect(stored('other')?.status?.poolEpoch).to.equal(3);
      });
    }

    it('has its whole time for tries after it waited for a failover', async () => {
      api.put(backups, manual());
      commit();
      await run('other');
      await clock.advance(4_000_000);
      await run('other');
      api.put(failoverPools, pool());
      fault = away();
      expect((await run('other'))?.requeueAfterMs).to.equal(250);
      expect(condition('Failed', 'other')?.status).to.equal('False');
    });

    it('is not stale when nothing moved, and shows the epoch that it was begun at', async () => {
      api.put(backups, manual());
      await run('other');
      expect(condition('Stale', 'other')?.status).to.equal('False');
      expect(stored('other')?.status?.poolEpoch).to.equal(3);
    });

    it('is stale as well when the failover was over before the baseline was', async () => {
      api.put(backups, manual());
      whenWritten = () =>
        api.corrupt(failoverPools, { namespace, name: 'north' }, (object) => {
          const { server, standby, step: _step, ...entry } = running();
          const done = { ...entry, from: server, to: standby, outcome: 'Completed', backupName: 'north-4' };
          object.status = { ...(object.status as object), epoch: 4, history: [done] };
        });
      await run('other');
      expect(condition('Stale', 'other')?.message).to.contain('the failover of standby-a to standby-b (epoch 4)');
    });

    it('is marked by its successor when the operator dies between the baseline and its last word', async () => {
      api.put(backups, manual());
      // Status, Secret, status.
      api.fault = { write: 3, when: 'before' };
      await run('other').catch(() => undefined);
      api.fault = undefined;
      commit();
      reconcile = start();
      await run('other');
      expect(condition('Complete', 'other')?.status).to.equal('True');
      expect(condition('Stale', 'other')?.status).to.equal('True');
    });
  });
});
