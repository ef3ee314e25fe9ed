import { V1MicroTime } from '@kubernetes/client-node';
import { expect } from 'chai';
import { createApiClient } from '../../../src/operator/api/client.js';
import { isApiError } from '../../../src/operator/api/error.js';
import type { KubeClient } from '../../../src/operator/api/types.js';
import { createLeaderElector } from '../../../src/operator/election/leader-elector.js';
import type { Lease } from '../../../src/operator/election/lease.js';
import { type LeaderElector, LeadershipLostError } from '../../../src/operator/election/types.js';
import { microTime } from '../../../src/operator/micro-time.js';
import { resources } from '../../../src/operator/resources.js';
import { FakeClock } from '../support/fake-clock.js';
import { LoopbackApiServer, type RecordedRequest } from '../support/loopback-api-server.js';

const lease = { namespace: 'ops', name: 'leader' };
const isRenewal = (request: RecordedRequest): boolean => request.method === 'PUT';

describe('leader election', () => {
  let server: LoopbackApiServer;
  let client: KubeClient;
  let clock: FakeClock;
  const running: { abort: AbortController; run: Promise<unknown> }[] = [];

  function elector(identity: string, using = client): LeaderElector {
    return createLeaderElector({ client: using, lease, identity, clock, random: () => 0 });
  }

  function run(who: LeaderElector): { abort: AbortController; run: Promise<unknown> } {
    const abort = new AbortController();
    const entry = { abort, run: who.run(abort.signal).catch((error: unknown) => error) };
    running.push(entry);
    return entry;
  }

  /** Moves the fake time in small steps while real requests go on, until `condition` holds. */
  async function passUntil(condition: () => boolean, what: string, stepMs = 100, mostMs = 60_000): Promise<void> {
    for (let passed = 0; !condition(); passed += stepMs) {
      if (passed > mostMs) throw new Error(`did not happen within ${mostMs} ms: ${what}`);
      await clock.advance(stepMs);
      await answered();
    }
  }

  /** Lets the requests that are under way come back: a round trip that began later has ended. */
  async function answered(): Promise<void> {
    await probe.get(resources.nodes, { name: 'probe' });
    await probe.get(resources.nodes, { name: 'probe' });
  }

  let probe: KubeClient;
  const stored = (): Lease => server.store.get('coordination.k8s.io/v1/leases', 'ops/leader') as unknown as Lease;

  beforeEach(async () => {
    server = await LoopbackApiServer.start();
    server.put(resources.nodes, { metadata: { name: 'probe' } });
    clock = new FakeClock();
    client = createApiClient({ kubeConfig: server.kubeConfig(), clock });
    probe = createApiClient({ kubeConfig: server.kubeConfig() });
  });

  afterEach(async () => {
    for (const { abort } of running) abort.abort();
    await client.close();
    await Promise.all(running.splice(0).map((entry) => entry.run));
    await probe.close();
    await server.close();
  });

  it("writes times of six digits, as client-node's V1MicroTime does", () => {
    const date = new Date('2026-01-02T03:04:05.678Z');
    expect(microTime(date)).to.equal('2026-01-02T03:04:05.678000Z');
    expect(microTime(date)).to.equal(new V1MicroTime(date).toISOString());
  });

  it('creates the Lease, leads, and renews it every 2 s', async () => {
    const a = elector('a');
    let started = 0;
    a.onStartedLeading(() => {
      started += 1;
    });
    run(a);
    await passUntil(() => a.isLeader(), 'a leads');
    expect(started).to.equal(1);
    expect(stored().spec).to.include({ holderIdentity: 'a', leaseDurationSeconds: 15, leaseTransitions: 0 });
    expect(stored().spec?.renewTime).to.match(/\.\d{6}Z$/);
    await passUntil(() => server.count(isRenewal) === 3, 'three renewals');
    expect(clock.monotonic()).to.be.within(6_000, 7_000);
  });

  it('refuses writes before it leads', () => {
    try {
      elector('a').assertOpen();
    } catch (error) {
      expect(isApiError(error, 'writeRefused')).to.equal(true);
      return;
    }
    throw new Error('the gate was open');
  });

  it('waits for 15 s of its own clock without a renewal before it takes over, whatever the times in the Lease say', async () => {
    const past = microTime(new Date(0));
    const spec = { holderIdentity: 'dead', leaseDurationSeconds: 15, renewTime: past, acquireTime: past };
    server.put(resources.leases, { metadata: lease, spec });
    const a = elector('a');
    run(a);
    await passUntil(() => a.isLeader(), 'a leads');
    expect(clock.monotonic()).to.be.within(15_000, 18_000);
    expect(stored().spec).to.include({ holderIdentity: 'a', leaseTransitions: 1 });
  });

  it('does not take a Lease that was deleted under its holder before the holder must have stopped', async () => {
    const spec = { holderIdentity: 'other', leaseDurationSeconds: 15 };
    server.put(resources.leases, { metadata: lease, spec });
    const a = elector('a');
    run(a);
    await passUntil(() => server.count((request) => request.path.endsWith('/leader')) > 0, 'a has read the Lease');
    server.remove(resources.leases, 'ops/leader');
    await passUntil(() => a.isLeader(), 'a leads');
    expect(clock.monotonic()).to.be.at.least(15_000);
  });

  it('is not renewed by a change of its metadata', async () => {
    server.put(resources.leases, { metadata: lease, spec: { holderIdentity: 'dead', leaseDurationSeconds: 15 } });
    const a = elector('a');
    run(a);
    let labels = 0;
    await passUntil(() => {
      const object = { metadata: { ...lease, labels: { n: String(labels++) } }, spec: stored().spec };
      if (!a.isLeader() && labels % 10 === 0) server.put(resources.leases, object);
      return a.isLeader();
    }, 'a leads');
    expect(clock.monotonic()).to.be.below(20_000);
  });

  it('gives the Lease back when asked to end, so that the next one leads at once', async () => {
    const a = elector('a');
    const first = run(a);
    await passUntil(() => a.isLeader(), 'a leads');
    const order: string[] = [];
    a.onStoppedLeading(() => order.push(`stopped, held by ${stored().spec?.holderIdentity}`));
    first.abort.abort();
    expect(await first.run).to.equal(undefined);
    expect(order).to.eql(['stopped, held by a']);
    expect(a.isLeader()).to.equal(false);
    expect(stored().spec).to.include({ holderIdentity: '', leaseDurationSeconds: 1 });
    const before = clock.monotonic();
    const b = elector('b');
    run(b);
    await passUntil(() => b.isLeader(), 'b leads');
    expect(clock.monotonic() - before).to.be.below(3_000);
  });

  it('with a hanging renewal refuses writes and ends leading when the renew deadline has passed, not later', async () => {
    const a = elector('a');
    let stopped = false;
    a.onStoppedLeading(() => {
      stopped = true;
    });
    const entry = run(a);
    await passUntil(() => a.isLeader(), 'a leads');
    const renewed = clock.monotonic();
    const gated = client.withWriteGate(a);
    server.fail(isRenewal, { kind: 'hang' }, 1_000);
    server.fail((request) => request.path.endsWith('/leases/leader'), { kind: 'hang' }, 1_000);
    await passUntil(() => stopped, 'a stops');
    expect(clock.monotonic() - renewed).to.be.within(9_000, 10_200);
    const refused = await gated.patch(resources.nodes, { name: 'probe' }, {}).catch((error: unknown) => error);
    expect(isApiError(refused, 'writeRefused')).to.equal(true);
    expect(await entry.run).to.be.instanceOf(LeadershipLostError);
  });

  it('refuses a write right after a stall of the event loop beyond the deadline, before any timer has fired', async () => {
    const a = elector('a');
    run(a);
    await passUntil(() => a.isLeader(), 'a leads');
    expect(() => a.assertOpen()).to.not.throw();
    clock.stall(10_001);
    expect(() => a.assertOpen()).to.throw('does not lead');
  });

  it('goes on leading after a few failed renewals', async () => {
    const a = elector('a');
    run(a);
    await passUntil(() => a.isLeader(), 'a leads');
    server.fail(isRenewal, { kind: 'status', status: 500 });
    server.fail(isRenewal, { kind: 'cutAfter' });
    await passUntil(() => server.count(isRenewal) === 4, 'later renewals');
    expect(a.isLeader()).to.equal(true);
  });

  it('ends at once when it finds the Lease in other hands', async () => {
    const a = elector('a');
    const entry = run(a);
    await passUntil(() => a.isLeader(), 'a leads');
    server.put(resources.leases, { metadata: lease, spec: { holderIdentity: 'thief', leaseDurationSeconds: 15 } });
    const ended = { now: false };
    void entry.run.then(() => {
      ended.now = true;
    });
    await passUntil(() => ended.now, 'a ends');
    expect(clock.monotonic()).to.be.below(3_000);
    expect(String(await entry.run)).to.include('held by thief');
  });

  it('never lets two write: a leader cut off from the server has stopped before the next one starts', async () => {
    const a = elector('a');
    const b = elector('b');
    let bothOpen = 0;
    const open = (who: LeaderElector): boolean => who.remainingMs() > 0;
    run(a);
    await passUntil(() => a.isLeader(), 'a leads');
    run(b);
    await passUntil(
      () => server.count((request) => request.method === 'GET' && request.path.endsWith('leader')) > 2,
      'b looks',
    );
    // From here on nothing that a sends comes through; what b sends does.
    server.fail(
      (request) => JSON.stringify(request.body ?? '').includes('"holderIdentity":"a"'),
      { kind: 'hang' },
      1_000,
    );
    await passUntil(() => {
      if (open(a) && open(b)) bothOpen += 1;
      return open(b);
    }, 'b leads');
    expect(bothOpen).to.equal(0);
    expect(open(a)).to.equal(false);
  });

  it('never lets two write when both try for a free Lease at once', async () => {
    const electors = ['a', 'b', 'c'].map((identity) => elector(identity));
    for (const who of electors) run(who);
    await passUntil(() => electors.some((who) => who.isLeader()), 'one leads');
    await passUntil(() => server.count(isRenewal) > 3, 'renewals');
    expect(electors.filter((who) => who.isLeader())).to.have.length(1);
  });

  it('will not be built with times under which two could write', () => {
    const build = (times: object) => () => createLeaderElector({ client, lease, ...times });
    expect(build({ renewDeadlineMs: 15_000 })).to.throw('less than leaseDurationMs');
    expect(build({ retryPeriodMs: 5_000 })).to.throw('retryPeriodMs');
    expect(build({ leaseDurationMs: 15_500 })).to.throw('whole seconds');
  });
});
