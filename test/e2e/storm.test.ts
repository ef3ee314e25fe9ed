import { expect } from 'chai';
import { failoverPools } from '../../src/crds/index.js';
import { isRecordedBy, stateReached } from '../scenario/failover.js';
import { isolate } from '../scenario/faults/index.js';
import { HANG_MS, openScene, type Scene } from '../scenario/scene.js';
import { settled } from '../scenario/settled.js';
import { conditionOf, reasonOf } from '../scenario/summary.js';

const recorders = ['recorder-1', 'recorder-2'];
const SHORT_HOLD_SECONDS = 3;

describe('two of three nodes that lose the control plane at once, but not their cameras', () => {
  let scene: Scene;
  const pool = () => scene.chronicle.find('pools', scene.pool);
  const held = () => conditionOf(pool(), 'FailoversHeld');
  const calm = () => {
    const { current, queue = [], hold } = pool()?.status ?? {};
    return current === undefined && queue.length === 0 && hold === undefined && held()?.reason === 'NoStorm';
  };
  const isHeld = () => held()?.status === 'True' && recorders.every((name) => held()?.message.includes(name));

  before(async () => {
    scene = await openScene({
      name: 'storm',
      servers: [
        { name: 'recorder-1', type: 'Standard', on: 'free' },
        { name: 'recorder-2', type: 'Standard', on: 'follower' },
        { name: 'standby', type: 'Failover', on: 'leader' },
      ],
      homes: recorders,
    });
  });

  after(() => scene?.close());

  it('are held, by name and with the time of the end; healed, nothing has moved and no picture is missing', async () => {
    const sinceMs = Date.now();
    const isolation = await isolateBoth(scene);
    try {
      await scene.chronicle.until('the pool says that both are held', isHeld, HANG_MS);
      const { startTime = '', untilTime = '' } = pool()?.status?.hold ?? {};
      expect(held()?.reason).to.equal('StormHold');
      expect(held()?.message).to.contain(untilTime).and.to.contain('release-hold');
      expect(Date.parse(untilTime)).to.be.greaterThan(Date.parse(startTime));
      const waiting = (pool()?.status?.queue ?? []).map(({ server, waitingFor = '' }) => [server, waitingFor]);
      for (const [, waitingFor] of waiting) expect(waitingFor).to.match(/^FailoversHeld: /);
      for (const camera of scene.cameras()) await scene.recorded(camera, Date.now(), 0);
    } finally {
      await isolation.heal();
    }
    await scene.chronicle.until('the storm is over', calm, HANG_MS);
    await settled(scene.chronicle);
    expect(pool()?.status?.history ?? []).to.deep.equal([]);
    expect(pool()?.status?.roles ?? []).to.deep.equal([]);
    const moves = scene.chronicle.history('pools', scene.pool).map(({ object }) => object.status?.current);
    expect(
      moves.filter((current) => current !== undefined),
      'moves that were begun',
    ).to.deep.equal([]);
    for (const [index, server] of recorders.entries()) {
      const [camera = ''] = scene.cameras(server);
      const { holes, frames } = await scene.measure(camera, sinceMs);
      console.log(
        `      ${camera}: ${holes.length} holes in ${spanOf(frames)} s, ${index + 1} of 2 isolated recorders`,
      );
      expect(holes, camera).to.deep.equal([]);
      expect([...new Set(frames.map(({ server: disk }) => disk))], camera).to.deep.equal([server]);
      expect(new Set(frames.map(({ writer }) => writer)).size, `${camera}: recordings`).to.equal(1);
      expect(isRecordedBy(scene, camera, server)).to.equal(true);
    }
  });

  it('are served when holdSeconds have passed, and still no picture is missing', async () => {
    await scene.api.patch(
      failoverPools,
      { namespace: scene.namespace, name: scene.pool },
      { spec: { storm: { holdSeconds: SHORT_HOLD_SECONDS } } },
    );
    const sinceMs = Date.now();
    const isolation = await isolateBoth(scene);
    let served = '';
    try {
      const released = () => pool()?.status?.hold?.releasedTime !== undefined && pool()?.status?.hold;
      const hold = await scene.chronicle.until('the hold is released', released, HANG_MS);
      expect(hold.reason).to.equal('Elapsed');
      const lastedMs = Date.parse(hold.releasedTime ?? '') - Date.parse(hold.startTime);
      expect(lastedMs, 'held for so long').to.be.at.least(SHORT_HOLD_SECONDS * 1000);
      const entry = await scene.chronicle.until('one is served', () => pool()?.status?.history?.[0], HANG_MS);
      expect(entry).to.include({ to: 'standby', trigger: 'Unreachable', outcome: 'Completed' });
      served = entry.from;
      expect(recorders).to.include(served);
      expect(Date.parse(entry.committedTime)).to.be.at.least(Date.parse(hold.releasedTime ?? ''));
      expect(reasonOf(pool(), 'FailoversHeld')).to.equal('HoldReleased');
      const [camera = ''] = scene.cameras(served);
      await scene.recorded(camera, Date.now(), entry.epoch);
      const other = () => pool()?.status?.queue?.find(({ server }) => server !== served)?.waitingFor ?? '';
      await scene.chronicle.until('the other waits for a standby', () => /^No.*Standby: /.test(other()), HANG_MS);
      // The one that waits comes back first: the other, once repaired, would be its standby and serve it at once.
      await isolation.heal(recorders.filter((name) => name !== served));
      await scene.chronicle.until('nobody waits', () => (pool()?.status?.queue ?? []).length === 0, HANG_MS);
    } finally {
      await isolation.heal();
    }
    await scene.chronicle.until('the storm is over', calm, HANG_MS);
    await stateReached(scene, served, 'Standby');
    await settled(scene.chronicle);
    expect(pool()?.status?.history).to.have.length(1);
    for (const server of recorders) {
      const [camera = ''] = scene.cameras(server);
      const { holes, frames } = await scene.measure(camera, sinceMs);
      const disks = [...new Set(frames.map(({ server: disk }) => disk))].sort();
      console.log(`      ${camera}: ${holes.length} holes in ${spanOf(frames)} s, on ${disks.join(' and ')}`);
      expect(holes, camera).to.deep.equal([]);
      expect(disks, camera).to.deep.equal(server === served ? [server, 'standby'] : [server]);
    }
  });
});

/** Both recorders' nodes at once; what was cut off before something failed is healed again. */
async function isolateBoth(scene: Scene): Promise<{ heal(names?: readonly string[]): Promise<void> }> {
  const cuts = await Promise.allSettled(recorders.map((name) => isolate(scene.ground.cluster, scene.nodeOf(name))));
  const isolated = new Map(cuts.flatMap((cut, at) => (cut.status === 'fulfilled' ? [[recorders[at], cut.value]] : [])));
  const heal = async (names: readonly string[] = recorders) => {
    for (const name of names) {
      await isolated.get(name)?.heal();
      isolated.delete(name);
    }
  };
  const failed = cuts.find((cut) => cut.status === 'rejected');
  if (failed === undefined) return { heal };
  await heal();
  throw failed.reason;
}

function spanOf(frames: readonly { timeMs: number }[]): string {
  return (((frames.at(-1)?.timeMs ?? 0) - (frames[0]?.timeMs ?? 0)) / 1000).toFixed(1);
}
