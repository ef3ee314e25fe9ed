import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { silentLog, systemClock } from '../../../src/operator/index.js';
import { VolumeMonitor } from '../../../src/recorder/disks/volume-monitor.js';
import { canMount, LoopDisk } from './support/loop-disk.js';
import { until } from './support/recorder-bench.js';

function monitorOf(mountPath: string, change: { requireMount?: boolean; claimUID?: string; serverUID?: string } = {}) {
  const { serverUID = 'server-uid', ...mount } = change;
  return new VolumeMonitor({
    mount: { name: 'footage', mountPath, claimName: 'c', claimUID: 'claim-uid', requireMount: true, ...mount },
    server: 'rec-1',
    serverUID,
    clock: systemClock,
    log: silentLog,
    onChange: () => undefined,
    intervalMs: 50,
    deadlineMs: 1500,
  });
}

const becomes = (monitor: VolumeMonitor, state: string) => until(`it is ${state}`, () => monitor.state === state, 8000);

describe('a footage volume', function () {
  this.timeout(30_000);
  let monitor: VolumeMonitor | undefined;
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'understudy-volume-'));
  });
  afterEach(async () => {
    monitor?.stop();
    await rm(folder, { recursive: true, force: true });
  });
  const watch = (...args: Parameters<typeof monitorOf>) => {
    monitor?.stop();
    monitor = monitorOf(...args);
    monitor.start();
    return monitor;
  };

  it('gets its identity marker at the first start, and is known by it at the next', async () => {
    await becomes(watch(folder, { requireMount: false }), 'Healthy');
    const text = await readFile(join(folder, '.understudy/identity.json'), 'utf8');
    expect(JSON.parse(text)).to.deep.equal({ server: 'rec-1', serverUID: 'server-uid', claimUID: 'claim-uid' });
    const again = watch(folder, { requireMount: false });
    await becomes(again, 'Healthy');
    expect(again.marker?.claimUID).to.equal('claim-uid');
  });

  it('is never written when nothing is mounted', async () => {
    const unmounted = watch(folder);
    await becomes(unmounted, 'Replaced');
    expect(unmounted.message).to.contain('nothing is mounted');
    expect(await readFile(join(folder, '.understudy/identity.json')).catch(() => 'absent')).to.equal('absent');
  });

  it('is refused when it carries the marker of another claim', async () => {
    await becomes(watch(folder, { requireMount: false, claimUID: 'another' }), 'Healthy');
    const foreign = watch(folder, { requireMount: false });
    await becomes(foreign, 'Replaced');
    expect(foreign.message).to.contain('another');
  });

  it('is ours again when only the server object was made anew', async () => {
    await becomes(watch(folder, { requireMount: false, serverUID: 'before' }), 'Healthy');
    await becomes(watch(folder, { requireMount: false }), 'Healthy');
    expect(await readFile(join(folder, '.understudy/identity.json'), 'utf8')).to.contain('server-uid');
  });

  describe('on a node without a processor to spare', () => {
    // A fake dd stands for it, which sleeps as long as a file is there: a real shortage would slow the test itself.
    const path = process.env.PATH;
    let shortage: string;

    beforeEach(async () => {
      shortage = join(folder, 'shortage');
      const tools = await mkdtemp(join(folder, 'tools-'));
      const script = `#!/bin/sh\nif [ -e '${shortage}' ]; then exec sleep 60; fi\nPATH='${path}' exec dd "$@"\n`;
      await writeFile(join(tools, 'dd'), script, { mode: 0o755 });
      process.env.PATH = `${tools}:${path}`;
    });
    afterEach(() => {
      process.env.PATH = path;
    });

    it('is not lost by one probe that is too late, as the disk lets it go', async () => {
      const states: string[] = [];
      const volume = watch(folder, { requireMount: false });
      await becomes(volume, 'Healthy');
      await writeFile(shortage, '');
      await until('a probe is late', () => volume.lateProbes === 1, 8000);
      await rm(shortage);
      await until('the next one is not', () => {
        states.push(volume.state);
        return volume.lateProbes === 0;
      });
      expect(new Set(states)).to.deep.equal(new Set(['Healthy']));
    });

    it('is lost by two of them, which says what may be too slow', async () => {
      const volume = watch(folder, { requireMount: false });
      await becomes(volume, 'Healthy');
      await writeFile(shortage, '');
      await becomes(volume, 'Lost');
      expect(volume.message).to.contain('this node, is too slow');
      await rm(shortage);
      await becomes(volume, 'Healthy');
    });
  });

  it('is replaced when its marker changes under way', async () => {
    const volume = watch(folder, { requireMount: false });
    await becomes(volume, 'Healthy');
    await writeFile(join(folder, '.understudy/identity.json'), '{"serverUID":"x","claimUID":"y"}\n');
    await becomes(volume, 'Replaced');
  });

  describe('on a real disk', () => {
    let disk: LoopDisk;

    before(function () {
      if (canMount) return;
      console.log('      skipped: making real disks needs root');
      this.skip();
    });
    beforeEach(async () => {
      disk = await LoopDisk.make();
      await becomes(watch(disk.mountPath), 'Healthy');
    });
    afterEach(async () => {
      monitor?.stop();
      await disk?.remove();
    });

    it('tells its file system and its space', () => {
      expect(monitor?.fileSystem).to.equal('ext4');
      expect(monitor?.space?.sizeBytes).to.be.greaterThan(30_000_000);
      expect(monitor?.freePercent).to.be.within(80, 100);
    });

    it('is lost when every access fails', async () => {
      await disk.die();
      await becomes(monitor as VolumeMonitor, 'Lost');
      expect(monitor?.message).to.contain('Input/output error');
    });

    it('is lost when it turns read-only', async () => {
      await disk.makeReadOnly();
      await becomes(monitor as VolumeMonitor, 'Lost');
      expect(monitor?.message).to.contain('Read-only file system');
    });

    it('is full, not lost, when no space is left', async () => {
      await disk.fill();
      await becomes(monitor as VolumeMonitor, 'Full');
    });

    it('is lost while it hangs, stops no file access of ours, and is back after it has answered again', async () => {
      await disk.freeze();
      await becomes(monitor as VolumeMonitor, 'Lost');
      expect(monitor?.message).to.contain('hangs');
      // More calls than libuv has threads: all of them would hang if one of ours did.
      await Promise.all(Array.from({ length: 16 }, () => readFile('/proc/self/stat')));
      await disk.thaw();
      await becomes(monitor as VolumeMonitor, 'Healthy');
    });

    it('is replaced, and stays unwritten below, when it is unmounted', async () => {
      await disk.unmount();
      await becomes(monitor as VolumeMonitor, 'Replaced');
    });
  });
});
