// A fake of the API client: these tests need refusals, conflicts and a Lease that the watch has not seen.
import { expect } from 'chai';
import { describe, it } from 'mocha';
import type { FailoverPool, RecorderReport, RecordingServer } from '../../../../src/crds/index.js';
import type { Observation, ServerHealth } from '../../../../src/failover/types.js';
import {
  ApiError,
  type ApiErrorKind,
  type EventInput,
  type KubeObject,
  type ResourceType,
  type Result,
  silentLog,
} from '../../../../src/operator/index.js';
import { createPoolReconciler } from '../../../../src/reconcilers/failover-pool/index.js';
import { CameraView } from '../../../../src/reconcilers/views.js';
import { health } from '../../failover/support/pool-world.js';
import { failoverPool } from '../../support/builders/failover-pool.js';
import { recordingServer } from '../../support/builders/recording-server.js';
import { FakeClock } from '../../support/fake-clock.js';
import { memoryStores } from '../support/memory-stores.js';

const observed = (renewTime: string): Observation => ({
  serverUID: 'uid-a',
  everReady: true,
  renewal: { renewTime, leaseDurationSeconds: 6, seenAt: 0, witnessed: true },
  signals: { serverUID: 'uid-a', everReady: true, volumes: [] },
});

/** Recorder a and standby s1 in a pool that has decided before; and a log of every call in its order. */
class Bench {
  readonly stores = memoryStores();
  readonly clock = new FakeClock();
  readonly calls: string[] = [];
  readonly events: EventInput[] = [];
  readonly created: KubeObject[] = [];
  readonly healths = new Map<string, ServerHealth>();
  leaseRenewTime: string | undefined = 't1';
  /** By name of the Lease; others show `leaseRenewTime`. */
  readonly renewTimes = new Map<string, string>();
  /** What the watch has not brought. */
  readonly liveReports = new Map<string, RecorderReport>();
  readonly refusals = new Map<string, ApiErrorKind>();
  live: FailoverPool | undefined;
  contactSince = 0;
  #version = 100;

  readonly reconcile = createPoolReconciler({
    stores: this.stores,
    healthOf: (key) => this.healths.get(key) ?? health('Healthy'),
    contact: () => ({ since: this.contactSince, last: this.clock.monotonic() }),
    observationOf: () => observed('t1'),
    clock: this.clock,
    events: { event: (event) => void this.events.push(event) },
    notify: {
      server: (key) => void this.calls.push(`notify ${key}`),
      camerasOf: (key) => void this.calls.push(`notify cameras of ${key}`),
    },
    client: {
      get: async <T extends KubeObject>(type: ResourceType, { name }: { name: string }): Promise<T> => {
        this.#answer('get', type);
        const renewTime = this.renewTimes.get(name) ?? this.leaseRenewTime;
        const lease = { metadata: { name }, spec: { renewTime } };
        const report = this.liveReports.get(name) ?? this.stores.reports.get(`ns/${name}`);
        const answers: Record<string, unknown> = { Lease: lease, RecorderReport: report };
        return (answers[type.kind] ?? this.live) as unknown as T;
      },
      create: async (type, object) => {
        this.created.push(object);
        this.#answer('create', type);
        return object;
      },
      apply: async (type, object) => {
        this.#answer('apply', type);
        return object;
      },
      patch: async <T extends KubeObject>(type: ResourceType): Promise<T> => {
        this.#answer('patch', type);
        return {} as T;
      },
      delete: async (type) => this.#answer('delete', type),
      replaceStatus: async (type, object) => {
        this.#answer('put', type);
        this.#version += 1;
        return { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
      },
    },
  });

  constructor() {
    this.put(recordingServer('a').status({ state: 'Active', servingRole: 'a', epoch: 1 }).build());
    this.put(recordingServer('s1').standby().status({ state: 'Standby', servingRole: '', epoch: 1 }).build());
    this.stores.pools.put(failoverPool().status({ epoch: 1 }).build());
  }

  put(server: RecordingServer): void {
    const { name, namespace = '' } = server.metadata;
    const metadata = { name, namespace, uid: `pod-${name}` };
    const volumes = server.spec.volumes.map((volume) => ({
      name: volume.name,
      mountPath: volume.mountPath,
      state: 'Healthy' as const,
      sinceTime: '2026-01-02T03:00:00Z',
    }));
    this.stores.servers.put(server);
    this.stores.pods.put({ metadata, server: name, phase: 'Running', ready: true, restartCount: 0 });
    this.stores.reports.put({ metadata, status: { podUID: metadata.uid, version: '1.0.0', volumes } });
  }

  #answer(verb: string, type: ResourceType): void {
    this.calls.push(`${verb} ${type.kind}`);
    const refusal = this.refusals.get(`${verb} ${type.kind}`);
    if (refusal !== undefined) throw new ApiError(refusal, `${verb} ${type.kind} was refused`);
  }

  breaks(name: string): this {
    this.healths.set(`ns/${name}`, health('Broken', 'Unreachable'));
    return this;
  }

  async run(): Promise<Result | undefined> {
    this.calls.length = 0;
    const context = { signal: new AbortController().signal, log: silentLog };
    return (await this.reconcile('ns/pool', context)) ?? undefined;
  }

  /** Settled, so that what follows shows what a change causes. */
  async quiet(): Promise<this> {
    await this.run();
    return this;
  }

  get status() {
    return this.stores.latestPools.get('ns/pool')?.status;
  }

  proves(): this {
    const report = this.provenReport();
    if (report) this.stores.reports.put(report);
    return this;
  }

  /** It has taken its role up, and the watch does not say so. */
  provesUnseen(): this {
    const report = this.provenReport();
    if (report) this.liveReports.set('s1', report);
    return this;
  }

  provenReport(): RecorderReport | undefined {
    const report = this.stores.reports.get('ns/s1');
    return report && { ...report, status: { ...report.status, role: 'a', epoch: 2 } };
  }
}

describe('the reconciler of a pool', () => {
  it('writes and reads nothing when nothing happens', async () => {
    const bench = await new Bench().quiet();
    await bench.run();
    expect(bench.calls).to.deep.equal([]);
  });

  it('reads the Lease, commits, and tells of it at once', async () => {
    const bench = (await new Bench().quiet()).breaks('a');
    await bench.run();
    expect(bench.calls).to.deep.equal(['get Lease', 'put FailoverPool', 'notify ns/s1', 'notify cameras of ns/a']);
    expect(bench.status?.roles?.[0]).to.include({ holder: 's1', epoch: 2 });
    expect(bench.events.map(({ reason, regarding }) => [reason, regarding.kind])).to.deep.equal([
      ['ServerBroken', 'RecordingServer'],
      ['TakeoverCommitted', 'FailoverPool'],
    ]);
  });

  it('commits nothing when the Lease shows a renewal that the watch has not brought', async () => {
    const bench = (await new Bench().quiet()).breaks('a');
    bench.leaseRenewTime = 't2';
    expect(await bench.run()).to.deep.equal({ requeueAfterMs: 1000 });
    expect(bench.calls).to.deep.equal(['get Lease']);
    expect(bench.events).to.deep.equal([]);
  });

  it('commits when that renewal is itself older than the timeout: a deaf watch must not hold a failover', async () => {
    const bench = (await new Bench().quiet()).breaks('a');
    bench.leaseRenewTime = 't2';
    await bench.run();
    await bench.clock.advance(5_999);
    await bench.run();
    expect(bench.status?.current).to.equal(undefined);
    await bench.clock.advance(1);
    await bench.run();
    expect(bench.status?.current?.standby).to.equal('s1');
  });

  it('does not let a server that still renews hold up the failover of another', async () => {
    const bench = new Bench();
    bench.put(recordingServer('b').status({ state: 'Active', servingRole: 'b', epoch: 1 }).build());
    await bench.quiet();
    bench.breaks('a').breaks('b').renewTimes.set('understudy-a', 't2');
    const result = await bench.run();
    expect(bench.status?.current).to.include({ server: 'b', standby: 's1' });
    expect(bench.status?.queue).to.equal(undefined);
    expect(bench.events.map(({ regarding }) => regarding.name)).not.to.include('a');
    expect(result?.requeueAfterMs).to.equal(1000);
  });

  it('commits nothing for want of a Lease', async () => {
    const bench = (await new Bench().quiet()).breaks('a');
    bench.refusals.set('get Lease', 'notFound');
    await bench.run();
    expect(bench.status?.current).to.equal(undefined);
  });

  it('gives a standby up for its silence only after its report was read anew', async () => {
    const bench = (await new Bench().quiet()).breaks('a');
    await bench.run();
    await bench.clock.advance(20_000);
    await bench.run();
    expect(bench.calls).to.include('get RecorderReport');
    expect(bench.status?.history?.[0]?.outcome).to.equal('Superseded');
  });

  it('lets a standby go on whose acknowledgement the watch has not brought', async () => {
    const bench = (await new Bench().quiet()).breaks('a').provesUnseen();
    await bench.run();
    await bench.clock.advance(20_000);
    await bench.run();
    expect(bench.status?.current).to.include({ standby: 's1', acknowledgedTime: '2026-01-02T03:04:25.678Z' });
    expect(bench.status?.history ?? []).to.deep.equal([]);
  });

  it('reads its own commit, not the older one of the watch', async () => {
    const bench = (await new Bench().quiet()).breaks('a');
    await bench.run();
    await bench.run();
    expect(bench.calls).to.deep.equal([]);
    expect(bench.stores.pools.get('ns/pool')?.status?.current).to.equal(undefined);
  });

  it('decides again upon what the API server has when another wrote in between', async () => {
    const bench = (await new Bench().quiet()).breaks('a');
    bench.live = failoverPool().status({ epoch: 7 }).build();
    bench.live.metadata.resourceVersion = '900';
    bench.refusals.set('put FailoverPool', 'conflict');
    expect(await bench.run()).to.deep.equal({ requeueAfterMs: 0 });
    expect(bench.events).to.deep.equal([]);
    bench.refusals.clear();
    await bench.run();
    expect(bench.status?.current?.epoch).to.equal(8);
  });

  describe('in a storm', () => {
    const silent = (verdict: 'Late' | 'Broken') => ({
      ...health(verdict, verdict === 'Broken' ? 'Unreachable' : undefined),
      suspected: true,
    });
    const stormy = async () => {
      const bench = await new Bench().quiet();
      for (const [name, nodeName] of Object.entries({ a: 'n1', s1: 'n2' })) {
        const pod = bench.stores.pods.get(`ns/${name}`);
        if (pod) bench.stores.pods.put({ ...pod, nodeName });
      }
      bench.healths.set('ns/a', silent('Broken')).set('ns/s1', silent('Late'));
      return bench;
    };

    it('writes the hold once, and comes back when it ends', async () => {
      const bench = await stormy();
      const result = await bench.run();
      expect(bench.calls).to.deep.equal(['get Lease', 'put FailoverPool']);
      expect(result?.requeueAfterMs).to.equal(60_000);
      expect(bench.events.map(({ reason }) => reason)).to.deep.equal(['ServerBroken', 'StormHold']);
      await bench.clock.advance(30_000);
      expect((await bench.run())?.requeueAfterMs).to.equal(30_000);
      expect(bench.calls).to.deep.equal([]);
    });

    it('counts no server whose Lease shows a renewal that the watch has not brought', async () => {
      const bench = await stormy();
      bench.renewTimes.set('understudy-a', 't2');
      await bench.run();
      expect(bench.status?.hold).to.equal(undefined);
      expect(bench.status?.queue).to.equal(undefined);
    });

    it('does not end by itself while the API server has only just come back', async () => {
      const bench = await stormy();
      await bench.run();
      await bench.clock.advance(59_000);
      bench.contactSince = bench.clock.monotonic();
      await bench.run();
      expect(bench.calls).to.deep.equal(['put FailoverPool']);
      await bench.clock.advance(59_999);
      await bench.run();
      expect(bench.status?.hold?.releasedTime).to.equal(undefined);
      await bench.clock.advance(1);
      await bench.run();
      expect(bench.status?.hold).to.include({ reason: 'Elapsed' });
    });
  });

  it('knows where its own replicas run, of those that run', async () => {
    const bench = new Bench();
    const place = (name: string, nodeName: string, change: object = {}) =>
      bench.stores.operatorPods.put({
        metadata: { name, namespace: 'understudy' },
        ...{ server: '', phase: 'Running', nodeName, ready: true, restartCount: 0 },
        ...change,
      });
    for (const [name, nodeName] of Object.entries({ a: 'n1', s1: 'n2' })) {
      const pod = bench.stores.pods.get(`ns/${name}`);
      if (pod) bench.stores.pods.put({ ...pod, nodeName });
    }
    place('op-1', 'n3');
    place('op-2', 'n1', { phase: 'Pending' });
    place('op-3', 'n1', {
      metadata: { name: 'op-3', namespace: 'understudy', deletionTimestamp: '2026-01-02T03:04:05Z' },
    });
    place('op-4', 'n4');
    await bench.run();
    const isolated = bench.status?.conditions?.find(({ type }) => type === 'OperatorIsolated');
    expect(isolated).to.include({ status: 'True', reason: 'OnOtherNodes' });
    expect(isolated?.message).to.match(/^The operator runs on n3, n4,/);
  });

  it('creates the baseline after the commit that says so, and takes an existing one as it is', async () => {
    const bench = (await new Bench().quiet()).breaks('a');
    await bench.run();
    bench.proves();
    bench.refusals.set('create Backup', 'alreadyExists');
    await bench.run();
    expect(bench.calls.filter((call) => !call.startsWith('notify'))).to.deep.equal([
      'put FailoverPool',
      'create Backup',
    ]);
    expect(bench.status?.current).to.include({ step: 'BackingUp', backupName: 'pool-2' });
  });

  it('goes on loudly past the deadline when it may not create Backups', async () => {
    const bench = (await new Bench().quiet()).breaks('a');
    await bench.run();
    bench.proves().refusals.set('create Backup', 'forbidden');
    const result = await bench.run();
    expect(result?.requeueAfterMs).to.equal(20_000);
    expect(bench.events.at(-1)?.reason).to.equal('NotPermitted');
    await bench.clock.advance(20_000);
    await bench.run();
    expect(bench.status?.current).to.equal(undefined);
    expect(bench.status?.history?.[0]?.outcome).to.equal('BaselineLate');
  });

  describe('with a schedule for baselines', () => {
    const scheduled = async () => {
      const bench = new Bench();
      const pool = failoverPool().status({ epoch: 1 }).build();
      bench.stores.pools.put({
        ...pool,
        spec: { ...pool.spec, backup: { ...pool.spec.backup, schedule: '0 * * * *', timeZone: 'Europe/Berlin' } },
      });
      return bench.quiet();
    };

    it('commits that one is due before it creates it, under a name that carries the time', async () => {
      const bench = await scheduled();
      expect(await bench.run()).to.deep.equal({ requeueAfterMs: 60_000 });
      expect(bench.calls).to.deep.equal([]);
      await bench.clock.advance(3_600_000);
      await bench.run();
      expect(bench.calls).to.deep.equal(['put FailoverPool', 'create Backup']);
      const [made] = bench.created;
      expect(made?.metadata.name).to.equal('pool-20260102t0400z');
      expect(made)
        .to.have.property('spec')
        .that.deep.equals({ poolRef: { name: 'pool' }, reason: 'Scheduled' });
    });

    it('tries again when the API server refuses it, and goes on serving failovers', async () => {
      const bench = await scheduled();
      bench.refusals.set('create Backup', 'forbidden');
      await bench.clock.advance(3_600_000);
      expect(await bench.run()).to.deep.equal({ requeueAfterMs: 30_000 });
      expect(bench.events.at(-1)?.reason).to.equal('NotPermitted');
      bench.refusals.clear();
      await bench.run();
      expect(bench.calls).to.deep.equal(['create Backup']);
      bench.breaks('a');
      await bench.run();
      expect(bench.status?.current).to.include({ server: 'a', standby: 's1' });
    });
  });

  it('ends its work when the namespace is terminating', async () => {
    const bench = (await new Bench().quiet()).breaks('a');
    await bench.run();
    bench.proves().refusals.set('create Backup', 'namespaceTerminating');
    expect(await bench.run()).to.equal(undefined);
  });

  it('freezes what is when the pool is being deleted', async () => {
    const bench = (await new Bench().quiet()).breaks('a');
    const pool = failoverPool().status({ epoch: 1 }).build();
    bench.stores.pools.put({ ...pool, metadata: { ...pool.metadata, deletionTimestamp: '2026-01-02T03:04:05Z' } });
    bench.stores.latestPools.observed('ns/pool', undefined);
    await bench.run();
    expect(bench.calls).to.deep.equal([]);
  });

  it('lets all recorders of the pool read the Secrets of its cameras, before any failure', async () => {
    const bench = await new Bench().quiet();
    const source = { type: 'IP', url: 'rtsp://camera', credentialsSecretRef: { name: 'login' } };
    const spec = { serverRef: { name: 'a' }, source, priority: 'Normal' };
    const raw = { metadata: { name: 'cam-1', namespace: 'ns' }, spec };
    bench.stores.cameras.put(new CameraView(raw));
    await bench.run();
    expect(bench.calls).to.deep.equal(['create Role', 'create RoleBinding']);
  });
});
