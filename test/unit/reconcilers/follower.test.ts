// A fake: the loopback API server, on which one replica that does not lead watches a recorder.
import { expect } from 'chai';
import { failoverPools, recorderReports, recordingServers } from '../../../src/crds/index.js';
import { createApiClient, createMetrics, resources, silentLog, systemClock } from '../../../src/operator/index.js';
import { createReconcilers } from '../../../src/reconcilers/index.js';
import { failoverPool } from '../support/builders/failover-pool.js';
import { recordingServer } from '../support/builders/recording-server.js';
import { LoopbackApiServer } from '../support/loopback-api-server.js';

const mine = { 'app.kubernetes.io/managed-by': 'understudy', 'understudy.dev/server': 'a' };
const namespace = 'ns';

async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`did not happen: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('law 7: a replica that does not lead', () => {
  let api: LoopbackApiServer;
  beforeEach(async () => {
    api = await LoopbackApiServer.start();
  });
  afterEach(() => api.close());

  it('sees heartbeats and silence for itself, and writes nothing', async () => {
    const everReadyTime = '2026-01-01T00:00:00Z';
    const pool = failoverPool().spec({ failoverTimeoutSeconds: 3 }).build();
    api.put(failoverPools, { ...pool, metadata: { ...pool.metadata, namespace } });
    api.put(recordingServers, { ...recordingServer('a').status({ everReadyTime }).build() });
    const metadata = { name: 'a', namespace, labels: mine };
    const pod = api.put(resources.pods, { metadata, spec: {}, status: { phase: 'Running' } });
    const podUID = pod.metadata.uid;
    const volumes = [{ name: 'a', mountPath: '/footage/a', state: 'Healthy', sinceTime: everReadyTime }];
    const service = { podUID, recordingService: { state: 'Ready', sinceTime: everReadyTime }, volumes };
    api.put(recorderReports, { metadata, status: service });
    const renew = (renewTime: string): void => {
      const spec = { leaseDurationSeconds: 3, holderIdentity: podUID, renewTime };
      api.put(resources.leases, { metadata: { ...metadata, name: 'understudy-a' }, spec });
    };
    renew('t0');
    const metrics = createMetrics({ processMetrics: false });
    const client = createApiClient({ kubeConfig: api.kubeConfig(), metrics, log: silentLog });
    const { watches, observations } = createReconcilers({
      client,
      metrics,
      events: { event: () => undefined },
      clock: systemClock,
      log: silentLog,
      namespaces: [namespace],
      operatorNamespace: 'understudy',
      podDefaults: { image: 'understudy:1', imagePullPolicy: 'IfNotPresent' },
      version: '1.0.0',
      // Controllers run on the leader alone: here nothing starts them.
      createController: () => ({
        name: 'idle',
        enqueue: () => undefined,
        enqueueAfter: () => undefined,
        retryNow: () => undefined,
        start: () => undefined,
        stop: () => Promise.resolve(),
        idle: () => true,
      }),
    });
    const verdict = () => observations.healthOf('ns/a').verdict;
    // Leader election asks every two seconds on every replica; here a plain read takes its place.
    const asking = setInterval(() => {
      client.list(resources.nodes).catch(() => undefined);
    }, 500);
    try {
      observations.start();
      for (const reflector of watches.reflectors) reflector.start();
      await until('it is seen', () => observations.get('ns/a')?.leaseSeenAt !== undefined);
      let beats = 0;
      const beating = setInterval(() => {
        beats += 1;
        renew(`t${beats}`);
      }, 300);
      await until('its heartbeat is seen', () => verdict() === 'Healthy').finally(() => clearInterval(beating));
      await until('its silence is seen', () => observations.healthOf('ns/a').trigger === 'Unreachable');
      expect(api.count(({ method }) => method !== 'GET')).to.equal(0);
    } finally {
      clearInterval(asking);
      observations.stop();
      await Promise.all(watches.reflectors.map((reflector) => reflector.stop()));
      await client.close();
    }
  }).timeout(40_000);
});
