import { KubeConfig } from '@kubernetes/client-node';
import { expect } from 'chai';
import {
  createApiClient,
  isApiError,
  type KubeClient,
  type KubeObject,
  resources,
  type WatchEvent,
} from '../../../src/operator/index.js';
import { FaultProxy } from '../../chaos/proxy/fault-proxy.js';
import type { Fault, WatchFault } from '../../chaos/proxy/faults.js';
import { identityOf, targetOf } from '../../chaos/proxy/request.js';
import { LoopbackApiServer } from '../support/loopback-api-server.js';

const type = resources.configMaps;

function object(name: string, data: Record<string, string> = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'here', name }, data } as KubeObject;
}

function configFor(url: string): KubeConfig {
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [{ name: 'proxy', server: url, skipTLSVerify: true }],
    users: [{ name: 'tester', token: 'valid' }],
    contexts: [{ name: 'proxy', cluster: 'proxy', user: 'tester' }],
    currentContext: 'proxy',
  });
  return config;
}

interface Watching {
  readonly events: WatchEvent[];
  readonly names: () => string[];
  readonly ended: Promise<unknown>;
  stop(): void;
}

describe('the fault proxy', () => {
  let server: LoopbackApiServer;
  let proxy: FaultProxy;
  let client: KubeClient;

  beforeEach(async () => {
    server = await LoopbackApiServer.start();
    proxy = await FaultProxy.start({ origin: server.url });
    client = createApiClient({ kubeConfig: configFor(proxy.urlOf('r1')) });
  });
  afterEach(async () => {
    await client.close();
    await proxy.close();
    await server.close();
  });

  const exists = (name: string): boolean => server.store.collection('v1/configmaps').has(`here/${name}`);

  const create = (name: string, timeoutMs = 5_000) =>
    client.create(type, object(name), { timeoutMs }).then(
      () => 'created',
      (error: unknown) => error,
    );

  const inject = (fault: Fault, more: { skip?: number; times?: number; onHit?: () => void } = {}) =>
    proxy.inject({ matches: ({ verb }) => verb === 'create', fault, ...more });

  async function watch(): Promise<Watching> {
    const abort = new AbortController();
    const events: WatchEvent[] = [];
    const open = Promise.withResolvers<void>();
    const ended = client
      .watch(type, {
        namespace: 'here',
        resourceVersion: String(server.store.version),
        timeoutSeconds: 60,
        signal: abort.signal,
        onActivity: () => open.resolve(),
        onEvent: (event) => events.push(event),
      })
      .then(
        () => 'closed',
        (error: unknown) => error,
      );
    await open.promise;
    const names = () => events.map((event) => (event.object as KubeObject).metadata.name);
    return { events, names, ended, stop: () => abort.abort(new Error('the test has ended')) };
  }

  const put = (name: string, value = '') => server.put(type, object(name, { value }) as never);
  const faultWatches = (fault: WatchFault) => proxy.injectIntoWatches({ resource: 'configmaps', fault });

  it('passes requests and answers on, errors included', async () => {
    expect(await create('a')).to.equal('created');
    expect((await client.get(type, { namespace: 'here', name: 'a' })).metadata.name).to.equal('a');
    const missing = await client.get(type, { namespace: 'here', name: 'b' }).catch((error: unknown) => error);
    expect(isApiError(missing, 'notFound')).to.equal(true);
    expect((await client.list(type, { namespace: 'here' })).items).to.have.length(1);
  });

  it('notes each write with what became of it', async () => {
    await create('a');
    const key = { namespace: 'here', name: 'a' };
    await client.delete(type, key);
    await client.delete(type, key).catch(() => undefined);
    await client.list(type, { namespace: 'here' });
    const noted = proxy.writes.map(({ replica, identity, occurrence, status }) => [
      ...[replica, identity, occurrence, status],
    ]);
    expect(noted).to.deep.equal([
      ['r1', 'create configmaps a', 0, 200],
      ['r1', 'delete configmaps a', 0, 200],
      ['r1', 'delete configmaps a', 1, 404],
    ]);
  });

  it('cuts before a request is sent on, so that it is never applied', async () => {
    inject({ kind: 'cutBefore' });
    expect(isApiError(await create('a'), 'transient')).to.equal(true);
    expect(exists('a')).to.equal(false);
  });

  it('cuts after the answer, so that it is applied and the client sees an error', async () => {
    inject({ kind: 'cutAfter' });
    expect(isApiError(await create('a'), 'transient')).to.equal(true);
    expect(exists('a')).to.equal(true);
  });

  for (const [kind, applied] of [
    ['hangBefore', false],
    ['hangAfter', true],
  ] as const)
    it(`${kind}: no byte comes, and the write is ${applied ? '' : 'not '}applied`, async () => {
      inject({ kind });
      const error = await create('a', 100);
      expect(String(error)).to.contain('no answer within 100 ms');
      // The client's patience may have ended before the write was sent on.
      if (applied) await server.until(() => exists('a'), 'the write is applied');
      else expect(exists('a')).to.equal(false);
    });

  it('answers by itself with 409, 429 and 500', async () => {
    inject({ kind: 'answer', status: 409, reason: 'Conflict' });
    inject({ kind: 'answer', status: 429, reason: 'TooManyRequests', retryAfterSeconds: 2 });
    inject({ kind: 'answer', status: 500, reason: 'InternalError' });
    expect(isApiError(await create('a'), 'conflict')).to.equal(true);
    expect(await create('a')).to.include({ kind: 'tooManyRequests', retryAfterMs: 2_000 });
    expect(isApiError(await create('a'), 'transient')).to.equal(true);
    expect(exists('a')).to.equal(false);
  });

  it('hits the request that was meant and as many as were meant', async () => {
    const done = inject({ kind: 'answer', status: 500, reason: 'InternalError' }, { skip: 1, times: 2 });
    const all = [];
    for (const name of ['a', 'b', 'c', 'd']) all.push((await create(name)) === 'created');
    expect(all).to.deep.equal([true, false, false, true]);
    expect(done()).to.equal(true);
  });

  it('delivers a write late, after its client has given it up', async () => {
    const late = Promise.withResolvers<void>();
    inject({ kind: 'detain', until: late.promise });
    expect(await create('a', 100)).to.be.instanceOf(Error);
    expect(exists('a')).to.equal(false);
    late.resolve();
    await server.until(() => exists('a'), 'the late write arrives');
  });

  it('lets nothing of a dead replica pass, and the others go on', async () => {
    inject({ kind: 'cutAfter' }, { onHit: () => proxy.kill('r1') });
    const other = createApiClient({ kubeConfig: configFor(proxy.urlOf('r2')) });
    expect(await create('a')).to.be.instanceOf(Error);
    expect(await create('b')).to.be.instanceOf(Error);
    await other.create(type, object('c'));
    expect([exists('a'), exists('b'), exists('c')]).to.deep.equal([true, false, true]);
    await other.close();
  });

  it('keeps from a replica that stands still what comes for it, and gives it when it goes on', async () => {
    const watching = await watch();
    proxy.freeze('r1');
    put('a');
    const answer = create('b');
    await server.until(() => exists('b'), 'the write is applied');
    expect(watching.names()).to.deep.equal([]);
    proxy.thaw('r1');
    expect(await answer).to.equal('created');
    put('c');
    await server.until(() => watching.events.length === 3, 'the events come');
    expect(watching.names()).to.deep.equal(['a', 'b', 'c']);
    watching.stop();
  });

  it('passes events of a watch on as they come', async () => {
    const watching = await watch();
    put('a');
    put('b');
    await server.until(() => watching.events.length === 2, 'both events come');
    expect(watching.names()).to.deep.equal(['a', 'b']);
    watching.stop();
  });

  it('lets a watch lag, in order, and catch up when it is healed', async () => {
    const watching = await watch();
    faultWatches({ kind: 'lag', ms: 60_000 });
    put('a');
    put('b');
    await create('c');
    expect(watching.names()).to.deep.equal([]);
    proxy.heal();
    put('d');
    await server.until(() => watching.events.length === 4, 'all events come');
    expect(watching.names()).to.deep.equal(['a', 'b', 'c', 'd']);
    watching.stop();
  });

  it('shows only the last of several changes of an object', async () => {
    const watching = await watch();
    faultWatches({ kind: 'coalesce', ms: 100 });
    put('a', 'first');
    put('b', 'first');
    put('a', 'second');
    await server.until(() => watching.events.length === 2, 'one event for each object');
    const seen = watching.events.map(({ object: found }) => (found as { data?: { value?: string } }).data?.value);
    expect(seen).to.deep.equal(['first', 'second']);
    watching.stop();
  });

  it('loses as many events as it was told to, and then goes on', async () => {
    const watching = await watch();
    faultWatches({ kind: 'lose', count: 2 });
    for (const name of ['a', 'b', 'c']) put(name);
    await server.until(() => watching.events.length === 1, 'the third event comes');
    expect(watching.names()).to.deep.equal(['c']);
    watching.stop();
  });

  it('leaves a mute watch mute, and lets the next one speak', async () => {
    const first = await watch();
    faultWatches({ kind: 'mute' });
    proxy.heal();
    const second = await watch();
    put('a');
    await server.until(() => second.events.length === 1, 'the second watch hears of it');
    expect(first.events).to.deep.equal([]);
    first.stop();
    second.stop();
  });

  it('ends watches with code 410', async () => {
    const watching = await watch();
    expect(proxy.expireWatches('configmaps')).to.equal(1);
    await watching.ended;
    expect(watching.events).to.have.length(1);
    expect(watching.events[0]).to.deep.include({ type: 'ERROR' });
  });

  it('serves an old list until it is healed', async () => {
    const list = async () =>
      (await client.list(type, { namespace: 'here' })).items.map(({ metadata }) => metadata.name);
    put('a');
    expect(await list()).to.deep.equal(['a']);
    await proxy.snapshotLists();
    put('b');
    proxy.serveStaleLists('configmaps');
    expect(await list()).to.deep.equal(['a']);
    proxy.heal();
    expect(await list()).to.deep.equal(['a', 'b']);
  });
});

describe('what the fault proxy reads from a path', () => {
  const rows: [string, object][] = [
    ['/api/v1/namespaces/here', { namespace: undefined, resource: 'namespaces', name: 'here' }],
    ['/api/v1/nodes', { namespace: undefined, resource: 'nodes', name: '' }],
    ['/api/v1/namespaces/here/pods/a', { namespace: 'here', resource: 'pods', name: 'a' }],
    [
      '/apis/understudy.dev/v1alpha1/namespaces/here/failoverpools/site/status',
      { namespace: 'here', resource: 'failoverpools/status', name: 'site' },
    ],
    [
      '/apis/understudy.dev/v1alpha1/recordingservers',
      { namespace: undefined, resource: 'recordingservers', name: '' },
    ],
  ];
  for (const [path, target] of rows) it(path, () => expect(targetOf(path)).to.deep.equal(target));

  it('names a write by verb, kind and name', () => {
    expect(identityOf({ verb: 'update', resource: 'failoverpools/status', name: 'site' })).to.equal(
      'update failoverpools/status site',
    );
    expect(identityOf({ verb: 'list', resource: 'pods', name: '' })).to.equal('list pods');
  });
});
