import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { silentLog, systemClock } from '../../../src/operator/index.js';
import { VolumeMonitor } from '../../../src/recorder/disks/volume-monitor.js';
import { hasRoom, measuredRate, steppedRate } from '../../../src/recorder/disks/write-rate.js';

describe('the write rate of a disk', () => {
  it('is what the child measured, unless the wall clock was set meanwhile', () => {
    expect(measuredRate('nanoseconds=83886080\n', 100)).to.be.closeTo(100, 0.001);
    expect(measuredRate('nanoseconds=-5\n', 100)).to.equal(undefined);
    expect(measuredRate('nanoseconds=900000000000\n', 100)).to.equal(undefined);
    expect(measuredRate('', 100)).to.equal(undefined);
  });

  it('is told in coarse steps that do not flutter', () => {
    expect(steppedRate(0.4, undefined)).to.equal(0);
    expect(steppedRate(69, undefined)).to.equal(50);
    expect(steppedRate(5000, undefined)).to.equal(1000);
    for (const rate of [40, 50, 69, 85]) expect(steppedRate(rate, 50), String(rate)).to.equal(50);
    expect(steppedRate(36, 50)).to.equal(30);
    expect(steppedRate(90, 50)).to.equal(70);
    expect(steppedRate(900, 1000)).to.equal(1000);
  });

  it('is not measured where it would fill the disk', () => {
    const space = (availableBytes: number) => ({ sizeBytes: 1e12, availableBytes, inodes: 0, freeInodes: 0 });
    expect(hasRoom(space(31 * 1024 * 1024))).to.equal(false);
    expect(hasRoom(space(32 * 1024 * 1024))).to.equal(true);
    expect(hasRoom(undefined)).to.equal(false);
  });

  describe('of a real folder', () => {
    let mountPath: string;
    let monitor: VolumeMonitor | undefined;

    beforeEach(async () => {
      mountPath = await mkdtemp(join(tmpdir(), 'understudy-rate-'));
    });
    afterEach(async () => {
      monitor?.stop();
      await rm(mountPath, { recursive: true, force: true, maxRetries: 5 });
    });

    /** Resolves when the monitor has told so many changes. */
    function watch(standsBy: boolean): { changes: (count: number) => Promise<void>; monitor: VolumeMonitor } {
      let count = 0;
      let wake = () => {};
      const mount = { name: 'a', mountPath, claimName: 'a', claimUID: 'c', requireMount: false };
      const made = new VolumeMonitor({
        mount,
        server: 's',
        serverUID: 'u',
        clock: systemClock,
        log: silentLog,
        intervalMs: 20,
        standsBy: () => standsBy,
        onChange: () => {
          count += 1;
          wake();
        },
      });
      monitor = made;
      made.start();
      const changes = async (wanted: number) => {
        while (count < wanted) await new Promise<void>((resolve) => (wake = resolve));
      };
      return { changes, monitor: made };
    }

    it('is measured once the disk is healthy and the recorder stands by, and nothing stays behind', async () => {
      const { changes, monitor: made } = watch(true);
      await changes(2);
      expect(made.state).to.equal('Healthy');
      expect(made.writeRate).to.be.a('number');
      expect(await readdir(join(mountPath, '.understudy'))).to.not.include('write-test');
    });

    it('is not measured while it records', async () => {
      const { changes, monitor: made } = watch(false);
      await changes(1);
      const probes = made.space;
      // The next probe has been made, and with it the moment to measure has passed.
      while (made.space === probes) await new Promise((resolve) => setTimeout(resolve, 10));
      expect(made.writeRate).to.equal(undefined);
    });
  });
});
