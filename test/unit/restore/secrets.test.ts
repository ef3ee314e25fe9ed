import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { createSecretEngine, type EncodedBaseline, encodeBaseline } from '../../../src/backup/index.js';
import { runRestore } from '../../../src/cli/restore/command.js';
import { backups } from '../../../src/crds/index.js';
import { type KubeClient, type KubeObject, resources } from '../../../src/operator/index.js';
import { memoryApi } from '../backup/support/memory-api.js';
import { backup, namespace } from '../backup/support/system.js';
import { baseline } from './support/baselines.js';
import { MemoryCluster, withOperator } from './support/memory-cluster.js';

const password = btoa('hunter2');
const contents = { name: 'login-door', type: 'Opaque', data: { password } };

function withContents(): Promise<EncodedBaseline> {
  return encodeBaseline(baseline({ secrets: ['login-door', 'login-gate'], secretContents: [contents] }));
}

describe('the contents of Secrets in a baseline', () => {
  let folder: string;
  let key: Buffer;
  /** The object of a bucket, downloaded. */
  let sealed: string;
  let keyFile: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'understudy-secrets-'));
    key = randomBytes(32);
    sealed = join(folder, 'north-3.baseline');
    keyFile = join(folder, 'key');
    await writeFile(keyFile, `${key.toString('base64')}\n`);
    await writeFile(sealed, await sealedBytes());
  });
  after(() => rm(folder, { recursive: true }));

  /** What an engine keeps of it. */
  async function sealedBytes(): Promise<Buffer> {
    const api = memoryApi();
    api.put(resources.secrets, {
      metadata: { namespace, name: 'keys' },
      data: { key: key.toString('base64') },
    } as never);
    const encryption = { keySecretRef: { name: 'keys' }, includeSecrets: true };
    const target = {
      namespace,
      name: 'north-3',
      uid: 'u',
      pool: 'north',
      destination: { engine: 'Secret', encryption },
    };
    await createSecretEngine({ client: api }).write(await withContents(), target as never);
    const part = api.all<{ data: Record<string, string> } & KubeObject>(resources.secrets)[1];
    return Buffer.from(part?.data['baseline.json.gz.enc'] ?? '', 'base64');
  }

  async function run(cluster: MemoryCluster, ...argv: string[]) {
    const said: string[] = [];
    const say = (text: string) => void said.push(text);
    const read = async () => {
      const { json, ...sizes } = await withContents();
      return { json, artifact: { location: 'secret/north-3-0', parts: 1, bytes: 1, formatVersion: 1, ...sizes } };
    };
    const never = () => Promise.reject(new Error('only read is used'));
    const engine = { name: 'Secret' as const, maxBytes: 1, read, check: never, write: never };
    const code = await runRestore(argv, { out: say, err: say }, () => ({
      client: cluster as unknown as KubeClient,
      ...{ server: 'https://cluster.example', namespace, engines: new Map([['Secret', engine]]) },
    }));
    return { code, said: said.join('\n') };
  }

  const cluster = () => withOperator(new MemoryCluster(namespace), { namespace, name: 'north' });
  const secrets = (of: MemoryCluster) => of.all<KubeObject & { data?: object }>(resources.secrets);

  it('are restored before anything uses them, from what lies encrypted in a bucket, and are never shown', async () => {
    const to = cluster();
    const { code, said } = await run(to, '--file', sealed, '--key-file', keyFile, '--apply');
    expect(code, said).to.equal(0);
    expect(to.writes[0]).to.equal('apply secrets login-door');
    expect(secrets(to)[0]).to.deep.include({ type: 'Opaque', data: { password } });
    expect(secrets(to)[0]?.metadata.labels).to.deep.equal({ 'understudy.dev/include-in-baselines': 'true' });
    expect(said).to.contain('create    Secret login-door');
    expect(said).to.contain('Secrets that are not in namespace site: login-gate;').and.not.contain(password);
  });

  it('leave a Secret alone that is there: its password may have been changed since', async () => {
    const to = cluster();
    to.put('secrets', { metadata: { namespace, name: 'login-door' }, data: { password: btoa('newer') } } as never);
    expect((await run(to, '--file', sealed, '--key-file', keyFile, '--apply')).code).to.equal(0);
    expect(secrets(to)).to.have.length(1);
    expect(secrets(to)[0]?.data).to.deep.equal({ password: btoa('newer') });
  });

  it('of one camera are restored with it alone', async () => {
    const to = cluster();
    const { said } = await run(to, '--file', sealed, '--key-file', keyFile, '--camera', 'gate');
    expect(said).not.to.contain('Secret login-door');
  });

  it('need the right to make them, which is asked for first', async () => {
    const to = cluster();
    to.denied.add('create secrets');
    const { code, said } = await run(to, '--file', sealed, '--key-file', keyFile, '--apply');
    expect(code).to.equal(4);
    expect(said).to.contain('you may not create secrets in namespace site');
    expect(to.writes).to.deep.equal([]);
  });

  it('are left out of an export, unless they are asked for', async () => {
    const to = cluster();
    to.put(backups.plural, backup());
    const [bare, full] = [join(folder, 'bare.json'), join(folder, 'full.json')];
    const { said } = await run(to, 'export', '--backup', 'north-3', '--output', bare);
    expect(said).to.contain('without the contents of 1 Secrets; --with-secrets writes them');
    expect(await readFile(bare, 'utf8')).not.to.contain(password);
    await run(to, 'export', '--backup', 'north-3', '--output', full, '--with-secrets');
    expect(await readFile(full, 'utf8')).to.contain(password);
    expect((await run(cluster(), '--file', bare)).code).to.equal(0);
  });

  describe('and what is encrypted with them', () => {
    const refused = async (words: string, ...argv: string[]) => {
      const to = cluster();
      const { code, said } = await run(to, '--file', ...argv, '--apply');
      expect(code).to.equal(3);
      expect(said).to.contain(words);
      expect(to.writes).to.deep.equal([]);
    };

    it('is refused without the key, with the option that takes it', () =>
      refused('give the file with that key: --key-file', sealed));

    it('is refused with another key, naming both', async () => {
      const other = join(folder, 'other');
      await writeFile(other, randomBytes(32));
      await refused('and the file of --key-file holds', sealed, '--key-file', other);
    });

    it('is refused with what is no key, or is not there', async () => {
      await refused('holds no key: a key is 32 bytes', sealed, '--key-file', sealed);
      await refused("can't be read", sealed, '--key-file', join(folder, 'nothing'));
    });

    it('is refused when a byte of it is another', async () => {
      const bytes = await readFile(sealed);
      bytes.writeUInt8(bytes.readUInt8(60) ^ 1, 60);
      const damaged = join(folder, 'damaged.baseline');
      await writeFile(damaged, bytes);
      await refused('its key fits, and its bytes are not those that were written', damaged, '--key-file', keyFile);
    });

    it('takes its key from the Secret that the Backup names, and no file', async () => {
      const { code, said } = await run(cluster(), '--backup', 'north-3', '--key-file', keyFile);
      expect(code).to.equal(2);
      expect(said).to.contain('--key-file belongs to --file');
    });
  });
});
