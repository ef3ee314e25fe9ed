import { expect } from 'chai';
import { failoverPools } from '../../src/crds/index.js';
import { failoverDone, gapsOf, printTimes, stateReached } from '../scenario/failover.js';
import {
  everyDisk,
  type Fault,
  hangDisk,
  type OperatorSight,
  operatorBack,
  watchOperator,
} from '../scenario/faults/index.js';
import { DYING_DISKS, HANG_MS, openScene, type Scene } from '../scenario/scene.js';
import { oneMore, sharedEpochs, tally } from '../scenario/tally.js';

describe('an operator that is killed in the middle of a failover', () => {
  let scene: Scene;
  let sight: OperatorSight;
  const pool = () => scene.chronicle.find('pools', scene.pool)?.status;
  const setPaused = (paused: boolean) =>
    scene.api.patch(failoverPools, { namespace: scene.namespace, name: scene.pool }, { spec: { paused } });

  /** Phases of a failover, as the pool tells them. */
  const phases = {
    'judged, and not committed': () => (pool()?.queue ?? []).some(({ waitingFor }) => waitingFor?.startsWith('Paused')),
    'committed, and not acknowledged': () =>
      pool()?.current?.step === 'TakingOver' && pool()?.current?.acknowledgedTime === undefined,
    'acknowledged, and not handed over': () =>
      pool()?.current?.step === 'TakingOver' && pool()?.current?.acknowledgedTime !== undefined,
    'handed over, and without its baseline': () => pool()?.current?.step === 'BackingUp',
  };

  before(async () => {
    scene = await openScene({
      name: 'killed',
      servers: [
        { name: 'recorder', type: 'Standard', on: 'free' },
        { name: 'standby', type: 'Failover', on: 'leader' },
      ],
      homes: ['recorder', 'recorder'],
      pool: DYING_DISKS,
    });
    sight = await watchOperator(scene.api, scene.ground.operator);
  });

  after(() => {
    sight?.close();
    scene?.close();
  });

  it('before the commit, and with both replicas right after it: the failover happens once', async () => {
    await judgeFailover('recorder', 'standby', async () => {
      // A pool that is paused stays at this phase until somebody new leads.
      await setPaused(true);
      const fault = await everyDisk(scene.system.disksOf('recorder'), hangDisk);
      await killAt('judged, and not committed', 'leader');
      await sight.newLeader();
      await setPaused(false);
      await killAt('committed, and not acknowledged', 'all');
      return fault;
    });
  });

  it('before the handover, and again before the baseline: the failover happens once', async () => {
    await operatorBack(scene.ground.operator);
    await sight.newLeader();
    await judgeFailover('standby', 'recorder', async () => {
      const fault = await everyDisk(scene.system.disksOf('standby'), hangDisk);
      await killAt('acknowledged, and not handed over', 'leader');
      await killAt('handed over, and without its baseline', 'leader');
      return fault;
    });
  });

  it('and both replicas are back in the end', () => operatorBack(scene.ground.operator));

  async function judgeFailover(from: string, to: string, kill: () => Promise<Fault>): Promise<void> {
    const before = tally(scene);
    const sinceMs = Date.now();
    const fault = await kill();
    try {
      const entry = await failoverDone(scene, from);
      expect(entry).to.include({ role: 'recorder', to, trigger: 'AllDisksLost', outcome: 'Completed' });
      printTimes(entry, await gapsOf(scene, entry, sinceMs - 20_000));
    } finally {
      await fault.heal();
    }
    await stateReached(scene, from, 'Standby');
    expect(tally(scene)).to.deep.equal(oneMore(before));
    expect(sharedEpochs(scene)).to.deep.equal([]);
  }

  async function killAt(phase: keyof typeof phases, target: 'leader' | 'all'): Promise<void> {
    await scene.chronicle.until(
      `the failover is ${phase}, and the ${target} is hit`,
      () => phases[phase]() && sight.shoot(target),
      HANG_MS,
    );
  }
});
