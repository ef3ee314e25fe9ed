import { expect } from 'chai';
import { createApiClient } from '../../../src/operator/api/client.js';
import type { KubeClient } from '../../../src/operator/api/types.js';
import { createReflector } from '../../../src/operator/cache/reflector.js';
import type { Reflector, ReflectorOptions } from '../../../src/operator/cache/types.js';
import { createMetrics, type Metrics } from '../../../src/operator/metrics.js';
import type { KubeObject } from '../../../src/operator/objects.js';
import { resources } from '../../../src/operator/resources.js';
import { type Fault, isList, isWatch, LoopbackApiServer } from '../support/loopback-api-server.js';

interface Node {
  name: string;
  zone: string;
}

function project(raw: KubeObject): Node {
  return { name: raw.metadata.name, zone: raw.metadata.labels?.zone ?? 'none' };
}

function node(name: string, zone = 'a') {
  return { metadata: { name, labels: { zone } }, spec: { big: 'x'.repeat(100) } };
}

async function count(metrics: Metrics, line: string): Promise<number> {
  const found = (await metrics.scrape()).split('\n').find((text) => text.startsWith(line));
  return found === undefined ? 0 : Number(found.slice(found.lastIndexOf(' ')));
}

describe('the reflector', () => {
  let server: LoopbackApiServer;
  let client: KubeClient;
  let metrics: Metrics;
  let changes: string[];
  let reflector: Reflector<Node>;

  function reflect(options: Partial<ReflectorOptions<Node>> = {}): Reflector<Node> {
    reflector = createReflector<Node>(client, {
      type: resources.nodes,
      project,
      indexes: { zone: (value) => [value.zone] },
      onChange: (key, next, previous) => changes.push(`${previous ? '~' : '+'}${key}`.replace(/^./, next ? '$&' : '-')),
      metrics,
      ...options,
    });
    return reflector;
  }

  async function watching(options: Partial<ReflectorOptions<Node>> = {}): Promise<void> {
    reflect(options).start();
    await server.until(() => server.openWatches === 1, 'the watch opens');
  }

  const seen = (name: string, what = `${name} arrives`) =>
    server.until(() => reflector.store.get(name) !== undefined, what);

  beforeEach(async () => {
    server = await LoopbackApiServer.start();
    metrics = createMetrics();
    client = createApiClient({ kubeConfig: server.kubeConfig(), metrics });
    changes = [];
    reflect();
  });

  afterEach(async () => {
    await reflector.stop();
    await client.close();
    await server.close();
  });

  it('lists page by page and then watches from the version of the list', async () => {
    for (let i = 0; i < 7; i++) server.put(resources.nodes, node(`n${i}`));
    await watching({ pageLimit: 3 });
    expect(reflector.store.size).to.equal(7);
    expect(reflector.store.synced).to.equal(true);
    expect(server.count(isList)).to.equal(3);
    const watch = server.requests.find(isWatch);
    expect(watch?.query.get('resourceVersion')).to.equal(String(server.store.version));
  });

  it('asks for 500 objects a page, for bookmarks, and for an end of the watch within 300 to 600 s', async () => {
    await watching();
    expect(server.requests.find(isList)?.query.get('limit')).to.equal('500');
    const query = server.requests.find(isWatch)?.query;
    expect(query?.get('allowWatchBookmarks')).to.equal('true');
    expect(Number(query?.get('timeoutSeconds'))).to.be.within(300, 600);
  });

  it('holds projections only, and keeps the indexes up with each change', async () => {
    server.put(resources.nodes, node('n0', 'a'));
    await watching();
    expect(reflector.store.get('n0')).to.deep.equal({ name: 'n0', zone: 'a' });
    server.put(resources.nodes, node('n1', 'a'));
    await server.until(() => reflector.store.byIndex('zone', 'a').length === 2, 'n1 is in zone a');
    server.put(resources.nodes, node('n0', 'b'));
    await server.until(() => reflector.store.byIndex('zone', 'b').length === 1, 'n0 is in zone b');
    expect(reflector.store.byIndex('zone', 'a').map((value) => value.name)).to.eql(['n1']);
    server.remove(resources.nodes, 'n0');
    await server.until(() => reflector.store.byIndex('zone', 'b').length === 0, 'n0 is gone');
    expect(changes).to.eql(['+n0', '+n1', '~n0', '-n0']);
    expect(() => reflector.store.byIndex('rack', 'x')).to.throw("no index 'rack'");
  });

  it('resumes a cut watch at the last version, without a list, and loses nothing', async () => {
    await watching();
    server.put(resources.nodes, node('n0'));
    await seen('n0');
    const { version } = server.store;
    server.cutWatches();
    server.put(resources.nodes, node('n1'));
    await seen('n1');
    expect(server.count(isList)).to.equal(1);
    const second = server.requests.filter(isWatch)[1];
    expect(second?.query.get('resourceVersion')).to.equal(String(version));
  });

  it('resumes where a bookmark said, so that a quiet kind does not grow too old', async () => {
    await watching();
    server.put(resources.services, { metadata: { name: 's', namespace: 'x' } });
    server.bookmark();
    await server.until(() => reflector.lastActivity() !== undefined, 'activity');
    const { version } = server.store;
    server.endWatches();
    await server.until(() => server.count(isWatch) === 2, 'the second watch');
    expect(server.requests.filter(isWatch)[1]?.query.get('resourceVersion')).to.equal(String(version));
  });

  it('lists again after an in-stream 410, and tells of what was deleted meanwhile', async () => {
    server.put(resources.nodes, node('n0'));
    server.put(resources.nodes, node('n1'));
    await watching();
    server.removeUnseen(resources.nodes, 'n0');
    server.store.expireHistory();
    server.cutWatches();
    await server.until(() => reflector.store.get('n0') === undefined, 'n0 is gone');
    expect(changes).to.eql(['+n0', '+n1', '-n0']);
  });

  it('lists again after an HTTP 410', async () => {
    await watching();
    server.fail(isWatch, { kind: 'status', status: 410 });
    server.putUnseen(resources.nodes, node('n0'));
    server.cutWatches();
    await seen('n0');
    expect(server.count(isList)).to.equal(2);
  });

  it('starts a list over when its continue token expires between pages', async () => {
    for (let i = 0; i < 5; i++) server.put(resources.nodes, node(`n${i}`));
    server.fail((request) => request.query.has('continue'), { kind: 'status', status: 410 });
    await watching({ pageLimit: 2 });
    expect(reflector.store.size).to.equal(5);
  });

  it('goes on after errors of the list', async () => {
    server.fail(isList, { kind: 'status', status: 500 });
    // A dropped connection is tried again by the client at once: two make one failure.
    server.fail(isList, { kind: 'cut' }, 2);
    await watching({ random: () => 0 });
    expect(server.count(isList)).to.equal(4);
  });

  const watchFaults: [string, Fault][] = [
    ['an HTTP 503', { kind: 'status', status: 503 }],
    ['a connection that is cut', { kind: 'cut' }],
    ['a clean end at once', { kind: 'end' }],
    ['a line that is no JSON', { kind: 'line', text: '{"type":"ADDED","obj' }],
  ];
  for (const [name, fault] of watchFaults) {
    it(`goes on after ${name} in the watch`, async () => {
      server.fail(isWatch, fault);
      await watching({ random: () => 0 });
      server.put(resources.nodes, node('n0'));
      await seen('n0');
      expect(server.count(isList)).to.equal(1);
    });
  }

  it('goes on after an in-stream error that is no 410', async () => {
    await watching();
    server.sendError(500);
    await server.until(() => server.count(isWatch) === 2, 'the watch is resumed');
    expect(server.count(isList)).to.equal(1);
  });

  it('waits as long as Retry-After says', async () => {
    server.fail(isList, { kind: 'status', status: 429, headers: { 'retry-after': '0.4' } });
    await watching({ random: () => 0 });
    const [first, second] = server.requests.filter(isList);
    expect((second?.time ?? 0) - (first?.time ?? 0)).to.be.at.least(390);
  });

  it('does not hammer a server that ends every watch at once', async () => {
    server.fail(isWatch, { kind: 'end' }, 1_000);
    reflect().start();
    await server.until(() => server.count(isWatch) === 4, 'four watches');
    const times = server.requests.filter(isWatch).map((request) => request.time);
    const waits = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(waits[0]).to.be.at.least(45);
    expect(waits[2]).to.be.at.least(180);
  });

  it('cuts a half-open watch after the silence limit, and resumes', async () => {
    await watching({ silenceLimitMs: 150 });
    server.muteWatches();
    server.put(resources.nodes, node('n0'));
    await seen('n0', 'n0 arrives through a new watch');
    expect(server.count(isList)).to.equal(1);
    expect(await count(metrics, 'reflector_watch_ends_total{resource="nodes",reason="silent"}')).to.be.at.least(1);
  });

  it('leaves a watch alone that carries bookmarks only', async () => {
    await watching({ silenceLimitMs: 200 });
    const start = performance.now();
    while (performance.now() - start < 500) {
      server.bookmark();
      await server.until(() => performance.now() - start >= 0, 'a turn');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(server.count(isWatch)).to.equal(1);
  });

  it('shows what a callback throws, and goes on', async () => {
    await watching({
      onChange: (key) => {
        changes.push(key);
        throw new Error('callback');
      },
    });
    server.put(resources.nodes, node('n0'));
    server.put(resources.nodes, node('n1'));
    await seen('n1');
    expect(changes).to.eql(['n0', 'n1']);
    expect(await count(metrics, 'reflector_callback_errors_total')).to.equal(2);
    expect(server.count(isWatch)).to.equal(1);
  });

  it('shows what a projection throws, once a version, and goes on', async () => {
    server.put(resources.nodes, node('bad'));
    await watching({
      project: (raw) => {
        if (raw.metadata.name === 'bad') throw new Error('projection');
        return project(raw);
      },
    });
    server.put(resources.nodes, node('n0'));
    await seen('n0');
    server.store.expireHistory();
    server.cutWatches();
    await server.until(() => server.count(isList) === 2 && server.openWatches === 1, 'it listed again');
    expect(await count(metrics, 'reflector_callback_errors_total')).to.equal(1);
  });

  it('keeps characters whole that arrive in two pieces', async () => {
    await watching();
    const line = Buffer.from(`${JSON.stringify({ type: 'ADDED', object: node('é', 'ü') })}\n`);
    const inside = line.indexOf(0xc3) + 1;
    server.sendBytes(line.subarray(0, inside));
    await new Promise((resolve) => setTimeout(resolve, 20));
    server.sendBytes(line.subarray(inside));
    await seen('é');
  });

  describe('checking lists', () => {
    const quick = { relistIntervalMs: 100, relistGraceMs: 60 };

    it('find what the watch lost, count it, and put it right', async () => {
      server.put(resources.nodes, node('n0'));
      await watching(quick);
      server.putUnseen(resources.nodes, node('n1'));
      server.removeUnseen(resources.nodes, 'n0');
      await seen('n1');
      await server.until(() => reflector.store.get('n0') === undefined, 'n0 is gone');
      expect(await count(metrics, 'reflector_cache_misses_total{resource="nodes"}')).to.equal(2);
    });

    it('count nothing, and leave the watch open, when the watch was only late', async () => {
      await watching(quick);
      // The list is held up; meanwhile the watch delivers what the list will hold.
      const released = Promise.withResolvers<void>();
      server.fail(isList, { kind: 'wait', until: released.promise });
      await server.until(() => server.count(isList) === 2, 'the checking list');
      server.put(resources.nodes, node('n0'));
      released.resolve();
      await server.until(() => server.count(isList) >= 4, 'two more checking lists');
      expect(await count(metrics, 'reflector_cache_misses_total')).to.equal(0);
      expect(server.count(isWatch)).to.equal(1);
    });

    it('that fail leave the watch open', async () => {
      await watching(quick);
      server.fail(isList, { kind: 'status', status: 500 });
      await server.until(() => server.count(isList) >= 4, 'later checking lists');
      expect(server.count(isWatch)).to.equal(1);
    });
  });

  describe('stop', () => {
    it('during the list: no watch is opened, no callback comes', async () => {
      const released = Promise.withResolvers<void>();
      server.put(resources.nodes, node('n0'));
      server.fail(isList, { kind: 'wait', until: released.promise });
      reflect().start();
      await server.until(() => server.count(isList) === 1, 'the list');
      const stopped = reflector.stop();
      released.resolve();
      await stopped;
      await client.list(resources.services);
      expect(server.count(isWatch)).to.equal(0);
      expect(changes).to.eql([]);
    });

    it('during the list: no watch is opened even if the client does not hear the signal', async () => {
      const released = Promise.withResolvers<void>();
      const calls: string[] = [];
      const deaf = createReflector<Node>(
        {
          listPages: async function* () {
            calls.push('list');
            await released.promise;
            yield { items: [node('n0')], resourceVersion: '1' };
          },
          watch: async () => {
            calls.push('watch');
          },
        },
        { type: resources.nodes, project, onChange: (key) => calls.push(key) },
      );
      deaf.start();
      await new Promise((resolve) => setImmediate(resolve));
      const stopped = deaf.stop();
      released.resolve();
      await stopped;
      expect(calls).to.eql(['list']);
      expect(deaf.store.synced).to.equal(false);
    });

    it('during the backoff: nothing is opened afterwards', async () => {
      server.fail(isList, { kind: 'status', status: 500 }, 1_000);
      reflect().start();
      await server.until(() => server.count(isList) === 2, 'a retry');
      await reflector.stop();
      const before = server.requests.length;
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(server.requests.length).to.equal(before);
    });

    it('during the watch: the connection is closed', async () => {
      await watching();
      await reflector.stop();
      await server.until(() => server.openWatches === 0, 'the watch is closed');
    });

    it('and start at once leaves exactly one watch, and finds what changed meanwhile', async () => {
      server.put(resources.nodes, node('n0'));
      await watching();
      void reflector.stop();
      reflector.start();
      void reflector.stop();
      server.removeUnseen(resources.nodes, 'n0');
      reflector.start();
      await server.until(() => reflector.store.get('n0') === undefined, 'n0 is gone');
      await server.until(() => server.openWatches === 1, 'one watch');
      server.put(resources.nodes, node('n1'));
      await seen('n1');
      expect(changes.filter((change) => change === '+n1')).to.have.length(1);
    });
  });

  it('tells how long it has been without data, and that it still tries', async () => {
    expect(reflector.lastActivity()).to.equal(undefined);
    server.fail(isList, { kind: 'cut' }, 1_000);
    reflect().start();
    await server.until(() => server.count(isList) >= 1, 'an attempt');
    expect(reflector.lastActivity()).to.equal(undefined);
    expect(reflector.lastProgress()).to.be.a('number');
    server.heal();
    await reflector.synced();
    expect(reflector.lastActivity()).to.be.a('number');
  });

  it('stops waiting for the first list when the signal aborts', async () => {
    const abort = new AbortController();
    const waiting = reflector.synced(abort.signal);
    const reason = new Error('no longer');
    abort.abort(reason);
    expect(await waiting.catch((error: unknown) => error)).to.equal(reason);
  });
});
