import { expect } from 'chai';
import { failoverDone, stateReached } from '../scenario/failover.js';
import { isolate } from '../scenario/faults/index.js';
import { HANG_MS, openScene, type Scene } from '../scenario/scene.js';

describe('a recorder that is cut off from the control plane but not from its cameras', () => {
  let scene: Scene;

  before(async () => {
    scene = await openScene({
      name: 'isolated',
      servers: [
        { name: 'recorder', type: 'Standard', on: 'free' },
        { name: 'standby', type: 'Failover', on: 'leader' },
      ],
      homes: ['recorder'],
    });
  });

  after(() => scene?.close());

  it('goes on recording while a standby takes over: the camera is recorded twice, and never not at all', async () => {
    const sinceMs = Date.now();
    const isolation = await isolate(scene.ground.cluster, scene.nodeOf('recorder'));
    try {
      const entry = await failoverDone(scene, 'recorder');
      expect(entry).to.include({ to: 'standby', trigger: 'Unreachable' });
      await bothRecord(scene, sinceMs);
    } finally {
      await isolation.heal();
    }
    await stateReached(scene, 'recorder', 'Standby');
    const released = () => (scene.chronicle.find('reports', 'recorder')?.status?.role ?? '') === '';
    await scene.chronicle.until('the healed recorder has given up its role', released, HANG_MS);
    const { holes, frames } = await scene.measure('gate', sinceMs);
    expect(holes).to.deep.equal([]);
    const last = (server: string) => frames.findLast((frame) => frame.server === server)?.timeMs ?? 0;
    const first = frames.find((frame) => frame.server === 'standby')?.timeMs ?? Number.POSITIVE_INFINITY;
    expect(last('recorder')).to.be.greaterThan(first, 'it stopped before the standby recorded');
  });
});

/** Waits until both disks have pictures that are younger than the takeover. */
async function bothRecord(scene: Scene, sinceMs: number): Promise<void> {
  const takenOverMs = Date.now();
  const end = performance.now() + HANG_MS;
  const missing = async () => {
    const { frames } = await scene.measure('gate', sinceMs);
    const young = frames.filter(({ timeMs }) => timeMs > takenOverMs);
    return ['recorder', 'standby'].filter((server) => !young.some((frame) => frame.server === server));
  };
  for (let late = await missing(); late.length > 0; late = await missing()) {
    if (performance.now() > end) throw new Error(`does not record any more: ${late.join(', ')}`);
  }
}
