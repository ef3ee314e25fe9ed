import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import type { EngineSource } from '../../src/recorder/engine/engine.js';
import { recordingInvocation } from '../../src/recorder/engine/ffmpeg/arguments.js';
import { finalFolder, placeMarker, stagingFolder } from '../../src/recorder/footage/layout.js';
import { type Cameras, startCameras } from '../cameras/cameras.js';
import { waitUntil } from '../cluster/wait-until.js';
import type { Hole } from '../scenario/frames.js';
import { measureCamera } from '../scenario/measure.js';
import { segmentsOn } from '../scenario/segments.js';

const NOBODY_RECORDS_MS = 2_000;

// What the other tests measure with is itself measured here, against what this test does to two recordings.
describe('measuring gaps in recorded files', () => {
  let cameras: Cameras;
  let root: string;
  const running: ChildProcess[] = [];

  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'understudy-measure-'));
    cameras = await startCameras({ names: ['gate'], host: '127.0.0.1' });
  });

  after(async () => {
    for (const child of running) child.kill('SIGKILL');
    await cameras?.stop();
    await rm(root, { recursive: true });
  });

  const disk = (server: string) => ({ server, folder: join(root, server) });
  /** Records as a recorder does, and gives back how to kill it. */
  const record = async (server: string, epoch: number): Promise<() => Promise<void>> => {
    const folder = join(disk(server).folder, stagingFolder('gate', `20260101-${server}`));
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, placeMarker({ role: 'home', epoch })), '');
    const source: EngineSource = {
      camera: 'gate',
      url: cameras.url('gate'),
      credentials: undefined,
      transport: 'TCP',
      connectTimeoutSeconds: 5,
      segmentSeconds: 2,
      audio: false,
    };
    const { args } = recordingInvocation(source, folder, 0);
    const child = spawn('ffmpeg', args, { stdio: 'ignore', env: { ...process.env, TZ: 'UTC' } });
    running.push(child);
    await waitUntil(`${server} has recorded three seconds`, () => hasSeconds(server, epoch, 3), { timeoutMs: 30_000 });
    return async () => {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    };
  };
  // A machine that stands still leaves a hole in the footage of one recorder; who follows whom is what is measured here.
  const betweenRecorders = (holes: readonly Hole[]) =>
    holes.filter(({ before, after }) => before.server !== after.server);
  const hasSeconds = async (server: string, epoch: number, seconds: number) => {
    if ((await segmentsOn(disk(server).folder, server, 'home', 'gate')).length === 0) return false;
    const { frames } = await measureCamera([disk(server)], 'home', 'gate', 0).catch(() => ({ frames: [] }));
    const own = frames.filter((frame) => frame.epoch === epoch);
    return (own.at(-1)?.timeMs ?? 0) - (own[0]?.timeMs ?? 0) >= seconds * 1000;
  };

  it('finds the gap between two recorders, and none while both record', async () => {
    const killFirst = await record('a', 1);
    await killFirst();
    const killedMs = Date.now();
    await pause(NOBODY_RECORDS_MS);
    const killSecond = await record('b', 2);
    const both = await measureCamera([disk('a'), disk('b')], 'home', 'gate', 0);
    const holes = betweenRecorders(both.holes);
    expect(holes, JSON.stringify(both.holes)).to.have.length(1);
    const [hole] = holes;
    expect(hole?.before).to.include({ server: 'a', epoch: 1 });
    expect(hole?.after).to.include({ server: 'b', epoch: 2 });
    expect(hole?.startMs, 'it begins at the kill').to.be.within(killedMs - 600, killedMs + 200);
    expect(hole?.endMs, 'and ends with the next recorder').to.be.greaterThan(killedMs + NOBODY_RECORDS_MS);
    expect(both.keyFrameSeconds).to.be.closeTo(1, 0.15);

    const killThird = await record('c', 3);
    await killSecond();
    const overlapping = await measureCamera([disk('b'), disk('c')], 'home', 'gate', 0);
    expect(betweenRecorders(overlapping.holes)).to.deep.equal([]);
    await killThird();
  });

  it('counts a segment that is open and one that is closed alike', async () => {
    const open = await segmentsOn(disk('a').folder, 'a', 'home', 'gate');
    const before = await measureCamera([disk('a')], 'home', 'gate', 0);
    for (const { path } of open.slice(0, 1)) {
      const name = path.slice(path.lastIndexOf('/') + 1);
      const folder = join(disk('a').folder, finalFolder({ role: 'home', epoch: 1 }, 'gate', '20260101-a', name));
      await mkdir(folder, { recursive: true });
      await rename(path, join(folder, name));
    }
    const after = await measureCamera([disk('a')], 'home', 'gate', 0);
    expect(after.frames.map(({ timeMs }) => timeMs)).to.deep.equal(before.frames.map(({ timeMs }) => timeMs));
    expect(new Set(after.frames.map(({ writer }) => writer))).to.deep.equal(new Set(['a']));
  });
});
