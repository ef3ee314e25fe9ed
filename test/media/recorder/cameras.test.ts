import { expect } from 'chai';
import { labels, recordingServers } from '../../../src/crds/index.js';
import { resources } from '../../../src/operator/index.js';
import { type Cameras, startCameras } from '../../cameras/cameras.js';
import { NAMESPACE, POD_UID, RecorderBench, SERVER, until } from './support/recorder-bench.js';

describe('a recorder and its cameras', function () {
  this.timeout(90_000);
  let cameras: Cameras;
  let bench: RecorderBench;

  before(async () => {
    const login = { username: 'viewer', password: 'secret' };
    cameras = await startCameras({ names: ['door', 'yard'], host: '127.0.0.1', fps: 5, size: '320x180', ...login });
  });
  after(() => cameras.stop());
  beforeEach(async () => {
    bench = await RecorderBench.open();
    bench.secret('login', 'viewer', 'secret');
  });
  afterEach(() => bench.close());

  const source = { credentialsSecretRef: { name: 'login' } };

  /** What the operator says besides the assignment: in the server's status, and on its Lease. */
  function tell(change: {
    supersededEpoch?: number;
    questions?: string;
    spec?: object;
    role?: string;
    epoch?: number;
  }) {
    const { supersededEpoch, questions = '', role = SERVER, epoch = 1 } = change;
    const stored = (collection: string, name: string) => bench.api.store.get(collection, `${NAMESPACE}/${name}`);
    const server = stored('understudy.dev/v1alpha1/recordingservers', SERVER);
    const spec = { type: 'Standard', poolRef: { name: 'pool' }, volumes: [] };
    const status = { servingRole: role, epoch, podUID: POD_UID, ...(supersededEpoch ? { supersededEpoch } : {}) };
    bench.api.put(recordingServers, { ...server, spec, status });
    const lease = stored('coordination.k8s.io/v1/leases', `understudy-${SERVER}`);
    const annotations = {
      [labels.leaseServingRole]: role,
      [labels.leaseEpoch]: String(epoch),
      [labels.leaseAssignedPodUid]: POD_UID,
      [labels.leaseProbe]: questions,
    };
    bench.api.put(resources.leases, { ...lease, metadata: { ...lease.metadata, annotations } });
  }

  it('lets a camera with one session go when its role is taken up elsewhere, and takes it back', async () => {
    bench.camera('door', cameras.url('door'), { source: { ...source, maxSessions: 1 } });
    bench.camera('yard', cameras.url('yard'), { source });
    tell({});
    await bench.start();
    await Promise.all([bench.recording('door'), bench.recording('yard')]);
    tell({ supersededEpoch: 2 });
    await until('the session is free', () => cameras.sessions('door') === 0);
    const released = await until('it is told', () =>
      bench.report.cameras?.find(({ name, state }) => name === 'door' && state === 'Stopped'),
    );
    expect(released).to.include({ error: 'CameraSessionLimit' });
    expect(released.lastFrameTime).to.be.a('string');
    expect(bench.cameraState('yard')).to.equal('Recording');
    expect(cameras.sessions('yard')).to.equal(1);
    tell({});
    await bench.recording('door');
  });

  it('says that a camera has no session left, and gets it as soon as it is free', async () => {
    cameras.limitSessions('door', 0);
    try {
      bench.camera('door', cameras.url('door'), { source: { ...source, maxSessions: 1 } });
      tell({});
      await bench.start();
      const failed = await until('the refusal', () => bench.report.cameras?.find(({ state }) => state === 'Failed'));
      expect(failed.failure).to.equal('SessionLimit');
    } finally {
      cameras.limitSessions('door', undefined);
    }
    await bench.recording('door');
    expect(bench.report.cameras?.[0]?.failure).to.equal(undefined);
  });

  it('probes the cameras of its pool while it stands by, without a session, and answers questions', async () => {
    bench.camera('door', cameras.url('door'), { source: { ...source, maxSessions: 1 } });
    bench.camera('yard', cameras.url('yard'), { source });
    bench.camera('gone', 'rtsp://127.0.0.1:1/gone', { source });
    bench.camera('locked', cameras.url('yard'), { source: { credentialsSecretRef: { name: 'none' } } });
    tell({ role: '' });
    await bench.start();
    const found = await until('the first round', () => bench.report.reachability, 60_000);
    expect(found).to.deep.include({ cameras: 4, total: 4, reachable: 2, unreachable: ['gone'] });
    expect(found.noCredentials).to.deep.equal(['locked']);
    expect(cameras.sessions('door') + cameras.sessions('yard')).to.equal(0);
    await until('the disk is measured', () => bench.report.volumes?.[0]?.writeMegabytesPerSecond !== undefined);
    const id = `${SERVER}/2026-01-02T03:04:05Z`;
    tell({ role: '', questions: id });
    const answer = await until('the answer', () => bench.report.reachability?.asked?.[0], 60_000);
    expect(answer).to.deep.equal({ id, total: 4, reachable: 2 });
  });

  it('stops its probes at once with a role', async () => {
    bench.camera('yard', cameras.url('yard'), { source });
    tell({ role: '' });
    await bench.start();
    await until('the first round', () => bench.report.reachability, 60_000);
    tell({ role: SERVER, epoch: 2 });
    await bench.recording('yard');
    expect(bench.report.reachability).to.equal(undefined);
  });
});
