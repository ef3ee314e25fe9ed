import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { type Cameras, startCameras } from '../../cameras/cameras.js';
import { RecorderBench, SERVER, until } from './support/recorder-bench.js';

const run = promisify(execFile);

async function frames(path: string): Promise<number> {
  const args = ['-v', 'error', '-select_streams', 'v', '-show_entries', 'packet=pts', '-of', 'csv=p=0', path];
  return (await run('ffprobe', args)).stdout.split('\n').filter((line) => line !== '').length;
}

describe('the recorder agent', function () {
  this.timeout(60_000);
  let cameras: Cameras;
  let bench: RecorderBench;

  before(async () => {
    cameras = await startCameras({ names: ['gate', 'yard'], host: '127.0.0.1', fps: 5, size: '320x180' });
  });
  after(() => cameras.stop());
  beforeEach(async () => {
    bench = await RecorderBench.open();
  });
  afterEach(() => bench.close());

  const inPlace = (place: string) => until(`a segment in ${place}`, async () => (await bench.segments(place))[0]);

  it('records the cameras of its role into segments that can be played, and says so', async () => {
    bench.camera('gate', cameras.url('gate'));
    bench.camera('yard', cameras.url('yard'));
    bench.assign(SERVER, 1);
    await bench.start();
    await Promise.all([bench.recording('gate'), bench.recording('yard')]);
    expect(bench.report).to.include({ role: SERVER, epoch: 1, mode: 'Record', podUID: 'pod-uid-1', version: '1.2.3' });
    const segment = await inPlace(`${SERVER}/gate`);
    expect(segment).to.match(new RegExp(`^${SERVER}/gate/e1-\\d{8}-[0-9a-f]+/\\d{8}T\\d{6}Z\\.ts$`));
    expect(await frames(join(bench.folder, segment))).to.be.greaterThan(2);
  });

  it('starts a killed engine again, into a folder of its own', async () => {
    bench.camera('gate', cameras.url('gate'));
    bench.assign(SERVER, 1);
    await bench.start();
    await bench.recording('gate');
    const [first] = await until('one engine', () => bench.engines());
    process.kill(Number(first), 'SIGKILL');
    await until('another engine', async () => (await bench.engines()).some((pid) => pid !== first));
    await until('footage of two writers', async () => {
      const folders = (await bench.segments(`${SERVER}/gate`)).map((path) => path.split('/')[2]);
      return new Set(folders).size === 2;
    });
    await bench.recording('gate');
    expect(bench.report.cameras?.[0]?.lastFrameTime).to.be.a('string');
  });

  it('reconnects to a camera that has fallen silent without closing', async () => {
    bench.camera('gate', cameras.url('gate'), { source: { connectTimeoutSeconds: 30 } });
    bench.assign(SERVER, 1);
    await bench.start();
    await bench.recording('gate');
    const attempts = cameras.attempts('gate');
    cameras.freeze('gate');
    try {
      await until('a new attempt', () => cameras.attempts('gate') > attempts);
      expect(bench.cameraState('gate')).to.not.equal('Recording');
    } finally {
      cameras.unfreeze('gate');
    }
    await bench.recording('gate');
  });

  it('reports a camera that refuses, and comes back to it', async () => {
    cameras.refuse('gate');
    try {
      bench.camera('gate', cameras.url('gate'));
      bench.camera('yard', cameras.url('yard'));
      bench.assign(SERVER, 1);
      await bench.start();
      await until('the refusal is reported', () => bench.cameraState('gate') === 'Failed');
      expect(bench.report.cameras?.[0]?.error).to.contain('no free session');
      await bench.recording('yard');
      expect(bench.report.recordingService?.state).to.equal('Ready');
    } finally {
      cameras.accept('gate');
    }
    await bench.recording('gate');
  });

  it('goes on without a break when the epoch rises, and files what follows under the new one', async () => {
    bench.camera('gate', cameras.url('gate'));
    bench.assign(SERVER, 1);
    await bench.start();
    await bench.recording('gate');
    const engines = await bench.engines();
    bench.assign(SERVER, 4);
    await until('the new epoch is acknowledged', () => bench.report.epoch === 4);
    const folders = async () => (await bench.segments(`${SERVER}/gate`)).map((path) => path.split('/')[2] ?? '');
    await until('a segment of epoch 4', async () => (await folders()).some((folder) => folder.startsWith('e4-')));
    expect(await bench.engines()).to.deep.equal(engines);
  });

  it('stops when relieved, keeps its epoch, and ignores a late word of an older one', async () => {
    bench.camera('gate', cameras.url('gate'));
    bench.assign(SERVER, 5);
    await bench.start();
    await bench.recording('gate');
    bench.assign('', 6);
    await until('the relief is acknowledged', () => bench.report.epoch === 6 && bench.report.mode === 'Idle');
    await until('no engine runs', async () => (await bench.engines()).length === 0);
    await until('all footage is in its place', async () => (await bench.segments('.understudy')).length === 0);
    bench.assign(SERVER, 5);
    await bench.heartbeats(2);
    expect(bench.report).to.include({ role: '', epoch: 6, mode: 'Idle' });
    expect(await bench.engines()).to.deep.equal([]);
  });

  it('stops and sends no more heartbeats when another pod of its server is assigned', async () => {
    bench.camera('gate', cameras.url('gate'));
    bench.assign(SERVER, 1);
    await bench.start();
    await bench.recording('gate');
    bench.assign(SERVER, 2, 'pod-uid-2');
    await until('no engine runs', async () => (await bench.engines()).length === 0);
    const renewals = () => bench.api.count(({ method, path }) => method === 'PATCH' && path.includes('/leases/'));
    const reads = () => bench.api.count(({ method, path }) => method === 'GET' && path.includes('/leases/'));
    const before = { renewals: renewals(), reads: reads() };
    await until('it goes on looking', () => reads() >= before.reads + 3);
    expect(renewals()).to.equal(before.renewals);
  });

  it('records on while the API server is silent, and after its own restart too', async () => {
    bench.camera('gate', cameras.url('gate'));
    bench.assign(SERVER, 3);
    await bench.start();
    await bench.recording('gate');
    await until('the assignment is kept', () => bench.hasFile('.understudy/assignment.json'));
    bench.api.fail(() => true, { kind: 'cut' }, Number.POSITIVE_INFINITY);
    const before = (await bench.segments(`${SERVER}/gate`)).length;
    await until('it records while cut off', async () => (await bench.segments(`${SERVER}/gate`)).length > before + 1);
    await bench.stop();
    await bench.start();
    const [writer] = (await bench.segments(`${SERVER}/gate`)).map((path) => path.split('/')[2]);
    await until('another writer records under the same epoch', async () => {
      const folders = (await bench.segments(`${SERVER}/gate`)).map((path) => path.split('/')[2] ?? '');
      return folders.some((folder) => folder !== writer && folder.startsWith('e3-'));
    });
  });

  it('promotes what a dead recorder left open, under the epoch that is noted beside it', async () => {
    const folder = '.understudy/staging/gate/20260101-dead';
    await bench.file(`${folder}/e7.${SERVER}`, '');
    await bench.file(`${folder}/20260101T101010Z.ts`, 'last footage');
    await bench.start();
    const path = `${SERVER}/gate/e7-20260101-dead/20260101T101010Z.ts`;
    await until('the segment is in its place', () => bench.hasFile(path));
    await until('the staging folder is gone', async () => !(await bench.hasFile(folder)));
  });

  it('writes nothing but its Lease once all is quiet', async () => {
    bench.camera('gate', cameras.url('gate'));
    bench.assign(SERVER, 1);
    await bench.start();
    await bench.recording('gate');
    await until(
      'the clock has been measured',
      () => bench.report.clockOffsetSeconds !== undefined || bench.renewals() > 5,
    );
    // Its self-test takes longer than a camera's connect on a machine that is busy.
    await until('the recording service is ready', () => bench.report.recordingService?.state === 'Ready');
    const writes = () =>
      bench.api.requests
        .filter(({ method, path }) => method !== 'GET' && !path.includes('/leases/'))
        .map(({ body }) => JSON.stringify(body));
    const before = writes().length;
    await bench.heartbeats(4);
    expect(writes().slice(before)).to.deep.equal([]);
  });

  it('closes, syncs and files its segments when it is stopped', async () => {
    bench.camera('gate', cameras.url('gate'));
    bench.assign(SERVER, 1);
    await bench.start();
    await bench.recording('gate');
    await bench.stop();
    expect(await bench.segments('.understudy')).to.deep.equal([]);
    const segments = await bench.segments(`${SERVER}/gate`);
    expect(await frames(join(bench.folder, segments.at(-1) ?? ''))).to.be.greaterThan(0);
    expect(await bench.engines()).to.deep.equal([]);
  });
});
