import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { KubeConfig } from '@kubernetes/client-node';
import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import { createSecretEngine } from '../../src/backup/index.js';
import {
  type Backup,
  backups,
  cameraAssignments,
  failoverPools,
  GROUP,
  labels,
  recordingServers,
} from '../../src/crds/index.js';
import {
  type Controller,
  createApiClient,
  createController,
  createEventRecorder,
  createLog,
  createMetrics,
  type KubeClient,
  type KubeObject,
  type ResourceType,
  resources,
  systemClock,
} from '../../src/operator/index.js';
import { createBackupReconciler, isFinal } from '../../src/reconcilers/backup/index.js';
import { createWatches, type Watches } from '../../src/reconcilers/stores.js';
import { installCrds, testNamespace, useApiCluster } from '../support/api-cluster.js';

type Secret = KubeObject & { data: Record<string, string>; immutable?: boolean; type?: string };

/** Small parts, so that a hundred cameras fill several. */
const partBytes = 1024;
const cameraCount = 100;
const at = '2026-11-22T10:00:00Z';

const resourceQuotas: ResourceType = {
  group: '',
  version: 'v1',
  plural: 'resourcequotas',
  kind: 'ResourceQuota',
  namespaced: true,
};

/** Asks again until there is an answer. */
async function until<T>(what: string, ask: () => Promise<T | undefined>, timeoutMs = 30_000): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > end) throw new Error(`${what}: not within ${timeoutMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('baselines on a real API server', () => {
  const api = useApiCluster();
  let client: KubeClient;
  let watches: Watches;
  let controller: Controller;
  let namespace: string;

  before(async () => {
    await installCrds(api.cluster);
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromFile(api.cluster.kubeconfigPath);
    client = createApiClient({ kubeConfig });
    namespace = await testNamespace('backup');
    await createSystem();
    watches = createWatches({ client, namespaces: [], operatorNamespace: namespace });
    const metrics = createMetrics();
    const log = createLog({ name: 'test', level: 'error' });
    const events = createEventRecorder({ client, controller: `${GROUP}/operator`, log, metrics });
    const reconcile = createBackupReconciler({
      ...{ client, stores: watches.stores, events, clock: systemClock, version: '0.1.0' },
      engines: [createSecretEngine({ client, partBytes })],
    });
    controller = createController({ name: 'backup', reconcile, metrics, log });
    watches.on('backups', (key, next) => {
      if (next && !isFinal(next)) controller.enqueue(key);
    });
    for (const reflector of watches.reflectors) reflector.start();
    await Promise.all(watches.reflectors.map((reflector) => reflector.synced(AbortSignal.timeout(30_000))));
    controller.start();
  });

  after(async () => {
    await controller?.stop(AbortSignal.abort());
    await Promise.all((watches?.reflectors ?? []).map((reflector) => reflector.stop()));
    await client?.close();
  });

  /** A pool after the takeover of epoch 3: standby-a records recorder-a's cameras. */
  async function createSystem(): Promise<void> {
    await client.create(failoverPools, { ...typed('FailoverPool', 'north'), spec: {} } as KubeObject);
    const role = { name: 'recorder-a', holder: 'standby-a', previousHolder: 'recorder-a', epoch: 3, startTime: at };
    await client.patchStatus(failoverPools, { namespace, name: 'north' }, { status: { epoch: 3, roles: [role] } });
    for (const [name, type] of [
      ['recorder-a', 'Standard'],
      ['standby-a', 'Failover'],
    ] as const) {
      const volumes = [{ name: 'a', mountPath: '/footage/a', claimName: `disk-${name}` }];
      await client.create(recordingServers, {
        ...typed('RecordingServer', name),
        spec: { type, poolRef: { name: 'north' }, volumes },
      } as KubeObject);
    }
    for (let i = 0; i < cameraCount; i++) {
      const name = `cam-${i}`;
      const url = `rtsp://camera.example/${createHash('sha256').update(name).digest('hex')}`;
      await client.create(cameraAssignments, {
        ...typed('CameraAssignment', name),
        spec: { serverRef: { name: 'recorder-a' }, source: { url, credentialsSecretRef: { name: 'login' } } },
      } as KubeObject);
      const boundTo = { role: 'recorder-a', server: 'standby-a', epoch: 3, startTime: at };
      await client.patchStatus(cameraAssignments, { namespace, name }, { status: { boundTo } });
    }
  }

  function typed(kind: string, name: string): KubeObject {
    return { apiVersion: `${GROUP}/v1alpha1`, kind, metadata: { namespace, name } };
  }

  async function createBackup(name: string, spec: Record<string, unknown> = {}): Promise<Backup> {
    const whole = { poolRef: { name: 'north' }, ...spec };
    return (await client.create(backups, { ...typed('Backup', name), spec: whole } as KubeObject)) as unknown as Backup;
  }

  function finished(name: string): Promise<Backup> {
    return until(`Backup ${name} ends`, async () => {
      const found = (await client.get(backups, { namespace, name })) as unknown as Backup;
      return isFinal(found) ? found : undefined;
    });
  }

  async function parts(backup: string): Promise<Secret[]> {
    const { items } = await client.list<Secret>(resources.secrets, {
      namespace,
      labelSelector: `${labels.backup}=${backup}`,
    });
    const number = ({ metadata }: Secret): number => Number(metadata.name.slice(backup.length + 1));
    return items.sort((a, b) => number(a) - number(b));
  }

  const condition = (backup: Backup, type: string) => backup.status?.conditions?.find((one) => one.type === type);

  describe('of a takeover', () => {
    let backup: Backup;
    let secrets: Secret[];

    before(async () => {
      await createBackup('north-3', { reason: 'Failover', epoch: 3 });
      backup = await finished('north-3');
      secrets = await parts('north-3');
    });

    it('are complete, and say where they lie and what they hold', () => {
      expect(condition(backup, 'Complete')).to.include({ status: 'True', reason: 'Complete' });
      expect(condition(backup, 'Ready')).to.include({ status: 'True' });
      expect(backup.status?.artifact).to.include({ servers: 2, cameras: cameraCount, parts: secrets.length });
    });

    it('lie in several immutable Secrets, which put together are one gzip file with the checksum', () => {
      expect(secrets.length).to.be.greaterThan(2);
      expect(secrets.every((secret) => secret.immutable === true)).to.equal(true);
      const bytes = Buffer.concat(
        secrets.map((secret) => Buffer.from(secret.data['baseline.json.gz'] ?? '', 'base64')),
      );
      const json = gunzipSync(bytes);
      expect(createHash('sha256').update(json).digest('hex')).to.equal(backup.status?.artifact?.sha256);
      const baseline = JSON.parse(json.toString());
      expect(baseline.cameras.every((camera: { boundTo: { epoch: number } }) => camera.boundTo.epoch === 3)).to.equal(
        true,
      );
      expect(baseline.secrets).to.deep.equal(['login']);
    });

    it('are the same bytes for the same state', async () => {
      await createBackup('by-hand');
      const again = await finished('by-hand');
      expect(again.status?.artifact?.sha256).to.equal(backup.status?.artifact?.sha256);
    });

    it('are owned by their Backup, with which they go, and not by their pool', () => {
      for (const secret of secrets) {
        const owners = secret.metadata.ownerReferences?.map(({ kind, uid }) => [kind, uid]);
        expect(owners).to.deep.equal([['Backup', backup.metadata.uid]]);
      }
    });
  });

  it('are made anew when a half-finished try left other parts', async () => {
    // It waits for epoch 4, so that the left-over is there first.
    const made = await createBackup('half', { reason: 'Failover', epoch: 4 });
    const owner = {
      apiVersion: `${GROUP}/v1alpha1`,
      kind: 'Backup',
      name: 'half',
      uid: made.metadata.uid,
      controller: true,
    };
    await client.create(resources.secrets, {
      metadata: { namespace, name: 'half-0', ownerReferences: [owner] },
      ...{ type: `${GROUP}/baseline`, immutable: true, data: { 'baseline.json.gz': 'AAAA' } },
    } as KubeObject);
    await client.patchStatus(failoverPools, { namespace, name: 'north' }, { status: { epoch: 4 } });
    const backup = await finished('half');
    expect(condition(backup, 'Complete')?.status).to.equal('True');
    expect(await parts('half')).to.have.length(backup.status?.artifact?.parts ?? 0);
  });

  it('fail with the mend when a Secret of somebody else has the name, and leave it alone', async () => {
    const data = { a: 'AAAA' };
    await client.create(resources.secrets, { metadata: { namespace, name: 'taken-0' }, data } as KubeObject);
    await createBackup('taken');
    const backup = await finished('taken');
    expect(condition(backup, 'Failed')).to.include({ status: 'True', reason: 'NameTaken' });
    expect(condition(backup, 'Stalled')?.message).to.contain('Secret taken-0 exists and is not part of this Backup');
    expect((await client.get<Secret>(resources.secrets, { namespace, name: 'taken-0' })).data).to.deep.equal(data);
  });

  it('fail with the mend when their pool does not exist', async () => {
    await createBackup('lost', { poolRef: { name: 'nowhere' } });
    const backup = await finished('lost');
    expect(condition(backup, 'Failed')).to.include({ status: 'True', reason: 'PoolNotFound' });
    expect(condition(backup, 'Stalled')?.message).to.contain('FailoverPool nowhere, which does not exist');
  });

  describe('under a quota', () => {
    const none = { 'count/secrets': '0' };

    before(async () => {
      const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { namespace, name: 'none' } };
      await client.create(resourceQuotas, { ...quota, spec: { hard: none } } as KubeObject);
      // The part of the controller manager, which a control plane for API tests does without.
      await client.patchStatus(resourceQuotas, quota.metadata, { status: { hard: none, used: none } });
    });
    after(() => client.delete(resourceQuotas, { namespace, name: 'none' }));

    it("fail with the API server's own words and the mend", async () => {
      await createBackup('quota');
      const backup = await finished('quota');
      expect(condition(backup, 'Failed')).to.include({ status: 'True', reason: 'EngineRefused' });
      expect(condition(backup, 'Failed')?.message).to.match(/exceeded quota.*Raise it for Secrets/);
    });
  });
});
