// A fake engine and volume: only what is seen of them matters here.
import { expect } from 'chai';
import { RecordingRun } from '../../../src/recorder/cameras/recording-run.js';
import type { FootageVolume } from '../../../src/recorder/disks/footage-volume.js';

const volume = { name: 'footage' } as FootageVolume;
const growth = (bytes: number) => ({ bytes, segment: '20260101T000000Z.ts', modifiedMs: bytes });

describe('the run of an engine', () => {
  let stops: number;
  let run: RecordingRun;

  beforeEach(() => {
    stops = 0;
    run = new RecordingRun('w', volume, 0);
    const stop = () => {
      stops += 1;
    };
    run.begin({ stop, ended: new Promise(() => undefined) }, 0);
  });

  const look = (now: number, bytes?: number) => {
    run.look(bytes === undefined ? undefined : growth(bytes), now);
    run.judgeSilence(5);
  };

  it('is ended once when nothing was added for six seconds of looking', () => {
    look(1000, 100);
    for (let now = 2000; now <= 6500; now += 500) look(now, 100);
    expect(stops).to.equal(0);
    for (let now = 7000; now <= 9000; now += 500) look(now, 100);
    expect(stops).to.equal(1);
    expect(run.verdict?.kind).to.equal('ended');
  });

  it('goes on after the disk has hung, whose last look was begun before', () => {
    look(1000, 100);
    look(9500, 100);
    look(10_500, 200);
    expect(stops).to.equal(0);
  });

  it('may take longer for its first bytes, and then is probed more thoroughly', () => {
    for (let now = 1000; now <= 14_000; now += 1000) look(now);
    expect(stops).to.equal(0);
    look(15_000);
    expect(run.verdict?.kind).to.equal('format');
  });
});
