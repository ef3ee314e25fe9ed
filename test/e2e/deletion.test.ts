import { expect } from 'chai';
import { backups, cameraAssignments, failoverPools, recordingServers } from '../../src/crds/index.js';
import type { KubeObject, ResourceType } from '../../src/operator/objects.js';
import { resources } from '../../src/operator/resources.js';
import { waitUntil } from '../cluster/wait-until.js';
import { poolManifest } from '../scenario/plan.js';
import { DYING_DISKS, HANG_MS, openScene, type Scene } from '../scenario/scene.js';

describe('deleting while a failover runs', () => {
  let scene: Scene;

  before(async () => {
    scene = await openScene({
      name: 'deletion',
      servers: [
        { name: 'recorder-1', type: 'Standard', on: 'free' },
        { name: 'recorder-2', type: 'Standard', on: 'follower' },
        { name: 'standby', type: 'Failover', on: 'leader' },
      ],
      homes: ['recorder-1', 'recorder-1', 'recorder-2'],
      pool: DYING_DISKS,
    });
  });

  after(() => scene?.close());

  /** Ends: this very object is gone. The operator may have made another of its name, as it does with a baseline. */
  const deleted = async (type: ResourceType, name: string) => {
    const key = type.namespaced ? { namespace: scene.namespace, name } : { name };
    const uid = (await scene.api.find<KubeObject>(type, key))?.metadata.uid;
    expect(uid, `${type.kind} ${name} before it is deleted`).to.not.equal(undefined);
    await scene.api.remove(type, key);
    const isGone = async () => (await scene.api.find<KubeObject>(type, key))?.metadata.uid !== uid;
    await waitUntil(`${type.kind} ${name} is gone`, isGone, {
      timeoutMs: HANG_MS,
      hint: async () => JSON.stringify(await scene.api.find(type, key)),
    });
  };
  const killDisks = (server: string) => Promise.all(scene.system.disksOf(server).map(({ disk }) => disk.shutdown()));
  const poolStatus = () => scene.chronicle.find('pools', scene.pool)?.status;

  it('ends for a camera, a baseline, the broken server and the pool', async () => {
    await killDisks('recorder-1');
    await scene.chronicle.until('the failover runs', () => poolStatus()?.current !== undefined, HANG_MS);
    await deleted(cameraAssignments, 'yard');
    const made = () => scene.chronicle.all('backups')[0];
    const backup = await scene.chronicle.until('the baseline is begun', made, HANG_MS);
    await deleted(backups, backup.metadata.name);
    await deleted(recordingServers, 'recorder-1');
    await deleted(failoverPools, scene.pool);
    expect(scene.chronicle.find('servers', 'standby')).to.not.equal(undefined);
  });

  it('ends for a standby that records, and for the namespace in the middle of a failover', async () => {
    // The pool is applied again and the second recorder breaks: the standby is taken, so it waits in the queue.
    await scene.api.apply(failoverPools, poolManifest(scene.system.plan));
    await killDisks('recorder-2');
    const held = () => (poolStatus()?.queue?.length ?? 0) > 0 || poolStatus()?.current !== undefined;
    await scene.chronicle.until('the second recorder is being replaced or waits', held, HANG_MS);
    await deleted(recordingServers, 'standby');
    await deleted(resources.namespaces, scene.namespace);
  });
});
