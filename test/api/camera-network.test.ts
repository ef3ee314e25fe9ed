import { expect } from 'chai';
import {
  API_VERSION,
  cameraAssignments,
  type FailoverPool,
  failoverPools,
  type RecordingServer,
  recordingServers,
} from '../../src/crds/index.js';
import type { KubeObject, ResourceType } from '../../src/operator/index.js';
import { installCrds, testNamespace, useApiCluster } from '../support/api-cluster.js';
import { FakeRecorder } from './support/fake-recorder.js';
import { type OperatorUnderTest, quiet, startOperator, until } from './support/operator-under-test.js';

const volumes = [{ name: 'footage', mountPath: '/footage/a', claimTemplate: { storage: '1Gi' } }];

describe('a camera network that fails, on a real API server', function () {
  this.timeout(120_000);
  const api = useApiCluster();
  let namespace: string;
  let operator: OperatorUnderTest;
  let alpha: FakeRecorder;
  let spare: FakeRecorder;

  const make = (type: ResourceType, kind: string, name: string, spec: Record<string, unknown>) =>
    operator.client.create(type, { apiVersion: API_VERSION, kind, metadata: { name, namespace }, spec } as KubeObject);
  const server = (name: string) => operator.client.get<RecordingServer>(recordingServers, { namespace, name });
  const pool = () => operator.client.get<FailoverPool>(failoverPools, { namespace, name: 'site' });
  const reason = async (name: string, type: string) =>
    (await server(name)).status?.conditions?.find((condition) => condition.type === type)?.reason;
  const serving = (name: string, role: string) =>
    until(`${name} serves '${role}'`, async () => {
      const { status } = await server(name);
      const ready = status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True');
      return status?.servingRole === role && ready ? status : undefined;
    });

  before(async () => {
    await installCrds(api.cluster);
    namespace = await testNamespace('camera-network');
    operator = await startOperator(api.cluster.kubeconfigPath, namespace);
    const cameras = { failoverWhenUnreachable: true, graceSeconds: 5 };
    await make(failoverPools, 'FailoverPool', 'site', { failoverTimeoutSeconds: 3, cameras });
    await make(recordingServers, 'RecordingServer', 'alpha', { volumes, poolRef: { name: 'site' } });
    await make(recordingServers, 'RecordingServer', 'spare', { volumes, type: 'Failover', poolRef: { name: 'site' } });
    await make(cameraAssignments, 'CameraAssignment', 'gate', {
      serverRef: { name: 'alpha' },
      source: { url: 'rtsp://camera.example/gate' },
    });
    alpha = new FakeRecorder(operator.client, namespace, 'alpha', ['gate']).start();
    spare = new FakeRecorder(operator.client, namespace, 'spare', ['gate']).start();
    await serving('alpha', 'alpha');
    await serving('spare', '');
  });
  after(async () => {
    await Promise.all([alpha, spare].map((recorder) => recorder.cutPower()));
    await operator.stop();
  });

  it('is told on the recorder, which stays the holder while no standby reaches the cameras either', async () => {
    alpha.cutOff = true;
    await until('it is told', async () =>
      (await reason('alpha', 'CamerasReachable')) === 'AllUnreachable' ? 1 : undefined,
    );
    const waitingFor = await until('the standby has answered', async () => {
      const text = (await pool()).status?.queue?.[0]?.waitingFor;
      return text?.includes('none of the cameras') ? text : undefined;
    });
    expect(waitingFor).to.match(/^NoStandbyReachesCameras: spare/);
    await quiet(operator);
    expect((await pool()).status?.roles).to.equal(undefined);
    expect(await reason('alpha', 'Ready')).to.equal('Recording');
  });

  it('moves the role once a standby has reached a camera, and ends quietly', async () => {
    spare.reaches = 1;
    await serving('spare', 'alpha');
    await serving('alpha', '');
    await quiet(operator);
    const { status } = await pool();
    expect(status?.queue).to.equal(undefined);
    expect(status?.history?.[0]).to.include({ trigger: 'CamerasUnreachable', from: 'alpha', to: 'spare' });
    expect(await reason('spare', 'CamerasReachable')).to.equal('AllReachable');
    expect(await reason('alpha', 'StandbyReady')).to.equal('NotYetObserved');
  });
});
