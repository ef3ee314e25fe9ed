import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { stringify } from 'yaml';
import { UsageError } from '../../../src/cli/restore/arguments.js';
import { connect } from '../../../src/cli/restore/connection.js';

const cluster = (port: number) => ({ cluster: { server: `https://127.0.0.1:${port}` }, name: `c${port}` });
const config = {
  apiVersion: 'v1',
  kind: 'Config',
  'current-context': 'one',
  clusters: [cluster(1), cluster(2)],
  users: [{ name: 'me', user: { token: 'geheim' } }],
  contexts: [
    { name: 'one', context: { cluster: 'c1', user: 'me', namespace: 'site' } },
    { name: 'two', context: { cluster: 'c2', user: 'me' } },
  ],
};

describe('the cluster of a command', () => {
  let folder: string;
  let kubeconfig: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'understudy-connection-'));
    kubeconfig = join(folder, 'config');
    await writeFile(kubeconfig, stringify(config));
  });
  after(() => rm(folder, { recursive: true }));

  it("is that of the kubeconfig's context, with its namespace", async () => {
    const { server, namespace, client } = connect({ kubeconfig });
    expect([server, namespace]).to.deep.equal(['https://127.0.0.1:1', 'site']);
    await client.close();
  });

  it('is that of the context that was asked for, and the namespace default without another', async () => {
    const { server, namespace, client } = connect({ kubeconfig, context: 'two' });
    expect([server, namespace]).to.deep.equal(['https://127.0.0.1:2', 'default']);
    await client.close();
  });

  it('is refused with the mend when there is no such context', () => {
    expect(() => connect({ kubeconfig, context: 'three' })).to.throw(UsageError, 'no context three; it has one, two');
  });

  it('is refused when the kubeconfig is not there, or is none', async () => {
    expect(() => connect({ kubeconfig: join(folder, 'nothing') })).to.throw(UsageError, "can't be read: ENOENT");
    const broken = join(folder, 'broken');
    await writeFile(broken, '{"clusters": [');
    expect(() => connect({ kubeconfig: broken })).to.throw(UsageError, "can't be read");
  });
});
