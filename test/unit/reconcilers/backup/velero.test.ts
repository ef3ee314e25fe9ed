import { expect } from 'chai';
import { beforeEach, describe, it } from 'mocha';
import { type VeleroBackup, veleroKinds } from '../../../../src/backup/velero/objects.js';
import { type Backup, backups, failoverPools } from '../../../../src/crds/index.js';
import { ApiError, type EventInput, type Reconcile, silentLog } from '../../../../src/operator/index.js';
import { createBackupReconciler } from '../../../../src/reconcilers/backup/index.js';
import { type MemoryApi, memoryApi } from '../../backup/support/memory-api.js';
import { backup, namespace, pool, putSystem } from '../../backup/support/system.js';
import { FakeClock } from '../../support/fake-clock.js';
import { memoryStores } from '../support/memory-stores.js';

const key = `${namespace}/north-3`;
const uid = '2f1c9a77-1111-4222-8333-444455556666';
const veleroKey = { namespace: 'velero', name: 'site-north-3-2f1c9a77' };
const settings = { namespace: 'velero', includeSecrets: false, timeoutSeconds: 3600 };

describe('the Backup reconciler with engine Velero', () => {
  let api: MemoryApi;
  let clock: FakeClock;
  let events: EventInput[];

  beforeEach(() => {
    clock = new FakeClock();
    events = [];
    system();
  });

  /** A takeover whose baseline is to be made, and a Velero that takes it. */
  function system(): void {
    api = memoryApi();
    putSystem(api);
    putPool();
    const made = backup({ engine: undefined });
    api.put(backups, { ...made, metadata: { ...made.metadata, uid } });
    putLocation('Available');
  }

  function putPool(change: Partial<typeof settings> = {}): void {
    const { spec, ...rest } = pool();
    const velero = { ...settings, ...change };
    api.put(failoverPools, {
      ...rest,
      spec: { ...spec, backup: { ...spec.backup, engine: 'Velero' as const, velero } },
    });
  }

  function putLocation(phase: string): void {
    api.put(veleroKinds.storageLocations, {
      ...{ metadata: { namespace: 'velero', name: 'default' }, status: { phase } },
    } as never);
  }

  const start = () =>
    createBackupReconciler({
      ...{ client: api, stores: memoryStores(), clock, version: '0.1.0' },
      events: { event: (event) => events.push(event) },
    });
  const run = (reconcile: Reconcile): ReturnType<Reconcile> =>
    reconcile(key, { signal: new AbortController().signal, log: silentLog });
  const stored = (): Backup => {
    const [found] = api.all<Backup>(backups);
    if (!found) throw new Error('there is no Backup');
    return found;
  };
  const condition = (type: string) => stored().status?.conditions?.find((one) => one.type === type);
  const velerosBackups = () => api.all<VeleroBackup>(veleroKinds.backups);
  const say = (status: VeleroBackup['status']): void =>
    api.corrupt(veleroKinds.backups, veleroKey, (object) => {
      object.status = status;
    });
  /** Asks Velero, and sees once that it has. */
  const begun = async (): Promise<Reconcile> => {
    const reconcile = start();
    await run(reconcile);
    await run(reconcile);
    return reconcile;
  };

  it('writes down where, asks Velero, follows it and is complete by its word', async () => {
    const reconcile = start();
    expect(await run(reconcile)).to.deep.equal({ requeueAfterMs: 500 });
    expect(stored().status?.destination).to.deep.equal({ engine: 'Velero', velero: settings });
    expect(velerosBackups()).to.have.length(1);
    expect(await run(reconcile)).to.deep.equal({ requeueAfterMs: 500 });
    expect(condition('Ready')).to.include({ status: 'False', reason: 'VeleroInProgress' });
    expect(stored().status?.velero).to.include({
      ...{ namespace: 'velero', backupName: veleroKey.name },
      phase: 'New',
    });
    say({ phase: 'InProgress' });
    await run(reconcile);
    expect(condition('Ready')?.message).to.contain('(phase InProgress)');
    say({ phase: 'Completed', progress: { totalItems: 6, itemsBackedUp: 6 } });
    expect(await run(reconcile)).to.equal(undefined);
    expect(condition('Complete')).to.include({ status: 'True', reason: 'Complete' });
    expect(stored().status).to.deep.include({ completionTime: '2026-01-02T03:04:05Z' });
    expect(stored().status?.velero).to.include({ phase: 'Completed', items: 6, errors: 0, warnings: 0 });
    expect(stored().status).not.to.have.property('artifact');
    expect(events.map(({ type, reason }) => [type, reason])).to.deep.equal([['Normal', 'Complete']]);
  });

  it('writes nothing while Velero says the same, and looks more seldom', async () => {
    const reconcile = await begun();
    say({ phase: 'InProgress', progress: { itemsBackedUp: 1 } });
    await run(reconcile);
    api.writes.length = 0;
    say({ phase: 'InProgress', progress: { itemsBackedUp: 2 } });
    await clock.advance(10_000);
    expect(await run(reconcile)).to.deep.equal({ requeueAfterMs: 1000 });
    expect(api.writes).to.deep.equal([]);
    await clock.advance(1_000_000);
    expect(await run(reconcile)).to.deep.equal({ requeueAfterMs: 10_000 });
  });

  it('asks Velero once, whichever write was the last before a crash', async () => {
    for (const when of ['before', 'after'] as const) {
      for (let write = 1; write <= 3; write++) {
        system();
        api.fault = { write, when };
        const first = start();
        const outcomes = [await run(first).catch((error: unknown) => error)];
        if (write === 3) outcomes.push(await run(first).catch((error: unknown) => error));
        expect(outcomes.at(-1), `${when} write ${write}`).to.be.instanceOf(ApiError);
        // Another replica goes on: it knows nothing of what happened.
        const second = await begun();
        say({ phase: 'Completed' });
        await run(second);
        expect(condition('Complete')?.status, `${when} write ${write}`).to.equal('True');
        expect(velerosBackups(), `${when} write ${write}`).to.have.length(1);
      }
    }
  });

  it('is loud about a PartiallyFailed one, which does not count', async () => {
    const reconcile = await begun();
    say({ phase: 'PartiallyFailed', errors: 2, progress: { itemsBackedUp: 4 } });
    expect(await run(reconcile)).to.equal(undefined);
    expect(condition('Complete')?.status).to.equal('False');
    expect(condition('Failed')).to.include({ status: 'True', reason: 'VeleroPartiallyFailed' });
    expect(condition('Failed')?.message)
      .to.contain('2 errors, 4 objects')
      .and.to.contain('backup logs site-north-3-2f1c9a77');
    expect(stored().status?.velero).to.include({ phase: 'PartiallyFailed', errors: 2, items: 4 });
    expect(events.at(-1)).to.include({ type: 'Warning', reason: 'VeleroPartiallyFailed' });
    api.writes.length = 0;
    await run(start());
    expect(api.writes).to.deep.equal([]);
  });

  it('fails when somebody deletes what was asked for, and does not ask again', async () => {
    const reconcile = await begun();
    await api.delete(veleroKinds.backups, veleroKey);
    await run(reconcile);
    expect(condition('Failed')).to.include({ status: 'True', reason: 'VeleroBackupDeleted' });
    expect(velerosBackups()).to.deep.equal([]);
  });

  it('goes on with one that Velero has brought back from its bucket', async () => {
    const reconcile = await begun();
    const [found] = velerosBackups();
    await api.delete(veleroKinds.backups, veleroKey);
    const metadata = { ...veleroKey, labels: found?.metadata.labels ?? {}, uid: 'brought-back' };
    api.put(veleroKinds.backups, { metadata, status: { phase: 'Completed' } } as never);
    await run(reconcile);
    expect(condition('Complete')?.status).to.equal('True');
    expect(stored().status?.velero?.uid).to.equal('brought-back');
  });

  it('says at the deadline that Velero goes on, and is complete when that is', async () => {
    const reconcile = await begun();
    say({ phase: 'InProgress' });
    await clock.advance(20_000);
    await run(reconcile);
    expect(condition('Ready')).to.include({ status: 'False', reason: 'VeleroLate' });
    expect(condition('Ready')?.message).to.contain('Velero goes on').and.to.contain('20 s');
    expect(condition('Failed')?.status).to.equal('False');
    say({ phase: 'Completed' });
    await run(reconcile);
    expect(condition('Complete')?.status).to.equal('True');
  });

  it('gives up after timeoutSeconds, says that Velero may go on, and counts anew after a restart', async () => {
    putPool({ timeoutSeconds: 60 });
    const first = await begun();
    say({ phase: 'InProgress' });
    await clock.advance(59_999);
    await run(first);
    expect(condition('Ready')?.reason).to.equal('VeleroLate');
    const second = start();
    await run(second);
    await clock.advance(59_999);
    expect(await run(second)).to.have.property('requeueAfterMs');
    await clock.advance(1);
    expect(await run(second)).to.equal(undefined);
    expect(condition('Failed')).to.include({ status: 'True', reason: 'VeleroTimedOut' });
    expect(condition('Failed')?.message).to.contain('after 60 s').and.to.contain('In Velero it may go on');
    expect(velerosBackups()).to.have.length(1);
  });

  it('does not count the time before Velero was asked', async () => {
    putLocation('Unavailable');
    const reconcile = start();
    await run(reconcile);
    await clock.advance(4_000_000);
    putLocation('Available');
    await run(reconcile);
    await run(reconcile);
    expect(condition('Ready')?.reason).to.equal('VeleroInProgress');
  });

  it('goes on where it began when the pool names another place meanwhile, and when the pool is gone', async () => {
    const reconcile = await begun();
    putPool({ namespace: 'elsewhere' });
    say({ phase: 'InProgress' });
    await run(reconcile);
    expect(stored().status?.destination?.velero?.namespace).to.equal('velero');
    await api.delete(failoverPools, { namespace, name: 'north' });
    await run(reconcile);
    expect(condition('Ready')?.reason).to.equal('VeleroInProgress');
    say({ phase: 'Completed' });
    await run(reconcile);
    expect(condition('Complete')?.status).to.equal('True');
    expect(velerosBackups()).to.have.length(1);
  });

  it('says what is wrong with the storage location and tries again', async () => {
    putLocation('Unavailable');
    const reconcile = start();
    expect(await run(reconcile)).to.deep.equal({ requeueAfterMs: 250 });
    expect(condition('Ready')?.reason).to.equal('StorageLocationUnavailable');
    expect(condition('Failed')?.status).to.equal('False');
    putLocation('Available');
    await clock.advance(250);
    await run(reconcile);
    expect(velerosBackups()).to.have.length(1);
  });

  it('says so when roles moved while Velero was at it', async () => {
    const reconcile = await begun();
    expect(stored().status?.poolEpoch).to.equal(3);
    say({ phase: 'Completed' });
    api.put(failoverPools, { ...pool(4), spec: pool().spec });
    await run(reconcile);
    expect(condition('Complete')?.status).to.equal('True');
    expect(condition('Stale')).to.include({ status: 'True', reason: 'RolesMoved' });
  });

  it('fails for good without Velero, and says so', async () => {
    api.refusal = { plural: 'backups', error: new ApiError('notFound', '404 page not found', { status: 404 }) };
    expect(await run(start())).to.equal(undefined);
    expect(condition('Failed')).to.include({ status: 'True', reason: 'VeleroNotInstalled' });
    expect(events.at(-1)).to.include({ type: 'Warning', reason: 'VeleroNotInstalled' });
  });

  it('is not the end of the Backup when the namespace of Velero is being deleted', async () => {
    api.refusal = { plural: 'backups', error: new ApiError('namespaceTerminating', 'velero is being terminated') };
    await run(start());
    expect(condition('Failed')).to.include({ status: 'True', reason: 'VeleroNotInstalled' });
  });

  it('sends no key of ours to Velero, which would not use it', async () => {
    const { spec, ...rest } = pool();
    const encryption = { keySecretRef: { name: 'key' }, includeSecrets: true };
    api.put(failoverPools, { ...rest, spec: { ...spec, backup: { ...spec.backup, encryption } } });
    const made = backup({ engine: 'Velero' });
    api.put(backups, { ...made, metadata: { ...made.metadata, uid } });
    await run(start());
    expect(stored().status?.destination).to.deep.equal({ engine: 'Velero', velero: settings });
    expect(velerosBackups()[0]?.spec.includedResources).not.to.include('secrets');
  });
});
