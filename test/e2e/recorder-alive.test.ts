import { expect } from 'chai';
import { resources } from '../../src/operator/resources.js';
import { waitUntil } from '../cluster/wait-until.js';
import { expectWithinPromise, failoverDone, gapsOf, podUIDOf, stateReached } from '../scenario/failover.js';
import { type Fault, freezeRecorder, killKubelet, partitionNode } from '../scenario/faults/index.js';
import { heard } from '../scenario/heartbeats.js';
import { told } from '../scenario/measure.js';
import { HANG_MS, openScene, type Scene } from '../scenario/scene.js';
import { isTrue } from '../scenario/summary.js';
import { sharedEpochs } from '../scenario/tally.js';

interface Node {
  readonly status: { readonly conditions: readonly { type: string; status: string }[] };
}

/** Of a timeout of 5 s each heartbeat is a third: so many are three timeouts. */
const HEARTBEATS_OF_THREE_TIMEOUTS = 9;

describe('recorders of which only a part is dead', () => {
  let scene: Scene;
  let kubelet: Fault | undefined;
  let kubeletDiedMs: number;
  const camera = () => scene.cameras('unmanaged')[0] ?? '';
  const pool = () => scene.chronicle.find('pools', scene.pool)?.status;

  before(async () => {
    scene = await openScene({
      name: 'alive',
      servers: [
        { name: 'unmanaged', type: 'Standard', on: 'free' },
        { name: 'recorder', type: 'Standard', on: 'follower' },
        { name: 'standby', type: 'Failover', on: 'leader' },
      ],
      homes: ['unmanaged', 'recorder'],
    });
  });

  after(async () => {
    await kubelet?.heal();
    scene?.close();
  });

  it('goes on recording for longer than the timeout when its kubelet dies, and nothing fails over', async () => {
    kubeletDiedMs = Date.now();
    kubelet = await killKubelet(scene.nodeOf('unmanaged'));
    await heard(scene, 'unmanaged', HEARTBEATS_OF_THREE_TIMEOUTS, HANG_MS);
    expectNothingMoved();
    expect((await scene.measure(camera(), kubeletDiedMs)).holes).to.deep.equal([]);
  });

  it('loses its role when its whole node is cut off, and comes back as a standby', async () => {
    const sinceMs = Date.now();
    const partition = await partitionNode(scene.nodeOf('recorder'));
    try {
      const entry = await failoverDone(scene, 'recorder');
      expect(entry).to.include({ to: 'standby', trigger: 'Unreachable', outcome: 'Completed' });
      expectWithinPromise(entry, await gapsOf(scene, entry, sinceMs - 20_000));
    } finally {
      await partition.heal();
    }
    await stateReached(scene, 'recorder', 'Standby');
    await givesUpItsRole('recorder');
  });

  it('loses its role when it stands still, and thawed it gives it up and becomes a standby', async () => {
    const sinceMs = Date.now();
    const freeze = await freezeRecorder(podUIDOf(scene, 'standby'));
    try {
      const entry = await failoverDone(scene, 'standby');
      expect(entry).to.include({ to: 'recorder', role: 'recorder', trigger: 'Unreachable', outcome: 'Completed' });
      expectWithinPromise(entry, await gapsOf(scene, entry, sinceMs - 20_000));
    } finally {
      await freeze.heal();
    }
    await stateReached(scene, 'standby', 'Standby');
    await givesUpItsRole('standby');
    expect(sharedEpochs(scene)).to.deep.equal([]);
  });

  it('still records without a gap when Kubernetes thinks its node lost, and all is well when the kubelet is back', async () => {
    const podUID = podUIDOf(scene, 'unmanaged');
    await untilNodeIs('Unknown');
    await heard(scene, 'unmanaged', HEARTBEATS_OF_THREE_TIMEOUTS, HANG_MS);
    expectNothingMoved();
    await kubelet?.heal();
    await untilNodeIs('True');
    const ready = () => isTrue(scene.chronicle.find('servers', 'unmanaged'), 'Ready');
    await scene.chronicle.until('it is Ready', ready, HANG_MS);
    expectNothingMoved();
    expect(podUIDOf(scene, 'unmanaged')).to.equal(podUID);
    const measurement = await scene.measure(camera(), kubeletDiedMs);
    const seconds = (Date.now() - kubeletDiedMs) / 1000;
    console.log(`      ${seconds.toFixed(0)} s of one recording; holes: ${told(measurement.holes)}`);
    expect(measurement.holes).to.deep.equal([]);
    expect(new Set(measurement.frames.map(({ writer }) => writer)).size, 'one writer went on').to.equal(1);
  });

  function expectNothingMoved(): void {
    expect(isTrue(scene.chronicle.find('servers', 'unmanaged'), 'Reachable')).to.equal(true);
    expect((pool()?.history ?? []).filter(({ role }) => role === 'unmanaged')).to.deep.equal([]);
    expect(pool()?.queue ?? []).to.deep.equal([]);
    expect(pool()?.current).to.equal(undefined);
  }

  async function givesUpItsRole(server: string): Promise<void> {
    const released = () => (scene.chronicle.find('reports', server)?.status?.role ?? '') === '';
    await scene.chronicle.until(`${server} has given up its role`, released, HANG_MS);
  }

  async function untilNodeIs(ready: string): Promise<void> {
    const { name } = scene.nodeOf('unmanaged');
    const is = async () => {
      const { status } = await scene.api.get<Node>(resources.nodes, { name });
      return status.conditions.some((condition) => condition.type === 'Ready' && condition.status === ready);
    };
    await waitUntil(`${name} is Ready=${ready}`, is, { timeoutMs: HANG_MS, intervalMs: 250 });
  }
});
