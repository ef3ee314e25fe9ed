import { expect } from 'chai';
import {
  API_VERSION,
  childNames,
  type FailoverPool,
  failoverPools,
  type RecordingServer,
  recorderReports,
  recordingServers,
} from '../../src/crds/index.js';
import { type KubeObject, microTime, type ResourceType, resources } from '../../src/operator/index.js';
import { installCrds, testNamespace, useApiCluster } from '../support/api-cluster.js';
import { FakeRecorder } from './support/fake-recorder.js';
import { type OperatorUnderTest, quiet, startOperator, until } from './support/operator-under-test.js';
import { openRawApi } from './support/raw-api.js';

const volumes = [{ name: 'footage', mountPath: '/footage/a', claimTemplate: { storage: '1Gi' } }];
const restartGraceSeconds = 8;

describe('evidence and planned restarts on a real API server', function () {
  this.timeout(120_000);
  const api = useApiCluster();
  const recorders = new Map<string, FakeRecorder>();
  let namespace: string;
  let operator: OperatorUnderTest;

  before(async () => {
    await installCrds(api.cluster);
    namespace = await testNamespace('evidence');
    operator = await startOperator(api.cluster.kubeconfigPath, namespace);
    await make(failoverPools, 'FailoverPool', 'site', { failoverTimeoutSeconds: 3, restartGraceSeconds });
    await make(recordingServers, 'RecordingServer', 'alpha', { volumes, poolRef: { name: 'site' } });
    await make(recordingServers, 'RecordingServer', 'beta', { volumes, poolRef: { name: 'site' } });
    for (const name of ['spare-1', 'spare-2'])
      await make(recordingServers, 'RecordingServer', name, { volumes, type: 'Failover', poolRef: { name: 'site' } });
    for (const name of ['alpha', 'beta', 'spare-1', 'spare-2']) begin(name);
    for (const name of ['alpha', 'beta', 'spare-1', 'spare-2']) await condition(name, 'Ready', 'True');
  });
  after(async () => {
    await Promise.all([...recorders.values()].map((recorder) => recorder.cutPower()));
    await operator.stop();
  });

  const make = (type: ResourceType, kind: string, name: string, spec: Record<string, unknown>) =>
    operator.client.create(type, { apiVersion: API_VERSION, kind, metadata: { name, namespace }, spec } as KubeObject);
  const begin = (name: string) => recorders.set(name, new FakeRecorder(operator.client, namespace, name, []).start());
  const server = (name: string) => operator.client.get<RecordingServer>(recordingServers, { namespace, name });
  const pool = async () =>
    (await operator.client.get<FailoverPool>(failoverPools, { namespace, name: 'site' })).status ?? {};
  const condition = (name: string, type: string, wanted: string) =>
    until(`${type} of ${name} is ${wanted}`, async () => {
      const found = (await server(name)).status?.conditions?.find((entry) => entry.type === type);
      return found?.status === wanted || found?.reason === wanted ? found : undefined;
    });
  const holds = (name: string, role: string) =>
    until(`${name} holds ${role}`, async () =>
      (await pool()).roles?.find((entry) => entry.name === role && entry.holder === name),
    );

  /** What an agent does on SIGTERM: announces its end, renews a last time, and is gone. Resolves to the announcement. */
  async function stopsInOrder(name: string): Promise<string> {
    await recorders.get(name)?.cutPower();
    const { status } = await server(name);
    const sinceTime = new Date().toISOString();
    const recordingService = { state: 'Stopping', sinceTime };
    await operator.client.patchStatus(recorderReports, { namespace, name }, { status: { recordingService } });
    const spec = { renewTime: microTime(new Date()), holderIdentity: status?.podUID };
    await operator.client.patch(resources.leases, { namespace, name: childNames.lease(name) }, { spec });
    return sinceTime;
  }

  it('waits for a recorder that has announced its stop, and moves nothing when it comes back', async () => {
    await stopsInOrder('alpha');
    await condition('alpha', 'Reachable', 'Restarting');
    begin('alpha');
    await condition('alpha', 'Reachable', 'HeartbeatFresh');
    await condition('alpha', 'Ready', 'True');
    await quiet(operator);
    const { current, queue, history } = await pool();
    expect({ current, queue, history }).to.deep.equal({ current: undefined, queue: undefined, history: undefined });
  });

  it('takes its role over when it has not come back in restartGraceSeconds, and not before', async () => {
    const announced = await stopsInOrder('alpha');
    await holds('spare-1', 'alpha');
    const entry = await until('the failover is in the history', async () =>
      (await pool()).history?.find(({ from }) => from === 'alpha'),
    );
    expect(Date.parse(entry.committedTime) - Date.parse(announced)).to.be.at.least(restartGraceSeconds * 1000);
    expect(entry.trigger).to.equal('Unreachable');
    const told = entry.evidence?.find(({ reason }) => reason === 'Restarting');
    expect(Date.parse(told?.time ?? '')).to.equal(Date.parse(announced));
  });

  it('keeps why a volume can not be mounted with the failure, by the Events of its pod', async () => {
    const raw = openRawApi(api.cluster.kubeconfigPath);
    try {
      const uid = (await server('beta')).status?.podUID;
      const path = `/api/v1/namespaces/${namespace}/pods/beta`;
      const metadata = { name: 'beta', namespace };
      const target = { apiVersion: 'v1', kind: 'Node', name: 'nowhere' };
      const bound = await raw.call('POST', `${path}/binding`, { apiVersion: 'v1', kind: 'Binding', metadata, target });
      expect(bound.status, bound.message).to.equal(201);
      await recorders.get('beta')?.cutPower();
      const lastTransitionTime = new Date().toISOString();
      const conditions = [{ type: 'PodReadyToStartContainers', status: 'False', lastTransitionTime }];
      const patched = await raw.call('PATCH', `${path}/status`, { status: { phase: 'Pending', conditions } });
      expect(patched.status, patched.message).to.equal(200);
      const time = '2026-01-02T03:04:05Z';
      const event = await raw.call('POST', `/api/v1/namespaces/${namespace}/events`, {
        metadata: { name: 'beta.mount', namespace },
        involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace, name: 'beta', uid },
        reason: 'FailedMount',
        message: 'MountVolume.SetUp failed for volume "footage": no such device',
        type: 'Warning',
        firstTimestamp: time,
        lastTimestamp: time,
      });
      expect(event.status, event.message).to.equal(201);
      const entry = await until(
        'the history tells of the mount',
        async () =>
          (await pool()).history
            ?.find(({ from }) => from === 'beta')
            ?.evidence?.find(({ reason }) => reason === 'MountFailed'),
        40_000,
      );
      expect(entry).to.deep.equal({
        reason: 'MountFailed',
        message: 'MountVolume.SetUp failed for volume "footage": no such device',
        time,
      });
      const ready = await condition('beta', 'Ready', 'Unreachable');
      expect(ready.message).to.contain('no such device').and.to.contain('node nowhere does not exist');
    } finally {
      raw.close();
    }
  });

  it('comes to rest with servers that stay broken: their evidence does not change by itself', async () => {
    await quiet(operator);
    const before = JSON.stringify([await pool(), (await server('alpha')).status, (await server('beta')).status]);
    await quiet(operator, 6_000);
    const after = JSON.stringify([await pool(), (await server('alpha')).status, (await server('beta')).status]);
    expect(after).to.equal(before);
  });
});
