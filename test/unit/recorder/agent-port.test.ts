import { X509Certificate } from 'node:crypto';
import { connect as connectPlain } from 'node:net';
import { expect } from 'chai';
import { askPeer, bodyOf } from '../../../src/recorder/port/agent-client.js';
import { type AgentPort, answer, type Offer, startAgentPort } from '../../../src/recorder/port/agent-port.js';
import { makePortIdentity } from '../../../src/recorder/port/certificate.js';

const source = makePortIdentity('a');
const holder = makePortIdentity('s');
const stranger = makePortIdentity('x');

describe("an agent's certificate", () => {
  it('is valid, signed by its own key, and never the same twice', () => {
    for (let n = 0; n < 20; n += 1) {
      const { certificate, fingerprint } = makePortIdentity('nvr-1');
      const parsed = new X509Certificate(certificate);
      expect(parsed.subject).to.equal('CN=nvr-1');
      expect(parsed.verify(parsed.publicKey)).to.equal(true);
      expect(parsed.fingerprint256.replaceAll(':', '').toLowerCase()).to.equal(fingerprint);
    }
    expect(source.fingerprint).not.to.equal(holder.fingerprint);
  });
});

describe("the agent's port", () => {
  let offers: Offer[];
  let port: AgentPort;
  const peer = () => ({ host: '127.0.0.1', port: port.port, fingerprint: source.fingerprint });

  beforeEach(async () => {
    offers = [{ role: 'a', fingerprint: holder.fingerprint }];
    port = await startAgentPort({
      port: 0,
      identity: source,
      ready: () => true,
      status: () => ({ role: 'a' }),
      offers: () => offers,
      segments: (url, _request, response, roles) => answer(response, 200, { path: url.pathname, roles: [...roles] }),
    });
  });
  afterEach(() => port.close());

  const plain = (path: string) => fetch(`http://127.0.0.1:${port.port}${path}`);
  const refused = async (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => 'nothing',
      (error: unknown) => String(error),
    );

  it("answers the kubelet's probes in plain text", async () => {
    expect((await plain('/healthz')).status).to.equal(200);
    expect((await plain('/readyz')).status).to.equal(200);
    expect((await plain('/nonsense')).status).to.equal(404);
  });

  it('tells its status to its own loopback address, where kubectl port-forward ends', async () => {
    expect(await (await plain('/status')).json()).to.deep.equal({ role: 'a' });
  });

  it('gives segments to nobody in plain text', async () => {
    expect((await plain('/segments/a/gate')).status).to.equal(403);
  });

  it('gives segments to the recorder that was named, for the role that was named', async () => {
    const body = await bodyOf(await askPeer(peer(), holder, '/segments/a/gate'), 10_000);
    expect(JSON.parse(body)).to.deep.equal({ path: '/segments/a/gate', roles: ['a'] });
  });

  it('gives nothing to another certificate, nor once the offer has ended', async () => {
    expect(await refused(askPeer(peer(), stranger, '/segments/a/gate'))).to.match(/forbidden/);
    offers = [];
    expect(await refused(askPeer(peer(), holder, '/segments/a/gate'))).to.match(/forbidden/);
  });

  it('is not asked a word when its certificate is another one than was reported', async () => {
    const wrong = { ...peer(), fingerprint: stranger.fingerprint };
    expect(await refused(askPeer(wrong, holder, '/segments/a/gate'))).to.match(/another certificate/);
  });

  it('lives on after rubbish', async () => {
    for (const rubbish of ['\x16\x03\x01 rubbish', 'GET', '\0\0\0\0', 'GET //%% HTTP/1.1\r\n\r\n']) {
      const socket = connectPlain(port.port, '127.0.0.1');
      await new Promise<void>((resolve) =>
        socket
          .on('close', () => resolve())
          .resume()
          .on('error', () => undefined)
          .end(rubbish),
      );
    }
    expect((await plain('/healthz')).status).to.equal(200);
  });
});
