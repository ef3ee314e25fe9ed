// A stand-in for an engine with a store of its own: these tests need one that refuses to delete, and a crash in between.
import { expect } from 'chai';
import { beforeEach, describe, it } from 'mocha';
import { type BackupEngine, BackupError, type BackupTarget } from '../../../../src/backup/index.js';
import { type Backup, backups, type FailoverPool } from '../../../../src/crds/index.js';
import { createMetrics, type EventInput, silentLog } from '../../../../src/operator/index.js';
import { createBaselineMetrics } from '../../../../src/reconcilers/backup/index.js';
import { createRetentionReconciler, watchRetention } from '../../../../src/reconcilers/baseline-retention/index.js';
import { type MemoryApi, memoryApi } from '../../backup/support/memory-api.js';
import { failoverPool } from '../../support/builders/failover-pool.js';
import { FakeClock } from '../../support/fake-clock.js';
import { type MemoryStores, memoryStores } from '../support/memory-stores.js';

const namespace = 'ns';
const day = (number: number) => `2026-01-${String(number).padStart(2, '0')}T03:00:00Z`;

function condition(type: string) {
  return { type, status: 'True' as const, reason: type, message: '', lastTransitionTime: day(1) };
}

describe('the retention of a pool', () => {
  let api: MemoryApi;
  let stores: MemoryStores;
  let events: EventInput[];
  let removed: string[];
  let refuse: ((target: BackupTarget) => Error | undefined) | undefined;
  let metrics: ReturnType<typeof createMetrics>;

  beforeEach(() => {
    api = memoryApi();
    stores = memoryStores();
    events = [];
    removed = [];
    refuse = undefined;
    metrics = createMetrics();
    put(failoverPool());
    for (const number of [1, 2, 3, 4]) add(`b${number}`, number);
  });

  function put(builder: ReturnType<typeof failoverPool>): void {
    const pool: FailoverPool = builder.build();
    pool.spec.backup = { ...pool.spec.backup, retain: { count: 2, days: 30 } };
    stores.pools.put(pool);
    stores.latestPools.observed('ns/pool', pool);
  }

  function add(name: string, number: number, end: 'Complete' | 'Failed' | 'Running' = 'Complete'): Backup {
    const made: Backup = {
      metadata: { namespace, name, creationTimestamp: day(number) },
      spec: { poolRef: { name: 'pool' }, reason: 'Scheduled', engine: 'Secret' },
      status: end === 'Running' ? {} : { conditions: [condition(end)] },
    };
    const known = api.put(backups, made as Backup & { metadata: { namespace: string } });
    stores.backups.put(known);
    return known;
  }

  const engine = (): BackupEngine => ({
    name: 'Secret',
    maxBytes: 1,
    read: () => Promise.reject(new Error('is not read')),
    check: () => Promise.reject(new Error('is not checked')),
    write: () => Promise.reject(new Error('is not written')),
    remove: async (target) => {
      const error = refuse?.(target);
      if (error) throw error;
      removed.push(target.name);
    },
  });

  async function run(engines = [engine()]): Promise<unknown> {
    const reconcile = createRetentionReconciler({
      ...{ client: api, stores, events: { event: (event) => void events.push(event) } },
      engines: new Map(engines.map((one) => [one.name, one])),
      metrics: createBaselineMetrics(createMetrics(), stores, new FakeClock()),
    });
    const context = { signal: new AbortController().signal, log: silentLog };
    return Promise.resolve(reconcile('ns/pool', context)).catch((error: unknown) => error);
  }

  const left = () => api.all<Backup>(backups).map(({ metadata }) => metadata.name);

  it('deletes the old ones, oldest first, what they hold before themselves, and says so once', async () => {
    await run();
    expect(removed).to.deep.equal(['b1', 'b2']);
    expect(api.writes).to.deep.equal(['delete b1', 'delete b2']);
    expect(events.map(({ reason, regarding }) => [reason, regarding.kind])).to.deep.equal([
      ['BaselinePruned', 'FailoverPool'],
    ]);
  });

  it('does nothing when nothing is old', async () => {
    await run();
    for (const name of ['b1', 'b2']) stores.backups.remove(`ns/${name}`);
    api.writes.length = 0;
    await run();
    expect(api.writes).to.deep.equal([]);
    expect(events).to.have.length(1);
  });

  it('deletes nothing while a failover and its baseline run', async () => {
    const current = {
      role: 'a',
      server: 'a',
      standby: 's1',
      epoch: 2,
      step: 'BackingUp',
      trigger: 'Unreachable',
    } as const;
    put(failoverPool().status({ current: { ...current, committedTime: day(4) } }));
    await run();
    expect(left()).to.have.length(4);
  });

  it('deletes nothing while the pool is being restored: from one of them, perhaps', async () => {
    put(failoverPool().status({ restore: { sha256: 'abc', startTime: day(4) } }));
    await run();
    expect(left()).to.have.length(4);
  });

  it('leaves the baselines of a pool that is gone or is being deleted', async () => {
    stores.latestPools.observed('ns/pool', undefined);
    stores.pools.remove('ns/pool');
    await run();
    expect(left()).to.have.length(4);
  });

  it('deletes nothing when the newest one, which the view still shows, is gone already', async () => {
    await api.delete(backups, { namespace, name: 'b4' });
    await run();
    expect(left()).to.deep.equal(['b1', 'b2', 'b3']);
  });

  it('does not delete a namesake that was made meanwhile', async () => {
    await api.delete(backups, { namespace, name: 'b1' });
    api.put(backups, {
      metadata: { namespace, name: 'b1', uid: 'another' },
      spec: { poolRef: { name: 'pool' }, reason: 'Manual', engine: 'Secret' },
    } as Backup & { metadata: { namespace: string } });
    await run();
    expect(left()).to.include('b1');
    expect(removed).to.deep.equal(['b2']);
  });

  it('keeps the Backup of what could not be deleted, says why, and goes on with the others', async () => {
    refuse = ({ name }) =>
      name === 'b1' ? new BackupError('EngineRefused', 'the store does not answer', { mayPass: true }) : undefined;
    expect(await run()).to.be.instanceOf(BackupError);
    expect(left()).to.deep.equal(['b1', 'b3', 'b4']);
    const [failure] = events;
    expect(failure).to.include({ type: 'Warning', reason: 'PruningFailed' });
    expect(failure?.note).to.contain('the store does not answer');
    refuse = undefined;
    stores.backups.remove('ns/b2');
    await run();
    expect(left()).to.deep.equal(['b3', 'b4']);
  });

  it('deletes a failed one although its store is out of reach, and says what may still lie there', async () => {
    for (let number = 5; number <= 10; number += 1) add(`f${number}`, number, 'Failed');
    refuse = ({ name }) => (name === 'f5' ? new BackupError('BucketNotFound', 'there is no bucket x') : undefined);
    expect(await run()).to.equal(undefined);
    expect(left()).to.not.include('f5');
    const told = events.find(({ reason }) => reason === 'BaselinePruned');
    expect(told?.note).to.contain('f5').and.to.contain('a part of what f5 tried may be left: there is no bucket x');
  });

  it('ends what another has begun: its engine finds nothing, and the Backup goes', async () => {
    api.fault = { write: 1, when: 'before' };
    await run();
    expect(left()).to.include('b1');
    api.fault = undefined;
    stores.backups.remove('ns/b2');
    await run();
    expect(left()).to.deep.equal(['b3', 'b4']);
  });

  it('leaves what an engine without a store of its own has made to the owner reference', async () => {
    const { remove: _none, ...plain } = engine();
    await run([plain]);
    expect(left()).to.deep.equal(['b3', 'b4']);
  });

  it('is looked at when a baseline ends, what is kept changes, and a failover is over', () => {
    const heard: string[] = [];
    const listeners = new Map<string, (key: string, next: unknown, previous: unknown) => void>();
    const on = (kind: string, listener: never) => void listeners.set(kind, listener);
    watchRetention({ on } as unknown as Parameters<typeof watchRetention>[0], (key) => void heard.push(key));
    const pool = failoverPool().build();
    const busy = failoverPool()
      .status({
        current: {
          role: 'a',
          server: 'a',
          standby: 'b',
          epoch: 2,
          step: 'BackingUp',
          trigger: 'Unreachable',
          committedTime: day(1),
        },
      })
      .build();
    const tell = (kind: string, next: unknown, previous?: unknown) => {
      heard.length = 0;
      listeners.get(kind)?.('ns/pool', next, previous);
      return heard.length;
    };
    expect(tell('pools', pool)).to.equal(1);
    expect(tell('pools', pool, pool)).to.equal(0);
    expect(tell('pools', busy, pool)).to.equal(0);
    expect(tell('pools', pool, busy)).to.equal(1);
    expect(tell('backups', add('running', 5, 'Running'))).to.equal(0);
    expect(tell('backups', add('done', 5))).to.equal(1);
  });

  it('shows the age of the newest complete baseline of each pool that is there', async () => {
    const clock = new FakeClock();
    createBaselineMetrics(metrics, stores, clock);
    const artifact = {
      location: 'x',
      parts: 1,
      bytes: 1,
      uncompressedBytes: 1,
      sha256: 'a',
      formatVersion: 1,
      servers: 1,
      cameras: 1,
    };
    for (const [name, seconds, pool] of [
      ['b3', 60, 'pool'],
      ['b4', 30, 'pool'],
      ['b1', 5, 'gone'],
    ] as const) {
      const completionTime = new Date(clock.wall().getTime() - seconds * 1000).toISOString();
      const spec = { poolRef: { name: pool }, reason: 'Scheduled', engine: 'Secret' } as const;
      stores.backups.put({ ...add(name, 3), spec, status: { completionTime, artifact } });
    }
    const text = await metrics.scrape();
    expect(text).to.contain('understudy_baseline_age_seconds{namespace="ns",pool="pool"} 30');
    expect(text).to.not.contain('pool="gone"');
  });

  it('shows the age of a baseline that another system keeps', async () => {
    const clock = new FakeClock();
    createBaselineMetrics(metrics, stores, clock);
    const completionTime = new Date(clock.wall().getTime() - 20_000).toISOString();
    const velero = { namespace: 'velero', backupName: 'ns-b1-2f1c9a77', uid: 'u', phase: 'Completed' };
    stores.backups.put({ ...add('b1', 3), status: { completionTime, velero } });
    expect(await metrics.scrape()).to.contain('understudy_baseline_age_seconds{namespace="ns",pool="pool"} 20');
  });
});
