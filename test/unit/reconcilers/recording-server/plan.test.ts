import { expect } from 'chai';
import type { FailoverPoolStatus } from '../../../../src/crds/index.js';
import type { KubeObject } from '../../../../src/operator/index.js';
import { wantedChildren } from '../../../../src/reconcilers/recording-server/children-plan.js';
import { planLease } from '../../../../src/reconcilers/recording-server/lease-plan.js';
import { assignmentAnnotations } from '../../../../src/reconcilers/recording-server/objects/lease.js';
import { planPod } from '../../../../src/reconcilers/recording-server/pod-plan.js';
import { claimFault, referenceFault } from '../../../../src/reconcilers/recording-server/references.js';
import { planStatus } from '../../../../src/reconcilers/recording-server/status.js';
import { CameraView } from '../../../../src/reconcilers/views.js';
import { failoverPool } from '../../support/builders/failover-pool.js';
import { recordingServer } from '../../support/builders/recording-server.js';
import { claim, defaults, healthOf, lease, now, scene } from '../support/scene.js';

const startTime = '2026-01-02T03:00:00Z';
/** Role a has moved to s; handed over or not yet. */
const moved = (handedOver: boolean): Partial<FailoverPoolStatus> => ({
  epoch: 7,
  roles: [
    {
      name: 'a',
      holder: 's',
      previousHolder: 'a',
      epoch: 7,
      startTime,
      ...(handedOver ? { handedOverTime: startTime } : {}),
    },
  ],
});

function pair(status: Partial<FailoverPoolStatus> = { epoch: 1 }) {
  const a = recordingServer('a')
    .status({ servingRole: 'a', epoch: 1, everReadyTime: startTime, state: 'Active' })
    .build();
  const s = recordingServer('s')
    .standby()
    .status({ servingRole: '', epoch: 1, everReadyTime: startTime, state: 'Standby' })
    .build();
  const all = scene(a, s);
  all.stores.pools.put(failoverPool().status(status).build());
  all.withPod(a);
  all.withPod(s);
  return { a, s, ...all };
}

describe('condition Protected of a server', () => {
  const protectedBy = (reason: 'StandbyReady' | 'NotYetObserved', before?: 'NoStandby') => {
    const lastTransitionTime = startTime;
    const known = { type: 'Protected', status: 'False' as const, reason: 'NoStandby', message: '', lastTransitionTime };
    const { a, see, stores } = pair();
    stores.servers.put({ ...a, status: { ...a.status, conditions: before ? [known] : [] } });
    const status = reason === 'StandbyReady' ? 'True' : 'Unknown';
    const { status: planned } = planStatus({ ...see('a'), protection: { status, reason, message: '' } }, undefined);
    return planned.conditions?.find(({ type }) => type === 'Protected')?.reason;
  };

  it('is what its pool says; until the pool has been decided over, what was said before', () => {
    expect(protectedBy('StandbyReady', 'NoStandby')).to.equal('StandbyReady');
    expect(protectedBy('NotYetObserved', 'NoStandby')).to.equal('NoStandby');
    expect(protectedBy('NotYetObserved')).to.equal('NotYetObserved');
  });
});

describe('the plan for a pod', () => {
  it('is to make one once all claims exist, bound or not', () => {
    const a = recordingServer('a').build();
    const { stores, see } = scene(a);
    stores.pools.put(failoverPool().build());
    stores.claims.put(claim('a-a', { phase: 'Pending' }));
    expect(planPod(see('a'), defaults)).to.have.property('kind', 'create');
    stores.claims.remove('ns/a-a');
    expect(planPod(see('a'), defaults)).to.deep.equal({ kind: 'none', waitsFor: 'claims' });
  });

  it('is nothing while it runs as it should', () => {
    const { see } = pair();
    expect(planPod(see('a'), defaults)).to.deep.equal({ kind: 'none' });
    expect(planPod(see('s'), defaults)).to.deep.equal({ kind: 'none' });
  });

  it('is to move the label with the commit, before the handover', () => {
    const { a, s, stores, see, withPod } = pair();
    withPod(a, { servingRole: 'a' });
    withPod(s);
    stores.pools.put(failoverPool().status(moved(false)).build());
    expect(planPod(see('s'), defaults)).to.deep.equal({
      kind: 'label',
      uid: 'pod-s',
      servingRole: 'a',
      recordingRole: 'a',
    });
    expect(planPod(see('a'), defaults)).to.deep.equal({
      kind: 'label',
      uid: 'pod-a',
      servingRole: '',
      // A drain has to wait until the handover.
      recordingRole: 'a',
    });
    expect(see('a').assignment).to.deep.equal({ role: 'a', epoch: 1 });
  });

  it('is to move the label even while a claim is wrong, when no pod may be made', () => {
    const { a, stores, see, withPod } = pair();
    withPod(a, { servingRole: 'a' });
    stores.pools.put(failoverPool().status(moved(true)).build());
    stores.claims.remove('ns/a-a');
    const unlabelled = { servingRole: '', recordingRole: '' };
    expect(planPod(see('a'), defaults, false)).to.deep.equal({ kind: 'label', uid: 'pod-a', ...unlabelled });
    withPod(a, { phase: 'Failed' });
    expect(planPod(see('a'), defaults, false)).to.deep.equal({ kind: 'none' });
    stores.pods.remove('ns/a');
    expect(planPod(see('a'), defaults, false)).to.have.property('kind', 'none');
  });

  it('is to delete one that has finished, and that very one', () => {
    const { a, see, withPod } = pair();
    withPod(a, { phase: 'Failed' });
    expect(planPod(see('a'), defaults)).to.deep.equal({ kind: 'delete', uid: 'pod-a', because: 'Finished' });
  });

  it('is nothing while one is being deleted: the operator never forces', () => {
    const { a, stores, see } = pair();
    const old = stores.pods.get('ns/a');
    if (!old) throw new Error('there is a pod');
    stores.pods.put({ ...old, phase: 'Failed', metadata: { ...old.metadata, deletionTimestamp: startTime } });
    expect(planPod(see(a.metadata.name), defaults)).to.deep.equal({ kind: 'none', waitsFor: 'the old pod to end' });
  });

  it('is to leave an outdated one that records, and to replace an outdated standby', () => {
    const { a, s, see, withPod } = pair();
    withPod(a, { templateHash: 'old' });
    withPod(s, { templateHash: 'old' });
    expect(planPod(see('a'), defaults)).to.deep.equal({ kind: 'none' });
    expect(planPod(see('s'), defaults)).to.deep.equal({ kind: 'delete', uid: 'pod-s', because: 'Outdated' });
  });

  it('is to keep an outdated standby while a failover waits', () => {
    const queue = [{ server: 'x', role: 'x', trigger: 'Unreachable' as const, brokenTime: startTime }];
    const { s, see, withPod } = pair({ epoch: 1, queue });
    withPod(s, { templateHash: 'old' });
    expect(planPod(see('s'), defaults)).to.deep.equal({ kind: 'none' });
  });

  it('is to keep an outdated standby while another one is not ready', () => {
    const { s, stores, see, withPod } = pair();
    stores.servers.put(recordingServer('t').standby().status({ state: 'Standby', servingRole: '' }).build());
    withPod(s, { templateHash: 'old' });
    expect(planPod(see('s'), defaults)).to.deep.equal({ kind: 'none' });
  });

  it('is to replace an outdated one that can not start, although it has a role', () => {
    const { a, see, withPod, health } = pair();
    health('a', healthOf('NeverReady'));
    withPod(a, { templateHash: 'old', phase: 'Pending', ready: false });
    expect(planPod(see('a'), defaults)).to.deep.equal({ kind: 'delete', uid: 'pod-a', because: 'Outdated' });
  });

  it('is to believe a fresh heartbeat rather than a kubelet that says it can not start', () => {
    const { a, see, withPod } = pair();
    withPod(a, { templateHash: 'old', ready: false, waiting: { reason: 'CrashLoopBackOff' } });
    expect(planPod(see('a'), defaults)).to.deep.equal({ kind: 'none' });
  });

  it('is to take away one in maintenance, but not while its server holds a role', () => {
    const { a, s, stores, see } = pair();
    stores.servers.put({ ...a, spec: { ...a.spec, operatingMode: 'Maintenance' } });
    stores.servers.put({ ...s, spec: { ...s.spec, operatingMode: 'Maintenance' } });
    expect(planPod(see('a'), defaults)).to.deep.equal({ kind: 'none' });
    expect(planPod(see('s'), defaults)).to.deep.equal({ kind: 'delete', uid: 'pod-s', because: 'Maintenance' });
    stores.pods.remove('ns/s');
    expect(planPod(see('s'), defaults)).to.deep.equal({ kind: 'none' });
  });

  it('is to keep the pod of a broken server: a repaired node restarts the same one', () => {
    const { see, health } = pair(moved(true));
    health('a', healthOf('Broken'));
    expect(planPod(see('a'), defaults)).to.not.have.property('kind', 'delete');
  });

  it('is to take back one that lost its owner, and to wait for one of an earlier namesake', () => {
    const { a, see, withPod } = pair();
    const metadata = {
      name: 'a',
      namespace: 'ns',
      uid: 'pod-a',
      labels: { 'app.kubernetes.io/managed-by': 'understudy' },
    };
    withPod(a, { metadata });
    expect(planPod(see('a'), defaults)).to.include({ kind: 'adopt', uid: 'pod-a' });
    const ownerReferences = [
      { apiVersion: 'v1', kind: 'RecordingServer', name: 'a', uid: 'uid-old', controller: true },
    ];
    withPod(a, { metadata: { ...metadata, ownerReferences } });
    expect(planPod(see('a'), defaults)).to.have.property('waitsFor');
  });
});

describe('the plan for a Lease', () => {
  it('is nothing when timeout and assignment are right, and a patch of ours alone when not', () => {
    const { a, stores, see } = pair();
    const annotations = assignmentAnnotations({ role: 'a', epoch: 1, podUID: 'pod-a' });
    const made = lease(a);
    stores.leases.put({ ...made, leaseDurationSeconds: 6, metadata: { ...made.metadata, annotations } });
    expect(planLease(see('a'))).to.deep.equal({ kind: 'none' });
    stores.pools.put(failoverPool().spec({ failoverTimeoutSeconds: 9 }).status({ epoch: 1 }).build());
    expect(planLease(see('a'))).to.deep.equal({
      kind: 'patch',
      patch: { metadata: { uid: 'lease-a', annotations }, spec: { leaseDurationSeconds: 9 } },
    });
  });
});

describe('the role Service', () => {
  const owners = (names: string[]) => names.map((name) => [name, name === names[0]]);
  const services = (all: ReturnType<typeof pair>, name: string) =>
    wantedChildren(all.see(name), all.stores)
      .filter(({ type }) => type.plural === 'services')
      .map(({ object }) => [
        object.metadata.name,
        object.metadata.ownerReferences?.map((owner) => [owner.name, owner.controller]),
      ]);

  it('is kept by the home while it is there, and by the substitute afterwards', () => {
    const all = pair(moved(true));
    expect(services(all, 'a')).to.deep.equal([['a', owners(['a', 's'])]]);
    expect(services(all, 's')).to.deep.equal([]);
    all.stores.servers.remove('ns/a');
    expect(services(all, 's')).to.deep.equal([['a', owners(['s'])]]);
  });
});

describe('a reference', () => {
  it('to no pool, claim or to a foreign claim is a fault that names the mend', () => {
    const a = recordingServer('a').build();
    const { stores, see } = scene(a);
    expect(referenceFault(see('a').references)?.reason).to.equal('PoolNotFound');
    stores.pools.put(failoverPool().build());
    expect(referenceFault(see('a').references)).to.equal(undefined);
    stores.claims.put(claim('a-a', { metadata: { name: 'a-a', namespace: 'ns', uid: 'u' } }));
    expect(referenceFault(see('a').references)?.reason).to.equal('NameTaken');
    stores.servers.put(
      recordingServer('a')
        .spec({ volumes: [{ name: 'a', mountPath: '/a', claimName: 'none' }] })
        .build(),
    );
    expect(referenceFault(see('a').references)?.reason).to.equal('ClaimNotFound');
  });

  it('to the claim of an older server is a fault of the younger one alone', () => {
    const named = (name: string, creationTimestamp: string) => {
      const built = recordingServer(name)
        .spec({ volumes: [{ name: 'a', mountPath: '/a', claimName: 'disk' }] })
        .build();
      return { ...built, metadata: { ...built.metadata, creationTimestamp } };
    };
    const { stores, see } = scene(named('b', '2026-01-01T00:00:00Z'), named('a', '2026-01-02T00:00:00Z'));
    stores.pools.put(failoverPool().build());
    stores.claims.put(claim('disk'));
    expect(referenceFault(see('b').references)).to.equal(undefined);
    expect(referenceFault(see('a').references)?.message).to.contain('server b');
    stores.pools.remove('ns/pool');
    expect(referenceFault(see('a').references)?.reason).to.equal('PoolNotFound');
    expect(claimFault(see('a').references)?.reason, 'no pod is made on the disk of b').to.equal('ClaimInUse');
  });
});

describe('the status of a server', () => {
  const conditionOf = (all: Pick<ReturnType<typeof pair>, 'see'>, name: string, type: string) =>
    planStatus(all.see(name), undefined).status.conditions?.find((condition) => condition.type === type);

  it('says Ready and Recording for a holder, Ready and StandingBy for a standby', () => {
    const all = pair();
    expect(conditionOf(all, 'a', 'Ready')).to.include({ status: 'True', reason: 'Recording' });
    expect(conditionOf(all, 's', 'Ready')).to.include({ status: 'True', reason: 'StandingBy' });
  });

  it('counts no more cameras than the API server takes, so that it is never refused', () => {
    const all = pair();
    const spec = { serverRef: { name: 'a' }, source: { type: 'IP', url: 'rtsp://camera' }, priority: 'Normal' };
    for (let index = 0; index < 4_100; index += 1)
      all.stores.cameras.put(new CameraView({ metadata: { name: `c${index}`, namespace: 'ns' }, spec } as KubeObject));
    expect(planStatus(all.see('a'), undefined).status.cameras?.assigned).to.equal(4_096);
  });

  it('keeps role and epoch of a previous holder until the handover, and never lowers an epoch', () => {
    const during = planStatus(pair(moved(false)).see('a'), undefined).status;
    expect(during).to.include({ servingRole: 'a', epoch: 1 });
    const after = planStatus(pair(moved(true)).see('a'), undefined).status;
    expect(after).to.include({ servingRole: '', epoch: 7 });
    expect(planStatus(pair(moved(true)).see('s'), undefined).status).to.include({ servingRole: 'a', epoch: 7 });
  });

  it('says who records the role of a broken server, and counts nothing as recorded', () => {
    const all = pair(moved(true));
    all.health('a', healthOf('Broken'));
    expect(conditionOf(all, 'a', 'Ready')).to.include({ status: 'False', reason: 'Unreachable' });
    expect(conditionOf(all, 'a', 'Ready')?.message).to.contain('s records a');
    expect(planStatus(all.see('a'), undefined).status.cameras?.recording).to.equal(0);
  });

  it('keeps what was true while nothing is known yet', () => {
    const all = pair();
    const { status } = planStatus(all.see('a'), undefined);
    all.stores.servers.put({ ...all.a, status });
    all.health('a', healthOf('Unknown'));
    expect(planStatus(all.see('a'), undefined).status).to.deep.equal(status);
  });

  it('asks for plugins by name until a person says that epoch was dealt with', () => {
    const all = pair(moved(true));
    all.stores.servers.put({ ...all.a, spec: { ...all.a.spec, plugins: [{ name: 'plates', carryOver: 'Manual' }] } });
    expect(conditionOf(all, 's', 'PluginsCarriedOver')).to.include({ status: 'False', reason: 'ReinstallByHand' });
    expect(conditionOf(all, 's', 'PluginsCarriedOver')?.message).to.contain('plates');
    const acknowledged = (epoch: string) => ({
      ...all.s,
      metadata: { ...all.s.metadata, annotations: { 'understudy.dev/plugins-reinstalled': epoch } },
    });
    all.stores.servers.put(acknowledged('6'));
    expect(conditionOf(all, 's', 'PluginsCarriedOver')?.status).to.equal('False');
    all.stores.servers.put(acknowledged('7'));
    expect(conditionOf(all, 's', 'PluginsCarriedOver')?.status).to.equal('True');
  });

  it('says in maintenance, and only there, whether it is safe to repair', () => {
    const all = pair();
    expect(conditionOf(all, 's', 'SafeToRepair')).to.equal(undefined);
    all.stores.servers.put({ ...all.a, spec: { ...all.a.spec, operatingMode: 'Maintenance' } });
    all.stores.servers.put({ ...all.s, spec: { ...all.s.spec, operatingMode: 'Maintenance' } });
    expect(conditionOf(all, 'a', 'SafeToRepair')).to.include({ status: 'False', reason: 'HoldsRole' });
    expect(conditionOf(all, 's', 'SafeToRepair')).to.include({ status: 'False', reason: 'PodStillRunning' });
    all.stores.pods.remove('ns/s');
    expect(conditionOf(all, 's', 'SafeToRepair')).to.include({ status: 'True', reason: 'PodGone' });
  });

  it('is ready for the first time only by a report of the present pod about a disk that works', () => {
    const a = recordingServer('a').build();
    const all = scene(a);
    all.stores.pools.put(failoverPool().status({ epoch: 1 }).build());
    all.withPod(a);
    const report = (podUID: string, state: 'Healthy' | 'Lost') => {
      const volumes = [{ name: 'a', mountPath: '/footage/a', state, sinceTime: startTime }];
      all.stores.reports.put({ metadata: { name: 'a', namespace: 'ns' }, status: { podUID, volumes } });
      return planStatus(all.see('a'), undefined).status.everReadyTime;
    };
    expect(report('pod-old', 'Healthy')).to.equal(undefined);
    expect(report('pod-a', 'Lost')).to.equal(undefined);
    expect(report('pod-a', 'Healthy')).to.equal(now.toISOString());
  });

  describe('of a server that never became ready', () => {
    const overdue = healthOf('NeverReady', {
      startOverdue: true,
      evidence: [{ reason: 'MountFailed', message: 'volume "v" is not there', ageMs: 0 }],
    });
    function fresh(judged = overdue) {
      const a = recordingServer('a').build();
      const all = scene(a);
      all.stores.pools.put(failoverPool().status({ epoch: 1 }).build());
      all.withPod(a, { phase: 'Pending', ready: false, unschedulable: '0/3 nodes are available' });
      all.health('a', judged);
      return { a, ...all };
    }

    it('is Reconciling at first, and waits for a person once startGraceSeconds have passed', () => {
      const early = fresh(healthOf('NeverReady'));
      expect(conditionOf(early, 'a', 'Reconciling')).to.include({ status: 'True', reason: 'Unschedulable' });
      expect(conditionOf(early, 'a', 'Stalled')?.status).to.equal('False');
      const late = fresh();
      expect(conditionOf(late, 'a', 'Reconciling')?.status).to.equal('False');
      expect(conditionOf(late, 'a', 'Stalled')).to.include({ status: 'True', reason: 'NeverReady' });
    });

    it('says all that is wrong', () => {
      const { message } = conditionOf(fresh(), 'a', 'Stalled') ?? {};
      expect(message).to.contain('startGraceSeconds (120)');
      expect(message).to.contain('Unschedulable: 0/3 nodes are available').and.to.contain('volume "v" is not there');
    });

    it('goes on being said by an operator that has just started and counts anew', () => {
      const all = fresh();
      const { status } = planStatus(all.see('a'), undefined);
      all.stores.servers.put({ ...all.a, status });
      all.health('a', healthOf('NeverReady', { startOverdue: false }));
      expect(conditionOf(all, 'a', 'Stalled')).to.include({ status: 'True', reason: 'NeverReady' });
    });

    it('is over once it is ready, and does not apply in maintenance', () => {
      const all = fresh();
      const { status } = planStatus(all.see('a'), undefined);
      all.stores.servers.put({ ...all.a, status: { ...status, everReadyTime: startTime } });
      all.health('a', healthOf('Healthy'));
      expect(conditionOf(all, 'a', 'Stalled')?.status).to.equal('False');
      all.stores.servers.put({ ...all.a, status, spec: { ...all.a.spec, operatingMode: 'Maintenance' } });
      all.health('a', overdue);
      expect(conditionOf(all, 'a', 'Stalled')?.status).to.equal('False');
    });
  });

  it('says all the evidence of a broken server, and the same for as long as nothing else is seen', () => {
    const all = pair();
    const evidence = (ageMs: number) => [
      { reason: 'Unreachable' as const, message: 'no heartbeat since t1', ageMs },
      { reason: 'NodeNotReady' as const, message: 'node n1 is not ready', ageMs },
    ];
    all.health('a', healthOf('Broken', { evidence: evidence(0) }));
    const { status } = planStatus(all.see('a'), undefined);
    expect(status.conditions?.find(({ type }) => type === 'Ready')?.message).to.equal(
      'no heartbeat since t1; node n1 is not ready',
    );
    all.stores.servers.put({ ...all.a, status });
    all.health(
      'a',
      healthOf('Broken', { evidence: evidence(3_600_000), brokenForMs: 3_600_000, silentForMs: 3_700_000 }),
    );
    expect(planStatus(all.see('a'), undefined).status).to.deep.equal(status);
  });
});
