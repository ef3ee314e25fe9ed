import { expect } from 'chai';
import { baselineOf } from '../scenario/baseline.js';
import { expectWithinPromise, failoverDone, gapsOf, stateReached } from '../scenario/failover.js';
import { openScene, type Scene } from '../scenario/scene.js';
import { isTrue } from '../scenario/summary.js';

describe('a power cut of the node of a recorder', () => {
  let scene: Scene;

  before(async () => {
    scene = await openScene({
      name: 'power',
      servers: [
        { name: 'recorder', type: 'Standard', on: 'free' },
        { name: 'standby', type: 'Failover', on: 'leader' },
      ],
      homes: ['recorder', 'recorder'],
    });
  });

  after(() => scene?.close());

  it('costs each camera no more than the timeout, its connect time and one key frame, as the files show', async () => {
    const sinceMs = Date.now();
    await scene.nodeOf('recorder').powerCut();
    const entry = await failoverDone(scene, 'recorder');
    expect(entry).to.include({ to: 'standby', trigger: 'Unreachable', outcome: 'Completed' });
    const footageSinceMs = sinceMs - 20_000;
    expectWithinPromise(entry, await gapsOf(scene, entry, footageSinceMs, ['recorder']));
  });

  it('leaves one complete baseline, whose content names every server and where each camera is recorded', async () => {
    const made = scene.chronicle.all('backups');
    expect(made.map(({ metadata }) => metadata.name)).to.have.length(1);
    const [backup] = made;
    expect(isTrue(backup, 'Complete')).to.equal(true);
    const text = JSON.stringify(await baselineOf(scene.api, scene.namespace, backup?.metadata.name ?? ''));
    for (const name of ['recorder', 'standby', ...scene.cameras(), scene.pool]) expect(text).to.contain(`"${name}"`);
    expect(text).to.contain(scene.ground.cameras.url('gate'));
  });

  it('makes the repaired server a standby and leaves the role where it is', async () => {
    await scene.nodeOf('recorder').powerOn();
    await stateReached(scene, 'recorder', 'Standby');
    const role = scene.chronicle.find('pools', scene.pool)?.status?.roles?.find(({ name }) => name === 'recorder');
    expect(role?.holder).to.equal('standby');
    expect(scene.chronicle.find('servers', 'recorder')?.status?.servingRole ?? '').to.equal('');
    expect(scene.chronicle.find('servers', 'standby')?.status).to.include({ state: 'Active', servingRole: 'recorder' });
  });
});
