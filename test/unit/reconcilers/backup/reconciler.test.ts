import { expect } from 'chai';
import { beforeEach, describe, it } from 'mocha';
import { createSecretEngine } from '../../../../src/backup/index.js';
import { type Backup, backups, cameraAssignments, failoverPools } from '../../../../src/crds/index.js';
import { ApiError, type EventInput, type Reconcile, resources, silentLog } from '../../../../src/operator/index.js';
import { createBackupReconciler } from '../../../../src/reconcilers/backup/index.js';
import { CameraView } from '../../../../src/reconcilers/views.js';
import { type MemoryApi, memoryApi } from '../../backup/support/memory-api.js';
import { backup, camera, namespace, pool, putSystem } from '../../backup/support/system.js';
import { FakeClock } from '../../support/fake-clock.js';
import { type MemoryStores, memoryStores } from '../support/memory-stores.js';

const key = `${namespace}/north-3`;

describe('the Backup reconciler', () => {
  let api: MemoryApi;
  let stores: MemoryStores;
  let clock: FakeClock;
  let events: EventInput[];

  beforeEach(() => {
    api = memoryApi();
    stores = memoryStores();
    clock = new FakeClock();
    events = [];
  });

  const start = () =>
    createBackupReconciler({
      client: api,
      stores,
      clock,
      version: '0.1.0',
      events: { event: (event) => events.push(event) },
    });
  const run = (reconcile = start(), which = key): ReturnType<Reconcile> =>
    reconcile(which, { signal: new AbortController().signal, log: silentLog });
  const stored = (name = 'north-3'): Backup => {
    const found = api.all<Backup>(backups).find((one) => one.metadata.name === name);
    if (!found) throw new Error(`there is no Backup ${name}`);
    return found;
  };
  const conditions = (name?: string): Record<string, string> =>
    Object.fromEntries((stored(name).status?.conditions ?? []).map(({ type, status }) => [type, status]));
  const ready = (name?: string) => stored(name).status?.conditions?.find((condition) => condition.type === 'Ready');
  const read = () =>
    createSecretEngine({ client: api }).read({
      namespace,
      name: 'north-3',
      uid: stored().metadata.uid ?? '',
      pool: 'north',
    });
  const see = (...cameras: ReturnType<typeof camera>[]) => {
    for (const one of cameras) stores.cameras.put(new CameraView(one));
  };

  it('makes the baseline of a takeover and says so once', async () => {
    putSystem(api);
    expect(await run()).to.equal(undefined);
    expect(conditions()).to.deep.equal({
      Ready: 'True',
      Complete: 'True',
      Failed: 'False',
      Reconciling: 'False',
      Stalled: 'False',
      Stale: 'False',
    });
    const { artifact, completionTime, startTime, observedGeneration } = stored().status ?? {};
    expect(artifact).to.include({ servers: 2, cameras: 2, location: 'secret/north-3-0' });
    expect(artifact?.sha256).to.match(/^[0-9a-f]{64}$/);
    expect({ completionTime, startTime, observedGeneration }).to.deep.equal({
      completionTime: '2026-01-02T03:04:05Z',
      startTime: '2026-01-02T03:04:05Z',
      observedGeneration: 1,
    });
    expect(events.map(({ reason, type }) => [reason, type])).to.deep.equal([['Complete', 'Normal']]);
    expect(api.writes).to.deep.equal(['patchStatus north-3', 'create north-3-0', 'patchStatus north-3']);
  });

  it('does nothing more once it is complete', async () => {
    putSystem(api);
    await run();
    api.writes.length = 0;
    await run();
    expect(api.writes).to.deep.equal([]);
    expect(events).to.have.length(1);
  });

  it('reads the state uncached: a stale cache changes nothing in the baseline', async () => {
    putSystem(api);
    see(camera('door', 3));
    await run();
    expect(JSON.parse((await read())?.json.toString() ?? '').cameras).to.have.length(2);
  });

  it('keeps the cameras of a role whose home was deleted', async () => {
    putSystem(api);
    const roles = [
      ...(pool().status?.roles ?? []),
      { name: 'scrapped', holder: 'standby-b', epoch: 2, startTime: '2026-11-22T09:00:00Z' },
    ];
    api.put(failoverPools, { ...pool(), status: { epoch: 3, roles } });
    api.put(cameraAssignments, camera('roof', 2, 'scrapped'));
    await run();
    expect(stored().status?.artifact?.cameras).to.equal(3);
  });

  it('ends with one baseline whichever write was the last before a crash', async () => {
    for (const when of ['before', 'after'] as const) {
      for (let write = 1; write <= 3; write++) {
        api = memoryApi();
        putSystem(api);
        api.fault = { write, when };
        const outcome = await run().catch((error: unknown) => error);
        expect(outcome, `${when} write ${write}`).to.be.instanceOf(ApiError);
        // Another replica goes on: it knows nothing of what happened.
        await run(start());
        expect(conditions(), `${when} write ${write}`).to.include({ Complete: 'True', Failed: 'False' });
        expect(api.all(resources.secrets)).to.have.length(1);
        expect((await read())?.artifact).to.deep.equal(stored().status?.artifact);
      }
    }
  });

  it('keeps the state of the takeover when it comes back after a crash, although the system went on', async () => {
    putSystem(api);
    api.fault = { write: 3, when: 'before' };
    await run().catch(() => undefined);
    const checksum = (await read())?.artifact.sha256;
    api.put(cameraAssignments, camera('new'));
    await run(start());
    expect(stored().status?.artifact).to.include({ sha256: checksum, cameras: 2 });
  });

  describe('waits', () => {
    it('for bindings that the cache does not show yet, and then goes on', async () => {
      putSystem(api);
      see(camera('door', 2), camera('gate', 3));
      const reconcile = start();
      expect(await run(reconcile)).to.deep.equal({ requeueAfterMs: 250 });
      expect(conditions()).to.include({ Complete: 'False', Reconciling: 'True', Stalled: 'False' });
      expect(ready()?.message).to.contain('still missing: door');
      see(camera('door', 3));
      await run(reconcile);
      expect(conditions().Complete).to.equal('True');
    });

    it('two seconds at most, and then names the cameras that are not bound', async () => {
      putSystem(api);
      api.put(cameraAssignments, camera('door', 2));
      see(camera('door', 2));
      const reconcile = start();
      await run(reconcile);
      await clock.advance(2000);
      await run(reconcile);
      expect(conditions().Complete).to.equal('True');
      expect(ready()?.message).to.contain('not bound to their new holder yet: door');
    });

    it('and names none that is bound in the baseline, whatever a watch has missed', async () => {
      putSystem(api);
      see(camera('door', 2));
      const reconcile = start();
      await run(reconcile);
      await clock.advance(2000);
      await run(reconcile);
      expect(conditions().Complete).to.equal('True');
      expect(ready()?.message).not.to.contain('not bound');
    });

    it('for no camera that stays behind', async () => {
      putSystem(api);
      const analog = camera('analog', 2);
      analog.spec.source.type = 'Analog';
      const crowded = camera('crowded', 2);
      const lastTransitionTime = '2026-11-22T10:00:00Z';
      crowded.status = {
        ...crowded.status,
        conditions: [{ type: 'Bound', status: 'False', reason: 'CapacityExceeded', message: '', lastTransitionTime }],
      };
      see(analog, crowded);
      await run();
      expect(conditions().Complete).to.equal('True');
    });

    it('until the pool shows the takeover, and fails when it never does', async () => {
      putSystem(api);
      api.put(failoverPools, pool(2));
      const reconcile = start();
      expect(await run(reconcile)).to.deep.equal({ requeueAfterMs: 250 });
      await clock.advance(19_999);
      expect(await run(reconcile)).to.deep.equal({ requeueAfterMs: 250 });
      await clock.advance(1);
      await run(reconcile);
      expect(conditions()).to.include({ Failed: 'True', Stalled: 'True', Complete: 'False' });
      expect(ready()?.reason).to.equal('TakeoverNotVisible');
      expect(api.all(resources.secrets)).to.deep.equal([]);
    });

    it('with a manual backup until the running failover and its baseline are done (rule 13)', async () => {
      putSystem(api);
      const manual = {
        metadata: { namespace, name: 'by-hand' },
        spec: { poolRef: { name: 'north' }, reason: 'Manual', engine: 'Secret' },
      };
      api.put(backups, manual);
      const time = '2026-11-22T10:00:00Z';
      const current = {
        ...{ role: 'recorder-a', server: 'recorder-a', standby: 'standby-a', epoch: 3, step: 'BackingUp' as const },
        ...{ trigger: 'Unreachable' as const, brokenTime: time, committedTime: time },
      };
      api.put(failoverPools, { ...pool(), status: { ...pool().status, current } });
      const reconcile = start();
      expect(await run(reconcile, `${namespace}/by-hand`)).to.deep.equal({ requeueAfterMs: 1000 });
      expect(ready('by-hand')?.reason).to.equal('FailoverRunning');
      await run(reconcile, key);
      expect(conditions('north-3').Complete).to.equal('True');
      api.put(failoverPools, pool());
      await run(reconcile, `${namespace}/by-hand`);
      expect(conditions('by-hand').Complete).to.equal('True');
    });
  });

  describe('fails for good, and says what to do,', () => {
    const failed = async (reason: string, words: string): Promise<void> => {
      await run();
      expect(conditions()).to.deep.equal({
        Ready: 'False',
        Complete: 'False',
        Failed: 'True',
        Reconciling: 'False',
        Stalled: 'True',
        Stale: 'False',
      });
      expect(ready()?.reason).to.equal(reason);
      expect(ready()?.message).to.contain(words);
      expect(events.at(-1)).to.include({ type: 'Warning', reason });
      api.writes.length = 0;
      await run();
      expect(api.writes).to.deep.equal([]);
    };

    it('when its pool does not exist', async () => {
      api.put(backups, backup());
      await failed('PoolNotFound', 'spec.poolRef names FailoverPool north, which does not exist in namespace site');
    });

    it('when a foreign Secret has its name, which stays untouched', async () => {
      putSystem(api);
      const foreign = api.put(resources.secrets, { metadata: { namespace, name: 'north-3-0' } });
      await failed('NameTaken', 'Secret north-3-0 exists and is not part of this Backup');
      expect(api.all(resources.secrets)).to.deep.equal([foreign]);
    });

    const refusals: [string, ApiError, string, string][] = [
      [
        'a quota stands in the way',
        new ApiError('forbidden', 'exceeded quota: secrets'),
        'EngineRefused',
        'Raise it for Secrets',
      ],
      [
        'the operator lacks a permission',
        new ApiError('forbidden', 'secrets is forbidden'),
        'NotPermitted',
        'Grant it get, create and delete',
      ],
      [
        'the API server refuses the Secret',
        new ApiError('invalid', 'Secret is invalid'),
        'EngineRefused',
        'Secret is invalid',
      ],
    ];
    for (const [what, error, reason, words] of refusals) {
      it(`when ${what}`, async () => {
        putSystem(api);
        api.refusal = { plural: 'secrets', error };
        await failed(reason, words);
      });
    }
  });

  it('tries again, and fails nothing, while the API server is out of order', async () => {
    putSystem(api);
    api.refusal = { plural: 'secrets', error: new ApiError('transient', '503') };
    expect(await run().catch((error: unknown) => error)).to.include({ kind: 'transient' });
    expect(conditions()).to.include({ Failed: 'False', Reconciling: 'True' });
    api.refusal = undefined;
    await run();
    expect(conditions().Complete).to.equal('True');
  });

  describe('with another engine than Secrets', () => {
    const s3 = {
      ...{ endpoint: 'http://127.0.0.1:1', region: 'us-east-1', bucket: 'baselines', prefix: '', pathStyle: true },
      credentialsSecretRef: { name: 's3' },
    };
    const inS3 = () => {
      putSystem(api);
      const { spec, ...rest } = pool();
      api.put(failoverPools, { ...rest, spec: { ...spec, backup: { ...spec.backup, engine: 'S3' as const, s3 } } });
      api.put(backups, backup({ engine: undefined }));
    };

    it('writes down where it is kept before it is kept, and fails for good without credentials', async () => {
      inS3();
      await run();
      expect(stored().status?.destination).to.deep.equal({ engine: 'S3', s3 });
      expect(conditions()).to.include({ Failed: 'True', Stalled: 'True' });
      expect(ready()?.reason).to.equal('CredentialsMissing');
    });

    it('says what is wrong with the store and tries again, when that may pass', async () => {
      inS3();
      const data = { AWS_ACCESS_KEY_ID: btoa('a'), AWS_SECRET_ACCESS_KEY: btoa('b') };
      api.put(resources.secrets, { metadata: { namespace, name: 's3' }, data } as never);
      expect(await run()).to.deep.equal({ requeueAfterMs: 250 });
      expect(conditions()).to.include({ Failed: 'False', Reconciling: 'True' });
      expect(ready()?.reason).to.equal('EndpointUnreachable');
      // A person corrects the pool: the next try goes there, although the old place can not be asked.
      api.put(failoverPools, pool());
      await run(start());
      expect(conditions().Complete).to.equal('True');
      expect(stored().status?.destination).to.deep.equal({ engine: 'Secret' });
    });
  });

  it('ends quietly in a namespace that is being deleted, and for a Backup that is gone', async () => {
    putSystem(api);
    api.refusal = {
      plural: 'secrets',
      error: new ApiError('namespaceTerminating', 'the namespace is being terminated'),
    };
    await run();
    expect(conditions().Failed).to.equal('False');
    await run(start(), `${namespace}/gone`);
    expect(events).to.deep.equal([]);
  });
});
