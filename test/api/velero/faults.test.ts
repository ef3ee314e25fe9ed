import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { after, before, beforeEach, describe, it } from 'mocha';
import {
  type BackupTarget,
  createVeleroEngine,
  type Delegated,
  type DelegatingEngine,
} from '../../../src/backup/index.js';
import { veleroName } from '../../../src/backup/velero/request.js';
import { API_VERSION, type Backup, backups, type VeleroSettings } from '../../../src/crds/index.js';
import { PooledKubeConfig } from '../../../src/operator/api/pooled-kube-config.js';
import { createApiClient, type KubeClient, type KubeObject } from '../../../src/operator/index.js';
import { installCrds, testNamespace, useApiCluster } from '../../support/api-cluster.js';
import { type OperatorUnderTest, startOperator, until } from '../support/operator-under-test.js';
import { startVelero, type VeleroServer } from './velero-server.js';

/** What goes wrong with the real Velero, each with its own reason; nothing that is not whole counts. */
describe('faults of Velero', function () {
  this.timeout(180_000);
  const api = useApiCluster();
  let client: KubeClient;
  let velero: VeleroServer;
  let engine: DelegatingEngine;
  let namespace: string;
  let tries = 0;

  before(async function () {
    this.timeout(300_000);
    await installCrds(api.cluster);
    namespace = await testNamespace('site');
    velero = await startVelero(api.cluster, await testNamespace('velero'));
    const kubeConfig = new PooledKubeConfig();
    kubeConfig.loadFromFile(api.cluster.kubeconfigPath);
    client = createApiClient({ kubeConfig });
    engine = createVeleroEngine({ client, deletionLook: { everyMs: 250, times: 40 } });
    await apply({ kind: 'FailoverPool', metadata: { name: 'north' }, spec: { backup: { engine: 'Velero' } } });
    const volumes = [{ name: 'a', mountPath: '/footage/a', claimName: 'disk-a' }];
    await apply({
      kind: 'RecordingServer',
      metadata: { name: 'alpha' },
      spec: { volumes, poolRef: { name: 'north' } },
    });
    const source = { url: 'rtsp://camera.example/door' };
    await apply({
      kind: 'CameraAssignment',
      metadata: { name: 'door' },
      spec: { serverRef: { name: 'alpha' }, source },
    });
  });
  after(async () => {
    await velero?.close();
    await client?.close();
  });
  beforeEach(() => {
    tries += 1;
  });

  const apply = (object: object) =>
    api.cluster.kubectl(['-n', namespace, 'apply', '-f', '-'], JSON.stringify({ apiVersion: API_VERSION, ...object }));
  const inVelero = (...args: string[]) => api.cluster.kubectl(['-n', velero.namespace, ...args]);

  function target(settings: Partial<VeleroSettings> = {}): BackupTarget {
    const own = { namespace: velero.namespace, includeSecrets: false, timeoutSeconds: 60, ...settings };
    return {
      ...{ namespace, name: `north-${tries}`, uid: randomUUID(), pool: 'north' },
      destination: { engine: 'Velero', velero: own },
    };
  }

  const ended = (of: BackupTarget): Promise<Delegated> =>
    until(
      `Velero ends ${veleroName(of)}`,
      async () => {
        const found = await engine.find(of);
        return found?.state === 'Running' ? undefined : found;
      },
      90_000,
    );
  const failure = (attempt: Promise<unknown>): Promise<unknown> =>
    attempt.then(
      () => 'no error',
      (error: unknown) => error,
    );
  const available = () =>
    until(
      'the bucket is available',
      async () => ((await velero.locationPhase('default')) === 'Available' ? true : undefined),
      90_000,
    );

  it('none: complete, twice asked for and once made', async () => {
    const wanted = target();
    await Promise.all([engine.begin(wanted), engine.begin(wanted)]);
    expect(await ended(wanted)).to.include({ state: 'Complete' });
    expect(await velero.filesOf(veleroName(wanted))).not.to.deep.equal([]);
  });

  it('an object that Velero may not read: PartiallyFailed, with the number of errors and where to read them', async () => {
    const mayRead = async () =>
      (
        await api.cluster
          .kubectl([
            ...['auth', 'can-i', 'list', 'cameraassignments.understudy.dev', '-n', namespace],
            ...['--as', `system:serviceaccount:${velero.namespace}:${velero.account}`],
          ])
          .catch(() => 'no')
      ).trim();
    const role = `${velero.account}-but-cameras`;
    const verbs = ['*'];
    const rules = [
      ...['', 'velero.io', 'apiextensions.k8s.io', 'rbac.authorization.k8s.io', 'apps', 'batch'].map((group) => ({
        apiGroups: [group],
        resources: ['*'],
        verbs,
      })),
      { apiGroups: ['understudy.dev'], resources: ['failoverpools', 'recordingservers'], verbs },
    ];
    const subject = `--serviceaccount=${velero.namespace}:${velero.account}`;
    const roleObject = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: role },
      rules,
    };
    await api.cluster.kubectl(['apply', '-f', '-'], JSON.stringify(roleObject));
    await api.cluster.kubectl(['create', 'clusterrolebinding', role, `--clusterrole=${role}`, subject]);
    await api.cluster.kubectl(['delete', 'clusterrolebinding', velero.account]);
    try {
      await until('Velero may not read cameras', async () => ((await mayRead()) === 'no' ? true : undefined));
      const wanted = target();
      await engine.begin(wanted);
      const end = await ended(wanted);
      expect(end, end.message).to.include({ state: 'Failed', reason: 'VeleroPartiallyFailed' });
      expect(end.record.errors).to.be.at.least(1);
      expect(end.message).to.contain(`velero -n ${velero.namespace} backup logs ${veleroName(wanted)}`);
    } finally {
      const admin = ['create', 'clusterrolebinding', velero.account, '--clusterrole=cluster-admin', subject];
      await api.cluster.kubectl(admin);
      await api.cluster.kubectl(['delete', 'clusterrolebinding,clusterrole', role]);
      await until('Velero may read cameras', async () => ((await mayRead()) === 'yes' ? true : undefined));
    }
  });

  it('a storage location that is not there', async () => {
    const error = await failure(engine.begin(target({ storageLocation: 'defualt' })));
    expect(error).to.include({ reason: 'StorageLocationNotFound', mayPass: false });
  });

  it('a namespace that is not there', async () => {
    const error = await failure(engine.begin(target({ namespace: 'no-velero-here' })));
    expect(error).to.include({ reason: 'StorageLocationNotFound', mayPass: false });
    expect((error as Error).message).to.contain('there is none at all');
  });

  it('a storage location whose bucket does not exist, with the words of Velero', async () => {
    await velero.addLocation('elsewhere', 'no-such-bucket');
    const error = await until(
      'Velero has looked at it',
      async () => {
        const refused = await failure(engine.begin(target({ storageLocation: 'elsewhere' })));
        return /NoSuchBucket|does not exist/i.test(String(refused)) ? refused : undefined;
      },
      90_000,
    );
    expect(error).to.include({ reason: 'StorageLocationUnavailable', mayPass: true });
  });

  it('a storage location that is gone when Velero comes to it: FailedValidation, with its words', async () => {
    await velero.kill();
    const wanted = target();
    try {
      await engine.begin(wanted);
      await inVelero('delete', 'backupstoragelocation', 'default');
      await velero.start();
      const end = await ended(wanted);
      expect(end).to.include({ state: 'Failed', reason: 'VeleroValidationFailed' });
      expect(end.message).to.contain('default');
    } finally {
      await velero.addLocation('default', 'velero');
      await available();
    }
  });

  it('a store that dies after it was validated: Failed', async () => {
    const wanted = target();
    await velero.killStore();
    try {
      await engine.begin(wanted);
      const end = await ended(wanted);
      expect(end.state).to.equal('Failed');
      expect(end).to.have.property('reason').that.is.oneOf(['VeleroFailed', 'VeleroValidationFailed']);
    } finally {
      await velero.startStore();
      await available();
    }
  });

  it('a deletion that its read-only bucket does not allow is told, and done when it does', async () => {
    const wanted = target();
    await engine.begin(wanted);
    await ended(wanted);
    const setMode = (accessMode: string) =>
      inVelero(
        'patch',
        'backupstoragelocation',
        'default',
        '--type=merge',
        '-p',
        JSON.stringify({ spec: { accessMode } }),
      );
    await setMode('ReadOnly');
    const error = await until('Velero has refused', async () => {
      const refused = await failure(engine.remove(wanted));
      return /read-only/.test(String(refused)) ? refused : undefined;
    });
    expect(error).to.include({ reason: 'VeleroDeletionFailed', mayPass: true });
    await setMode('ReadWrite');
    await engine.remove(wanted);
    expect(await engine.find(wanted)).to.equal(undefined);
    expect(await velero.filesOf(veleroName(wanted))).to.deep.equal([]);
  });

  describe('as a Backup says them:', () => {
    let operator: OperatorUnderTest;
    before(async () => {
      const settings = { namespace: velero.namespace, timeoutSeconds: 600 };
      const backup = { engine: 'Velero', velero: settings, deadlineSeconds: 1, retain: { count: 1 } };
      await apply({ kind: 'FailoverPool', metadata: { name: 'north' }, spec: { backup } });
      operator = await startOperator(api.cluster.kubeconfigPath, namespace);
    });
    after(() => operator?.stop());

    const order = async (name: string, reason = 'Manual'): Promise<void> => {
      const spec = { poolRef: { name: 'north' }, reason };
      await client.create(backups, {
        ...{ apiVersion: API_VERSION, kind: 'Backup', metadata: { name, namespace }, spec },
      } as KubeObject);
    };
    const says = (name: string, type: string, reason: string) =>
      until(
        `${name} says ${type} ${reason}`,
        async () => {
          const { status } = await client.get<Backup>(backups, { namespace, name });
          const condition = status?.conditions?.find((one) => one.type === type);
          return condition?.reason === reason ? { status, condition } : undefined;
        },
        90_000,
      );

    it('a Velero that does not run is late, and the Backup is complete when it runs again', async () => {
      await velero.kill();
      try {
        await order('late');
        const { condition, status } = await says('late', 'Ready', 'VeleroLate');
        expect(condition.message).to.contain('has not begun').and.to.contain('Velero goes on');
        expect(status?.velero?.phase).to.equal('New');
      } finally {
        await velero.start();
      }
      const { status } = await says('late', 'Complete', 'Complete');
      expect(status?.velero?.phase).to.equal('Completed');
    });

    it('a Velero Backup that somebody deletes before it is complete is not asked for again', async () => {
      await velero.kill();
      try {
        await order('deleted');
        const { status } = await says('deleted', 'Ready', 'VeleroLate');
        const name = status?.velero?.backupName ?? '';
        await inVelero('delete', 'backups.velero.io', name);
        const { condition } = await says('deleted', 'Failed', 'VeleroBackupDeleted');
        expect(condition.message).to.contain(`Velero Backup ${velero.namespace}/${name} was deleted`);
        expect(await inVelero('get', 'backups.velero.io', '-o', 'name')).not.to.contain(name);
      } finally {
        await velero.start();
      }
    });

    it('an old one goes from Velero and its bucket when it is pruned', async () => {
      await order('older', 'Scheduled');
      const { status } = await says('older', 'Complete', 'Complete');
      const name = status?.velero?.backupName ?? '';
      expect(await velero.filesOf(name)).not.to.deep.equal([]);
      await order('newer', 'Scheduled');
      await says('newer', 'Complete', 'Complete');
      await until(
        'the older one is pruned',
        async () => {
          const left = await api.cluster.kubectl(['-n', namespace, 'get', 'backups.understudy.dev', '-o', 'name']);
          return left.includes('/older') ? undefined : true;
        },
        60_000,
      );
      expect(await inVelero('get', 'backups.velero.io', '-o', 'name')).not.to.contain(name);
      expect(await velero.filesOf(name)).to.deep.equal([]);
    });
  });
});
