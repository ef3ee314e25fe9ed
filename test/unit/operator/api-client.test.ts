import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CoreV1Api } from '@kubernetes/client-node';
import { expect } from 'chai';
import { createApiClient } from '../../../src/operator/api/client.js';
import { ApiError, isApiError } from '../../../src/operator/api/error.js';
import { PooledKubeConfig } from '../../../src/operator/api/pooled-kube-config.js';
import type { KubeClient } from '../../../src/operator/api/types.js';
import { createMetrics } from '../../../src/operator/metrics.js';
import type { KubeObject } from '../../../src/operator/objects.js';
import { resources } from '../../../src/operator/resources.js';
import { LoopbackApiServer } from '../support/loopback-api-server.js';

async function errorOf(promise: Promise<unknown>): Promise<ApiError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error('expected an ApiError, but it succeeded');
}

describe('the API client', () => {
  let server: LoopbackApiServer;
  let client: KubeClient;
  const metrics = createMetrics();

  beforeEach(async () => {
    server = await LoopbackApiServer.start();
    client = createApiClient({ kubeConfig: server.kubeConfig(), metrics });
  });

  afterEach(async () => {
    await client.close();
    await server.close();
  });

  it('keeps connections: 20 requests do not make 20 of them', async () => {
    for (let i = 0; i < 20; i++) await client.list(resources.nodes);
    // undici may open a second one when the next request comes in the turn in which the last one ended.
    expect(server.connections).to.be.at.most(2);
  });

  it('opens no more connections than the pool may have, however many requests come at once', async () => {
    const small = createApiClient({ kubeConfig: server.kubeConfig(), connections: 8 });
    await Promise.all(Array.from({ length: 200 }, () => small.list(resources.nodes)));
    expect(server.connections).to.be.at.most(8);
    await small.close();
  });

  it("gives client-node's own API classes the same pool", async () => {
    const config = PooledKubeConfig.from(server.kubeConfig());
    const api = config.makeApiClient(CoreV1Api);
    for (let i = 0; i < 20; i++) await api.listNode();
    expect(server.connections).to.be.at.most(2);
    await config.close();
  });

  it('reads, creates, replaces, patches and deletes raw JSON with its unknown fields', async () => {
    const created = await client.create<KubeObject & { oddField: object }>(resources.pods, {
      metadata: { name: 'a', namespace: 'x' },
      oddField: { b: 1 },
    });
    expect(created).to.deep.include({ apiVersion: 'v1', kind: 'Pod', oddField: { b: 1 } });
    const replaced = await client.replace(resources.pods, { ...created, oddField: { b: 2 } });
    expect(replaced.metadata.resourceVersion).to.not.equal(created.metadata.resourceVersion);
    await client.patch(resources.pods, { namespace: 'x', name: 'a' }, { oddField: { c: 3 } });
    await client.patchStatus(resources.pods, { namespace: 'x', name: 'a' }, { status: { phase: 'Running' } });
    await client.apply(resources.pods, { metadata: { name: 'b', namespace: 'x' } });
    const read = await client.get<typeof created & { status: object }>(resources.pods, { namespace: 'x', name: 'a' });
    expect(read.oddField).to.deep.equal({ b: 2, c: 3 });
    expect(read.status).to.deep.equal({ phase: 'Running' });
    await client.delete(resources.pods, { namespace: 'x', name: 'a' }, { uid: created.metadata.uid });
    expect((await client.list(resources.pods, { namespace: 'x' })).items.map((pod) => pod.metadata.name)).to.eql(['b']);
  });

  it('patches by merge patch and applies by server-side apply, forced, as one field manager', async () => {
    server.put(resources.pods, { metadata: { name: 'a', namespace: 'x' } });
    await client.patch(resources.pods, { namespace: 'x', name: 'a' }, { metadata: { labels: { l: '1' } } });
    await client.apply(resources.pods, { metadata: { name: 'a', namespace: 'x' } });
    const [patch, apply] = server.requests;
    expect(patch?.headers['content-type']).to.equal('application/merge-patch+json');
    expect(apply?.headers['content-type']).to.equal('application/apply-patch+yaml');
    expect(apply?.query.toString()).to.equal('fieldManager=understudy&force=true');
  });

  it('applies and writes a status as another manager where it is told to, and rehearses an apply', async () => {
    const metadata = { name: 'a', namespace: 'x' };
    server.put(resources.pods, { metadata });
    const fieldManager = 'a-person';
    await client.apply(
      resources.pods,
      { metadata: { name: 'a', namespace: 'x' } },
      { fieldManager, force: false, dryRun: true },
    );
    await client.replaceStatus(resources.pods, { metadata }, { fieldManager });
    const [apply, status] = server.requests;
    expect(apply?.query.toString()).to.equal('fieldManager=a-person&force=false&dryRun=All');
    expect(status?.query.toString()).to.equal('fieldManager=a-person');
  });

  it('pages a list of any length', async () => {
    for (let i = 0; i < 25; i++) server.put(resources.nodes, { metadata: { name: `n${i}` } });
    const { items, resourceVersion } = await client.list(resources.nodes, { limit: 10 });
    expect(items).to.have.length(25);
    expect(resourceVersion).to.equal(String(server.store.version));
    expect(server.requests).to.have.length(3);
  });

  it('starts a list over when its continue token has expired', async () => {
    for (let i = 0; i < 5; i++) server.put(resources.nodes, { metadata: { name: `n${i}` } });
    server.fail((request) => request.query.get('continue') !== null, { kind: 'status', status: 410 });
    expect((await client.list(resources.nodes, { limit: 2 })).items).to.have.length(5);
  });

  const answers: [number, object, string][] = [
    [400, {}, 'invalid'],
    [403, { reason: 'Forbidden' }, 'forbidden'],
    [403, { reason: 'Forbidden', details: { causes: [{ reason: 'NamespaceTerminating' }] } }, 'namespaceTerminating'],
    [404, {}, 'notFound'],
    [405, {}, 'terminal'],
    [409, { reason: 'AlreadyExists' }, 'alreadyExists'],
    [409, { reason: 'Conflict' }, 'conflict'],
    [410, {}, 'gone'],
    [415, {}, 'terminal'],
    [422, {}, 'invalid'],
    [429, {}, 'tooManyRequests'],
    [500, {}, 'transient'],
    [503, {}, 'transient'],
    [504, { details: { causes: [{ reason: 'ResourceVersionTooLarge' }] } }, 'gone'],
  ];
  for (const [status, body, kind] of answers) {
    it(`calls HTTP ${status} ${JSON.stringify(body)} ${kind}`, async () => {
      server.fail(() => true, { kind: 'status', status, body: { kind: 'Status', message: 'why', ...body } });
      const error = await errorOf(client.get(resources.nodes, { name: 'a' }));
      expect(error).to.include({ kind, status });
      expect(error.message).to.equal(`get /api/v1/nodes/a: HTTP ${status}: why`);
    });
  }

  it('takes Retry-After from the header in seconds, or as a date, or from the Status', async () => {
    const retryAfter = async (fault: { headers?: Record<string, string>; body?: unknown }) => {
      server.fail(() => true, { kind: 'status', status: 429, ...fault });
      return (await errorOf(client.list(resources.nodes))).retryAfterMs;
    };
    expect(await retryAfter({ headers: { 'retry-after': '7' } })).to.equal(7_000);
    const date = new Date(Date.now() + 60_000).toUTCString();
    expect(await retryAfter({ headers: { 'retry-after': date } })).to.be.within(50_000, 61_000);
    expect(await retryAfter({ body: { details: { retryAfterSeconds: 3 } } })).to.equal(3_000);
    expect(await retryAfter({})).to.equal(undefined);
  });

  it('ends a request that hangs when its time-out has passed', async () => {
    server.fail(() => true, { kind: 'hang' });
    const error = await errorOf(client.get(resources.nodes, { name: 'a' }, { timeoutMs: 50 }));
    expect(error).to.include({ kind: 'transient', reason: 'RequestTimeout' });
  });

  it("throws the signal's reason when the caller aborts", async () => {
    server.fail(() => true, { kind: 'hang' });
    const abort = new AbortController();
    const reason = new Error('enough');
    const request = client.get(resources.nodes, { name: 'a' }, { signal: abort.signal });
    await server.until(() => server.requests.length === 1, 'the request arrives');
    abort.abort(reason);
    expect(await request.catch((error: unknown) => error)).to.equal(reason);
  });

  it('repeats a read, but never a write, whose kept-alive connection was cut', async () => {
    server.put(resources.nodes, { metadata: { name: 'a' } });
    server.fail((request) => request.method === 'GET', { kind: 'cut' });
    expect((await client.get(resources.nodes, { name: 'a' })).metadata.name).to.equal('a');
    server.fail((request) => request.method === 'PATCH', { kind: 'cut' });
    expect((await errorOf(client.patch(resources.nodes, { name: 'a' }, {}))).kind).to.equal('transient');
    expect(server.count((request) => request.method === 'PATCH')).to.equal(1);
  });

  it('reads a rotated token file again at once after a 401', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'token-'));
    const tokenFile = join(folder, 'token');
    await writeFile(tokenFile, 'first\n');
    const user = { name: 'tester', authProvider: { name: 'tokenFile', config: { tokenFile } } };
    let clockMs = 0;
    const clock = { monotonic: () => clockMs, wall: () => new Date(), setTimer: () => ({ cancel: () => undefined }) };
    const rotating = createApiClient({ kubeConfig: server.kubeConfig(user), clock });
    try {
      server.put(resources.nodes, { metadata: { name: 'a' } });
      await rotating.get(resources.nodes, { name: 'a' });
      await writeFile(tokenFile, 'second\n');
      clockMs += 20_000;
      server.fail((request) => request.headers.authorization === 'Bearer first', { kind: 'status', status: 401 }, 9);
      await rotating.get(resources.nodes, { name: 'a' });
      const tokens = server.requests.map((request) => request.headers.authorization);
      expect(tokens).to.eql(['Bearer first', 'Bearer first', 'Bearer second']);
    } finally {
      await rotating.close();
      await rm(folder, { recursive: true });
    }
  });

  it('refuses writes, and lets reads through, while the write gate is shut', async () => {
    const gated = client.withWriteGate({
      assertOpen: () => {
        throw new ApiError('writeRefused', 'shut');
      },
    });
    server.put(resources.nodes, { metadata: { name: 'a' } });
    await gated.get(resources.nodes, { name: 'a' });
    const key = { name: 'a' };
    const writes = [
      () => gated.create(resources.nodes, { metadata: key }),
      () => gated.replace(resources.nodes, { metadata: key }),
      () => gated.replaceStatus(resources.nodes, { metadata: key }),
      () => gated.patch(resources.nodes, key, {}),
      () => gated.patchStatus(resources.nodes, key, {}),
      () => gated.apply(resources.nodes, { metadata: key }),
      () => gated.delete(resources.nodes, key),
    ];
    for (const write of writes) expect((await errorOf(write())).kind).to.equal('writeRefused');
    expect(server.requests.map((request) => request.method)).to.eql(['GET']);
  });

  it("ends a write no later than the gate's remaining time", async () => {
    const gated = client.withWriteGate({ assertOpen: () => undefined, remainingMs: () => 40 });
    server.fail(() => true, { kind: 'hang' });
    const error = await errorOf(gated.patch(resources.nodes, { name: 'a' }, {}));
    expect(error.reason).to.equal('RequestTimeout');
  });

  it('knows when it last heard from the server; errors of the server do not count', async () => {
    expect(client.lastServerContact()).to.equal(undefined);
    server.fail(() => true, { kind: 'status', status: 500 });
    await errorOf(client.list(resources.nodes));
    expect(client.lastServerContact()).to.equal(undefined);
    await errorOf(client.get(resources.nodes, { name: 'none' }));
    expect(client.lastServerContact()).to.be.a('number');
  });

  for (const status of [401, 403, 429])
    it(`does not take an answer ${status} for contact: a server that has just started refuses everybody so`, async () => {
      // Twice, as a 401 is asked again with new credentials.
      for (const _ of ['first', 'again']) server.fail(() => true, { kind: 'status', status });
      await errorOf(client.list(resources.nodes));
      expect(client.lastServerContact()).to.equal(undefined);
    });

  it('hears from the server by what a watch brings, too', async () => {
    let clockMs = 0;
    const clock = { monotonic: () => clockMs, wall: () => new Date(), setTimer: () => ({ cancel: () => undefined }) };
    const watching = createApiClient({ kubeConfig: server.kubeConfig(), clock });
    const ending = new AbortController();
    const { resourceVersion } = await watching.list(resources.nodes);
    const brought = new Promise<void>((resolve) => {
      const watch = watching.watch(resources.nodes, {
        resourceVersion,
        timeoutSeconds: 60,
        signal: ending.signal,
        onActivity: () => {
          if (clockMs === 0) server.put(resources.nodes, { metadata: { name: 'a' } });
          clockMs = 7_000;
        },
        onEvent: () => resolve(),
      });
      watch.catch(() => undefined);
    });
    await brought;
    expect(watching.lastServerContact()).to.equal(7_000);
    ending.abort();
    await watching.close();
  });

  it('counts requests by verb, resource and code', async () => {
    await client.list(resources.services);
    await errorOf(client.get(resources.services, { namespace: 'x', name: 'none' }));
    const text = await metrics.scrape();
    expect(text).to.include('rest_client_requests_total{verb="list",resource="services",code="200"} 1');
    expect(text).to.include('rest_client_requests_total{verb="get",resource="services",code="404"} 1');
  });

  it('will not ask for a namespaced object without its namespace', () => {
    expect(() => client.get(resources.pods, { name: 'a' })).to.throw(TypeError, 'give its namespace');
  });

  it('says which kinds of error it is asked about', () => {
    const error = new ApiError('conflict', 'c');
    expect(isApiError(error)).to.equal(true);
    expect(isApiError(error, 'notFound', 'conflict')).to.equal(true);
    expect(isApiError(error, 'notFound')).to.equal(false);
    expect(isApiError(new Error('x'))).to.equal(false);
  });
});
