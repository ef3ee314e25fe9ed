import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { failoverDone, gapsOf, printTimes, stateReached } from '../scenario/failover.js';
import { everyDisk, hangDisk, restartControlPlane } from '../scenario/faults/index.js';
import { heard } from '../scenario/heartbeats.js';
import { told } from '../scenario/measure.js';
import { DYING_DISKS, HANG_MS, openScene, type Scene } from '../scenario/scene.js';
import { oneMore, sharedEpochs, tally } from '../scenario/tally.js';

/** Longer than the timeout of the pool, which is 5 s. */
const OUTAGE_MS = 7_000;
const SHORT_OUTAGE_MS = 3_000;

describe('a control plane that is restarted, its API server and its etcd', () => {
  let scene: Scene;
  const pool = () => scene.chronicle.find('pools', scene.pool)?.status;

  before(async () => {
    scene = await openScene({
      name: 'restart',
      servers: [
        { name: 'recorder', type: 'Standard', on: 'free' },
        { name: 'standby', type: 'Failover', on: 'leader' },
      ],
      homes: ['recorder', 'recorder'],
      pool: DYING_DISKS,
    });
  });

  after(() => scene?.close());

  it('costs no picture and no failover at rest, although it is away for longer than the timeout', async () => {
    const sinceMs = Date.now();
    const before = tally(scene);
    await restartAfter(OUTAGE_MS);
    await scene.ground.operator.ready();
    for (const { name } of scene.system.plan.servers) await heard(scene, name, 4, HANG_MS);
    for (const camera of scene.cameras()) {
      const measurement = await scene.measure(camera, sinceMs);
      console.log(`      ${camera}: holes: ${told(measurement.holes)}`);
      expect(measurement.holes).to.deep.equal([]);
    }
    expect(tally(scene)).to.deep.equal(before);
    expect(pool()?.queue ?? []).to.deep.equal([]);
  });

  it('does not change what a failover comes to that was committed a moment before', async () => {
    const sinceMs = Date.now();
    const before = tally(scene);
    const hang = await everyDisk(scene.system.disksOf('recorder'), hangDisk);
    try {
      await scene.chronicle.until('it takes over', () => pool()?.current?.step === 'TakingOver', HANG_MS);
      await restartAfter(SHORT_OUTAGE_MS);
      const backMs = Date.now();
      const entry = await failoverDone(scene, 'recorder');
      expect(entry).to.include({ to: 'standby', trigger: 'AllDisksLost', outcome: 'Completed' });
      printTimes(entry, await gapsOf(scene, entry, sinceMs - 20_000), { back: backMs });
    } finally {
      await hang.heal();
    }
    await stateReached(scene, 'recorder', 'Standby');
    expect(tally(scene)).to.deep.equal(oneMore(before));
    expect(sharedEpochs(scene)).to.deep.equal([]);
  });

  async function restartAfter(outageMs: number): Promise<void> {
    const outage = await restartControlPlane(scene.ground.cluster, 'api-server-and-etcd');
    await pause(outageMs);
    await outage.heal();
  }
});
