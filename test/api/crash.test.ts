import { expect } from 'chai';
import {
  API_VERSION,
  type Backup,
  backups,
  type CameraAssignment,
  cameraAssignments,
  type FailoverPool,
  failoverPools,
  labels,
  type RecordingServer,
  recordingServers,
} from '../../src/crds/index.js';
import { PooledKubeConfig } from '../../src/operator/api/pooled-kube-config.js';
import {
  createApiClient,
  type KubeClient,
  type KubeObject,
  type ResourceType,
  resources,
} from '../../src/operator/index.js';
import { installCrds, testNamespace, useApiCluster } from '../support/api-cluster.js';
import { FakeRecorder } from './support/fake-recorder.js';
import {
  type Interceptor,
  type OperatorUnderTest,
  quiet,
  startOperator,
  until,
} from './support/operator-under-test.js';

const volumes = [{ name: 'footage', mountPath: '/footage/a', claimTemplate: { storage: '1Gi' } }];
const cameras = ['c1', 'c2'];

/** An operator that dies with its first write after it was armed: the write arrives, its answer does not. */
class MortalOperator {
  operator: OperatorUnderTest | undefined;
  /** The writes with which it died. */
  readonly deaths: string[] = [];
  armed = false;
  #dead = false;

  readonly #intercept: Interceptor = async (write, send) => {
    if (this.#dead) throw new Error('this operator is dead');
    if (!this.armed) return send();
    this.#dead = true;
    this.deaths.push(write);
    await send();
    throw new Error('this operator died before it got its answer');
  };

  /** Another process: nothing is left of what the one before had in memory. */
  async start(kubeconfigPath: string, namespace: string): Promise<OperatorUnderTest> {
    this.#dead = false;
    this.operator = await startOperator(kubeconfigPath, namespace, this.#intercept);
    return this.operator;
  }

  get dead(): boolean {
    return this.#dead;
  }
}

describe('an operator that dies after every single write of a failover', function () {
  this.timeout(240_000);
  const api = useApiCluster();
  const mortal = new MortalOperator();
  const recorders: FakeRecorder[] = [];
  let client: KubeClient & { close(): Promise<void> };
  let namespace: string;

  before(async () => {
    await installCrds(api.cluster);
    namespace = await testNamespace('crash');
    const kubeConfig = new PooledKubeConfig();
    kubeConfig.loadFromFile(api.cluster.kubeconfigPath);
    client = createApiClient({ kubeConfig });
  });
  after(async () => {
    await Promise.all(recorders.map((recorder) => recorder.cutPower()));
    await mortal.operator?.stop();
    await client.close();
  });

  const make = (type: ResourceType, kind: string, name: string, spec: Record<string, unknown>) =>
    client.create(type, { apiVersion: API_VERSION, kind, metadata: { name, namespace }, spec } as KubeObject);
  const read = <T extends KubeObject>(type: ResourceType, name: string) => client.get<T>(type, { namespace, name });
  const poolStatus = async () => (await read<FailoverPool>(failoverPools, 'site')).status;
  const recorder = (name: string) => {
    const started = new FakeRecorder(client, namespace, name, cameras).start();
    recorders.push(started);
    return started;
  };

  /** Starts it again whenever it has died, until it lives through `forMs` without a write. */
  async function resurrect(): Promise<void> {
    for (;;) {
      const epochBefore = (await poolStatus())?.epoch ?? 0;
      await mortal.operator?.stop();
      const alive = await mortal.start(api.cluster.kubeconfigPath, namespace);
      await until('it dies, or has nothing more to do', async () => {
        if (mortal.dead) return true;
        const status = await poolStatus();
        const over = status?.current === undefined && status?.history?.length !== undefined;
        return over && alive.controllers.every((controller) => controller.idle()) ? true : undefined;
      });
      expect((await poolStatus())?.epoch ?? 0).to.be.at.least(epochBefore);
      if (!mortal.dead) return;
    }
  }

  it('is finished by its successors as if nobody had died', async () => {
    const first = await mortal.start(api.cluster.kubeconfigPath, namespace);
    await make(failoverPools, 'FailoverPool', 'site', { failoverTimeoutSeconds: 3, backup: { deadlineSeconds: 120 } });
    await make(recordingServers, 'RecordingServer', 'alpha', { volumes, poolRef: { name: 'site' } });
    for (const name of ['spare', 'spare-2'])
      await make(recordingServers, 'RecordingServer', name, { volumes, type: 'Failover', poolRef: { name: 'site' } });
    for (const name of cameras)
      await make(cameraAssignments, 'CameraAssignment', name, {
        serverRef: { name: 'alpha' },
        source: { url: `rtsp://camera.example/${name}` },
      });
    const [alpha] = ['alpha', 'spare', 'spare-2'].map(recorder);
    for (const name of ['alpha', 'spare', 'spare-2'])
      await until(`${name} is ready`, async () => {
        const { status } = await read<RecordingServer>(recordingServers, name);
        return status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') || undefined;
      });
    await quiet(first);
    await alpha?.cutPower();
    await until('it has decided', async () => ((await poolStatus())?.current ? true : undefined));
    mortal.armed = true;
    await resurrect();
    mortal.armed = false;
    const last = await mortal.start(api.cluster.kubeconfigPath, namespace);
    await quiet(last);

    expect(mortal.deaths.length, mortal.deaths.join('\n')).to.be.at.least(5);
    const status = await poolStatus();
    expect(status?.history?.map(({ role, to, epoch, outcome }) => ({ role, to, epoch, outcome }))).to.deep.equal([
      { role: 'alpha', to: 'spare', epoch: 2, outcome: 'Completed' },
    ]);
    expect(status?.queue).to.equal(undefined);
    const made = await client.list<Backup>(backups, { namespace });
    expect(made.items.map(({ metadata }) => metadata.name)).to.deep.equal(['site-2']);
    for (const name of cameras) {
      const { boundTo } = (await read<CameraAssignment>(cameraAssignments, name)).status ?? {};
      expect(boundTo, name).to.include({ server: 'spare', epoch: 2 });
    }
    const roles = await Promise.all(
      ['alpha', 'spare', 'spare-2'].map(async (name) => [
        (await read<RecordingServer>(recordingServers, name)).status?.servingRole,
        (await read(resources.pods, name)).metadata.labels?.[labels.servingRole],
      ]),
    );
    expect(roles).to.deep.equal([
      ['', undefined],
      ['alpha', 'alpha'],
      ['', undefined],
    ]);
  });
});
