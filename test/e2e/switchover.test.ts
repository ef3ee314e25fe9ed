import { expect } from 'chai';
import { cameraAssignments, type RecordingServer, recordingServers } from '../../src/crds/index.js';
import { waitUntil } from '../cluster/wait-until.js';
import { isRecordedBy, stateReached } from '../scenario/failover.js';
import { holesIn } from '../scenario/frames.js';
import { HOLE_MS, measureCamera } from '../scenario/measure.js';
import { moveDone } from '../scenario/planned-move.js';
import { mounted } from '../scenario/readable-disk.js';
import { podOf } from '../scenario/recorder-pod.js';
import { DYING_DISKS, HANG_MS, openScene, type Scene } from '../scenario/scene.js';
import { settled } from '../scenario/settled.js';
import { realHoles } from '../scenario/silences.js';
import { conditionOf, isTrue } from '../scenario/summary.js';
import { expectSeamless } from './support/seamless.js';

const REVISION = 'site.example/revision';
const NEW = '2';
/** Two segments: what was closed before the adoption lies under the old name. */
const BEFORE_MS = 10_000;
const standbys = ['standby-1', 'standby-2'];

describe('a new pod template with the strategy Switchover', () => {
  let scene: Scene;
  /** Who records the role after the switchover. */
  let heir: string;
  const key = (name: string) => ({ namespace: scene.namespace, name });
  const pool = () => scene.chronicle.find('pools', scene.pool);
  const setMode = (server: string, operatingMode: string) =>
    scene.api.patch(recordingServers, key(server), { spec: { operatingMode } });
  const setTemplate = (server: string) => {
    const podTemplate = { labels: { [REVISION]: NEW } };
    return scene.api.patch(recordingServers, key(server), { spec: { updateStrategy: 'Switchover', podTemplate } });
  };
  const revisionOf = async (server: string) => (await podOf(scene, server))?.metadata.labels?.[REVISION];
  const updated = (server: string) =>
    waitUntil(`the pod of ${server} is made anew`, async () => (await revisionOf(server)) === NEW, {
      timeoutMs: HANG_MS,
    });

  before(async () => {
    scene = await openScene({
      name: 'switch',
      servers: [
        { name: 'recorder', type: 'Standard', on: 'free' },
        { name: 'standby-1', type: 'Failover', on: 'leader' },
        { name: 'standby-2', type: 'Failover', on: 'follower' },
      ],
      homes: ['recorder', 'recorder'],
      pool: DYING_DISKS,
    });
  });

  after(() => scene?.close());

  it('reaches a standby first, and moves no role while no other standby would be left', async () => {
    await setMode('standby-2', 'Maintenance');
    await stateReached(scene, 'standby-2', 'Maintenance');
    const before = await podOf(scene, 'recorder');
    for (const server of ['recorder', ...standbys]) await setTemplate(server);
    await updated('standby-1');
    const waits = () => conditionOf(pool(), 'MovesPending')?.message.includes('none would be left');
    await scene.chronicle.until('the role waits for another ready standby', waits, HANG_MS);
    await settled(scene.chronicle);
    expect(pool()?.status?.history ?? []).to.deep.equal([]);
    expect((await podOf(scene, 'recorder'))?.metadata.uid, 'the pod that records').to.equal(before?.metadata.uid);
    expect(await revisionOf('recorder')).to.equal(undefined);
  });

  it('moves the role when another standby is ready, replaces its recorder last, and no picture is missing', async () => {
    const sinceMs = Date.now();
    await setMode('standby-2', 'Normal');
    const move = await moveDone(scene, { role: 'recorder', trigger: 'TemplateUpdated' });
    heir = move.to;
    expect(standbys).to.include(heir);
    expect(await revisionOf(heir)).to.equal(NEW);
    const begun = scene.chronicle
      .history('pools', scene.pool)
      .find(({ object }) => object.status?.current?.trigger === 'TemplateUpdated');
    const other = standbys.find((name) => name !== heir) ?? '';
    const word = scene.chronicle.history('reports', other).findLast(({ atMs }) => atMs <= (begun?.atMs ?? 0))?.object;
    expect(word?.status?.podUID, `${other} when the role began to move`).to.equal(
      (await podOf(scene, other))?.metadata.uid,
    );
    expect(word?.status?.recordingService?.state, `${other} when the role began to move`).to.equal('Ready');
    expect(await revisionOf(other)).to.equal(NEW);
    await updated('recorder');
    await stateReached(scene, 'recorder', 'Standby');
    await expectSeamless(scene, move, sinceMs);
  });

  it('a substitute that is adopted for good in Git goes on with the same recordings under its own name', async () => {
    const footageSinceMs = Date.now() - BEFORE_MS;
    await killDisks('recorder');
    await stateReached(scene, 'recorder', 'Broken');
    await settled(scene.chronicle);
    const pod = await podOf(scene, heir);
    const adoptedMs = Date.now();
    await scene.api.patch(recordingServers, key(heir), { spec: { type: 'Standard' } });
    const read = () => isRead(scene.chronicle.find('servers', heir));
    await scene.chronicle.until('the operator has read the new type', read, HANG_MS);
    for (const camera of scene.cameras())
      await scene.api.patch(cameraAssignments, key(camera), { spec: { serverRef: { name: heir } } });
    await scene.api.remove(recordingServers, key('recorder'));

    const roles = () => pool()?.status?.roles?.map(({ name, holder }) => `${name} by ${holder}`);
    const adopted = () => roles()?.join() === `${heir} by ${heir}`;
    await scene.chronicle.until(`${heir} holds the role of its own name`, adopted, HANG_MS);
    const epoch = pool()?.status?.roles?.[0]?.epoch ?? 0;
    const bound = () => scene.cameras().every((camera) => isRecordedBy(scene, camera, heir, epoch));
    await scene.chronicle.until('its cameras are recorded under the new name', bound, HANG_MS);
    await settled(scene.chronicle);
    expect((await podOf(scene, heir))?.metadata.uid).to.equal(pod?.metadata.uid);
    expect(scene.chronicle.find('servers', heir)?.status).to.include({ state: 'Active', servingRole: heir });
    for (const camera of scene.cameras()) {
      await expectOneRecording(camera, footageSinceMs, epoch);
      const told = scene.chronicle.history('cameras', camera).filter(({ atMs }) => atMs >= adoptedMs);
      const saidSo = told.map(({ object }) => isTrue(object, 'Recording'));
      expect(saidSo, `${camera} is said to be recorded`).to.not.include(false);
      expect(scene.chronicle.find('cameras', camera)?.status?.gapSecondsTotal ?? 0, `${camera}: its ledger`).to.equal(
        0,
      );
    }
  });

  const killDisks = (server: string) => Promise.all(scene.system.disksOf(server).map(({ disk }) => disk.shutdown()));

  /** The footage before lies under the old name, and that afterwards under the new one. */
  const expectOneRecording = async (camera: string, sinceMs: number, epoch: number) => {
    const disks = mounted(scene.system.disksOf(heir));
    const old = await measureCamera(disks, 'recorder', camera, sinceMs);
    const own = await measureCamera(disks, heir, camera, sinceMs);
    // A segment that was open when the name changed is read under both.
    const pictures = new Map([...old.frames, ...own.frames].map((frame) => [frame.timeMs, frame]));
    const frames = [...pictures.values()].sort((a, b) => a.timeMs - b.timeMs);
    expect(new Set(frames.map(({ writer }) => writer)).size, `${camera}: recordings`).to.equal(1);
    const silences = await scene.ground.witness.silences(camera, sinceMs);
    expect(realHoles(holesIn(frames, HOLE_MS), silences), camera).to.deep.equal([]);
    expect(own.frames.at(-1)?.epoch, `${camera}: the footage of now`).to.equal(epoch);
    const seconds = ((frames.at(-1)?.timeMs ?? 0) - (frames[0]?.timeMs ?? 0)) / 1000;
    console.log(`      ${camera}: adopted by ${heir}: one recording of ${seconds.toFixed(1)} s without a hole`);
  };
});

/** Read later than its cameras, they would for a moment name a server that has no role. */
function isRead(server: RecordingServer | undefined): boolean {
  const { spec, metadata, status } = server ?? {};
  return spec?.type === 'Standard' && status?.observedGeneration === metadata?.generation;
}
