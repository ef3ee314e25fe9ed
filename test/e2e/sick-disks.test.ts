import { mkdir, readdir, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { RUN_AS } from '../../src/crds/index.js';
import { resources } from '../../src/operator/resources.js';
import { run } from '../cluster/run-command.js';
import { waitUntil } from '../cluster/wait-until.js';
import { expectWithinPromise, failoverDone, gapsOf, isRecordedBy, stateReached } from '../scenario/failover.js';
import { everyDisk, type Fault, fillDisk, hangDisk, remountReadOnly } from '../scenario/faults/index.js';
import { heard } from '../scenario/heartbeats.js';
import { told } from '../scenario/measure.js';
import { DYING_DISKS, HANG_MS, openScene, type Scene } from '../scenario/scene.js';
import { reasonOf } from '../scenario/summary.js';
import type { MaterialDisk } from '../scenario/system.js';

const MIB = 1024 * 1024;
/** Less than the reserve of 5 %, of which retention makes sure, and more than what makes a disk full. */
const LEFT_BYTES = 4 * MIB;
const YEARS = ['2020', '2021'];

describe('disks that are sick under a recorder', () => {
  let scene: Scene;
  const camera = () => scene.cameras()[0] ?? '';
  const key = (name: string) => ({ namespace: scene.namespace, name });
  const pool = () => scene.chronicle.find('pools', scene.pool)?.status;
  const storage = (server: string) => reasonOf(scene.chronicle.find('servers', server), 'StorageHealthy');

  before(async () => {
    scene = await openScene({
      name: 'sick',
      servers: [
        { name: 'recorder', type: 'Standard', on: 'free', disks: 2 },
        { name: 'standby', type: 'Failover', on: 'leader', disks: 2 },
      ],
      homes: ['recorder'],
      pool: DYING_DISKS,
    });
  });

  after(() => scene?.close());

  it('nearly full of footage: the oldest goes first, and the camera is recorded without a gap', async () => {
    const disks = scene.system.disksOf('recorder');
    const sinceMs = Date.now();
    for (const disk of disks) await crowd(disk);
    for (const disk of disks) await waitUntil('the oldest is gone', async () => (await old(disk)).length === 1, wait());
    for (const disk of disks) expect(await old(disk)).to.deep.equal([YEARS.at(-1)]);
    await scene.recorded(camera(), Date.now(), 0);
    expect((await scene.measure(camera(), sinceMs)).holes).to.deep.equal([]);
    expectNothingMoved();
  });

  it('full to the last block: retention makes room, and recording goes on by itself', async () => {
    const sinceMs = Date.now();
    const fill = await all(fillDisk);
    for (const disk of scene.system.disksOf('recorder')) {
      await waitUntil('old footage has gone for it', async () => (await old(disk)).length === 0, wait());
    }
    await scene.recorded(camera(), Date.now(), 0);
    await tellHoles('while retention made room', sinceMs);
    expectNothingMoved();
    await fill.heal();
  });

  it('full, and nothing to be freed: that is said, is never a failover, and ends with the fullness', async () => {
    await waitUntil('the camera is recorded', async () => isRecordedBy(scene, camera(), 'recorder'), wait());
    const sinceMs = Date.now();
    const fill = await all(fillDisk);
    await scene.chronicle.until('the disks are told to be full', () => storage('recorder') === 'DiskFull', HANG_MS);
    const notRecorded = () => !isRecordedBy(scene, camera(), 'recorder');
    await scene.chronicle.until('the camera says that it is not recorded', notRecorded, HANG_MS);
    await heard(scene, 'recorder', 4, HANG_MS);
    expectNothingMoved();
    await fill.heal();
    await scene.chronicle.until('it is recorded again', () => isRecordedBy(scene, camera(), 'recorder'), HANG_MS);
    await scene.recorded(camera(), Date.now(), 0);
    await tellHoles('with full disks', sinceMs);
    expectNothingMoved();
  });

  it('all hung: the role moves although nothing can be killed, and thawed the recorder becomes a standby', async () => {
    const sinceMs = Date.now();
    const hang = await all(hangDisk);
    try {
      const entry = await failoverDone(scene, 'recorder');
      expect(entry).to.include({ to: 'standby', trigger: 'AllDisksLost', outcome: 'Completed' });
      await runsStill('recorder');
      expectWithinPromise(entry, await gapsOf(scene, entry, sinceMs - 20_000));
    } finally {
      await hang.heal();
    }
    await stateReached(scene, 'recorder', 'Standby');
    await runsStill('recorder');
  });

  it('read-only: one of two is degraded, and both are all lost, as the files show', async () => {
    const [first, second] = scene.system.disksOf('standby');
    if (!first || !second) throw new Error('the standby has two disks');
    const sinceMs = Date.now();
    await remountReadOnly(first);
    await scene.chronicle.until('one disk is lost', () => storage('standby') === 'SomeDisksLost', HANG_MS);
    // Footage that was synced: what was not is lost with an error of the disk, and nothing would be left to measure from.
    await scene.recorded(camera(), Date.now(), 0);
    expect(pool()?.history).to.have.length(1);
    await remountReadOnly(second);
    const entry = await failoverDone(scene, 'standby');
    expect(entry).to.include({ to: 'recorder', trigger: 'AllDisksLost', outcome: 'Completed' });
    await runsStill('standby');
    expectWithinPromise(entry, await gapsOf(scene, entry, sinceMs - 20_000, ['standby']));
  });

  const wait = () => ({ timeoutMs: HANG_MS, intervalMs: 250 });

  const all = (strike: (disk: MaterialDisk) => Promise<Fault>) => everyDisk(scene.system.disksOf('recorder'), strike);

  function expectNothingMoved(): void {
    expect(pool()?.history ?? []).to.deep.equal([]);
    expect(pool()?.queue ?? []).to.deep.equal([]);
    expect(pool()?.current).to.equal(undefined);
  }

  async function tellHoles(when: string, sinceMs: number): Promise<void> {
    const measurement = await scene.measure(camera(), sinceMs - 10_000);
    console.log(`      ${camera()}: holes ${when}: ${told(measurement.holes)}`);
  }

  async function runsStill(server: string): Promise<void> {
    const pod = await scene.api.get<{ status: { phase: string } }>(resources.pods, key(server));
    expect(pod.status.phase).to.equal('Running');
  }
});

const oldFolder = (disk: MaterialDisk) => join(disk.disk.mountPath, 'old-role', 'old-camera');

/** Fills a disk up to the reserve with footage of former years, half of it of each, that belongs to the recorder. */
async function crowd(disk: MaterialDisk): Promise<void> {
  const { bavail, bsize } = await statfs(disk.disk.mountPath);
  const bytes = Math.floor((bavail * bsize - LEFT_BYTES) / YEARS.length);
  for (const year of YEARS) {
    const folder = join(oldFolder(disk), `e1-${year}0101-aaaaaaaa`);
    await mkdir(folder, { recursive: true });
    const segment = join(folder, `${year}0101T000000Z.ts`);
    await writeFile(segment, '');
    await run('fallocate', ['--length', String(bytes), segment]);
  }
  await run('chown', ['-R', `${RUN_AS}:${RUN_AS}`, join(disk.disk.mountPath, 'old-role')]);
}

/** Years of which footage is left. */
async function old(disk: MaterialDisk): Promise<string[]> {
  const folders = await readdir(oldFolder(disk)).catch(() => []);
  return folders.map((name) => name.slice('e1-'.length, 'e1-'.length + 4)).sort();
}
