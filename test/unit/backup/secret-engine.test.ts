import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import {
  type BackupEngine,
  type BackupTarget,
  baselineCamera,
  collectBaseline,
  createSecretEngine,
  type EncodedBaseline,
  encodeBaseline,
} from '../../../src/backup/index.js';
import { ApiError, type KubeObject, resources } from '../../../src/operator/index.js';
import { type MemoryApi, memoryApi } from './support/memory-api.js';
import { camera, namespace, pool, server } from './support/system.js';

type Secret = KubeObject & { data: Record<string, string>; immutable: boolean };

const target: BackupTarget = { namespace, name: 'north-3', uid: 'backup-uid', pool: 'north' };

/** `words` hex characters a camera do not compress by more than half: a large baseline for a few cameras. */
function baseline(count: number, words = 64, seed = ''): Promise<EncodedBaseline> {
  const cameras = Array.from({ length: count }, (_, i) => {
    const made = camera(`cam-${i}`);
    const hashes = Array.from({ length: words / 64 }, (_, n) =>
      createHash('sha256').update(`${seed}${i}/${n}`).digest('hex'),
    );
    made.metadata.annotations = { key: hashes.join('') };
    return baselineCamera(made);
  });
  const servers = [server('recorder-a')];
  return encodeBaseline(collectBaseline({ operatorVersion: '0.1.0', namespace, pool: pool(), servers, cameras }));
}

const secrets = (api: MemoryApi): Secret[] => api.all<Secret>(resources.secrets);
const names = (api: MemoryApi): string[] => secrets(api).map((secret) => secret.metadata.name);

async function errorOf(attempt: Promise<unknown>): Promise<Error & { reason?: string; kind?: string }> {
  try {
    await attempt;
  } catch (error) {
    return error as Error;
  }
  throw new Error('it was expected to fail and did not');
}

async function untilWritten(engine: BackupEngine, wanted: EncodedBaseline, tries = 3): Promise<void> {
  for (let i = 0; i < tries; i++) {
    try {
      await engine.write(wanted, target);
      return;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
  }
  throw new Error(`not written after ${tries} tries`);
}

describe('the Secret engine', () => {
  it('keeps a small baseline in one immutable Secret that its Backup owns', async () => {
    const api = memoryApi();
    const artifact = await createSecretEngine({ client: api }).write(await baseline(3), target);
    const [secret] = secrets(api);
    expect(artifact).to.include({ location: 'secret/north-3-0', parts: 1, servers: 1, cameras: 3, formatVersion: 1 });
    expect(secret?.immutable).to.equal(true);
    expect(secret?.metadata.ownerReferences?.[0]).to.include({ kind: 'Backup', name: 'north-3', uid: 'backup-uid' });
    expect(secret?.metadata.labels).to.include({ 'understudy.dev/backup': 'north-3', 'understudy.dev/pool': 'north' });
  });

  it('splits 5,000 cameras into parts below the limit of a Secret and puts them together again', async () => {
    const api = memoryApi();
    const engine = createSecretEngine({ client: api });
    const wanted = await baseline(5000, 512);
    const artifact = await engine.write(wanted, target);
    const sizes = secrets(api).map((secret) => Buffer.from(secret.data['baseline.json.gz'] ?? '', 'base64').length);
    expect(artifact.parts).to.be.greaterThan(1);
    expect(artifact.location).to.equal(`secret/north-3-0 ... secret/north-3-${artifact.parts - 1}`);
    expect(sizes).to.have.length(artifact.parts);
    expect(Math.max(...sizes)).to.be.at.most(900 * 1024);
    expect(sizes.reduce((a, b) => a + b)).to.equal(artifact.bytes);
    expect(artifact.cameras).to.equal(5000);
    const stored = await engine.read(target);
    expect(stored?.json.equals(wanted.json)).to.equal(true);
    expect(stored?.artifact).to.deep.equal(artifact);
  });

  it('writes the same bytes for the same state', async () => {
    const [one, other] = [memoryApi(), memoryApi()];
    for (const client of [one, other])
      await createSecretEngine({ client, partBytes: 500 }).write(await baseline(40), target);
    const data = (api: MemoryApi) => secrets(api).map((secret) => secret.data);
    expect(data(one)).to.deep.equal(data(other));
  });

  it('writes nothing when it is all there already', async () => {
    const api = memoryApi();
    const engine = createSecretEngine({ client: api, partBytes: 500 });
    await engine.write(await baseline(40), target);
    api.writes.length = 0;
    await engine.write(await baseline(40), target);
    expect(api.writes).to.deep.equal([]);
  });

  it('replaces only the parts that differ', async () => {
    const api = memoryApi();
    const engine = createSecretEngine({ client: api, partBytes: 500 });
    const { parts } = await engine.write(await baseline(40), target);
    api.corrupt(resources.secrets, { namespace, name: 'north-3-1' }, (secret) => {
      (secret as unknown as Secret).data = { 'baseline.json.gz': 'AAAA' };
    });
    expect(await engine.read(target)).to.equal(undefined);
    api.writes.length = 0;
    await engine.write(await baseline(40), target);
    expect(api.writes).to.deep.equal(['delete north-3-1', 'create north-3-1']);
    expect(parts).to.be.greaterThan(2);
  });

  it('removes what a longer try left beyond the last part', async () => {
    const api = memoryApi();
    const engine = createSecretEngine({ client: api, partBytes: 500 });
    await engine.write(await baseline(40), target);
    const artifact = await engine.write(await baseline(2), target);
    expect(names(api)).to.have.length(artifact.parts);
    expect((await engine.read(target))?.artifact.cameras).to.equal(2);
  });

  it('ends with one whole baseline whichever write was the last before a crash', async () => {
    const clean = memoryApi();
    await createSecretEngine({ client: clean, partBytes: 500 }).write(await baseline(12, 64, 'new'), target);
    const expected = secrets(clean).map(({ metadata, data }) => [metadata.name, data]);
    for (const when of ['before', 'after'] as const) {
      // The longer old baseline has to be deleted, and the new one created: every write in turn is the fatal one.
      for (let write = 1; ; write++) {
        const api = memoryApi();
        const engine = createSecretEngine({ client: api, partBytes: 500 });
        await engine.write(await baseline(20, 64, 'old'), target);
        const old = api.writes.length;
        api.fault = { write: old + write, when };
        await untilWritten(engine, await baseline(12, 64, 'new'));
        expect(
          secrets(api)
            .map(({ metadata, data }) => [metadata.name, data])
            .sort(),
          `${when} write ${write}`,
        ).to.deep.equal([...expected].sort());
        if (api.writes.length < old + write) break;
      }
    }
  });

  it('never returns a half-written baseline', async () => {
    const api = memoryApi();
    const engine = createSecretEngine({ client: api, partBytes: 500 });
    api.fault = { write: 2, when: 'before' };
    expect(await errorOf(engine.write(await baseline(40), target))).to.include({ kind: 'transient' });
    expect(names(api)).to.deep.equal(['north-3-0']);
    expect(await engine.read(target)).to.equal(undefined);
  });

  it('leaves a foreign Secret under its name untouched and says what to do', async () => {
    const api = memoryApi();
    const foreign = { metadata: { namespace, name: 'north-3-1' }, type: 'Opaque', data: { a: 'AAAA' } };
    api.put(resources.secrets, foreign);
    const error = await errorOf(createSecretEngine({ client: api, partBytes: 500 }).write(await baseline(40), target));
    expect(error.reason).to.equal('NameTaken');
    expect(error.message).to.contain('Secret north-3-1 exists and is not part of this Backup; it was left untouched');
    expect(api.writes).to.deep.equal([]);
    expect(secrets(api)[0]).to.deep.include({ type: 'Opaque', data: { a: 'AAAA' } });
  });

  it('takes nothing over from an earlier Backup of its name, and replaces it', async () => {
    const api = memoryApi();
    const engine = createSecretEngine({ client: api });
    await engine.write(await baseline(3), { ...target, uid: 'earlier' });
    expect(await engine.read(target)).to.equal(undefined);
    await engine.write(await baseline(3), target);
    expect(secrets(api)[0]?.metadata.ownerReferences?.[0]?.uid).to.equal('backup-uid');
  });

  it('does not believe what it can not read back', async () => {
    const api = memoryApi();
    const mutating: typeof api = {
      ...api,
      // As an admission webhook would.
      create: async (type, object) => {
        const created = await api.create(type, object);
        api.corrupt(type, object.metadata, (secret) => {
          (secret as unknown as Secret).data = { 'baseline.json.gz': 'AAAA' };
        });
        return created;
      },
    };
    const error = await errorOf(createSecretEngine({ client: mutating }).write(await baseline(3), target));
    expect(error.reason).to.equal('ChecksumMismatch');
  });

  it('refuses a baseline beyond its size with the mend', async () => {
    const error = await errorOf(
      createSecretEngine({ client: memoryApi(), partBytes: 1 }).write(await baseline(40), target),
    );
    expect(error.reason).to.equal('BaselineTooLarge');
    expect(error.message).to.contain('spread the servers over several pools');
  });
});
