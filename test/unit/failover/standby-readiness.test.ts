import { expect } from 'chai';
import type { Reachability, RecorderReportStatus, ReportedVolume } from '../../../src/crds/index.js';
import { standbyVerdicts } from '../../../src/failover/standby/standby-readiness.js';
import { recordingServer } from '../support/builders/recording-server.js';
import { PoolWorld } from './support/pool-world.js';

const sinceTime = '2026-01-02T03:00:00Z';
const reached: Reachability = {
  checkedTime: sinceTime,
  cameras: 3,
  total: 3,
  reachable: 3,
  unreachable: [],
  noCredentials: [],
};

function volume(name: string, writeMegabytesPerSecond?: number): ReportedVolume {
  const base = { name, mountPath: `/footage/${name}`, state: 'Healthy' as const, sinceTime };
  return writeMegabytesPerSecond === undefined ? base : { ...base, writeMegabytesPerSecond };
}

const measured = { volumes: [volume('a', 100)], reachability: reached };

/** Recorder a, which records gate and yard, and standby s with this report. */
function world(report: Partial<RecorderReportStatus> = {}, standby = recordingServer('s').standby()): PoolWorld {
  const pool = new PoolWorld().add('a').add(standby);
  const recorded = ['gate', 'yard'].map((name) => ({ name, state: 'Recording' as const, sinceTime }));
  const failed = { name: 'dead', state: 'Failed' as const, sinceTime };
  pool.report('a', { role: 'a', cameras: [...recorded, failed] });
  return pool.report('s', { ...measured, ...report });
}

function judged(pool: PoolWorld, change: { largestRole?: number; imageMissing?: string } = {}) {
  return standbyVerdicts({ pool: pool.input(), server: pool.view('s'), largestRole: 3, ...change });
}

describe('condition StandbyReady', () => {
  it('is True when cameras, Secrets, disks and image are as a takeover needs them', () => {
    expect(judged(world()).ready).to.include({ status: 'True', reason: 'Prepared' });
  });

  const cases: [string, Partial<RecorderReportStatus>, string, RegExp][] = [
    ['has not probed its cameras yet', { reachability: undefined }, 'NotYetObserved', /tried/],
    ['has not measured its disks yet', { volumes: [volume('a')] }, 'NotYetObserved', /tried/],
    ['has a disk that is too slow', { volumes: [volume('a', 2)] }, 'DiskTooSlow', /bear 2 MB\/s, and 3 cameras/],
    [
      'has one slow disk of two, which gets half of the cameras',
      { volumes: [volume('a', 100), volume('b', 1)] },
      'DiskTooSlow',
      /bear 2 MB\/s/,
    ],
    [
      "can't read a Secret",
      { reachability: { ...reached, reachable: 2, noCredentials: ['gate'] } },
      'CredentialsUnreadable',
      /Secrets of gate/,
    ],
    [
      'does not reach what another records',
      { reachability: { ...reached, reachable: 1, unreachable: ['dead', 'gate'] } },
      'CamerasUnreachable',
      /: gate;/,
    ],
    ['does not reach what nobody reaches', { reachability: { ...reached, unreachable: ['dead'] } }, 'Prepared', /./],
    ['has spoken by an earlier pod only', { podUID: 'before' }, 'NotYetObserved', /not reported/],
  ];
  for (const [which, report, reason, message] of cases) {
    it(`is ${reason} for one that ${which}`, () => {
      const { ready } = judged(world(report));
      expect(ready.reason).to.equal(reason);
      expect(ready.message).to.match(message);
    });
  }

  it('is ImageMissing while the image of its pod can not be had', () => {
    expect(judged(world(), { imageMissing: 'ErrImagePull: no such image' }).ready).to.deep.equal({
      status: 'False',
      reason: 'ImageMissing',
      message: 'ErrImagePull: no such image',
    });
  });

  it('asks no more of a smaller standby than its capacity', () => {
    const slow = { volumes: [volume('a', 10)] };
    expect(judged(world(slow), { largestRole: 64 }).ready.reason).to.equal('DiskTooSlow');
    const small = world(slow, recordingServer('s').standby().capacity(10));
    expect(judged(small, { largestRole: 64 }).ready.reason).to.equal('Prepared');
  });

  it('asks by what the pool says that a camera writes', () => {
    const pool = world({ volumes: [volume('a', 10)] });
    pool.spec = { ...pool.spec, cameras: { ...pool.spec.cameras, writeKilobytesPerSecond: 100 } };
    expect(judged(pool, { largestRole: 64 }).ready.reason).to.equal('Prepared');
  });
});

describe('condition Compatible (rule 4)', () => {
  it('is True when it fits every role', () => {
    expect(judged(world()).compatible).to.include({ status: 'True', reason: 'Fits' });
  });

  it('names the roles that it does not fit, and the reason of most', () => {
    const pool = world({ version: '1.3.0' }).add('b').add(recordingServer('c').mounts('/other'));
    const { compatible } = judged(pool);
    expect(compatible).to.include({ status: 'False', reason: 'VersionDiffers' });
    expect(compatible.message).to.match(/^It does not fit 3 of 3 roles \(a, b, c\): it runs 1.3.0 and a 1.2.3/);
  });

  it('names one role of which the disks are mounted elsewhere', () => {
    const { compatible } = judged(world().add(recordingServer('c').mounts('/other')));
    expect(compatible.reason).to.equal('MountPathsDiffer');
    expect(compatible.message).to.contain('1 of 2 roles (c)');
  });

  it('is not known before it has reported', () => {
    expect(judged(world({ podUID: 'before' })).compatible).to.include({ status: 'Unknown', reason: 'NotReported' });
  });
});
