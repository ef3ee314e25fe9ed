import { expect } from 'chai';
import { beforeEach, describe, it } from 'mocha';
import { type BackupTarget, createVeleroEngine } from '../../../../src/backup/index.js';
import {
  type DeletionRequest,
  type StorageLocation,
  type VeleroBackup,
  veleroKinds,
} from '../../../../src/backup/velero/objects.js';
import { veleroName } from '../../../../src/backup/velero/request.js';
import type { VeleroSettings } from '../../../../src/crds/index.js';
import { ApiError } from '../../../../src/operator/index.js';
import { type MemoryApi, memoryApi } from '../support/memory-api.js';

const uid = '2f1c9a77-1111-4222-8333-444455556666';
const velero: VeleroSettings = { namespace: 'velero', includeSecrets: false, timeoutSeconds: 3600 };
const target: BackupTarget = {
  ...{ namespace: 'site', name: 'north-3', uid, pool: 'north' },
  destination: { engine: 'Velero', velero },
};
const name = 'site-north-3-2f1c9a77';
const key = { namespace: 'velero', name };

function location(called: string, change: Partial<StorageLocation> = {}): StorageLocation {
  return { metadata: { namespace: 'velero', name: called }, spec: {}, status: { phase: 'Available' }, ...change };
}

const fail = (attempt: Promise<unknown>): Promise<unknown> =>
  attempt.then(
    () => 'no error',
    (error: unknown) => error,
  );

describe('the Velero engine', () => {
  let api: MemoryApi;

  beforeEach(() => {
    api = memoryApi();
    api.put(veleroKinds.storageLocations, location('default'));
  });

  const engine = () => createVeleroEngine({ client: api, deletionLook: { everyMs: 1, times: 20 } });
  const made = (): VeleroBackup => {
    const [only, ...more] = api.all<VeleroBackup>(veleroKinds.backups);
    if (!only || more.length > 0) throw new Error(`there are ${more.length + (only ? 1 : 0)} Velero Backups`);
    return only;
  };
  const say = (status: VeleroBackup['status']): void =>
    api.corrupt(veleroKinds.backups, key, (object) => {
      object.status = status;
    });

  it('asks for the objects that people write, and for no Secret and no volume', async () => {
    await engine().begin(target);
    const { metadata, spec } = made();
    expect(metadata).to.deep.include({ namespace: 'velero', name });
    expect(metadata.labels).to.deep.include({
      'understudy.dev/backup': 'north-3',
      'understudy.dev/backup-namespace': 'site',
      'understudy.dev/backup-uid': uid,
      'understudy.dev/pool': 'north',
    });
    expect(spec).to.deep.equal({
      includedNamespaces: ['site'],
      includedResources: [
        'failoverpools.understudy.dev',
        'recordingservers.understudy.dev',
        'cameraassignments.understudy.dev',
      ],
      includeClusterResources: false,
      snapshotVolumes: false,
      defaultVolumesToFsBackup: false,
      storageLocation: 'default',
      ttl: '87600h0m0s',
    });
  });

  it('asks for Secrets when it is told to', async () => {
    const destination = { engine: 'Velero', velero: { ...velero, includeSecrets: true } } as const;
    await engine().begin({ ...target, destination });
    expect(made().spec.includedResources).to.include('secrets');
  });

  it('needs no settings', async () => {
    const { destination: _destination, ...bare } = target;
    await engine().begin(bare);
    expect(made().metadata.namespace).to.equal('velero');
  });

  it('gives each Backup a name of its own that fits a label, however long its name is', () => {
    const long = { ...target, name: 'n'.repeat(63), namespace: 's'.repeat(63) };
    const other = { ...long, uid: '9d8e7f60-0000-4000-8000-000000000000' };
    const dotted = { ...long, namespace: 's', name: `${'n'.repeat(51)}.n` };
    for (const one of [long, other, dotted]) expect(veleroName(one)).to.match(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
    expect(veleroName(long)).not.to.equal(veleroName(other));
    expect(veleroName({ ...target, namespace: 'site', name: 'a-b' })).to.match(/^site-a-b-/);
  });

  it('finds what it has asked for, and nothing before', async () => {
    expect(await engine().find(target)).to.equal(undefined);
    await engine().begin(target);
    say({ phase: 'InProgress' });
    expect(await engine().find(target)).to.deep.include({
      state: 'Running',
      record: { namespace: 'velero', backupName: name, uid: made().metadata.uid, phase: 'InProgress' },
    });
  });

  it('asks once, whatever becomes of the answer', async () => {
    api.fault = { write: 1, when: 'after' };
    expect(await fail(engine().begin(target))).to.include({ kind: 'transient' });
    await engine().begin(target);
    expect(api.writes).to.deep.equal([`create ${name}`]);
  });

  it('leaves a foreign Velero Backup of its name as it is, and never takes it for its own', async () => {
    await engine().begin({ ...target, uid: `${uid.slice(0, 8)}-another` });
    say({ phase: 'Completed' });
    const foreign = made();
    expect(await engine().find(target)).to.equal(undefined);
    expect(await fail(engine().begin(target))).to.include({ reason: 'NameTaken', mayPass: false });
    await engine().remove(target);
    expect(api.all(veleroKinds.backups)).to.deep.equal([foreign]);
    expect(api.all(veleroKinds.deletionRequests)).to.deep.equal([]);
  });

  describe('and its storage location:', () => {
    const chosen = async (settings: Partial<VeleroSettings> = {}): Promise<string> => {
      await engine().begin({ ...target, destination: { engine: 'Velero', velero: { ...velero, ...settings } } });
      return made().spec.storageLocation;
    };

    it('takes the one that is marked as default before the one of that name', async () => {
      api.put(veleroKinds.storageLocations, location('marked', { spec: { default: true } }));
      expect(await chosen()).to.equal('marked');
    });

    it('takes the one that the pool names', async () => {
      api.put(veleroKinds.storageLocations, location('other-site'));
      expect(await chosen({ storageLocation: 'other-site' })).to.equal('other-site');
    });

    it('refuses one that is not there, and names those that are', async () => {
      const error = await fail(chosen({ storageLocation: 'defualt' }));
      expect(error).to.include({ reason: 'StorageLocationNotFound', mayPass: false });
      expect((error as Error).message).to.contain(
        'no BackupStorageLocation defualt in namespace velero (there are default)',
      );
    });

    it('refuses a namespace without any', async () => {
      const error = await fail(chosen({ namespace: 'elsewhere' }));
      expect(error).to.include({ reason: 'StorageLocationNotFound', mayPass: false });
      expect((error as Error).message)
        .to.contain('there is none at all')
        .and.to.contain('spec.backup.velero.namespace');
    });

    const states: [what: string, change: Partial<StorageLocation>, words: string, mayPass: boolean][] = [
      [
        'is unavailable',
        { status: { phase: 'Unavailable', message: 'no such bucket' } },
        'is Unavailable: no such bucket',
        true,
      ],
      ['was never validated', { status: {} }, 'has not been validated by Velero yet', true],
      ['may only be read', { spec: { accessMode: 'ReadOnly' } }, 'set its spec.accessMode to ReadWrite', false],
    ];
    for (const [what, change, words, mayPass] of states) {
      it(`asks Velero for nothing while it ${what}`, async () => {
        api.put(veleroKinds.storageLocations, location('default', change));
        const error = await fail(chosen());
        expect(error).to.include({ reason: 'StorageLocationUnavailable', mayPass });
        expect((error as Error).message).to.contain(words);
        expect(api.writes).to.deep.equal([]);
      });
    }
  });

  describe('says what of Velero is in the way:', () => {
    const refusals: [what: string, error: ApiError, reason: string, words: string][] = [
      [
        'it is not installed',
        new ApiError('notFound', 'HTTP 404: 404 page not found', { status: 404 }),
        'VeleroNotInstalled',
        "does not know Velero's kinds (velero.io/v1): install Velero",
      ],
      [
        'its namespace is missing',
        new ApiError('notFound', 'namespaces "velero" not found', { status: 404, reason: 'NotFound' }),
        'VeleroNotInstalled',
        'there is no namespace velero',
      ],
      [
        'its namespace is being deleted',
        new ApiError('namespaceTerminating', 'being terminated', { status: 403 }),
        'VeleroNotInstalled',
        'is being deleted',
      ],
      [
        'a permission is missing',
        new ApiError('forbidden', 'backups.velero.io is forbidden', { status: 403 }),
        'NotPermitted',
        'Set velero.enabled of its chart, and velero.namespace to velero',
      ],
      ['a quota is used up', new ApiError('forbidden', 'exceeded quota: objects'), 'EngineRefused', 'Raise it'],
      ['the request is refused', new ApiError('invalid', 'spec.ttl: wrong'), 'EngineRefused', 'spec.ttl: wrong'],
    ];
    for (const [what, error, reason, words] of refusals) {
      it(what, async () => {
        api.refusal = { plural: 'backups', error };
        const said = await fail(engine().begin(target));
        expect(said).to.include({ name: 'BackupError', reason, mayPass: false });
        expect((said as Error).message).to.contain(words);
      });
    }

    it('and not what the API server alone is to blame for', async () => {
      api.refusal = { plural: 'backups', error: new ApiError('transient', '503') };
      expect(await fail(engine().begin(target))).to.include({ name: 'ApiError', kind: 'transient' });
    });

    it('its kinds vanish while it is followed, which is not the end of one Backup', async () => {
      const gone = new ApiError('notFound', 'HTTP 404: 404 page not found', { status: 404 });
      const client = { ...api, get: () => Promise.reject(gone) };
      expect(await fail(createVeleroEngine({ client }).find(target))).to.include({ reason: 'VeleroNotInstalled' });
    });
  });

  describe('removes what it has made', () => {
    const request = (): DeletionRequest | undefined => api.all<DeletionRequest>(veleroKinds.deletionRequests)[0];
    /** What Velero makes of a request: `act` once it is there. */
    const answering = (act: () => Promise<unknown>) => {
      let answered = false;
      const get: MemoryApi['get'] = async (type, asked, options) => {
        if (!answered && request()) {
          answered = true;
          await act();
        }
        return api.get(type, asked, options);
      };
      return createVeleroEngine({ client: { ...api, get }, deletionLook: { everyMs: 1, times: 20 } });
    };
    const processed = (errors: string[]) => {
      api.corrupt(veleroKinds.deletionRequests, key, (object) => {
        object.status = { phase: 'Processed', errors };
      });
      return Promise.resolve();
    };

    beforeEach(async () => {
      await engine().begin(target);
      say({ phase: 'Completed' });
      api.writes.length = 0;
    });

    it("by Velero's own request, as its command words it, and never the object itself", async () => {
      const uidOfVelero = made().metadata.uid;
      await answering(() => api.delete(veleroKinds.backups, key)).remove(target);
      expect(request()?.spec).to.deep.equal({ backupName: name });
      expect(request()?.metadata.labels).to.include({
        'velero.io/backup-name': name,
        'velero.io/backup-uid': uidOfVelero,
      });
      expect(api.writes[0]).to.equal(`create ${name}`);
    });

    it('with nothing to do when it is gone', async () => {
      await api.delete(veleroKinds.backups, key);
      api.writes.length = 0;
      await engine().remove(target);
      expect(api.writes).to.deep.equal([]);
    });

    it("and hands on Velero's words when it can not", async () => {
      const error = await fail(answering(() => processed(['the bucket is read-only'])).remove(target));
      expect(error).to.include({ reason: 'VeleroDeletionFailed', mayPass: true });
      expect((error as Error).message).to.contain('the bucket is read-only');
    });

    it('and asks anew after a refusal, once', async () => {
      await fail(answering(() => processed(['in progress'])).remove(target));
      const refused = request()?.metadata.uid;
      await fail(engine().remove(target));
      expect(request()?.metadata.uid).not.to.equal(refused);
      const waiting = request()?.metadata.uid;
      await fail(engine().remove(target));
      expect(request()?.metadata.uid).to.equal(waiting);
    });

    it('and gives up waiting for a Velero that does not run', async () => {
      const error = await fail(engine().remove(target));
      expect(error).to.include({ reason: 'VeleroDeletionFailed', mayPass: true });
      expect((error as Error).message).to.contain('does it run?');
    });
  });
});
