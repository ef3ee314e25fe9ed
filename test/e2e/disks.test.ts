import { expect } from 'chai';
import { resources } from '../../src/operator/resources.js';
import { expectWithinPromise, failoverDone, gapsOf } from '../scenario/failover.js';
import { DYING_DISKS, HANG_MS, openScene, type Scene } from '../scenario/scene.js';
import { reasonOf } from '../scenario/summary.js';

describe('disks that die under a recorder', () => {
  let scene: Scene;
  let firstDeathMs: number;

  before(async () => {
    scene = await openScene({
      name: 'disks',
      servers: [
        { name: 'recorder', type: 'Standard', on: 'free', disks: 2 },
        { name: 'standby', type: 'Failover', on: 'leader', disks: 2 },
      ],
      homes: ['recorder', 'recorder'],
      pool: DYING_DISKS,
    });
  });

  after(() => scene?.close());

  it('one of two: it goes on recording on the other, says so, and nothing fails over', async () => {
    const { chronicle, system } = scene;
    firstDeathMs = Date.now();
    await system.disksOf('recorder')[0]?.disk.shutdown();
    const degraded = () => reasonOf(chronicle.find('servers', 'recorder'), 'StorageHealthy') === 'SomeDisksLost';
    await chronicle.until('the recorder says that some disks are lost', degraded, HANG_MS);
    const onOther = () => {
      const report = chronicle.find('reports', 'recorder')?.status;
      const [healthy, ...more] = (report?.volumes ?? []).filter(({ state }) => state === 'Healthy');
      if (!healthy || more.length > 0) return false;
      return scene.cameras().every((camera) => {
        const reported = report?.cameras?.find(({ name }) => name === camera);
        return reported?.state === 'Recording' && reported.volume === healthy.name;
      });
    };
    await chronicle.until('all cameras are recorded on the other disk', onOther, HANG_MS);
    const pool = chronicle.find('pools', scene.pool)?.status;
    expect(pool?.history ?? []).to.deep.equal([]);
    expect(pool?.current).to.equal(undefined);
    expect(pool?.queue ?? []).to.deep.equal([]);
  });

  it('all of them: the role moves although the pod still runs, and the files show what that cost', async () => {
    // A dying disk takes along what was not synced: without anything older there is no footage to measure from.
    for (const camera of scene.cameras()) await scene.recorded(camera, Date.now(), 0);
    await scene.system.disksOf('recorder')[1]?.disk.shutdown();
    const entry = await failoverDone(scene, 'recorder');
    expect(entry).to.include({ to: 'standby', trigger: 'AllDisksLost', outcome: 'Completed' });
    const key = { namespace: scene.namespace, name: 'recorder' };
    const pod = await scene.api.get<{ status: { phase: string } }>(resources.pods, key);
    expect(pod.status.phase).to.equal('Running');
    expectWithinPromise(entry, await gapsOf(scene, entry, firstDeathMs, ['recorder']));
  });
});
