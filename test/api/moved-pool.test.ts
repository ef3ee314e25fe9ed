import { expect } from 'chai';
import {
  API_VERSION,
  type CameraAssignment,
  cameraAssignments,
  type FailoverPool,
  failoverPools,
  labels,
  type RecordingServer,
  recordingServers,
} from '../../src/crds/index.js';
import { type KubeObject, type ResourceType, resources } from '../../src/operator/index.js';
import { installCrds, testNamespace, useApiCluster } from '../support/api-cluster.js';
import { FakeRecorder } from './support/fake-recorder.js';
import { type OperatorUnderTest, quiet, startOperator, until } from './support/operator-under-test.js';

const volumes = [{ name: 'footage', mountPath: '/footage/a', claimTemplate: { storage: '1Gi' } }];

describe('a server that moves to another pool on a real API server', function () {
  this.timeout(120_000);
  const api = useApiCluster();
  const recorders: FakeRecorder[] = [];
  let namespace: string;
  let operator: OperatorUnderTest;

  before(async () => {
    await installCrds(api.cluster);
    namespace = await testNamespace('moved');
    operator = await startOperator(api.cluster.kubeconfigPath, namespace);
  });
  after(async () => {
    await Promise.all(recorders.map((recorder) => recorder.cutPower()));
    await operator.stop();
  });

  const make = (type: ResourceType, kind: string, name: string, spec: Record<string, unknown>) =>
    operator.client.create(type, { apiVersion: API_VERSION, kind, metadata: { name, namespace }, spec } as KubeObject);
  const standby = (name: string, pool: string) =>
    make(recordingServers, 'RecordingServer', name, { volumes, type: 'Failover', poolRef: { name: pool } });
  const recorder = (name: string) => {
    const started = new FakeRecorder(operator.client, namespace, name, ['gate']).start();
    recorders.push(started);
    return started;
  };
  const moveTo = (name: string, pool: string) =>
    operator.client.patch(recordingServers, { namespace, name }, { spec: { poolRef: { name: pool } } });
  const serving = (name: string, role: string) =>
    until(`${name} serves '${role}'`, async () => {
      const { status } = await operator.client.get<RecordingServer>(recordingServers, { namespace, name });
      const ready = status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True');
      return status?.servingRole === role && ready ? status : undefined;
    });
  const rolesOf = async (name: string) => {
    const { status } = await operator.client.get<FailoverPool>(failoverPools, { namespace, name });
    return (status?.roles ?? []).map((role) => `${role.name} by ${role.holder}`);
  };
  const labelOf = async (name: string) =>
    (await operator.client.get(resources.pods, { namespace, name })).metadata.labels?.[labels.servingRole];

  it('gives up the role that it held once another server of the first pool records it', async () => {
    await make(failoverPools, 'FailoverPool', 'site', { failoverTimeoutSeconds: 3 });
    await make(recordingServers, 'RecordingServer', 'alpha', { volumes, poolRef: { name: 'site' } });
    await standby('spare', 'site');
    await make(cameraAssignments, 'CameraAssignment', 'gate', {
      serverRef: { name: 'alpha' },
      source: { url: 'rtsp://camera.example/gate' },
    });
    const alpha = recorder('alpha');
    recorder('spare');
    await serving('alpha', 'alpha');
    await serving('spare', '');
    await alpha.cutPower();
    const { epoch = 0 } = await serving('spare', 'alpha');
    await standby('spare-2', 'site');
    recorder('spare-2');
    await serving('spare-2', '');
    await quiet(operator);
    await make(failoverPools, 'FailoverPool', 'other', { failoverTimeoutSeconds: 3 });
    await moveTo('spare', 'other');
    await serving('spare-2', 'alpha');
    const relieved = await serving('spare', '');
    expect(relieved.epoch).to.be.above(epoch);
    await quiet(operator);
    expect(await rolesOf('site')).to.deep.equal(['alpha by spare-2']);
    expect(await rolesOf('other')).to.deep.equal([]);
    expect(await labelOf('spare')).to.equal(undefined);
    expect(await labelOf('spare-2')).to.equal('alpha');
  });

  it('takes its own role along when it is a repaired home, and relieves the substitute that it leaves', async () => {
    recorder('alpha');
    await until('alpha is healthy again', async () => {
      const { status } = await operator.client.get<RecordingServer>(recordingServers, { namespace, name: 'alpha' });
      return status?.healthyTime;
    });
    await moveTo('alpha', 'other');
    await serving('alpha', 'alpha');
    await serving('spare-2', '');
    await quiet(operator);
    expect(await rolesOf('site')).to.deep.equal([]);
    const gate = await operator.client.get<CameraAssignment>(cameraAssignments, { namespace, name: 'gate' });
    expect(gate.status?.boundTo).to.include({ role: 'alpha', server: 'alpha' });
  });
});
