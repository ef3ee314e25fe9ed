import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Cameras, startCameras } from '../../cameras/cameras.js';
import { canMount, LoopDisk } from './support/loop-disk.js';
import { RecorderBench, SERVER, until } from './support/recorder-bench.js';

describe('the recorder agent under faults', function () {
  this.timeout(60_000);
  let cameras: Cameras;
  let bench: RecorderBench | undefined;
  let disks: LoopDisk[] = [];

  before(async () => {
    const login = { username: 'viewer', password: "p@ss:w/rd'%" };
    cameras = await startCameras({ names: ['gate'], host: '127.0.0.1', fps: 5, size: '320x180', ...login });
  });
  after(() => cameras.stop());
  afterEach(async () => {
    await bench?.close();
    await Promise.all(disks.map((disk) => disk.remove()));
    bench = undefined;
    disks = [];
  });

  const open = async (options: Parameters<typeof RecorderBench.open>[0] = {}) => {
    bench = await RecorderBench.open(options);
    bench.secret('gate-login', 'viewer', "p@ss:w/rd'%");
    bench.camera('gate', cameras.url('gate'), { source: { credentialsSecretRef: { name: 'gate-login' } } });
    bench.assign(SERVER, 1);
    return bench;
  };
  const openOnDisks = async (count: number) => {
    for (let index = 0; index < count; index += 1) disks.push(await LoopDisk.make());
    return open({ volumes: disks.map(({ mountPath }, index) => ({ name: `disk-${index}`, mountPath })) });
  };

  it('logs in with the Secret and shows the password neither in processes nor in its report', async () => {
    const recorder = await open();
    await recorder.start();
    await recorder.recording('gate');
    const commands = await recorder.engineCommands();
    expect(commands).to.have.length(1);
    expect(commands.join()).to.not.match(/p@ss|p%40ss|viewer/);
    expect(JSON.stringify(recorder.report)).to.not.match(/p@ss|p%40ss/);
  });

  it('reports a refused login and does not try again soon', async () => {
    const recorder = await open();
    recorder.secret('gate-login', 'viewer', 'wrong');
    await recorder.start();
    await until('the refusal is reported', () => recorder.cameraState('gate') === 'Failed');
    expect(recorder.report.cameras?.[0]?.error).to.contain('credentialsSecretRef');
    const attempts = cameras.attempts('gate');
    await recorder.heartbeats(4);
    expect(cameras.attempts('gate')).to.equal(attempts);
    expect(recorder.report.recordingService?.state).to.equal('Ready');
  });

  it('says that the recording service failed when its engine cannot start, whatever its cameras do', async () => {
    const recorder = await open({ engineOptions: { ffmpegPath: '/nowhere/ffmpeg' } });
    await recorder.start();
    await until('the failure', () => recorder.report.recordingService?.state === 'Failed');
    expect(recorder.report.recordingService?.message).to.contain('/nowhere/ffmpeg');
    expect(recorder.cameraState('gate')).to.equal('Failed');
  });

  it('is ready again when its engine works again', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'understudy-engine-'));
    const program = join(folder, 'engine');
    bench = await open({ engineOptions: { ffmpegPath: program } });
    await bench.start();
    await until('the failure', () => bench?.report.recordingService?.state === 'Failed');
    await writeFile(program, '#!/bin/sh\nexec ffmpeg "$@"\n', { mode: 0o755 });
    await until('it is ready', () => bench?.report.recordingService?.state === 'Ready');
    await bench.recording('gate');
    await rm(folder, { recursive: true });
  });

  it('deletes footage past its age, also of cameras and roles that it no longer records', async () => {
    const recorder = await open();
    const old = 'other-role/old-cam/e1-20200101-aaaa/20200101T000000Z.ts';
    const young = `other-role/old-cam/e1-20200101-aaaa/20200101T000100Z.ts`;
    await recorder.file('other-role/old-cam/retention.json', '{"retentionSeconds":3600}\n');
    await recorder.file(old, 'x');
    await recorder.file(young, 'x');
    await recorder.age(old, 7200);
    await recorder.start();
    await until('the old one is gone', async () => !(await recorder.hasFile(old)));
    expect(await recorder.hasFile(young)).to.equal(true);
  });

  describe('on real disks', () => {
    before(function () {
      if (canMount) return;
      console.log('      skipped: making real disks needs root');
      this.skip();
    });

    it('moves a camera to the other disk when its own dies', async () => {
      const recorder = await openOnDisks(2);
      await recorder.start();
      await recorder.recording('gate');
      const volume = recorder.report.cameras?.[0]?.volume;
      const [dying, other] = volume === 'disk-0' ? disks : [...disks].reverse();
      await dying?.die();
      await until('it records on the other', () => {
        const camera = recorder.report.cameras?.[0];
        return camera?.state === 'Recording' && camera.volume !== volume;
      });
      await until('footage there', async () => (await recorder.segments(SERVER, other?.mountPath)).length > 0);
      expect(recorder.report.volumes?.find(({ name }) => name === volume)?.state).to.equal('Lost');
    });

    it('stays alive and says so when all disks are dead', async () => {
      const recorder = await openOnDisks(1);
      await recorder.start();
      await recorder.recording('gate');
      await disks[0]?.die();
      await until('the loss', () => recorder.report.volumes?.[0]?.state === 'Lost');
      await until('the camera', () => recorder.cameraState('gate') === 'Failed');
      await recorder.heartbeats(2);
      expect(recorder.report.recordingService?.state).to.equal('Ready');
    });

    it('goes on sending heartbeats while its disk hangs, and records on after it has thawed', async () => {
      const recorder = await openOnDisks(1);
      await recorder.start();
      await recorder.recording('gate');
      await disks[0]?.freeze();
      try {
        await until('the loss', () => recorder.report.volumes?.[0]?.state === 'Lost');
        await recorder.heartbeats(3);
      } finally {
        await disks[0]?.thaw();
      }
      await recorder.recording('gate');
    });

    it('loses only what came after the last sync when the power is cut, and promotes what was open at the next start', async () => {
      const recorder = await openOnDisks(1);
      await recorder.start();
      await recorder.recording('gate');
      await until('some seconds', async () => (await recorder.segments(SERVER)).length >= 2);
      const cutMs = Date.now();
      await disks[0]?.die();
      await until('no engine', async () => (await recorder.engines()).length === 0);
      await recorder.stop();
      await disks[0]?.unmount();
      await disks[0]?.mount();
      await recorder.start();
      await until('all is in its place or young', async () => {
        const staged = await recorder.segments('.understudy/staging');
        return staged.every((path) => segmentTime(path) > cutMs);
      });
      const survived = (await recorder.segments(SERVER)).filter((path) => segmentTime(path) < cutMs);
      const last = await recorder.lastFrameTime(survived.at(-1) ?? '');
      expect(cutMs - last).to.be.lessThan(2500);
    });

    it('never fills a disk: the oldest footage goes first', async () => {
      const recorder = await openOnDisks(1);
      const root = disks[0]?.mountPath ?? '';
      await recorder.start();
      await recorder.recording('gate');
      for (const day of ['20200101', '20200102']) {
        await recorder.file(`role/cam/e1-${day}-aaaa/${day}T000000Z.ts`, '', root);
        await writeFile(join(root, `role/cam/e1-${day}-aaaa/${day}T000000Z.ts`), Buffer.alloc(26 * 1024 * 1024));
      }
      await until('the older one is gone', async () => (await recorder.segments('role', root)).length === 1);
      expect((await recorder.segments('role', root))[0]).to.contain('20200102');
    });
  });
});

/** Start of a segment by its name, in milliseconds since 1970. */
function segmentTime(path: string): number {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return Date.parse(name.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z.*$/, '$1-$2-$3T$4:$5:$6Z'));
}
