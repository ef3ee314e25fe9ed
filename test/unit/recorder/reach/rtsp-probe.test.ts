// A fake camera where a real one does not do it: one that hangs up, says nothing, or speaks another language.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { expect } from 'chai';
import { authorization } from '../../../../src/recorder/reach/rtsp-login.js';
import { type ProbeOutcome, probeCamera } from '../../../../src/recorder/reach/rtsp-probe.js';
import { type RtspRelay, startRelay } from '../../../cameras/rtsp-relay.js';

const credentials = { username: 'viewer', password: 'secret' };

function probe(url: string, change: { login?: typeof credentials; timeoutMs?: number; signal?: AbortSignal } = {}) {
  const { login, timeoutMs = 3000, signal = new AbortController().signal } = change;
  return probeCamera({ url, credentials: login, timeoutMs, signal });
}

/** A source that publishes a path of the relay for as long as its connection lives. */
async function publish(relay: RtspRelay, name: string): Promise<Socket> {
  const socket = connect(relay.port, '127.0.0.1');
  const body = 'v=0\r\n';
  const head = `ANNOUNCE rtsp://127.0.0.1/${name} RTSP/1.0\r\nCSeq: 1\r\nContent-Length: ${body.length}\r\n\r\n`;
  socket.write(head + body);
  await once(socket, 'data');
  return socket;
}

describe('the probe of a camera', () => {
  for (const scheme of ['Digest', 'Basic'] as const) {
    describe(`with a ${scheme} login`, () => {
      let relay: RtspRelay;
      let source: Socket;
      const url = (name = 'gate') => `rtsp://127.0.0.1:${relay.port}/${name}`;

      before(async () => {
        relay = await startRelay({ host: '127.0.0.1', port: 0, login: { ...credentials, scheme } });
        source = await publish(relay, 'gate');
      });
      after(async () => {
        source.destroy();
        await relay.stop();
      });

      const cases: [string, () => Promise<ProbeOutcome>, ProbeOutcome][] = [
        ['reaches it', () => probe(url(), { login: credentials }), 'Reached'],
        ['is rejected without it', () => probe(url()), 'Rejected'],
        ['is rejected with another', () => probe(url(), { login: { ...credentials, password: 'x' } }), 'Rejected'],
        ['is rejected on a path that is not there', () => probe(url('none'), { login: credentials }), 'Rejected'],
      ];
      for (const [sentence, ask, outcome] of cases) {
        it(sentence, async () => expect(await ask()).to.equal(outcome));
      }

      it('takes no session, and reaches a camera that has none left', async () => {
        relay.setMaxSessions('gate', 0);
        expect(await probe(url(), { login: credentials })).to.equal('Reached');
        expect(relay.sessions('gate')).to.equal(0);
        relay.setRefused('gate', true);
        expect(await probe(url(), { login: credentials })).to.equal('Reached');
        relay.setRefused('gate', false);
        relay.setMaxSessions('gate', undefined);
      });
    });
  }

  describe('of one that behaves oddly', () => {
    let servers: Server[] = [];
    let sockets: Socket[] = [];

    /** A camera that does this with each connection; resolves to its address. */
    async function odd(behave: (socket: Socket, connection: number) => void): Promise<string> {
      const started = createServer((socket) => {
        sockets.push(socket);
        socket.on('error', () => socket.destroy());
        behave(socket, sockets.length);
      });
      servers.push(started);
      started.listen(0, '127.0.0.1');
      await once(started, 'listening');
      return `rtsp://127.0.0.1:${(started.address() as AddressInfo).port}/x`;
    }
    afterEach(async () => {
      for (const socket of sockets) socket.destroy();
      sockets = [];
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
      servers = [];
    });
    const challenge = 'RTSP/1.0 401 Unauthorized\r\nWWW-Authenticate: Digest realm="r", nonce="n"\r\n\r\n';

    it('logs in on a new connection when the camera hangs up with the challenge', async () => {
      const url = await odd((socket, connection) => {
        socket.on('data', (bytes) => {
          const proved = bytes.includes('Authorization: Digest');
          socket.end(connection === 1 ? challenge : `RTSP/1.0 ${proved ? '200 OK' : '400 Bad Request'}\r\n\r\n`);
        });
      });
      expect(await probe(url, { login: credentials })).to.equal('Reached');
      expect(sockets).to.have.length(2);
    });

    it('asks once only with a login that is refused', async () => {
      let asked = 0;
      const url = await odd((socket) => {
        socket.on('data', () => {
          asked += 1;
          socket.write(challenge);
        });
      });
      expect(await probe(url, { login: credentials })).to.equal('Rejected');
      expect(asked).to.equal(2);
    });

    it('takes an answer in pieces, with a body before the next', async () => {
      const url = await odd((socket) => {
        socket.once('data', () => {
          const refusal = challenge.replace('\r\n\r\n', '\r\nContent-Length: 4\r\n\r\nbody');
          for (const byte of refusal) socket.write(byte);
          socket.once('data', () => socket.write('RTSP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n'));
        });
      });
      expect(await probe(url, { login: credentials })).to.equal('Reached');
    });

    it('does not reach one that says nothing, hangs up, or is not there', async () => {
      expect(await probe(await odd(() => undefined), { timeoutMs: 100 })).to.equal('Unreachable');
      const gone = await odd((socket) => socket.destroy());
      expect(await probe(gone)).to.equal('Unreachable');
      for (const url of ['rtsp://127.0.0.1:1/x', 'rtsp://camera.invalid/x', 'rtsp://[::', 'rtsp://127.0.0.1:99999/'])
        expect(await probe(url), url).to.equal('Unreachable');
    });

    it('is rejected by what is no camera', async () => {
      const url = await odd((socket) => {
        socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
      });
      expect(await probe(url)).to.equal('Rejected');
    });

    it('ends at once when it is called off', async () => {
      const stop = new AbortController();
      const accepted = Promise.withResolvers<Socket>();
      const url = await odd((socket) => accepted.resolve(socket));
      const asked = probe(url, { timeoutMs: 60_000, signal: stop.signal });
      const socket = await accepted.promise;
      socket.resume();
      const closed = once(socket, 'close');
      stop.abort();
      expect(await asked).to.equal('Unreachable');
      await closed;
      expect(await probe(url, { signal: stop.signal })).to.equal('Unreachable');
    });
  });
});

describe('the login of a probe', () => {
  const request = { method: 'DESCRIBE', uri: 'rtsp://c/1', credentials };
  const hash = (algorithm: string, text: string) => createHash(algorithm).update(text).digest('hex');

  for (const [name, algorithm] of [
    ['MD5', 'md5'],
    ['SHA-256', 'sha256'],
  ] as const) {
    it(`proves itself with ${name} and qop, as RFC 7616 has it`, () => {
      const header = authorization([`Digest realm="r", nonce="n", qop="auth,auth-int", algorithm=${name}`], request);
      const cnonce = /cnonce="([^"]+)"/.exec(header ?? '')?.[1];
      const secret = hash(algorithm, 'viewer:r:secret');
      const asked = hash(algorithm, 'DESCRIBE:rtsp://c/1');
      const response = hash(algorithm, `${secret}:n:00000001:${cnonce}:auth:${asked}`);
      expect(header).to.contain(`response="${response}"`).and.to.contain('qop=auth, nc=00000001');
    });
  }

  it('takes the best scheme that is offered and known', () => {
    const basic = 'Basic realm="r"';
    expect(authorization([basic, 'Digest realm="r", nonce="n"'], request)).to.match(/^Digest /);
    expect(authorization(['Digest realm="r", nonce="n", algorithm=SHA-512-256', basic], request)).to.match(/^Basic /);
    expect(authorization(['Negotiate'], request)).to.equal(undefined);
    expect(authorization([], request)).to.equal(undefined);
  });
});
