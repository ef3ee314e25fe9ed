import { expect } from 'chai';
import {
  API_VERSION,
  type CameraAssignment,
  cameraAssignments,
  failoverPools,
  labels,
  type RecordingServer,
  recordingServers,
} from '../../src/crds/index.js';
import { isApiError, type KubeObject, type ResourceType, resources } from '../../src/operator/index.js';
import { installCrds, testNamespace, useApiCluster } from '../support/api-cluster.js';
import { FakeRecorder } from './support/fake-recorder.js';
import { type OperatorUnderTest, quiet, startOperator, until } from './support/operator-under-test.js';

const volumes = [{ name: 'footage', mountPath: '/footage/a', claimTemplate: { storage: '1Gi' } }];

describe('a CameraAssignment on a real API server', function () {
  this.timeout(90_000);
  const api = useApiCluster();
  let namespace: string;
  let operator: OperatorUnderTest;
  let recorders: FakeRecorder[];

  before(async () => {
    await installCrds(api.cluster);
  });
  beforeEach(async () => {
    recorders = [];
    namespace = await testNamespace('cam');
    operator = await startOperator(api.cluster.kubeconfigPath, namespace);
  });
  afterEach(async () => {
    await Promise.all(recorders.map((recorder) => recorder.cutPower()));
    await operator.stop();
  });

  const make = (type: ResourceType, kind: string, name: string, spec: Record<string, unknown>) =>
    operator.client.create(type, { apiVersion: API_VERSION, kind, metadata: { name, namespace }, spec } as KubeObject);
  const camera = (
    name: string,
    home: string,
    source: Record<string, unknown> = {},
    more: Record<string, unknown> = {},
  ) =>
    make(cameraAssignments, 'CameraAssignment', name, {
      serverRef: { name: home },
      source: { url: `rtsp://camera.example/${name}`, ...source },
      ...more,
    });
  const server = (name: string, spec: Record<string, unknown> = {}) =>
    make(recordingServers, 'RecordingServer', name, { volumes, ...spec });
  const pool = () => make(failoverPools, 'FailoverPool', 'site', { failoverTimeoutSeconds: 3 });
  const recorder = (name: string, cameras: readonly string[]) => {
    const started = new FakeRecorder(operator.client, namespace, name, cameras).start();
    recorders.push(started);
    return started;
  };
  const look = (name: string) => operator.client.get<CameraAssignment>(cameraAssignments, { namespace, name });
  const condition = (name: string, type: string, reason: string) =>
    until(`${name} is ${type}/${reason}`, async () => {
      const found = await look(name);
      const has = found.status?.conditions?.find((entry) => entry.type === type && entry.reason === reason);
      return has && { ...has, camera: found };
    });
  const ready = (name: string) =>
    until(`${name} has been ready`, async () => {
      const { status } = await operator.client.get<RecordingServer>(recordingServers, { namespace, name });
      return status?.everReadyTime;
    });

  it('says what is wrong with its server, and is bound once the server is there', async () => {
    await camera('gate', 'alpha');
    const missing = await condition('gate', 'Bound', 'ServerNotFound');
    expect(missing.message).to.contain('alpha');
    expect((await condition('gate', 'Stalled', 'ServerNotFound')).status).to.equal('True');
    await server('alpha');
    recorder('alpha', ['gate']);
    const recording = await condition('gate', 'Ready', 'Recording');
    expect(recording.camera.status?.boundTo).to.include({ role: 'alpha', server: 'alpha', epoch: 1 });
    expect(recording.camera.status?.recording?.startTime).to.be.a('string');
  });

  it('has no home on a server of type Failover', async () => {
    await pool();
    await server('spare', { type: 'Failover', poolRef: { name: 'site' } });
    await camera('gate', 'spare');
    expect((await condition('gate', 'Stalled', 'ServerHasNoRole')).status).to.equal('True');
  });

  it('follows its role to a standby, with two writes a camera, and leaves behind what can not move', async () => {
    const names = ['c1', 'c2', 'c3', 'c4', 'c5', 'c6'];
    await pool();
    await server('alpha', { poolRef: { name: 'site' } });
    await server('spare', { type: 'Failover', poolRef: { name: 'site' }, capacity: { cameras: 6 } });
    for (const name of names) await camera(name, 'alpha');
    await camera('card', 'alpha', { type: 'Analog' });
    await camera('private', 'alpha', {}, { priority: 'Never' });
    await camera('least', 'alpha', {}, { priority: 'Low' });
    const alpha = recorder('alpha', [...names, 'private', 'least']);
    recorder('spare', names);
    await Promise.all([ready('alpha'), ready('spare')]);
    for (const name of names) await condition(name, 'Recording', 'Recording');
    await quiet(operator);
    operator.written.length = 0;
    await alpha.cutPower();
    for (const name of names) {
      const moved = await condition(name, 'OnSubstitute', 'OnSubstitute');
      expect(moved.camera.status?.boundTo).to.include({ role: 'alpha', server: 'spare' });
      await condition(name, 'Ready', 'Recording');
    }
    expect((await condition('card', 'Bound', 'AnalogNotTransferable')).camera.status?.boundTo).to.equal(undefined);
    await condition('private', 'Bound', 'PriorityNever');
    await condition('least', 'Bound', 'CapacityExceeded');
    await quiet(operator);
    for (const name of names) {
      const writes = operator.written.filter((write) => write.endsWith(` cameraassignments ${name}`));
      expect(writes.length, `${name}: ${writes.join(', ')}`).to.be.at.most(2);
    }
    const [home, substitute] = await Promise.all(
      ['alpha', 'spare'].map((name) => operator.client.get(resources.pods, { namespace, name })),
    );
    expect(home?.metadata.labels?.[labels.servingRole]).to.equal(undefined);
    expect(substitute?.metadata.labels?.[labels.servingRole]).to.equal('alpha');
  });

  it('stays where it is when its pool is deleted and applied again', async () => {
    await pool();
    await server('alpha', { poolRef: { name: 'site' } });
    await server('spare', { type: 'Failover', poolRef: { name: 'site' } });
    await camera('gate', 'alpha');
    const alpha = recorder('alpha', ['gate']);
    recorder('spare', ['gate']);
    await Promise.all([ready('alpha'), ready('spare')]);
    await condition('gate', 'Recording', 'Recording');
    await alpha.cutPower();
    await condition('gate', 'OnSubstitute', 'OnSubstitute');
    const before = await condition('gate', 'Ready', 'Recording');
    await quiet(operator);
    await operator.client.delete(failoverPools, { namespace, name: 'site' });
    await quiet(operator);
    const without = await look('gate');
    expect(without.status?.boundTo).to.deep.equal(before.camera.status?.boundTo);
    await pool();
    await quiet(operator);
    const after = await look('gate');
    expect(after.status?.boundTo?.server).to.equal('spare');
    expect(after.status?.recording).to.deep.equal(before.camera.status?.recording);
    const spare = await operator.client.get<RecordingServer>(recordingServers, { namespace, name: 'spare' });
    expect(spare.status?.servingRole).to.equal('alpha');
    expect(spare.status?.epoch ?? 0).to.be.at.least(before.camera.status?.boundTo?.epoch ?? 0);
  });

  it('is unbound when its home is deleted', async () => {
    await server('alpha');
    await camera('gate', 'alpha');
    recorder('alpha', ['gate']);
    await condition('gate', 'Ready', 'Recording');
    await operator.client.delete(recordingServers, { namespace, name: 'alpha' });
    const unbound = await condition('gate', 'Bound', 'ServerNotFound');
    expect(unbound.camera.status?.boundTo).to.equal(undefined);
    await operator.client.delete(cameraAssignments, { namespace, name: 'gate' });
    await until('the camera is gone', async () => {
      try {
        await look('gate');
        return undefined;
      } catch (error) {
        if (isApiError(error, 'notFound')) return true;
        throw error;
      }
    });
  });
});
