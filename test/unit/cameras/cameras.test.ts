import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'chai';
import { type Cameras, startCameras } from '../../cameras/cameras.js';
import { RtspParser } from '../../cameras/rtsp-message.js';

/** Plays a camera with ffmpeg; resolves when a frame has come or ffmpeg has ended. */
function play(url: string, frames = 1): ChildProcess {
  const args = ['-nostdin', '-v', 'error', '-rtsp_transport', 'tcp', '-i', url, '-frames:v', String(frames)];
  return spawn('ffmpeg', [...args, '-f', 'null', '-'], { stdio: 'ignore' });
}

async function codeOf(child: ChildProcess): Promise<number | null> {
  const [code] = await once(child, 'close');
  return code;
}

describe('simulated cameras', function () {
  this.timeout(40_000);
  let cameras: Cameras;

  before(async () => {
    const login = { username: 'viewer', password: 'secret' };
    cameras = await startCameras({ names: ['a', 'b'], host: '127.0.0.1', fps: 5, size: '320x180', ...login });
  });
  after(() => cameras.stop());
  const withLogin = (name: string, password = 'secret') =>
    cameras.url(name).replace('rtsp://', `rtsp://viewer:${password}@`);
  const sessions = async (name: string, count: number) => {
    while (cameras.sessions(name) !== count) await new Promise((resolve) => setTimeout(resolve, 20));
  };

  it('are played with the right login and refuse a wrong one', async () => {
    expect(await codeOf(play(withLogin('a')))).to.equal(0);
    expect(await codeOf(play(withLogin('a', 'wrong')))).to.not.equal(0);
    expect(await codeOf(play(cameras.url('a')))).to.not.equal(0);
  });

  it('outlive viewers that are killed in the middle', async () => {
    const viewers = Array.from({ length: 6 }, () => play(withLogin('b'), 1000));
    await sessions('b', 6);
    for (const viewer of viewers.slice(0, 5)) viewer.kill('SIGKILL');
    await sessions('b', 1);
    expect(await codeOf(play(withLogin('b')))).to.equal(0);
    viewers[5]?.kill('SIGKILL');
    await sessions('b', 0);
  });

  it('refuse and accept, drop their viewers, and limit their sessions', async () => {
    const viewer = play(withLogin('a'), 1000);
    await sessions('a', 1);
    cameras.limitSessions('a', 1);
    expect(await codeOf(play(withLogin('a')))).to.not.equal(0);
    cameras.limitSessions('a', undefined);
    cameras.refuse('a');
    await codeOf(viewer);
    expect(await codeOf(play(withLogin('a')))).to.not.equal(0);
    cameras.accept('a');
    expect(await codeOf(play(withLogin('a')))).to.equal(0);
  });

  it('keep their connections while frozen', async () => {
    const viewer = play(withLogin('a'), 1000);
    await sessions('a', 1);
    cameras.freeze('a');
    expect(await codeOf(play(withLogin('b')))).to.equal(0);
    expect(cameras.sessions('a')).to.equal(1);
    cameras.unfreeze('a');
    viewer.kill('SIGKILL');
    await sessions('a', 0);
  });

  it('cut requests and packets from any pieces of the stream', () => {
    const packet = Buffer.from([0x24, 1, 0, 3, 9, 8, 7]);
    const text = 'ANNOUNCE rtsp://h/a RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 4\r\n\r\nbody';
    const stream = Buffer.concat([packet, Buffer.from(text), packet]);
    for (let size = 1; size <= stream.length; size += 1) {
      const parser = new RtspParser();
      const units = [];
      for (let at = 0; at < stream.length; at += size) units.push(...parser.push(stream.subarray(at, at + size)));
      expect(units.map(({ kind }) => kind)).to.deep.equal(['packet', 'request', 'packet']);
      expect(units[1]).to.include({ method: 'ANNOUNCE', body: 'body' });
    }
  });
});
