import { expect } from 'chai';
import { failoverDone, gapsOf, printTimes, stateReached } from '../scenario/failover.js';
import { HANG_MS, openScene, type Scene } from '../scenario/scene.js';

describe('a power cut of the node on which both a recorder and the leader of the operator run', () => {
  let scene: Scene;
  let leaderNode: string;

  before(async () => {
    scene = await openScene({
      name: 'leader',
      servers: [
        { name: 'recorder', type: 'Standard', on: 'leader' },
        { name: 'standby', type: 'Failover', on: 'free' },
      ],
      homes: ['recorder'],
    });
    leaderNode = scene.nodeOf('recorder').name;
  });

  after(() => scene?.close());

  it('has the two replicas of the operator on different nodes', async () => {
    const nodes = (await scene.ground.operator.replicas()).map(({ node }) => node);
    expect(new Set(nodes).size).to.equal(2);
  });

  it('is answered by the other replica', async () => {
    const sinceMs = Date.now() - 20_000;
    expect(await scene.ground.operator.leaderNode()).to.equal(leaderNode);
    await scene.nodeOf('recorder').powerCut();
    const entry = await failoverDone(scene, 'recorder', HANG_MS);
    expect(entry).to.include({ to: 'standby', trigger: 'Unreachable', outcome: 'Completed' });
    expect(await scene.ground.operator.leaderNode()).to.not.equal(leaderNode);
    printTimes(entry, await gapsOf(scene, entry, sinceMs, ['recorder']));
  });

  it('and the repaired node brings back a standby and a second replica', async () => {
    await scene.nodeOf('recorder').powerOn();
    await stateReached(scene, 'recorder', 'Standby');
    await scene.ground.operator.ready();
  });
});
