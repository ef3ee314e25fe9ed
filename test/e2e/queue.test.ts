import { expect } from 'chai';
import { recordingServers } from '../../src/crds/index.js';
import { resources } from '../../src/operator/resources.js';
import { waitUntil } from '../cluster/wait-until.js';
import { failoverDone } from '../scenario/failover.js';
import { DYING_DISKS, HANG_MS, openScene, type Scene } from '../scenario/scene.js';
import { isTrue } from '../scenario/summary.js';

describe('two broken recorders and one standby', () => {
  let scene: Scene;
  const pool = () => scene.chronicle.find('pools', scene.pool)?.status;
  const setMode = (server: string, operatingMode: string) =>
    scene.api.patch(recordingServers, { namespace: scene.namespace, name: server }, { spec: { operatingMode } });
  const killDisks = (server: string) => Promise.all(scene.system.disksOf(server).map(({ disk }) => disk.shutdown()));

  before(async () => {
    scene = await openScene({
      name: 'queue',
      servers: [
        { name: 'recorder-1', type: 'Standard', on: 'free' },
        { name: 'recorder-2', type: 'Standard', on: 'follower' },
        { name: 'standby', type: 'Failover', on: 'leader' },
      ],
      homes: ['recorder-1', 'recorder-2'],
      pool: DYING_DISKS,
    });
  });

  after(() => scene?.close());

  it('are served in the order in which they broke, and the second waits and says for what', async () => {
    await killDisks('recorder-1');
    const begins = () => pool()?.current?.server === 'recorder-1' || (pool()?.history ?? []).length > 0;
    await scene.chronicle.until('the first takeover begins', begins, HANG_MS);
    await killDisks('recorder-2');
    expect(await failoverDone(scene, 'recorder-1')).to.include({ to: 'standby', trigger: 'AllDisksLost' });
    const waiting = () => pool()?.queue?.find(({ server, waitingFor }) => server === 'recorder-2' && waitingFor);
    const isHeld = () =>
      /NoCompatibleStandby|NoStandby/.test(waiting()?.waitingFor ?? '') && pool()?.current === undefined;
    await scene.chronicle.until('the second waits for a standby', isHeld, HANG_MS);
    expect(pool()?.history).to.have.length(1);
  });

  it('the second is served by the first, once that is repaired by the maintenance procedure', async () => {
    const podKey = { namespace: scene.namespace, name: 'recorder-1' };
    await setMode('recorder-1', 'Maintenance');
    const safe = () => isTrue(scene.chronicle.find('servers', 'recorder-1'), 'SafeToRepair');
    await scene.chronicle.until('recorder-1 says that it is safe to repair', safe, HANG_MS);
    await waitUntil('its pod is gone', async () => (await scene.api.find(resources.pods, podKey)) === undefined, {
      timeoutMs: HANG_MS,
    });
    for (const { disk } of scene.system.disksOf('recorder-1')) await disk.repair();
    await setMode('recorder-1', 'Normal');
    const entry = await failoverDone(scene, 'recorder-2');
    expect(entry).to.include({ to: 'recorder-1', trigger: 'AllDisksLost', outcome: 'Completed' });
    expect(pool()?.queue ?? []).to.deep.equal([]);
    const epochs = (pool()?.history ?? []).map(({ epoch }) => epoch);
    expect(epochs).to.have.length(2);
    expect(epochs[0]).to.be.greaterThan(epochs[1] ?? Number.POSITIVE_INFINITY);
  });
});
