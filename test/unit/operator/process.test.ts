import { expect } from 'chai';
import { createApiClient } from '../../../src/operator/api/client.js';
import type { KubeClient } from '../../../src/operator/api/types.js';
import { createReflector } from '../../../src/operator/cache/reflector.js';
import { createController } from '../../../src/operator/controller/controller.js';
import type { Reconcile } from '../../../src/operator/controller/types.js';
import { createLeaderElector } from '../../../src/operator/election/leader-elector.js';
import { createEventRecorder } from '../../../src/operator/events/event-recorder.js';
import { silentLog } from '../../../src/operator/log.js';
import { createMetrics } from '../../../src/operator/metrics.js';
import { type RunningProcess, startProcess } from '../../../src/operator/process.js';
import { resources } from '../../../src/operator/resources.js';
import { isList, LoopbackApiServer } from '../support/loopback-api-server.js';

const lease = { namespace: 'ops', name: 'leader' };

describe('the process', () => {
  let server: LoopbackApiServer;
  let base: KubeClient;
  let running: RunningProcess;
  let exits: number[];
  let order: string[];

  /** A whole operator with short times: it leads for a Lease, watches nodes, and reconciles them. */
  function begin(reconcile: Reconcile, times: { drainMs?: number; shutdownMs?: number } = {}): void {
    const metrics = createMetrics();
    base = createApiClient({ kubeConfig: server.kubeConfig(), metrics });
    const elector = createLeaderElector({
      client: base,
      lease,
      identity: 'me',
      leaseDurationMs: 1_000,
      renewDeadlineMs: 500,
      retryPeriodMs: 50,
      metrics,
    });
    const client = base.withWriteGate(elector);
    const events = createEventRecorder({ client, controller: 'test/controller', metrics });
    const controller = createController({
      name: 'nodes',
      metrics,
      reconcile: async (key, context) => {
        events.event({ regarding: { kind: 'Node', name: key }, type: 'Normal', reason: 'R', action: 'A', note: 'n' });
        return await reconcile(key, context);
      },
    });
    const reflector = createReflector(base, {
      type: resources.nodes,
      project: (raw) => raw.metadata.name,
      onChange: (key) => controller.enqueue(key),
      metrics,
    });
    running = startProcess({
      name: 'test',
      kubeConfig: server.kubeConfig(),
      reflectors: [reflector],
      controllers: [controller],
      elector,
      onLeading: () => order.push('leading'),
      events,
      client: base,
      health: { port: 0, host: '127.0.0.1' },
      log: silentLog,
      metrics,
      exit: (code) => exits.push(code),
      ...times,
    });
  }

  async function ask(path: string): Promise<{ status: number; text: string }> {
    const answer = await fetch(`http://127.0.0.1:${running.healthPort()}${path}`);
    return { status: answer.status, text: await answer.text() };
  }

  const done = () => server.until(() => order.includes('done'), 'the reconcile is done');
  const holder = () =>
    (server.store.get('coordination.k8s.io/v1/leases', 'ops/leader').spec as { holderIdentity: string }).holderIdentity;

  // The tests raise signals; the test runner's own listeners, which end the run, must not hear them.
  const raised = ['SIGTERM', 'SIGINT', 'unhandledRejection'];
  let others: (() => void)[];

  beforeEach(async () => {
    others = raised.map((name) => {
      const listeners = process.rawListeners(name);
      process.removeAllListeners(name);
      return () => {
        for (const listener of listeners) process.on(name, listener as () => void);
      };
    });
    server = await LoopbackApiServer.start();
    server.put(resources.nodes, { metadata: { name: 'n0' } });
    exits = [];
    order = [];
  });

  afterEach(async () => {
    await running.stop();
    await base.close();
    await server.close();
    for (const giveBack of others) giveBack();
  });

  it('starts: lists, then leads, then reconciles; is ready only once it has listed, alive before', async () => {
    const released = Promise.withResolvers<void>();
    server.fail(isList, { kind: 'wait', until: released.promise });
    begin(async () => void order.push('done'));
    await server.until(() => server.count(isList) === 1, 'the list');
    expect(await ask('/readyz')).to.deep.equal({ status: 503, text: 'nodes: not listed yet\n' });
    expect((await ask('/healthz')).status).to.equal(200);
    expect(server.count((request) => request.path.includes('leases'))).to.equal(0);
    released.resolve();
    await done();
    expect(order).to.eql(['leading', 'done']);
    expect((await ask('/readyz')).status).to.equal(200);
    const { text } = await ask('/metrics');
    expect(text).to.include('leader_election_master_status{name="leader"} 1');
    expect(text).to.match(/reflector_last_activity_age_seconds\{resource="nodes"\} \d/);
    expect((await ask('/nothing')).status).to.equal(404);
  });

  it('stops in order: drains, flushes events, gives the Lease back, closes connections, exits 0', async () => {
    const release = Promise.withResolvers<void>();
    begin(async () => {
      order.push('begun');
      await release.promise;
      order.push(`done, lease held by ${holder()}`);
    });
    await server.until(() => order.includes('begun'), 'the reconcile begins');
    process.emit('SIGTERM');
    await server.until(() => true, 'a turn');
    expect((await ask('/readyz')).text).to.include('shutting down');
    release.resolve();
    expect(await running.ended).to.equal(0);
    expect(exits).to.eql([0]);
    expect(order).to.eql(['leading', 'begun', 'done, lease held by me']);
    expect(holder()).to.equal('');
    const lastWrites = server.requests.filter((request) => request.method !== 'GET').slice(-1);
    expect(lastWrites[0]?.path).to.include('/leases/');
    expect(server.store.collection('events.k8s.io/v1/events').size).to.equal(1);
    await server.until(() => server.openWatches === 0, 'the watch is closed');
  });

  it('aborts a reconcile that does not end in its time, and ends all the same', async () => {
    begin(
      async (_key, { signal }) => {
        order.push('begun');
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        order.push('aborted');
      },
      { drainMs: 50 },
    );
    await server.until(() => order.includes('begun'), 'the reconcile begins');
    expect(await running.stop()).to.equal(0);
    expect(order).to.include('aborted');
    expect(holder()).to.equal('');
  });

  it('ends within its bound even if a reconcile never does', async () => {
    begin(() => new Promise(() => order.push('begun')), { drainMs: 20, shutdownMs: 100 });
    await server.until(() => order.includes('begun'), 'the reconcile begins');
    expect(await running.stop()).to.equal(0);
    expect(exits).to.eql([0]);
  });

  it('exits 1, with its reconciles aborted, when leadership is lost', async () => {
    begin(async (_key, { signal }) => {
      order.push('begun');
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      order.push('aborted');
    });
    await server.until(() => order.includes('begun'), 'the reconcile begins');
    server.fail((request) => request.path.includes('leases'), { kind: 'hang' }, 1_000);
    expect(await running.ended).to.equal(1);
    expect(exits).to.eql([1]);
    expect(order).to.include('aborted');
    server.heal();
  });

  it('exits 1 on an unhandled rejection, and on a second signal', async () => {
    begin(async () => void order.push('done'));
    await done();
    process.emit('unhandledRejection', new Error('lost'), Promise.resolve());
    expect(await running.ended).to.equal(1);
    await running.stop();
    begin(() => new Promise(() => order.push('begun')));
    await server.until(() => order.includes('begun'), 'the reconcile begins');
    process.emit('SIGTERM');
    process.emit('SIGTERM');
    expect(await running.ended).to.equal(1);
    expect(exits).to.eql([1, 1]);
  });

  it('stays alive while the API server is down', async () => {
    begin(async () => void order.push('done'));
    await done();
    server.fail(() => true, { kind: 'cut' }, 1_000);
    server.cutWatches();
    await server.until(() => server.requests.length > 8, 'attempts');
    expect((await ask('/healthz')).status).to.equal(200);
    server.heal();
  });
});
