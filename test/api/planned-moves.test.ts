import { monitorEventLoopDelay } from 'node:perf_hooks';
import { expect } from 'chai';
import {
  API_VERSION,
  cameraAssignments,
  type FailoverPool,
  failoverPools,
  labels,
  type RecorderReport,
  type RecordingServer,
  recorderReports,
  recordingServers,
} from '../../src/crds/index.js';
import { isApiError, type KubeObject, type ResourceType, resources } from '../../src/operator/index.js';
import { installCrds, testNamespace, useApiCluster } from '../support/api-cluster.js';
import { FakeRecorder } from './support/fake-recorder.js';
import { type OperatorUnderTest, quiet, startOperator, until } from './support/operator-under-test.js';
import { openRawApi } from './support/raw-api.js';

const volumes = [{ name: 'footage', mountPath: '/footage/a', claimTemplate: { storage: '1Gi' } }];
const cameras = ['door', 'yard'];

describe('a planned move on a real API server', function () {
  this.timeout(120_000);
  const api = useApiCluster();
  let namespace: string;
  let operator: OperatorUnderTest;
  let recorders: Map<string, FakeRecorder>;
  let watching: NodeJS.Timeout;
  /** Moments at which no recorder said that it records all cameras of the role. */
  let gaps: string[];
  const turns = monitorEventLoopDelay();

  before(() => installCrds(api.cluster));
  beforeEach(async () => {
    recorders = new Map();
    gaps = [];
    turns.reset();
    turns.enable();
    namespace = await testNamespace('move');
    operator = await startOperator(api.cluster.kubeconfigPath, namespace);
  });
  afterEach(async () => {
    clearInterval(watching);
    await Promise.all([...recorders.values()].map((recorder) => recorder.cutPower()));
    turns.disable();
    await operator.stop();
  });

  const make = (type: ResourceType, kind: string, name: string, spec: Record<string, unknown>) =>
    operator.client.create(type, { apiVersion: API_VERSION, kind, metadata: { name, namespace }, spec } as KubeObject);
  const server = (name: string) => operator.client.get<RecordingServer>(recordingServers, { namespace, name });
  const pool = () => operator.client.get<FailoverPool>(failoverPools, { namespace, name: 'site' });
  const edit = (name: string, spec: Record<string, unknown>) =>
    operator.client.patch(recordingServers, { namespace, name }, { spec });
  const ask = (request: string) =>
    operator.client.patch(
      failoverPools,
      { namespace, name: 'site' },
      { metadata: { annotations: { [labels.request]: request } } },
    );
  const condition = async (name: string, type: string) =>
    (await server(name)).status?.conditions?.find((entry) => entry.type === type);

  /** One list is one moment: whoever stops before another records is caught. */
  async function lookForGaps(): Promise<void> {
    const { items } = await operator.client.list<RecorderReport>(recorderReports, { namespace });
    const whole = items.some(
      ({ status }) =>
        status?.role === 'alpha' &&
        cameras.every((name) => status.cameras?.some((entry) => entry.name === name && entry.state === 'Recording')),
    );
    if (!whole) gaps.push(items.map(({ metadata, status }) => `${metadata.name}: ${status?.role}`).join(', '));
  }

  /** Recorder alpha with its cameras, and two standbys, all ready. */
  async function site(poolSpec: Record<string, unknown> = {}): Promise<void> {
    await make(failoverPools, 'FailoverPool', 'site', { failoverTimeoutSeconds: 3, ...poolSpec });
    await make(recordingServers, 'RecordingServer', 'alpha', { volumes, poolRef: { name: 'site' } });
    for (const [standbyOrder, name] of ['spare-1', 'spare-2'].entries())
      await make(recordingServers, 'RecordingServer', name, {
        ...{ volumes, standbyOrder },
        ...{ type: 'Failover', poolRef: { name: 'site' } },
      });
    for (const name of cameras)
      await make(cameraAssignments, 'CameraAssignment', name, {
        serverRef: { name: 'alpha' },
        source: { url: `rtsp://camera.example/${name}` },
      });
    for (const name of ['alpha', 'spare-1', 'spare-2'])
      recorders.set(name, new FakeRecorder(operator.client, namespace, name, cameras).start());
    for (const name of ['alpha', 'spare-1', 'spare-2'])
      await until(`${name} is ready`, async () =>
        (await condition(name, 'Ready'))?.status === 'True' ? true : undefined,
      );
    await quiet(operator);
    await lookForGaps();
    expect(gaps).to.deep.equal([]);
    watching = setInterval(() => {
      lookForGaps().catch((error: unknown) => gaps.push(String(error)));
    }, 100);
  }

  const holder = (name: string) =>
    until(`${name} holds the role`, async () => {
      const { status } = await pool();
      const role = status?.roles?.find((entry) => entry.name === 'alpha');
      return role?.holder === name && status?.current === undefined ? role : undefined;
    });

  it('empties a server for its repair, and takes the role home afterwards', async () => {
    await site({ failback: { mode: 'Automatic', stableSeconds: 1 } });
    await edit('alpha', { operatingMode: 'Maintenance' });
    await holder('spare-1');
    await until('alpha may be repaired', async () => {
      const safe = await condition('alpha', 'SafeToRepair');
      return safe?.status === 'True' ? safe : undefined;
    });
    const gone = await operator.client
      .get(resources.pods, { namespace, name: 'alpha' })
      .catch((error: unknown) => (isApiError(error, 'notFound') ? undefined : Promise.reject(error)));
    expect(gone).to.equal(undefined);
    expect((await server('alpha')).status).to.include({ state: 'Maintenance', servingRole: '' });
    await edit('alpha', { operatingMode: 'Normal' });
    await holder('alpha');
    const { status } = await pool();
    expect(status?.history?.map(({ trigger, to, outcome }) => [trigger, to, outcome])).to.deep.equal([
      ['Failback', 'alpha', 'Completed'],
      ['Maintenance', 'spare-1', 'Completed'],
    ]);
    await quiet(operator);
    expect((await server('spare-1')).status).to.include({ state: 'Standby', servingRole: '' });
    expect(gaps).to.deep.equal([]);
  });

  it('is done by a request, once, and refused with the mend', async () => {
    await site();
    await ask('1 switchover alpha to spare-2');
    await holder('spare-2');
    const answered = await until('the request is done', async () => {
      const { status } = await pool();
      return status?.lastRequest?.outcome === 'Done' ? status.lastRequest : undefined;
    });
    expect(answered).to.include({ id: '1', command: 'switchover alpha to spare-2' });
    await ask('2 switchover alpha to nobody');
    const refused = await until('the request is refused', async () => {
      const { status } = await pool();
      return status?.lastRequest?.outcome === 'Refused' ? status.lastRequest : undefined;
    });
    expect(refused.message).to.contain('nobody is no server of this pool');
    await ask('3 failback alpha');
    await holder('alpha');
    await quiet(operator);
    operator.written.length = 0;
    await quiet(operator);
    expect(operator.written, 'quiet when nothing happens').to.deep.equal([]);
    expect((await pool()).status?.history).to.have.length(2);
    expect(gaps).to.deep.equal([]);
  });

  it('leaves a cordoned node, and the pod may be evicted only after the handover', async () => {
    // Both standbys are to fall silent, and no storm is to be made of it.
    // Recorders, operator and test are one process here: with the shortest timeout a moment in which it stands still
    // would be a recorder that is silent.
    await site({
      failoverTimeoutSeconds: 5,
      failback: { mode: 'None', stableSeconds: 1 },
      storm: { maxUnreachablePercent: 100, holdSeconds: 60 },
    });
    const raw = openRawApi(api.cluster.kubeconfigPath);
    const node = `node-${namespace}`;
    try {
      await operator.client.create(resources.nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name: node } });
      const bound = await raw.call('POST', `/api/v1/namespaces/${namespace}/pods/alpha/binding`, {
        ...{ apiVersion: 'v1', kind: 'Binding', metadata: { name: 'alpha' } },
        target: { apiVersion: 'v1', kind: 'Node', name: node },
      });
      expect(bound.status, bound.message).to.equal(201);
      await recorders.get('spare-1')?.cutPower();
      await until('spare-1 is broken', async () =>
        (await server('spare-1')).status?.state === 'Broken' ? true : undefined,
      );
      await recorders.get('spare-2')?.cutPower();
      await until('spare-2 is broken', async () =>
        (await server('spare-2')).status?.state === 'Broken' ? true : undefined,
      );
      await operator.client.patch(resources.nodes, { name: node }, { spec: { unschedulable: true } });
      await until('the pool says what the move waits for', async () => {
        const pending = (await pool()).status?.conditions?.find(({ type }) => type === 'MovesPending');
        return pending?.message.includes('alpha (NodeCordoned): waits: spare-1: NotHealthy') ? true : undefined;
      });
      const pod = () => operator.client.get(resources.pods, { namespace, name: 'alpha' });
      expect((await pod()).metadata.labels).to.include({
        [labels.recordingRole]: 'alpha',
        [labels.servingRole]: 'alpha',
      });
      recorders.set('spare-2', new FakeRecorder(operator.client, namespace, 'spare-2', cameras).start());
      await until('the role leaves the node', async () => {
        const { status } = await pool();
        return status?.roles?.some(({ name, holder: at }) => name === 'alpha' && at === 'spare-2') ? true : undefined;
      });
      await until('the budget lets the pod go', async () => {
        const { metadata } = await pod();
        if (metadata.labels?.[labels.recordingRole] === undefined) return true;
        const { history } = (await pool()).status ?? {};
        throw new Error(
          `the pool says ${JSON.stringify(history)}; last trouble: ${recorders.get('spare-2')?.trouble}; stood still for ${Math.round(turns.max / 1e6)} ms`,
        );
      });
      const { status } = await pool();
      expect(status?.roles?.[0]?.handedOverTime, 'not before the handover').to.be.a('string');
      expect(gaps).to.deep.equal([]);
    } finally {
      await operator.client.delete(resources.nodes, { name: node });
      raw.close();
    }
  });
});
