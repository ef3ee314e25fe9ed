import { join } from 'node:path';
import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import { createVeleroEngine } from '../../../src/backup/index.js';
import {
  API_VERSION,
  type Backup,
  backups,
  type CameraAssignment,
  cameraAssignments,
  type FailoverPool,
  failoverPools,
  type RecordingServer,
  recordingServers,
} from '../../../src/crds/index.js';
import { PooledKubeConfig } from '../../../src/operator/api/pooled-kube-config.js';
import {
  createApiClient,
  type KubeClient,
  type KubeObject,
  type ResourceType,
  resources,
} from '../../../src/operator/index.js';
import { ensureBinaries } from '../../cluster/binaries.js';
import { installCrds, testNamespace, useApiCluster } from '../../support/api-cluster.js';
import { FakeRecorder } from '../support/fake-recorder.js';
import { type OperatorUnderTest, quiet, startOperator, until } from '../support/operator-under-test.js';
import { accountKubeconfig } from './account-kubeconfig.js';
import { type Runbook, readRunbook } from './runbook.js';
import { startVelero, type VeleroServer } from './velero-server.js';

const volumes = [{ name: 'footage', mountPath: '/footage/a', claimTemplate: { storage: '1Gi' } }];
const cameras = ['door', 'yard'];
const servers = ['alpha', 'beta', 'spare'];

/** One system in the order of its life: a takeover, its baseline, the end of the namespace, and what Velero brings back. */
describe('the baseline of a takeover in Velero', function () {
  this.timeout(300_000);
  const api = useApiCluster();
  const recorders = new Map<string, FakeRecorder>();
  let client: KubeClient;
  let velero: VeleroServer;
  let operator: OperatorUnderTest | undefined;
  let namespace: string;
  let operatorNamespace: string;
  let runbook: Runbook;
  let veleroBackup = '';

  before(async function () {
    this.timeout(300_000);
    await installCrds(api.cluster);
    namespace = await testNamespace('site');
    operatorNamespace = await testNamespace('operator');
    velero = await startVelero(api.cluster, await testNamespace('velero'));
    const kubeConfig = new PooledKubeConfig();
    kubeConfig.loadFromFile(api.cluster.kubeconfigPath);
    client = createApiClient({ kubeConfig });
    runbook = await readRunbook('backup-velero.md');
  });
  after(async () => {
    await Promise.all([...recorders.values()].map((recorder) => recorder.cutPower()));
    await operator?.stop();
    await velero?.close();
    await client?.close();
  });

  const make = (type: ResourceType, name: string, spec: Record<string, unknown>) =>
    client.create(type, {
      ...{ apiVersion: API_VERSION, kind: type.kind, metadata: { name, namespace }, spec },
    } as KubeObject);
  const read = <T extends KubeObject>(type: ResourceType, name: string) => client.get<T>(type, { namespace, name });
  const pool = () => read<FailoverPool>(failoverPools, 'site');
  const holders = async () => (await pool()).status?.roles?.map(({ name, holder }) => `${name} by ${holder}`);
  const boundTo = (name: string) => async () => {
    const { status } = await read<CameraAssignment>(cameraAssignments, name);
    return status?.boundTo;
  };

  it('is made by the operator itself, and is complete by the word of Velero', async () => {
    operator = await startOperator(api.cluster.kubeconfigPath, namespace);
    const settings = { namespace: velero.namespace, storageLocation: 'default' };
    await make(failoverPools, 'site', {
      failoverTimeoutSeconds: 3,
      backup: { engine: 'Velero', velero: settings, deadlineSeconds: 120 },
    });
    await make(recordingServers, 'alpha', { volumes, poolRef: { name: 'site' } });
    await make(recordingServers, 'beta', { volumes, poolRef: { name: 'site' } });
    await make(recordingServers, 'spare', { volumes, type: 'Failover', poolRef: { name: 'site' } });
    for (const name of cameras)
      await make(cameraAssignments, name, {
        serverRef: { name: 'alpha' },
        source: { url: `rtsp://camera.example/${name}`, credentialsSecretRef: { name: 'cameras' } },
      });
    await client.create(resources.secrets, {
      ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'cameras', namespace } },
      ...{ stringData: { username: 'viewer', password: 'not-in-the-baseline' } },
    } as KubeObject);
    for (const name of servers) recorders.set(name, new FakeRecorder(client, namespace, name, cameras).start());
    for (const name of servers)
      await until(`${name} is ready`, async () => {
        const { status } = await read<RecordingServer>(recordingServers, name);
        return status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') || undefined;
      });
    await recorders.get('alpha')?.cutPower();
    const history = await until('the failover is over', async () => (await pool()).status?.history, 150_000);
    const [entry] = history;
    expect(entry).to.include({ role: 'alpha', to: 'spare', outcome: 'Completed' });
    const { status } = await read<Backup>(backups, entry?.backupName ?? '');
    expect(status?.destination?.engine).to.equal('Velero');
    expect(status?.velero).to.include({ namespace: velero.namespace, phase: 'Completed', errors: 0 });
    expect(status?.velero?.items).to.be.at.least(1 + servers.length + cameras.length);
    expect(status).not.to.have.property('artifact');
    veleroBackup = status?.velero?.backupName ?? '';
    expect(await velero.filesOf(veleroBackup)).not.to.deep.equal([]);
  });

  it('holds what people wrote with its status, and no Secret, claim or child of the operator', async () => {
    const listing = await velero.cli(['backup', 'describe', veleroBackup, '--details']);
    for (const name of ['site', ...servers, ...cameras]) expect(listing).to.contain(`- ${namespace}/${name}`);
    for (const kind of ['v1/Secret', 'v1/Pod', 'v1/Service', 'PersistentVolume', 'Lease', 'RecorderReport', '/Backup:'])
      expect(listing, kind).not.to.contain(kind);
  });

  it('brings the same holders back into a namespace that was gone, by the commands of the page', async () => {
    await Promise.all([...recorders.values()].map((recorder) => recorder.cutPower()));
    await operator?.stop();
    operator = undefined;
    await api.cluster.kubectl(['delete', 'namespace', namespace, '--wait', '--timeout=120s']);
    await makeOperatorDeployment();
    expect(runbook.headings).to.deep.equal([
      ...['Restore', 'The newest complete baseline', 'Bring the objects back'],
      'Start the operator, and see who holds what',
    ]);
    expect(runbook.commands('Restore')).to.equal('export NAMESPACE=site VELERO=velero OPERATOR=understudy\n');
    const named = `export NAMESPACE=${namespace} VELERO=${velero.namespace} OPERATOR=${operatorNamespace}`;
    const environment = await shellEnvironment();
    const choose = runbook.commands('The newest complete baseline');
    const restored = await runbook.follow('Bring the objects back', `${named}\n${choose}`, environment);
    expect(restored).to.contain(`newest complete baseline: ${veleroBackup}`);
    expect(restored, `${restored}\n${await velero.lastWords()}`).to.contain('completed with status: Completed');
    expect(restored).to.match(/^spare +alpha$/m);
    const { status } = await read<RecordingServer>(recordingServers, 'spare');
    expect(status).to.include({ servingRole: 'alpha' });
    expect(status).not.to.have.property('everReadyTime');
    expect((await pool()).status).to.equal(undefined);

    operator = await startOperator(api.cluster.kubeconfigPath, namespace);
    const shown = await runbook.follow('Start the operator, and see who holds what', named, environment);
    expect(shown).to.contain('alpha is recorded by spare');
    for (const name of cameras) expect(await until(`${name} is bound`, boundTo(name))).to.include({ server: 'spare' });
  });

  it('causes no failover by being restored', async () => {
    if (operator) await quiet(operator);
    const { status } = await pool();
    expect(status?.history ?? []).to.deep.equal([]);
    expect(status?.current).to.equal(undefined);
    expect(await holders()).to.deep.equal(['alpha by spare']);
  });

  it('is asked for by the rights that the chart gives, and by no less', async () => {
    const chart = join(import.meta.dirname, '../../../deploy/helm/understudy');
    const account = 'site-understudy';
    await api.cluster.kubectl(['-n', operatorNamespace, 'create', 'serviceaccount', account]);
    const kubeConfig = new PooledKubeConfig();
    kubeConfig.loadFromString(await accountKubeconfig(api.cluster, operatorNamespace, account));
    const own = createApiClient({ kubeConfig });
    const settings = { namespace: velero.namespace, includeSecrets: false, timeoutSeconds: 60 };
    const target = {
      ...{ namespace, name: 'by-account', uid: 'aaaaaaaa-0000-4000-8000-000000000000', pool: 'site' },
      destination: { engine: 'Velero' as const, velero: settings },
    };
    const engine = createVeleroEngine({ client: own });
    const refused = await engine.begin(target).catch((error: unknown) => error);
    expect(refused).to.include({ reason: 'NotPermitted', mayPass: false });
    const where = ['--namespace', operatorNamespace, '--set=image.repository=registry.example/understudy'];
    const enabled = ['--set=velero.enabled=true', `--set=velero.namespace=${velero.namespace}`];
    const only = ['--show-only', 'templates/velero.yaml'];
    const manifest = await api.cluster.helm(['template', 'site', chart, ...where, ...enabled, ...only]);
    await api.cluster.kubectl(['apply', '-f', '-'], manifest);
    try {
      await until('the rights are in force', async () => {
        await engine.begin(target);
        return true;
      });
      const end = await until(
        'Velero is done',
        async () => {
          const found = await engine.find(target);
          return found?.state === 'Running' ? undefined : found;
        },
        60_000,
      );
      expect(end?.state).to.equal('Complete');
      await engine.remove(target);
      expect(await engine.find(target)).to.equal(undefined);
      expect(await velero.filesOf(end?.record.backupName ?? '')).to.deep.equal([]);
    } finally {
      await own.close();
    }
  });

  it('has no rights in the chart unless it is told to', async () => {
    const chart = join(import.meta.dirname, '../../../deploy/helm/understudy');
    const image = '--set=image.repository=registry.example/understudy';
    const text = await api.cluster.helm(['template', 'site', chart, '--namespace', operatorNamespace, image]);
    expect(text).not.to.match(/apiGroups: \[velero\.io\]/);
  });

  /** Nothing runs it here; the commands of the page look for it by its label. */
  async function makeOperatorDeployment(): Promise<void> {
    const labels = { 'app.kubernetes.io/name': 'understudy' };
    const container = { name: 'operator', image: 'registry.example/understudy' };
    const template = { metadata: { labels }, spec: { containers: [container] } };
    await client.create({ group: 'apps', version: 'v1', plural: 'deployments', kind: 'Deployment', namespaced: true }, {
      ...{ apiVersion: 'apps/v1', kind: 'Deployment' },
      metadata: { name: 'understudy', namespace: operatorNamespace, labels },
      spec: { replicas: 0, selector: { matchLabels: labels }, template },
    } as KubeObject);
  }

  /** kubectl and velero by their names, on the test's own cluster. */
  async function shellEnvironment(): Promise<NodeJS.ProcessEnv> {
    const binary = await ensureBinaries(['kubectl', 'velero'], () => undefined);
    const path = [binary('kubectl'), binary('velero')].map((file) => join(file, '..'));
    const own = process.env.UNDERSTUDY_TEST_CONTEXT;
    if (own) throw new Error('these commands need a kubeconfig whose current context is the one to use');
    return {
      ...{ HOME: process.env.HOME, PATH: [...path, process.env.PATH].join(':') },
      KUBECONFIG: api.cluster.kubeconfigPath,
    };
  }
});
