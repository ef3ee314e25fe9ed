import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { GetObjectCommand, ListMultipartUploadsCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { expect } from 'chai';
import { after, before, beforeEach, describe, it } from 'mocha';
import {
  type BackupEngine,
  BackupError,
  type BackupTarget,
  baselineCamera,
  collectBaseline,
  createS3Engine,
  type EncodedBaseline,
  encodeBaseline,
  type PackedBaseline,
} from '../../src/backup/index.js';
import type { BackupDestination, S3Settings } from '../../src/crds/index.js';
import { resources } from '../../src/operator/index.js';
import { readFromFile } from '../../src/restore/index.js';
import { makeAuthority, makeCertificate } from '../cluster/certificates.js';
import { freePorts } from '../cluster/free-ports.js';
import { waitUntil } from '../cluster/wait-until.js';
import { type MemoryApi, memoryApi } from '../unit/backup/support/memory-api.js';
import { camera, namespace, pool, server } from '../unit/backup/support/system.js';
import { type S3Server, startS3Server } from './support/s3-server.js';

const run = promisify(execFile);
const bucket = 'baselines';
const mebibyte = 1024 * 1024;

function baseline(cameras = 3): Promise<EncodedBaseline> {
  const sources = { operatorVersion: '0.1.0', namespace, pool: pool(), servers: [server('recorder-a')] };
  const made = Array.from({ length: cameras }, (_, i) => baselineCamera(camera(`cam-${i}`)));
  return encodeBaseline(collectBaseline({ ...sources, cameras: made }));
}

/** Bytes that need several parts; nothing here unpacks them. */
function large(bytes: number): PackedBaseline {
  const packed = randomBytes(bytes);
  return { packed, sha256: 'a'.repeat(64), uncompressedBytes: bytes, servers: 1, cameras: 1, secrets: 0 };
}

async function failure(attempt: Promise<unknown>): Promise<BackupError> {
  try {
    await attempt;
  } catch (error) {
    if (error instanceof BackupError) return error;
    throw error;
  }
  throw new Error('it was expected to fail and did not');
}

describe('the S3 engine on a real S3 server', () => {
  let s3: S3Server;
  let api: MemoryApi;
  let engine: BackupEngine;
  let tries = 0;

  before(async () => {
    s3 = await startS3Server();
    await s3.createBucket(bucket);
  });
  after(() => s3?.close());

  beforeEach(() => {
    api = memoryApi();
    putSecret('s3', { AWS_ACCESS_KEY_ID: s3.accessKeyId, AWS_SECRET_ACCESS_KEY: s3.secretAccessKey });
    engine = createS3Engine({ client: api });
    tries += 1;
  });

  function putSecret(name: string, texts: Record<string, string>): void {
    const data = Object.fromEntries(
      Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
    );
    api.put(resources.secrets, { metadata: { namespace, name }, data } as never);
  }

  function target(settings: Partial<S3Settings> = {}, more: Partial<BackupDestination> = {}): BackupTarget {
    const s3Settings: S3Settings = {
      ...{ endpoint: s3.endpoint, region: 'us-east-1', bucket, prefix: `try-${tries}`, pathStyle: true },
      credentialsSecretRef: { name: 's3' },
      ...settings,
    };
    const destination: BackupDestination = { engine: 'S3', s3: s3Settings, ...more };
    return { namespace, name: 'north-3', uid: 'backup-uid', pool: 'north', destination };
  }

  const client = (): S3Client =>
    new S3Client({
      ...{ endpoint: s3.endpoint, region: 'us-east-1', forcePathStyle: true },
      credentials: { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey },
    });
  const keyOf = () => `try-${tries}/${namespace}/north/north-3.backup-uid.baseline`;
  const uploads = async () =>
    (await client().send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: `try-${tries}/` }))).Uploads ?? [];

  it('keeps a baseline under a key that names its Backup, and reads it back', async () => {
    const wanted = await baseline();
    const artifact = await engine.write(wanted, target());
    expect(artifact).to.deep.include({
      ...{ location: `s3://${bucket}/${keyOf()}`, parts: 1, servers: 1, cameras: 3 },
      sha256: wanted.sha256,
    });
    const stored = await engine.read(target());
    expect(stored?.json.equals(wanted.json)).to.equal(true);
    expect(stored?.artifact).to.deep.equal(artifact);
    expect(await engine.check(target())).to.deep.equal(artifact);
  });

  it('keeps an object that can be restored when the cluster is gone, with the key alone', async () => {
    const key = randomBytes(32).toString('base64');
    putSecret('keys', { key });
    const where = target({}, { encryption: { keySecretRef: { name: 'keys' }, includeSecrets: false } });
    const wanted = await baseline();
    await engine.write(wanted, where);
    const { Body } = await client().send(new GetObjectCommand({ Bucket: bucket, Key: keyOf() }));
    const folder = await mkdtemp(join(tmpdir(), 'understudy-downloaded-'));
    const [object, keyFile] = [join(folder, 'object'), join(folder, 'key')];
    await writeFile(object, (await Body?.transformToByteArray()) ?? '');
    await writeFile(keyFile, `${key}\n`);
    const { artifact } = await readFromFile(object, { sha256: wanted.sha256, pool: 'north' }, keyFile);
    expect(artifact.baseline.cameras).to.have.length(3);
    expect(artifact.notes).to.deep.equal([]);
    await rm(folder, { recursive: true });
  });

  it('has nothing before it was written, and nothing of a namesake', async () => {
    expect(await engine.check(target())).to.equal(undefined);
    await engine.write(await baseline(), target());
    expect(await engine.check({ ...target(), uid: 'another' })).to.equal(undefined);
  });

  it('writes the same Backup twice, and at the same time, into one artifact', async () => {
    const wanted = await baseline();
    await engine.write(wanted, target());
    const outcomes = await Promise.allSettled([1, 2, 3].map(() => engine.write(wanted, target())));
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).to.include({ mayPass: true });
    }
    expect((await engine.check(target()))?.sha256).to.equal(wanted.sha256);
    const found: string[] = [];
    for await (const { location } of engine.list?.(target()) ?? []) found.push(location);
    expect(found).to.deep.equal([`s3://${bucket}/${keyOf()}`]);
  });

  it('replaces what an earlier try of the same Backup has left', async () => {
    await engine.write(await baseline(2), target());
    await engine.write(await baseline(5), target());
    expect((await engine.check(target()))?.cameras).to.equal(5);
  });

  it('uploads in parts what is larger than one, leaves no upload behind, and finds it whole', async () => {
    const wanted = large(12 * mebibyte);
    const artifact = await engine.write(wanted, target());
    expect(artifact.bytes).to.equal(12 * mebibyte);
    expect(await uploads()).to.deep.equal([]);
  });

  it('removes its own artifact, and nothing else', async () => {
    await engine.write(await baseline(), target());
    await engine.write(await baseline(), { ...target(), name: 'north-4', uid: 'other' });
    await engine.remove?.(target());
    await engine.remove?.(target());
    expect(await engine.check(target())).to.equal(undefined);
    expect(await engine.check({ ...target(), name: 'north-4', uid: 'other' })).not.to.equal(undefined);
  });

  it('leaves an object of somebody else under its key untouched', async () => {
    const foreign = { Bucket: bucket, Key: keyOf(), Body: 'mine' };
    await client().send(new PutObjectCommand(foreign));
    const error = await failure(engine.write(await baseline(), target()));
    expect(error).to.include({ reason: 'NameTaken', mayPass: false });
    await engine.remove?.(target());
    expect(await readFile(join(s3.folder, bucket, keyOf()), 'utf8')).to.equal('mine');
  });

  it('does not take damaged bytes for a baseline, and writes them anew', async () => {
    const wanted = await baseline();
    await engine.write(wanted, target());
    const path = join(s3.folder, bucket, keyOf());
    const bytes = await readFile(path);
    bytes.writeUInt8(bytes.readUInt8(40) ^ 1, 40);
    await writeFile(path, bytes);
    expect(await engine.check(target())).to.equal(undefined);
    await engine.write(wanted, target());
    expect((await engine.check(target()))?.sha256).to.equal(wanted.sha256);
  });

  it('reads rotated credentials without a restart', async () => {
    await engine.write(await baseline(), target());
    putSecret('s3', { AWS_ACCESS_KEY_ID: s3.accessKeyId, AWS_SECRET_ACCESS_KEY: 'old' });
    expect((await failure(engine.check(target()))).reason).to.equal('CredentialsRefused');
    putSecret('s3', { AWS_ACCESS_KEY_ID: s3.accessKeyId, AWS_SECRET_ACCESS_KEY: s3.secretAccessKey });
    expect(await engine.check(target())).not.to.equal(undefined);
  });

  it('keeps an encrypted baseline that only its key opens', async () => {
    const encryption = { keySecretRef: { name: 'keys' }, includeSecrets: false };
    const encrypted = target({}, { encryption });
    putSecret('keys', { key: randomBytes(32).toString('base64') });
    const wanted = await baseline();
    const artifact = await engine.write(wanted, encrypted);
    expect(artifact.keyId).to.match(/^[0-9a-f]{16}$/);
    expect((await readFile(join(s3.folder, bucket, keyOf()))).subarray(0, 8).toString()).to.equal('USTDYENC');
    expect((await engine.read(encrypted))?.json.equals(wanted.json)).to.equal(true);
    putSecret('keys', { key: randomBytes(32).toString('base64') });
    expect((await failure(engine.read(encrypted))).reason).to.equal('EncryptionKeyDiffers');
  });

  describe('over TLS', () => {
    let folder: string;
    let tls: S3Server;
    let ca: string;

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'understudy-ca-'));
      const authority = await makeAuthority(folder);
      const pair = await makeCertificate(folder, authority, { name: 's3', commonName: 's3', names: ['127.0.0.1'] });
      ca = await readFile(authority.certificate, 'utf8');
      tls = await startS3Server({ tls: pair });
      await tls.createBucket(bucket);
    });
    after(async () => {
      await tls?.close();
      await rm(folder, { recursive: true, force: true });
    });

    it('trusts the certificate that its Secret holds', async () => {
      putSecret('ca', { 'ca.crt': ca });
      const trusted = target({ endpoint: tls.endpoint, caSecretRef: { name: 'ca' } });
      expect((await engine.write(await baseline(), trusted)).cameras).to.equal(3);
    });

    it('trusts no other, and says so', async () => {
      const error = await failure(engine.write(await baseline(), target({ endpoint: tls.endpoint })));
      expect(error).to.include({ reason: 'CertificateNotTrusted', mayPass: false });
      expect(error.message).to.contain('spec.backup.s3.caSecretRef');
    });

    it('says when http is spoken to it', async () => {
      const endpoint = tls.endpoint.replace('https:', 'http:');
      const error = await failure(engine.write(await baseline(), target({ endpoint })));
      expect(error.reason).to.equal('StoreInterrupted');
      expect(error.message).to.contain('http where TLS is expected');
    });
  });

  describe('says with a reason of its own', () => {
    const refused = async (reason: string, mayPass: boolean, words: string, where: BackupTarget): Promise<void> => {
      const error = await failure(engine.write(await baseline(), where));
      expect(error, error.message).to.include({ reason, mayPass });
      expect(error.message).to.contain(words);
      expect(error.message).not.to.contain(s3.secretAccessKey);
    };

    it('that the bucket is missing, written or read', async () => {
      const nowhere = target({ bucket: 'nowhere' });
      await refused('BucketNotFound', false, 'create it, or correct spec.backup.s3.bucket', nowhere);
      expect((await failure(engine.check(nowhere))).reason).to.equal('BucketNotFound');
    });

    it('that the secret key is wrong', async () => {
      putSecret('s3', { AWS_ACCESS_KEY_ID: s3.accessKeyId, AWS_SECRET_ACCESS_KEY: 'wrong' });
      await refused('CredentialsRefused', false, 'correct AWS_ACCESS_KEY_ID', target());
    });

    it('that the user is not known', async () => {
      putSecret('s3', { AWS_ACCESS_KEY_ID: 'nobody', AWS_SECRET_ACCESS_KEY: 'wrong' });
      await refused('CredentialsRefused', false, 'refuses the credentials of Secret s3', target());
    });

    it('that the Secret of the credentials is missing', async () => {
      const where = target({ credentialsSecretRef: { name: 'none' } });
      await refused('CredentialsMissing', false, 'Secret none in namespace site does not exist', where);
    });

    it('that the Secret of the credentials lacks a key', async () => {
      putSecret('s3', { AWS_ACCESS_KEY_ID: s3.accessKeyId, secret: 'x' });
      await refused('CredentialsMissing', false, 'has no key AWS_SECRET_ACCESS_KEY', target());
    });

    it('that nobody listens at the endpoint; it is tried again', async () => {
      const [port] = await freePorts(1);
      const where = target({ endpoint: `http://127.0.0.1:${port}` });
      await refused('EndpointUnreachable', true, 'nothing answers at', where);
    });

    it('that the host name is not known; it is tried again', async () => {
      const where = target({ endpoint: 'http://store.invalid:9000' });
      await refused('EndpointNotResolved', true, 'is not known to DNS', where);
    });

    it('that a web server answers which is no S3 server', async () => {
      const web = createServer((_, answer) => answer.end('<html>hello</html>')).listen(0, '127.0.0.1');
      await once(web, 'listening');
      const { port } = web.address() as AddressInfo;
      const error = await failure(engine.write(await baseline(), target({ endpoint: `http://127.0.0.1:${port}` })));
      web.close();
      expect(error).to.include({ reason: 'EndpointNotUnderstood', mayPass: false });
    });

    it('that the baseline is larger than it takes', async () => {
      engine = createS3Engine({ client: api, maxBytes: 100 });
      await refused('BaselineTooLarge', false, 'the engine S3 takes 100', target());
    });

    it('that the pool has no bucket', async () => {
      const { s3: _s3, ...none } = target().destination ?? { engine: 'S3' as const };
      await refused('InvalidSpec', false, 'spec.backup.s3 is missing', { ...target(), destination: none });
    });

    it('that the disk of the server is full, and nothing half-written counts', async function () {
      // Only root can make a disk that is small enough to be full.
      if (process.getuid?.() !== 0) this.skip();
      const disk = await mkdtemp(join(tmpdir(), 'understudy-full-'));
      await run('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'understudy-full', disk]);
      const small = await startS3Server({ folder: disk });
      try {
        await small.createBucket(bucket);
        const where = target({ endpoint: small.endpoint });
        for (const bytes of [4 * mebibyte, 12 * mebibyte]) {
          const error = await failure(engine.write(large(bytes), where));
          expect(error).to.include({ reason: 'StorageFull', mayPass: false });
          expect(await engine.check(where)).to.equal(undefined);
        }
        expect((await engine.write(await baseline(), where)).cameras).to.equal(3);
      } finally {
        await small.close();
        await run('umount', [disk]);
        await rm(disk, { recursive: true, force: true });
      }
    });
  });

  describe('when the server is gone in the middle of an upload', () => {
    it('counts nothing, says so, and is finished by the next try without leftovers', async () => {
      const wanted = large(64 * mebibyte);
      const attempt = failure(engine.write(wanted, target()));
      const parts = async () => (await s3.files()).filter((path) => path.includes('.sgwtmp')).length;
      await waitUntil('the first parts lie there', async () => (await parts()) >= 2, { timeoutMs: 30_000 });
      await s3.kill();
      const error = await attempt;
      expect(error.reason).to.be.oneOf(['StoreInterrupted', 'EndpointUnreachable']);
      expect(error.mayPass).to.equal(true);
      await s3.start();
      expect(await engine.check(target())).to.equal(undefined);
      expect(await uploads()).to.have.length(1);
      expect((await engine.write(wanted, target())).bytes).to.equal(64 * mebibyte);
      expect(await uploads()).to.deep.equal([]);
    });
  });
});
