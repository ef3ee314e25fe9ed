import { expect } from 'chai';
import { type Gap, type HistoryEntry, missingOnHolder } from '../../src/crds/index.js';
import { checksumsOf } from '../scenario/checksums.js';
import { failoverDone, stateReached } from '../scenario/failover.js';
import { isolate } from '../scenario/faults/index.js';
import { holesIn } from '../scenario/frames.js';
import { HOLE_MS, measureCamera } from '../scenario/measure.js';
import { mounted } from '../scenario/readable-disk.js';
import { HANG_MS, openScene, type Scene } from '../scenario/scene.js';
import { conditionOf, isTrue, reasonOf } from '../scenario/summary.js';
import type { MaterialDisk } from '../scenario/system.js';

describe('footage that only the repaired server has', () => {
  let scene: Scene;
  let failover: HistoryEntry;
  const recorder = () => scene.chronicle.find('servers', 'recorder');
  const recovery = () => scene.chronicle.find('servers', 'standby')?.status?.recovery;

  before(async () => {
    scene = await openScene({
      name: 'recovery',
      servers: [
        { name: 'recorder', type: 'Standard', on: 'free' },
        { name: 'standby', type: 'Failover', on: 'leader' },
      ],
      homes: ['recorder', 'recorder'],
    });
    // It records on while nobody hears it: what the substitute lacks lies on its disk.
    const isolation = await isolate(scene.ground.cluster, scene.nodeOf('recorder'));
    try {
      failover = await failoverDone(scene, 'recorder');
      for (const camera of scene.cameras()) await scene.recorded(camera, Date.now(), failover.epoch);
    } finally {
      await isolation.heal();
    }
    await stateReached(scene, 'recorder', 'Standby');
  });

  after(() => scene?.close());

  const diskOf = (server: string): MaterialDisk => {
    const [disk] = scene.system.disksOf(server);
    if (disk === undefined) throw new Error(`${server} has no disk`);
    return disk;
  };
  const gapOf = (camera: string): Gap | undefined =>
    scene.chronicle.find('cameras', camera)?.status?.gaps?.find(({ epoch }) => epoch === failover.epoch);
  /** Seconds of the gap, told by the ledger, of which the holder's own disk has no picture. */
  const lackedByHolder = async (camera: string, { startMs, endMs }: { startMs: number; endMs: number }) => {
    const { frames } = await measureCamera(mounted([diskOf('standby')]), 'recorder', camera, 0);
    const first = frames[0]?.timeMs ?? endMs;
    const holes = holesIn(frames, HOLE_MS).filter((hole) => hole.endMs > startMs && hole.startMs < endMs);
    return [Math.max(0, first - startMs) / 1000, ...holes.map(({ seconds }) => seconds)].filter(
      (seconds) => seconds > 0,
    );
  };
  /** As the ledger has it before anything is copied. */
  const missing = new Map<string, { startMs: number; endMs: number }>();

  it('is offered by it, with the command that copies it, while the holder lacks it', async () => {
    const offered = () => isTrue(recorder(), 'MaterialRecoverable');
    await scene.chronicle.until('the repaired server offers its footage', offered, HANG_MS);
    const known = () => scene.cameras().every((camera) => gapOf(camera)?.closedBy === 'PreviousHolder');
    await scene.chronicle.until('the ledger knows who has the footage', known, HANG_MS);
    for (const camera of scene.cameras()) {
      const gap = gapOf(camera);
      const lacked = gap && missingOnHolder(gap);
      if (lacked === undefined) throw new Error(`${camera}: the holder lacks nothing: ${JSON.stringify(gap)}`);
      const stretch = { startMs: Date.parse(lacked.startTime), endMs: Date.parse(lacked.endTime) };
      missing.set(camera, stretch);
      const seconds = await lackedByHolder(camera, stretch);
      console.log(`      ${camera}: ${seconds.map((each) => each.toFixed(2)).join(', ')} s are missing on the holder`);
      expect(seconds, camera).to.not.deep.equal([]);
    }
  });

  it('is copied to the holder by that command, verified, and leaves neither a gap nor the source changed', async () => {
    const source = new Map<string, ReadonlyMap<string, string>>();
    for (const camera of scene.cameras()) source.set(camera, await checksumsOf(diskOf('recorder'), 'recorder', camera));
    await scene.ground.cluster.kubectl(['--namespace', scene.namespace, ...offeredCommand()]);
    const over = () => recovery()?.state !== undefined && recovery()?.state !== 'Running' && recovery();
    const done = await scene.chronicle.until('the recovery has ended', over, HANG_MS);
    expect(done, JSON.stringify(done)).to.include({ state: 'Done', fromServer: 'recorder', role: 'recorder' });
    const closed = () => scene.cameras().every((camera) => gapOf(camera)?.closedBy === 'Recovery');
    await scene.chronicle.until('the ledger has the gaps closed by recovery', closed, HANG_MS);

    for (const camera of scene.cameras()) {
      const before = source.get(camera) ?? new Map<string, string>();
      const there = await checksumsOf(diskOf('recorder'), 'recorder', camera);
      expect([...there], `${camera} at the source`).to.deep.equal([...before]);
      const here = await checksumsOf(diskOf('standby'), 'recorder', camera);
      const copied = [...here].filter(([path]) => before.has(path));
      console.log(`      ${camera}: ${copied.length} segments copied`);
      expect(copied, `${camera}: copies`).to.not.deep.equal([]);
      for (const [path, checksum] of copied) expect(checksum, path).to.equal(before.get(path));
      const stretch = missing.get(camera) ?? { startMs: 0, endMs: 0 };
      expect(await lackedByHolder(camera, stretch), `${camera}: still missing on the holder`).to.deep.equal([]);
    }
  });

  it('is not offered any more', async () => {
    const copied = () => reasonOf(recorder(), 'MaterialRecoverable') === 'FootageRecovered';
    await scene.chronicle.until('the repaired server says that it was copied', copied, HANG_MS);
  });

  /** The condition's message, as a person pastes it; kubectl is run without a shell. */
  const offeredCommand = (): string[] => {
    const message = conditionOf(recorder(), 'MaterialRecoverable')?.message ?? '';
    const [, server = '', annotation = '', value = ''] =
      /kubectl annotate rsrv (\S+) (\S+)='([^']+)'/.exec(message) ?? [];
    expect([server, annotation, value], message).to.not.include('');
    return ['annotate', 'rsrv', server, `${annotation}=${value}`, '--overwrite'];
  };
});
