import { expect } from 'chai';
import { failoverPools } from '../../src/crds/index.js';
import { waitUntil } from '../cluster/wait-until.js';
import { type Drain, evictionRefusal, isCordoned, nodeIsOurs, setCordon, startDrain } from '../scenario/eviction.js';
import { stateReached } from '../scenario/failover.js';
import { moveDone } from '../scenario/planned-move.js';
import { isReady, podOf } from '../scenario/recorder-pod.js';
import { HANG_MS, openScene, type Scene } from '../scenario/scene.js';
import { settled } from '../scenario/settled.js';
import { reasonOf } from '../scenario/summary.js';
import { expectSeamless } from './support/seamless.js';

// The leader of the operator runs there as well, so the drain takes away whoever has to move the role.
describe('a drain of the node on which both a recorder and the leader of the operator run', () => {
  let scene: Scene;
  let node: string;
  let drain: Drain;
  let podUID: string | undefined;
  let sinceMs: number;
  const role = () => scene.chronicle.find('pools', scene.pool)?.status?.roles?.find(({ name }) => name === 'recorder');
  const recorder = () => scene.chronicle.find('servers', 'recorder');
  const setMoveOnCordon = (moveOnCordon: boolean) =>
    scene.api.patch(failoverPools, { namespace: scene.namespace, name: scene.pool }, { spec: { moveOnCordon } });

  before(async () => {
    scene = await openScene({
      name: 'drain',
      servers: [
        { name: 'recorder', type: 'Standard', on: 'leader' },
        { name: 'standby', type: 'Failover', on: 'free' },
      ],
      homes: ['recorder', 'recorder'],
      pool: { moveOnCordon: false },
    });
    node = scene.nodeOf('recorder').name;
    // The budget protects a pod that the kubelet has seen ready; a recorder records a little earlier.
    await waitUntil('the recorder is ready for its kubelet', () => isReady(scene, 'recorder'), { timeoutMs: HANG_MS });
    await nodeIsOurs(scene, node);
  });

  after(async () => {
    if (scene === undefined) return;
    for (const server of ['recorder', 'standby']) await setCordon(scene, scene.nodeOf(server).name, false);
    scene.close();
  });

  it('waits while the recorder records, which the pool says must not move for a cordon', async () => {
    podUID = (await podOf(scene, 'recorder'))?.metadata.uid;
    sinceMs = Date.now();
    drain = startDrain(scene, node);
    await waitUntil('the drain has cordoned the node', () => isCordoned(scene, node), { timeoutMs: HANG_MS });
    expect(await evictionRefusal(scene, 'recorder')).to.contain("violate the pod's disruption budget");
    await settled(scene.chronicle);
    expect(drain.isOver(), 'the drain').to.equal(false);
    expect(role()?.holder ?? 'recorder').to.equal('recorder');
    const pod = await podOf(scene, 'recorder');
    expect(pod?.metadata.uid).to.equal(podUID);
    expect(pod?.metadata.deletionTimestamp).to.equal(undefined);
  });

  it('ends when the role has moved, and no picture is missing', async () => {
    await setMoveOnCordon(true);
    const move = await moveDone(scene, { role: 'recorder', to: 'standby', trigger: 'NodeCordoned' });
    await drain.ended;
    expect((await podOf(scene, 'recorder'))?.metadata.uid, 'the drained pod').to.not.equal(podUID);
    await expectSeamless(scene, move, sinceMs);
  });

  it('leaves a server that waits for its node, and is a standby again when the node is uncordoned', async () => {
    const waits = () => reasonOf(recorder(), 'Ready') === 'NodeCordoned';
    await scene.chronicle.until('the recorder says what its pod waits for', waits, HANG_MS);
    expect(recorder()?.status?.state).to.equal('Pending');
    await setCordon(scene, node, false);
    await stateReached(scene, 'recorder', 'Standby');
    const states = scene.chronicle.history('servers', 'recorder').map(({ object }) => object.status?.state);
    expect(states, 'a drained server is not broken').to.not.include('Broken');
    expect(role()?.holder).to.equal('standby');
  });

  it('a plain cordon moves the role as well, and leaves the pod where it is', async () => {
    const pod = await podOf(scene, 'standby');
    const cordonedMs = Date.now();
    await setCordon(scene, scene.nodeOf('standby').name, true);
    const move = await moveDone(scene, { role: 'recorder', to: 'recorder', trigger: 'NodeCordoned' });
    await expectSeamless(scene, move, cordonedMs);
    expect((await podOf(scene, 'standby'))?.metadata.uid).to.equal(pod?.metadata.uid);
    await stateReached(scene, 'standby', 'Standby');
  });
});
