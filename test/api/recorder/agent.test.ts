import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { expect } from 'chai';
import {
  API_VERSION,
  cameraAssignments,
  childNames,
  labels,
  type RecorderReport,
  type RecordingServer,
  recorderReports,
  recordingServers,
} from '../../../src/crds/index.js';
import {
  createApiClient,
  createMetrics,
  type KubeClient,
  type KubeObject,
  resources,
  silentLog,
  systemClock,
} from '../../../src/operator/index.js';
import { Agent } from '../../../src/recorder/agent.js';
import { readEnvironment } from '../../../src/recorder/environment.js';
import { type Cameras, startCameras } from '../../cameras/cameras.js';
import { installCrds, testNamespace, useApiCluster } from '../../support/api-cluster.js';

async function until<T>(what: string, ask: () => Promise<T | undefined | false>, timeoutMs = 30_000): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > end) throw new Error(`${what}: not within ${timeoutMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

describe('the recorder agent on a real API server', function () {
  this.timeout(90_000);
  const api = useApiCluster();
  const server = 'rec-1';
  let namespace: string;
  let client: KubeClient;
  let cameras: Cameras;
  let folder: string;
  let agent: Agent | undefined;

  before(async () => {
    await installCrds(api.cluster);
    namespace = await testNamespace('recorder');
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromFile(api.cluster.kubeconfigPath);
    if (api.cluster.context !== undefined) kubeConfig.setCurrentContext(api.cluster.context);
    client = createApiClient({ kubeConfig, metrics: createMetrics({ processMetrics: false }), log: silentLog });
    cameras = await startCameras({ names: ['gate', 'yard', 'hall'], host: '127.0.0.1', fps: 5, size: '320x180' });
    folder = await mkdtemp(join(tmpdir(), 'understudy-recorder-api-'));
  });
  after(async () => {
    await agent?.stop();
    await cameras?.stop();
    await client?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const key = (name: string) => ({ namespace, name });
  const create = (type: Parameters<KubeClient['create']>[0], kind: string, name: string, rest: object) =>
    client.create<KubeObject>(type, { apiVersion: API_VERSION, kind, metadata: { name, namespace }, ...rest });
  const camera = (name: string, home: string) =>
    create(cameraAssignments, 'CameraAssignment', name, {
      spec: { serverRef: { name: home }, source: { url: cameras.url(name) }, recording: { segmentSeconds: 2 } },
    });
  const report = async () => (await client.get<RecorderReport>(recorderReports, key(server))).status ?? {};
  const assign = async (role: string, epoch: number) => {
    const status = { servingRole: role, epoch, podUID: 'pod-uid' };
    await client.patchStatus<RecordingServer>(recordingServers, key(server), { status });
  };
  const states = async () => {
    const { cameras: reported = [] } = await report();
    return reported.map(({ name, state }) => `${name} ${state}`).join(', ');
  };

  it('renews its Lease, records the cameras of its role and no others, and has its report accepted', async () => {
    const volumes = [{ name: 'footage', mountPath: '/footage/a', claimTemplate: { storage: '1Gi' } }];
    await create(recordingServers, 'RecordingServer', server, { spec: { volumes } });
    await create(recorderReports, 'RecorderReport', childNames.report(server), {});
    await client.create<KubeObject>(resources.leases, {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: childNames.lease(server), namespace },
      spec: { leaseDurationSeconds: 3 },
    } as KubeObject);
    await camera('gate', server);
    await camera('yard', 'rec-2');
    await assign(server, 1);
    const mount = { name: 'footage', mountPath: folder, requireMount: false, claimUID: 'claim-uid' };
    const environment = readEnvironment(
      {
        UNDERSTUDY_SERVER: server,
        UNDERSTUDY_NAMESPACE: namespace,
        UNDERSTUDY_POD_UID: 'pod-uid',
        UNDERSTUDY_SERVER_UID: 'server-uid',
        UNDERSTUDY_VOLUMES: JSON.stringify([mount]),
      },
      0,
    );
    const metrics = createMetrics({ processMetrics: false });
    agent = new Agent({ environment, client, clock: systemClock, log: silentLog, metrics, version: '1.2.3' });
    await agent.start();
    await until('gate is recorded', async () => (await states()) === 'gate Recording');
    expect(await report()).to.include({ role: server, epoch: 1, mode: 'Record', podUID: 'pod-uid' });
    const lease = await client.get<KubeObject & { spec: { holderIdentity?: string; renewTime?: string } }>(
      resources.leases,
      key(childNames.lease(server)),
    );
    expect(lease.spec.holderIdentity).to.equal('pod-uid');
    expect(lease.spec.renewTime).to.match(/\.\d{6}Z$/);
  });

  it('measures its clock against that of the API server', async () => {
    const offset = await until('the offset', async () => (await report()).clockOffsetSeconds);
    expect(Math.abs(offset)).to.be.at.most(1);
  });

  it('follows cameras that are added and removed', async () => {
    await camera('hall', server);
    await until('hall is recorded too', async () => (await states()) === 'gate Recording, hall Recording');
    await client.delete(cameraAssignments, key('gate'));
    await until('gate is gone', async () => (await states()) === 'hall Recording');
  });

  it('takes another role by the annotations of its Lease alone, and leaves its own', async () => {
    const annotations = {
      [labels.leaseServingRole]: 'rec-2',
      [labels.leaseEpoch]: '2',
      [labels.leaseAssignedPodUid]: 'pod-uid',
    };
    await client.patch(resources.leases, key(childNames.lease(server)), { metadata: { annotations } });
    await until('yard is recorded', async () => (await states()) === 'yard Recording');
    expect(await report()).to.include({ role: 'rec-2', epoch: 2 });
  });

  it('ends its report with the relief', async () => {
    await assign('', 3);
    await until('it is idle', async () => (await report()).mode === 'Idle');
    expect(await report()).to.include({ role: '', epoch: 3 });
    expect((await report()).cameras).to.deep.equal([]);
  });
});
