import { expect } from 'chai';
import { createApiClient } from '../../../src/operator/api/client.js';
import type { KubeClient } from '../../../src/operator/api/types.js';
import { cutToBytes } from '../../../src/operator/events/event-object.js';
import {
  createEventRecorder,
  type EventRecorderOptions,
  type FlushingEventRecorder,
} from '../../../src/operator/events/event-recorder.js';
import type { EventInput } from '../../../src/operator/events/types.js';
import { createMetrics, type Metrics } from '../../../src/operator/metrics.js';
import { FakeClock, settle } from '../support/fake-clock.js';
import { LoopbackApiServer } from '../support/loopback-api-server.js';

const regarding = { apiVersion: 'v1', kind: 'Pod', namespace: 'x', name: 'a', uid: 'u' };

function happening(change: Partial<EventInput> = {}): EventInput {
  return { regarding, type: 'Warning', reason: 'DiskLost', action: 'Probe', note: 'disk 1', ...change };
}

interface Written {
  note: string;
  reason: string;
  eventTime: string;
  reportingController: string;
  series?: { count: number; lastObservedTime: string };
}

describe('the event recorder', () => {
  let server: LoopbackApiServer;
  let client: KubeClient;
  let clock: FakeClock;
  let metrics: Metrics;

  function recorder(options: Partial<EventRecorderOptions> = {}): FlushingEventRecorder {
    return createEventRecorder({ client, controller: 'test/controller', clock, metrics, ...options });
  }

  const written = (): Written[] =>
    [...server.store.collection('events.k8s.io/v1/events').values()] as unknown as Written[];
  const flush = (from: FlushingEventRecorder) => from.flush(new AbortController().signal);

  beforeEach(async () => {
    server = await LoopbackApiServer.start();
    clock = new FakeClock();
    metrics = createMetrics();
    client = createApiClient({ kubeConfig: server.kubeConfig() });
  });

  afterEach(async () => {
    await client.close();
    await server.close();
  });

  it('writes an Event in the namespace of its object, with times of six digits', async () => {
    const events = recorder();
    events.event(happening());
    await flush(events);
    expect(server.requests[0]?.path).to.equal('/apis/events.k8s.io/v1/namespaces/x/events');
    expect(written()).to.have.length(1);
    expect(written()[0]).to.deep.include({ reason: 'DiskLost', reportingController: 'test/controller', regarding });
    expect(written()[0]?.eventTime).to.match(/\.\d{6}Z$/);
  });

  it('counts repeats of one happening in a series, however the note differs', async () => {
    const events = recorder();
    events.event(happening());
    await flush(events);
    for (let i = 2; i <= 10; i++) events.event(happening({ note: `disk ${i}` }));
    events.event(happening({ reason: 'NodeLost' }));
    await flush(events);
    expect(written()).to.have.length(2);
    const first = written().find((event) => event.reason === 'DiskLost');
    expect(first?.series?.count).to.equal(10);
    expect(first?.note).to.equal('disk 1');
    expect(server.count((request) => request.method === 'PATCH')).to.equal(1);
  });

  it('writes the count of a series at most every 30 s, and at last', async () => {
    const events = recorder();
    events.event(happening());
    await server.until(() => written().length === 1, 'the first');
    const patches = () => server.count((request) => request.method === 'PATCH');
    for (let i = 0; i < 20; i++) {
      events.event(happening());
      await clock.advance(1_000);
    }
    expect(patches()).to.equal(0);
    await clock.advance(15_000);
    await server.until(() => written()[0]?.series?.count === 21, 'the count');
    expect(patches()).to.equal(1);
  });

  it('starts a new Event when the last repeat was long ago', async () => {
    const events = recorder();
    events.event(happening());
    await flush(events);
    await clock.advance(360_001);
    events.event(happening());
    await flush(events);
    expect(written()).to.have.length(2);
  });

  it('is limited in rate', async () => {
    const events = recorder({ perSecond: 1, burst: 3 });
    for (let i = 0; i < 6; i++) events.event(happening({ reason: `R${i}` }));
    await server.until(() => written().length === 3, 'the burst');
    await clock.advance(999);
    expect(written()).to.have.length(3);
    await clock.advance(1);
    await server.until(() => written().length === 4, 'one more');
  });

  it('flushes without regard to the rate, but not beyond its signal', async () => {
    const events = recorder({ perSecond: 1, burst: 1 });
    for (let i = 0; i < 5; i++) events.event(happening({ reason: `R${i}` }));
    await flush(events);
    expect(written()).to.have.length(5);
    server.fail(() => true, { kind: 'hang' }, 100);
    events.event(happening({ reason: 'Hangs' }));
    const abort = new AbortController();
    const flushed = events.flush(abort.signal);
    await server.until(() => server.requests.length === 6, 'the request that hangs');
    abort.abort(new Error('enough'));
    await flushed;
  });

  it('never throws and never stops: failures are counted', async () => {
    const events = recorder();
    server.fail(() => true, { kind: 'status', status: 403 });
    events.event(happening());
    await flush(events);
    events.event(happening({ reason: 'Next' }));
    await flush(events);
    expect(written().map((event) => event.reason)).to.eql(['Next']);
    expect(await metrics.scrape()).to.include('event_recorder_events_total{result="failed"} 1');
    events.event({ ...happening(), regarding: undefined as unknown as EventInput['regarding'] });
    expect(await metrics.scrape()).to.include('event_recorder_events_total{result="failed"} 2');
  });

  it('tries again after a passing error', async () => {
    const events = recorder();
    server.fail(() => true, { kind: 'status', status: 503 });
    events.event(happening());
    await server.until(() => server.requests.length === 1, 'the first try');
    await settle();
    for (let i = 0; i < 20 && written().length === 0; i++) await clock.advance(500);
    await server.until(() => written().length === 1, 'the second try');
  });

  it('makes a new Event when the API server has forgotten the one of the series', async () => {
    const events = recorder();
    events.event(happening());
    await flush(events);
    server.store.collection('events.k8s.io/v1/events').clear();
    events.event(happening());
    await flush(events);
    expect(written()[0]?.series?.count).to.equal(2);
  });

  it('cuts notes to 1,024 bytes without splitting a character', () => {
    expect(cutToBytes('abc', 3)).to.equal('abc');
    const cut = cutToBytes('é'.repeat(1_000), 1_024);
    expect(Buffer.byteLength(cut)).to.be.at.most(1_024);
    expect(cut).to.match(/^é+…$/);
  });
});
