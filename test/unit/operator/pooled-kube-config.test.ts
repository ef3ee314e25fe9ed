import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { expect } from 'chai';
import { PooledKubeConfig } from '../../../src/operator/api/pooled-kube-config.js';
import { FakeClock } from '../support/fake-clock.js';

describe('the pooled kubeconfig', () => {
  let folder: string;
  let caFile: string;
  let clock: FakeClock;
  let pooled: PooledKubeConfig;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kubeconfig-'));
    caFile = join(folder, 'ca.crt');
    await writeFile(caFile, 'first');
    clock = new FakeClock();
    const config = new KubeConfig();
    config.loadFromOptions({
      clusters: [{ name: 'c', server: 'https://api.test:6443/behind/proxy/', caFile }],
      users: [{ name: 'u', token: 'secret\n' }],
      contexts: [{ name: 'x', cluster: 'c', user: 'u' }],
      currentContext: 'x',
    });
    pooled = PooledKubeConfig.from(config, { clock });
  });

  afterEach(async () => {
    await pooled.close();
    await rm(folder, { recursive: true });
  });

  it('gives origin, base path and a clean token', async () => {
    const connection = await pooled.connection();
    expect(connection).to.include({ origin: 'https://api.test:6443', basePath: '/behind/proxy' });
    expect(connection.headers.authorization).to.equal('Bearer secret');
  });

  it('keeps one pool for as long as CA and certificate stay the same', async () => {
    const first = await pooled.connection();
    clock.stall(3_600_000);
    expect((await pooled.connection()).dispatcher).to.equal(first.dispatcher);
  });

  it('builds a new pool when the CA has been rotated, at the latest after 10 s, or at once after a failure', async () => {
    const first = await pooled.connection();
    await writeFile(caFile, 'second');
    clock.stall(10_000);
    const second = await pooled.connection();
    expect(second.dispatcher).to.not.equal(first.dispatcher);
    await writeFile(caFile, 'third');
    pooled.renewCredentials(false);
    expect((await pooled.connection()).dispatcher).to.not.equal(second.dispatcher);
  });

  it('goes on with what it has while the files can not be read', async () => {
    const first = await pooled.connection();
    await rm(caFile);
    clock.stall(60_000);
    expect((await pooled.connection()).dispatcher).to.equal(first.dispatcher);
  });

  it('names the server and the cause when there are no credentials at all', async () => {
    await rm(caFile);
    const error = await pooled.connection().catch((reason: unknown) => reason);
    expect(error).to.include({ kind: 'transient', reason: 'CredentialsUnavailable' });
    expect(String(error)).to.include('https://api.test:6443').and.include('ENOENT');
  });

  it('is not wrapped twice', () => {
    expect(PooledKubeConfig.from(pooled)).to.equal(pooled);
  });
});
