import { expect } from 'chai';
import { type FailoverPoolStatus, labels, type Role } from '../../../../src/crds/index.js';
import type { KubeObject } from '../../../../src/operator/index.js';
import { createStandbyJudgement } from '../../../../src/reconcilers/failover-pool/standby.js';
import { gather } from '../../../../src/reconcilers/recording-server/gather.js';
import { planLease } from '../../../../src/reconcilers/recording-server/lease-plan.js';
import { assignmentAnnotations } from '../../../../src/reconcilers/recording-server/objects/lease.js';
import { planStatus } from '../../../../src/reconcilers/recording-server/status.js';
import { CameraView } from '../../../../src/reconcilers/views.js';
import { failoverPool } from '../../support/builders/failover-pool.js';
import { recordingServer } from '../../support/builders/recording-server.js';
import { healthOf, lease, now, pod, scene } from '../support/scene.js';

const startTime = '2026-01-02T03:00:00Z';

function camera(name: string, source: object = {}, priority = 'Normal'): CameraView {
  const spec = { serverRef: { name: 'a' }, source: { type: 'IP', ...source }, priority };
  return new CameraView({ metadata: { name, namespace: 'ns' }, spec } as KubeObject);
}

/** Role a has moved to s at epoch 7, and is not handed over yet. */
function taking(change: Partial<Role> = {}): Partial<FailoverPoolStatus> {
  const role = { name: 'a', holder: 's', holderUID: 'uid-s', previousHolder: 'a', epoch: 7, startTime };
  return { epoch: 7, roles: [{ ...role, ...change }] };
}

function pair(status: Partial<FailoverPoolStatus>, ...cameras: CameraView[]) {
  const a = recordingServer('a').status({ servingRole: 'a', epoch: 1, podUID: 'pod-a' }).build();
  const s = recordingServer('s').standby().status({ servingRole: 'a', epoch: 7, podUID: 'pod-s' }).build();
  const all = scene(a, s);
  all.stores.pools.put(failoverPool().status(status).build());
  for (const each of cameras) all.stores.cameras.put(each);
  const acknowledges = (epoch: number) =>
    all.stores.reports.put({
      metadata: { name: 's', namespace: 'ns' },
      status: { role: 'a', epoch, podUID: 'pod-s', cameras: [] },
    });
  return { a, s, acknowledges, ...all };
}

/** Annotations that a patch of the Lease sets. */
function patched(plan: ReturnType<typeof planLease>): Record<string, string> {
  const { patch } = plan as { patch?: { metadata: { annotations: Record<string, string> } } };
  return patch?.metadata.annotations ?? {};
}

const single = camera('door', { maxSessions: 1 });
const plain = camera('gate');

describe('a recorder whose role another takes over', () => {
  it('is told to release single sessions once the other has taken the role up', () => {
    const { a, see, stores, acknowledges } = pair(taking(), single, plain);
    const own = lease(a, { leaseDurationSeconds: 6 });
    const annotations = assignmentAnnotations({ role: 'a', epoch: 1 });
    stores.leases.put({ ...own, role: 'a', epoch: 1, metadata: { ...own.metadata, annotations } });
    expect(see('a').supersededEpoch).to.equal(undefined);
    expect(planLease(see('a'))).to.deep.equal({ kind: 'none' });
    acknowledges(7);
    expect(see('a')).to.deep.include({ supersededEpoch: 7, assignment: { role: 'a', epoch: 1 } });
    expect(planStatus(see('a'), undefined).status.supersededEpoch).to.equal(7);
    expect(patched(planLease(see('a')))).to.include({
      [labels.leaseServingRole]: 'a',
      [labels.leaseEpoch]: '1',
      [labels.leaseSupersededEpoch]: '7',
    });
  });

  const cases: [string, Partial<FailoverPoolStatus>, CameraView[], number][] = [
    ['has no camera with a single session', taking(), [plain, camera('two', { maxSessions: 2 })], 7],
    ['is handed over', taking({ handedOverTime: startTime }), [single], 7],
    ['has been taken up at an earlier epoch only', taking(), [single], 6],
    ['is its own again', taking({ holder: 'a', holderUID: 'uid-a', previousHolder: 's', epoch: 8 }), [single], 7],
  ];
  for (const [which, status, cameras, acknowledged] of cases) {
    it(`is told nothing when the role ${which}`, () => {
      const { see, acknowledges } = pair(status, ...cameras);
      acknowledges(acknowledged);
      expect(see('a').supersededEpoch).to.equal(undefined);
    });
  }

  it('is told so by the commit that notes the acknowledgement, before the report is seen here', () => {
    const running = {
      role: 'a',
      server: 'a',
      standby: 's',
      epoch: 7,
      step: 'TakingOver' as const,
      trigger: 'AllDisksLost' as const,
      brokenTime: startTime,
      committedTime: startTime,
    };
    expect(pair({ ...taking(), current: running }, single).see('a').supersededEpoch).to.equal(undefined);
    const noted = { ...taking(), current: { ...running, acknowledgedTime: startTime } };
    expect(pair(noted, single).see('a').supersededEpoch).to.equal(7);
  });

  it('is told that it no longer holds', () => {
    const { a, see, stores } = pair(taking(), single);
    const annotations = { ...assignmentAnnotations({ role: 'a', epoch: 1 }), [labels.leaseSupersededEpoch]: '7' };
    const own = lease(a, { leaseDurationSeconds: 6 });
    stores.leases.put({ ...own, role: 'a', epoch: 1, metadata: { ...own.metadata, annotations } });
    expect(patched(planLease(see('a')))).to.include({ [labels.leaseSupersededEpoch]: '' });
  });
});

describe('a standby', () => {
  const waits = { server: 'a', role: 'a', trigger: 'CamerasUnreachable' as const, brokenTime: startTime };

  it('is asked by its Lease whether it reaches the cameras that wait for one', () => {
    const a = recordingServer('a').status({ servingRole: 'a', epoch: 1 }).build();
    const s = recordingServer('s').standby().status({ servingRole: '', epoch: 1 }).build();
    const { see, stores } = scene(a, s);
    stores.pools.put(
      failoverPool()
        .status({ epoch: 1, queue: [waits] })
        .build(),
    );
    stores.leases.put(lease(s, { leaseDurationSeconds: 6 }));
    stores.leases.put(lease(a, { leaseDurationSeconds: 6 }));
    const told = (name: string) => patched(planLease(see(name)))[labels.leaseProbe];
    expect(told('s')).to.equal(`a/${startTime}`);
    expect(told('a')).to.equal(undefined);
  });

  it('has the standing conditions Compatible and StandbyReady, and a recorder of a role has not', () => {
    const a = recordingServer('a').status({ servingRole: 'a', epoch: 1 }).build();
    const s = recordingServer('s').standby().status({ servingRole: '', epoch: 1 }).build();
    const { stores } = scene(a, s);
    stores.pools.put(failoverPool().status({ epoch: 1 }).build());
    stores.pods.put(pod(s, { ready: false, waiting: { reason: 'ImagePullBackOff', message: 'no such image' } }));
    for (const each of [plain, single]) stores.cameras.put(each);
    const sources = { stores, healthOf: () => healthOf('Healthy'), contact: () => undefined };
    const see = (name: string) =>
      gather(
        {
          ...sources,
          observationOf: () => undefined,
          protectionOf: () => ({ status: 'True', reason: 'StandbyReady', message: '' }),
          standbyOf: createStandbyJudgement(sources),
          now: () => now,
        },
        `ns/${name}`,
      );
    const conditions = (name: string) => {
      const gathered = see(name);
      return gathered ? (planStatus(gathered, undefined).status.conditions ?? []) : [];
    };
    const reason = (name: string, type: string) => conditions(name).find((each) => each.type === type)?.reason;
    expect(reason('s', 'StandbyReady')).to.equal('ImageMissing');
    expect(reason('s', 'Compatible')).to.equal('NotReported');
    expect(reason('a', 'StandbyReady')).to.equal(undefined);
    expect(reason('a', 'CamerasReachable')).to.equal('AsExpected');
  });

  it('counts the cameras that it leaves out of a role', () => {
    const status = taking({ handedOverTime: startTime });
    const { see } = pair(status, plain, camera('card', { type: 'Analog' }), camera('hall', {}, 'Never'));
    expect(planStatus(see('s'), undefined).status.cameras).to.include({ assigned: 1, leftOut: 2 });
  });
});
