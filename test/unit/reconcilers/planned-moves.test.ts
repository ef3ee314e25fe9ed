import { expect } from 'chai';
import { labels, type RecordingServer } from '../../../src/crds/index.js';
import type { KubeObject } from '../../../src/operator/index.js';
import { cordonOf, serversOfNode } from '../../../src/reconcilers/cordon.js';
import { gatherPool } from '../../../src/reconcilers/failover-pool/gather.js';
import { watchPools } from '../../../src/reconcilers/failover-pool/index.js';
import { watchServers } from '../../../src/reconcilers/recording-server/index.js';
import { planPod, podOutdated } from '../../../src/reconcilers/recording-server/pod-plan.js';
import { planStatus } from '../../../src/reconcilers/recording-server/status.js';
import type { ChangeListener, Kind, Views, Watches } from '../../../src/reconcilers/stores.js';
import { type NodeView, projectResource } from '../../../src/reconcilers/views.js';
import { failoverPool } from '../support/builders/failover-pool.js';
import { recordingServer } from '../support/builders/recording-server.js';
import { FakeClock } from '../support/fake-clock.js';
import { claim, defaults, healthOf, pod, scene } from './support/scene.js';

const startTime = '2026-01-02T03:00:00Z';
const node = (name: string, unschedulable = false): NodeView => ({
  metadata: { name, uid: `uid-${name}` },
  hostname: `${name}.example`,
  ready: 'True',
  unschedulable,
});

/** Recorder a on node-1 with a local disk there, and standby s; both ready before. */
function pair(change: Partial<RecordingServer['spec']> = {}) {
  const ready = { epoch: 1, everReadyTime: startTime };
  const a = recordingServer('a')
    .spec(change)
    .status({ ...ready, servingRole: 'a', state: 'Active' })
    .build();
  const s = recordingServer('s')
    .standby()
    .status({ ...ready, servingRole: '', state: 'Standby' })
    .build();
  const all = scene(a, s);
  all.stores.pools.put(failoverPool().status({ epoch: 1 }).build());
  for (const name of ['node-1', 'node-2']) all.stores.nodes.put(node(name));
  const disk = (name: string, hostname: string) =>
    all.stores.persistentVolumes.put({
      metadata: { name: `pv-a-${name}` },
      phase: 'Bound',
      claim: { namespace: 'ns', name: `a-${name}` },
      hostnames: [hostname],
    });
  disk('a', 'node-1.example');
  disk('s', 'node-2.example');
  all.withPod(a, { nodeName: 'node-1' });
  all.withPod(s, { nodeName: 'node-2' });
  return { a, s, ...all };
}

const conditionOf = (all: ReturnType<typeof pair>, name: string, type: string, outdated?: boolean) =>
  planStatus(all.see(name), undefined, outdated).status.conditions?.find((condition) => condition.type === type);

describe('a cordoned node', () => {
  it('is that of the pod', () => {
    const all = pair();
    expect(cordonOf(all.stores, all.a)).to.equal(undefined);
    all.stores.nodes.put(node('node-1', true));
    expect(cordonOf(all.stores, all.a)).to.deep.equal({ node: 'node-1', drained: false });
    expect(cordonOf(all.stores, all.s)).to.equal(undefined);
  });

  it('is the one that the disks of a pod without a node are on: a drain took it', () => {
    const all = pair();
    all.stores.nodes.put(node('node-1', true));
    all.stores.pods.remove('ns/a');
    expect(cordonOf(all.stores, all.a)).to.deep.equal({ node: 'node-1', drained: true });
    all.stores.nodes.put(node('node-1'));
    expect(cordonOf(all.stores, all.a)).to.equal(undefined);
  });

  it('is drained as soon as its pod is going', () => {
    const all = pair();
    all.stores.nodes.put(node('node-1', true));
    const leaving = pod(all.a);
    all.stores.pods.put({ ...leaving, metadata: { ...leaving.metadata, deletionTimestamp: startTime } });
    expect(cordonOf(all.stores, all.a)).to.deep.equal({ node: 'node-1', drained: true });
  });

  it('does not hold a pod whose disks can be used elsewhere', () => {
    const all = pair();
    all.stores.nodes.put(node('node-1', true));
    all.stores.pods.remove('ns/a');
    all.stores.persistentVolumes.put({ metadata: { name: 'pv-a-a' }, phase: 'Bound' });
    expect(cordonOf(all.stores, all.a)).to.equal(undefined);
    const { volumeName: _none, ...unbound } = claim('a-a', { phase: 'Pending' });
    all.stores.claims.put(unbound);
    expect(cordonOf(all.stores, all.a)).to.equal(undefined);
  });

  it('concerns the servers whose pods or disks are there', () => {
    const all = pair();
    expect(serversOfNode(all.stores, 'node-1', node('node-1'))).to.deep.equal(['ns/a']);
    all.stores.pods.remove('ns/a');
    expect(serversOfNode(all.stores, 'node-1', node('node-1'))).to.deep.equal(['ns/a']);
  });

  it('makes no broken server of a drained one without a role', () => {
    const all = pair();
    all.stores.pools.put(
      failoverPool()
        .status({ epoch: 7, roles: [{ name: 'a', holder: 's', epoch: 7, startTime, handedOverTime: startTime }] })
        .build(),
    );
    all.stores.nodes.put(node('node-1', true));
    const { nodeName: _none, ...unplaced } = pod(all.a, { phase: 'Pending', ready: false });
    all.stores.pods.put(unplaced);
    all.health('a', healthOf('Broken'));
    expect(planStatus(all.see('a'), undefined).status.state).to.equal('Pending');
    expect(conditionOf(all, 'a', 'Ready')).to.include({ status: 'False', reason: 'NodeCordoned' });
    expect(conditionOf(all, 'a', 'Ready')?.message).to.contain('node-1');
  });

  it('wakes pool and servers when it is cordoned or uncordoned, and at no other change', () => {
    const all = pair();
    const listeners: ChangeListener<NodeView>[] = [];
    const on = <K extends Kind>(kind: K, listener: ChangeListener<Views[K]>) => {
      if (kind === 'nodes') listeners.push(listener as unknown as ChangeListener<NodeView>);
    };
    const watches: Pick<Watches, 'stores' | 'on'> = { stores: all.stores, on };
    const woken: string[] = [];
    const enqueue = (key: string) => void woken.push(key);
    watchPools(watches, enqueue);
    watchServers(watches, { enqueue, enqueueAfter: enqueue });
    for (const listener of listeners) listener('node-1', { ...node('node-1'), ready: 'False' }, node('node-1'));
    expect(woken).to.deep.equal([]);
    for (const listener of listeners) listener('node-1', node('node-1', true), node('node-1'));
    expect(woken).to.deep.equal(['ns/pool', 'ns/a']);
  });
});

describe('what a pool is told about planned moves', () => {
  it('is the cordon, the outdated pod and the request of a person', () => {
    const all = pair();
    all.stores.nodes.put(node('node-1', true));
    const conditions = planStatus(all.see('a'), undefined, true).status.conditions;
    all.stores.servers.put({ ...all.a, status: { ...all.a.status, conditions } });
    const annotated = failoverPool().build();
    const pool = {
      ...annotated,
      metadata: { ...annotated.metadata, annotations: { [labels.request]: '1 failback a' } },
    };
    const input = gatherPool(
      { stores: all.stores, healthOf: () => healthOf('Healthy'), contact: () => undefined },
      pool,
      new Map(),
      new FakeClock(),
    );
    expect(input.request).to.equal('1 failback a');
    expect(
      input.servers.map(({ name, cordonedNode, drained, outdated }) => [name, cordonedNode, drained, outdated]),
    ).to.deep.equal([
      ['a', 'node-1', false, true],
      ['s', undefined, undefined, undefined],
    ]);
  });

  it('keeps the annotation in the view, and drops those of others', () => {
    const annotations = { [labels.request]: '1 failback a', 'example.com/huge': 'x'.repeat(1000) };
    const raw = { metadata: { name: 'pool', namespace: 'ns', annotations }, spec: {} } as KubeObject;
    expect(projectResource<KubeObject>(raw).metadata.annotations).to.deep.equal({ [labels.request]: '1 failback a' });
  });
});

describe('a changed template', () => {
  it('is seen by the hash, and not while there is no pod to compare', () => {
    const all = pair();
    expect(podOutdated(all.see('a'), defaults)).to.equal(false);
    expect(podOutdated(all.see('a'), { ...defaults, image: 'understudy:2' })).to.equal(true);
    all.stores.pods.remove('ns/a');
    expect(podOutdated(all.see('a'), defaults)).to.equal(undefined);
  });

  it('is said on the server, with what becomes of it', () => {
    expect(conditionOf(pair(), 'a', 'UpToDate', false)).to.include({ status: 'True', reason: 'AsExpected' });
    const onDelete = conditionOf(pair(), 'a', 'UpToDate', true);
    expect(onDelete).to.include({ status: 'False', reason: 'TemplateOutdated' });
    expect(onDelete?.message).to.contain('OnDelete');
    const moving = conditionOf(pair({ updateStrategy: 'Switchover' }), 'a', 'UpToDate', true);
    expect(moving?.message).to.contain('see MovesPending of pool pool');
  });

  it('never takes the pod of a server that records', () => {
    const all = pair({ updateStrategy: 'Switchover' });
    expect(planPod(all.see('a'), { ...defaults, image: 'understudy:2' })).to.deep.equal({ kind: 'none' });
    expect(planPod(all.see('s'), { ...defaults, image: 'understudy:2' })).to.include({
      kind: 'delete',
      because: 'Outdated',
    });
  });
});

describe('the previous holder of a planned move', () => {
  const moving = () => {
    const all = pair();
    const roles = [{ name: 'a', holder: 's', previousHolder: 'a', epoch: 7, startTime }];
    const current = { role: 'a', server: 'a', standby: 's', epoch: 7, committedTime: startTime };
    const planned = { ...current, step: 'TakingOver' as const, trigger: 'Maintenance' as const };
    all.stores.pools.put(failoverPool().status({ epoch: 7, roles, current: planned }).build());
    return all;
  };

  it('stays Ready while it records, and says until when', () => {
    expect(conditionOf(moving(), 'a', 'Ready')).to.include({ status: 'True', reason: 'Moving' });
    expect(planStatus(moving().see('a'), undefined).status).to.include({ servingRole: 'a', epoch: 1 });
  });

  it('loses the name of the role, and keeps its pod from being evicted', () => {
    const all = moving();
    expect(planPod(all.see('a'), defaults)).to.include({ kind: 'label', servingRole: '', recordingRole: 'a' });
  });
});

describe('a home whose role is elsewhere', () => {
  const away = (mode: 'None' | 'Automatic') => {
    const all = pair();
    const roles = [{ name: 'a', holder: 's', epoch: 7, startTime, handedOverTime: startTime }];
    const failback = { mode, stableSeconds: 300 };
    all.stores.pools.put(failoverPool().spec({ failback }).status({ epoch: 7, roles }).build());
    return all;
  };

  it('says who records its role, and where it is told when it goes home', () => {
    expect(conditionOf(away('None'), 'a', 'Ready')?.message).to.equal('Healthy; it stands by while s records its role');
    expect(conditionOf(away('Automatic'), 'a', 'Ready')?.message).to.match(/; see MovesPending of pool pool$/);
  });
});
