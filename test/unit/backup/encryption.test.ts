import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { beforeEach, describe, it } from 'mocha';
import {
  BackupError,
  type BackupTarget,
  baselineCamera,
  CameraRoll,
  CameraRun,
  collectBaseline,
  createSecretEngine,
  type EncodedBaseline,
  encodeBaseline,
  packBaseline,
  readSecretContents,
} from '../../../src/backup/index.js';
import { resources } from '../../../src/operator/index.js';
import { type MemoryApi, memoryApi } from './support/memory-api.js';
import { camera, namespace, pool, server } from './support/system.js';

const target: BackupTarget = {
  ...{ namespace, name: 'north-3', uid: 'backup-uid', pool: 'north' },
  destination: { engine: 'Secret', encryption: { keySecretRef: { name: 'keys' }, includeSecrets: true } },
};
const sources = { operatorVersion: '0.1.0', namespace, pool: pool(), servers: [server('recorder-a')] };
const secretContents = [{ name: 'login-door', type: 'Opaque', data: { password: 'aHVudGVyMg==' } }];

function baseline(contents = secretContents): Promise<EncodedBaseline> {
  const cameras = [baselineCamera(camera('door'))];
  return encodeBaseline(collectBaseline({ ...sources, cameras, secretContents: contents }));
}

async function reasonOf(attempt: Promise<unknown>): Promise<string> {
  const error = await attempt.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (error instanceof BackupError) return error.reason;
  throw error ?? new Error('it was expected to fail and did not');
}

describe('an encrypted baseline', () => {
  let api: MemoryApi;
  const key = randomBytes(32).toString('base64');

  beforeEach(() => {
    api = memoryApi();
    putKeys({ key });
  });

  function putKeys(texts: Record<string, string>): void {
    const data = Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, btoa(text)]));
    api.put(resources.secrets, { metadata: { namespace, name: 'keys' }, data } as never);
  }
  const engine = () => createSecretEngine({ client: api });
  const part = () => api.all<never>(resources.secrets).find(({ metadata: { name } }) => name === 'north-3-0') as never;

  it('comes back as it was, contents of Secrets among it, and says with which key', async () => {
    const wanted = await baseline();
    const artifact = await engine().write(wanted, target);
    expect(artifact).to.include({ secrets: 1, sha256: wanted.sha256 });
    expect(artifact.keyId).to.match(/^[0-9a-f]{16}$/);
    expect((await engine().read(target))?.json.equals(wanted.json)).to.equal(true);
    expect(await engine().check(target)).to.deep.equal(artifact);
  });

  it('is the same bytes for the same state and key, and is not written twice', async () => {
    await engine().write(await baseline(), target);
    api.writes.length = 0;
    await engine().write(await baseline(), target);
    expect(api.writes).to.deep.equal([]);
  });

  it('does not show what it holds', async () => {
    await engine().write(await baseline(), target);
    const { data } = part() as { data: Record<string, string> };
    const bytes = Buffer.from(data['baseline.json.gz.enc'] ?? '', 'base64');
    expect(bytes.subarray(0, 8).toString()).to.equal('USTDYENC');
    expect(bytes.includes(Buffer.from([0x1f, 0x8b, 0x08]))).to.equal(false);
  });

  it('is told from a damaged one when the key is another, and read once the old key is beside it', async () => {
    await engine().write(await baseline(), target);
    const other = randomBytes(32).toString('base64');
    putKeys({ key: other });
    expect(await reasonOf(engine().read(target))).to.equal('EncryptionKeyDiffers');
    expect(await engine().check(target)).to.equal(undefined);
    putKeys({ key: other, 'key-2026': key });
    expect((await engine().read(target))?.artifact.cameras).to.equal(1);
  });

  it('can not be made without its key, or with one of another length', async () => {
    putKeys({ key: 'short' });
    expect(await reasonOf(engine().write(await baseline(), target))).to.equal('EncryptionKeyMissing');
    const elsewhere = { ...target, namespace: 'empty' };
    expect(await reasonOf(engine().write(await baseline(), elsewhere))).to.equal('EncryptionKeyMissing');
  });

  it('is the only kind that takes the contents of Secrets', async () => {
    const plain = { ...target, destination: { engine: 'Secret' as const } };
    expect(await reasonOf(engine().write(await baseline(), plain))).to.equal('InvalidSpec');
    expect(api.writes).to.deep.equal([]);
  });
});

describe('the contents of Secrets', () => {
  it('are those whose writers have consented; tokens of service accounts stay out', async () => {
    const api = memoryApi();
    const put = (name: string, type: string, consent?: string) => {
      const labels = consent === undefined ? {} : { 'understudy.dev/include-in-baselines': consent };
      api.put(resources.secrets, { metadata: { namespace, name, labels }, type, data: { a: 'AAAA' } } as never);
    };
    put('login', 'Opaque', 'true');
    put('token', 'kubernetes.io/service-account-token', 'true');
    put('database', 'Opaque');
    put('registry', 'Opaque', 'false');
    const found = await readSecretContents(api, namespace, ['login', 'token', 'database', 'registry', 'absent']);
    expect(found).to.deep.equal([{ name: 'login', type: 'Opaque', data: { a: 'AAAA' } }]);
  });
});

describe('a baseline that is made piece by piece', () => {
  it('has the bytes of one that is made at once, however its cameras were listed', async () => {
    const names = Array.from({ length: 300 }, (_, i) => `cam-${(i * 7919) % 300}`);
    const whole = await encodeBaseline(
      collectBaseline({ ...sources, cameras: names.map((name) => baselineCamera(camera(name))) }),
    );
    const { cameras: _cameras, ...head } = JSON.parse(whole.json.toString());
    const roll = new CameraRoll();
    for (let start = 0; start < 300; start += 50) {
      const run = new CameraRun();
      for (const name of names.slice(start, start + 50)) run.add(camera(name));
      roll.take(run);
    }
    const packed = await packBaseline(head, roll.texts());
    expect(packed.sha256).to.equal(whole.sha256);
    expect(packed.packed.equals(whole.packed)).to.equal(true);
  });

  it('holds a camera once that changed its role between two lists: as it was last', async () => {
    const moved = camera('door', 3, 'recorder-b');
    moved.metadata.generation = 2;
    const roll = new CameraRoll();
    for (const cameras of [[camera('door'), camera('gate')], [moved]]) {
      const run = new CameraRun();
      for (const one of cameras) run.add(one);
      roll.take(run);
    }
    const texts = [...roll.texts()].map((text) => JSON.parse(text));
    expect(texts.map(({ name, spec }) => [name, spec.serverRef.name])).to.deep.equal([
      ['door', 'recorder-b'],
      ['gate', 'recorder-a'],
    ]);
  });
});
