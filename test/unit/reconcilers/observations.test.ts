import { expect } from 'chai';
import type { ServerHealth } from '../../../src/failover/types.js';
import { createObservations } from '../../../src/reconcilers/observations.js';
import { watchServers } from '../../../src/reconcilers/recording-server/triggers.js';
import type { ChangeListener, Kind, Views } from '../../../src/reconcilers/stores.js';
import type { LeaseView } from '../../../src/reconcilers/views.js';
import { failoverPool } from '../support/builders/failover-pool.js';
import { recordingServer } from '../support/builders/recording-server.js';
import { FakeClock } from '../support/fake-clock.js';
import { memoryStores } from './support/memory-stores.js';
import { claim, lease, pod } from './support/scene.js';

/** A replica that watches one server `a` with a timeout of 6 s; the API server answers every second unless told not to. */
function replica() {
  const clock = new FakeClock();
  const stores = memoryStores();
  const listeners = new Map<Kind, ChangeListener<never>[]>();
  const on = <K extends Kind>(kind: K, listener: ChangeListener<Views[K]>): void => {
    listeners.set(kind, [...(listeners.get(kind) ?? []), listener as ChangeListener<never>]);
  };
  const told: ServerHealth[] = [];
  const enqueued: string[] = [];
  let again = 0;
  let answering = true;
  let answeredAt = 0;
  const observations = createObservations({
    watches: { stores, on },
    clock,
    lastServerContact() {
      if (answering) answeredAt = clock.monotonic();
      return answeredAt;
    },
    onVerdict: (_key, health) => told.push(health),
    onContactAgain: () => {
      again += 1;
    },
  });
  watchServers({ stores, on }, { enqueue: (key) => enqueued.push(key), enqueueAfter: (key) => enqueued.push(key) });
  const change = <K extends Kind>(kind: K, value: Views[K]): void => {
    const store = stores[kind];
    const { namespace, name } = value.metadata;
    const key = namespace ? `${namespace}/${name}` : name;
    const previous = store.get(key) as Views[K] | undefined;
    (store as { put(value: Views[K]): void }).put(value);
    for (const listener of listeners.get(kind) ?? []) (listener as ChangeListener<Views[K]>)(key, value, previous);
  };
  const a = recordingServer('a').status({ everReadyTime: '2026-01-01T00:00:00Z' }).build();
  const sinceTime = '2026-01-01T00:00:00Z';
  let beats = 0;
  const renew = (more: Partial<LeaseView> = {}): void => {
    beats += 1;
    change('leases', lease(a, { leaseDurationSeconds: 6, holderIdentity: 'pod-a', renewTime: `t${beats}`, ...more }));
  };
  const makeHealthy = (): void => {
    change('pools', failoverPool().status({ epoch: 1 }).build());
    change('servers', a);
    change('claims', claim('a-a'));
    change('pods', pod(a));
    change('reports', {
      metadata: { name: 'a', namespace: 'ns' },
      status: {
        podUID: 'pod-a',
        recordingService: { state: 'Ready', sinceTime },
        volumes: [{ name: 'a', mountPath: '/footage/a', state: 'Healthy', sinceTime }],
      },
    });
    renew();
    renew();
  };
  observations.start();
  const silence = (): void => {
    answering = false;
  };
  return {
    clock,
    observations,
    told,
    enqueued,
    change,
    renew,
    makeHealthy,
    silence,
    answer: () => {
      answering = true;
    },
    again: () => again,
    verdict: () => observations.healthOf('ns/a').verdict,
  };
}

describe('what a replica has seen', () => {
  it('costs a healthy server neither a judgement nor a reconcile for each heartbeat', async () => {
    const { clock, told, enqueued, renew, makeHealthy, verdict } = replica();
    makeHealthy();
    expect(verdict()).to.equal('Healthy');
    told.length = 0;
    enqueued.length = 0;
    for (let beat = 0; beat < 50; beat += 1) {
      await clock.advance(2_000);
      renew();
    }
    expect(verdict()).to.equal('Healthy');
    expect(told).to.deep.equal([]);
    expect(enqueued).to.deep.equal([]);
  });

  it('tells of a silent server by time alone: late first, then broken within a second of the timeout', async () => {
    const { clock, told, makeHealthy } = replica();
    makeHealthy();
    told.length = 0;
    await clock.advance(5_900);
    expect(told.map(({ verdict }) => verdict)).to.deep.equal(['Late']);
    await clock.advance(1_000);
    expect(told.at(-1)).to.include({ verdict: 'Broken', trigger: 'Unreachable' });
  });

  it('tells once that the API server answers again, and nothing when it only was slow', async () => {
    const { clock, silence, answer, again } = replica();
    await clock.advance(10_000);
    silence();
    await clock.advance(2_000);
    answer();
    await clock.advance(10_000);
    expect(again()).to.equal(0);
    silence();
    await clock.advance(7_000);
    expect(again()).to.equal(0);
    answer();
    await clock.advance(10_000);
    expect(again()).to.equal(1);
  });

  it('judges nobody while the API server is silent', async () => {
    const { clock, told, makeHealthy, silence } = replica();
    makeHealthy();
    silence();
    await clock.advance(60_000);
    expect(told.some(({ verdict }) => verdict === 'Broken')).to.equal(false);
    expect(told.at(-1)?.verdict).to.equal('Unknown');
  });

  it('tells once when a silent server is heard again', async () => {
    const { clock, told, renew, makeHealthy, verdict } = replica();
    makeHealthy();
    await clock.advance(10_000);
    expect(verdict()).to.equal('Broken');
    told.length = 0;
    renew();
    expect(told.map((health) => health.verdict)).to.deep.equal(['Healthy']);
  });

  it('wakes the server when another pod renews, or the assignment on the Lease changes', () => {
    const { enqueued, renew, makeHealthy } = replica();
    makeHealthy();
    enqueued.length = 0;
    renew({ holderIdentity: 'pod-b' });
    expect(enqueued).to.deep.equal(['ns/a']);
  });
});
