import { expect } from 'chai';
import type { ReportedGap } from '../../../src/crds/index.js';
import { GapTally } from '../../../src/recorder/cameras/gap-tally.js';
import { EarlierFootage } from '../../../src/recorder/footage/earlier-footage.js';
import { parseEnds } from '../../../src/recorder/footage/footage-ends.js';
import { FakeClock } from '../support/fake-clock.js';

const shares = (gap: ReportedGap | undefined): string =>
  (gap?.causes ?? []).map(({ cause, seconds }) => `${cause} ${seconds}`).join(', ');

describe("a recorder's own tally of a camera's gaps", () => {
  let clock: FakeClock;
  let tally: GapTally;
  const none = () => undefined;
  const only = (former: () => undefined | 'pending' | Date = none) => tally.report(former);

  beforeEach(() => {
    clock = new FakeClock();
    tally = new GapTally(clock);
  });

  const pass = (ms: number): Promise<void> => clock.advance(ms);
  const recorded = (epoch = 1): void => tally.recorded(clock.wall(), epoch);

  it('tells of the first recording how its time was spent, and not since when', async () => {
    await pass(200);
    tally.attempt();
    await pass(700);
    tally.connected();
    await pass(1300);
    recorded(7);
    expect(only()).to.have.length(1);
    expect(only()[0]?.startTime).to.equal(undefined);
    expect(only()[0]).to.include({ epoch: 7, endTime: clock.wall().toISOString() });
    expect(shares(only()[0])).to.equal('Connect 0.9, Keyframe 1.3');
  });

  it('puts a failed attempt and the wait after it down to what made it fail', async () => {
    tally.attempt();
    await pass(400);
    tally.failed('CameraSessionLimit');
    await pass(1600);
    tally.attempt();
    await pass(600);
    recorded();
    expect(shares(only()[0])).to.equal('CameraSessionLimit 2, Connect 0.6');
  });

  it('counts a silent stream from its last bytes', async () => {
    recorded();
    await pass(60_000);
    const lastBytes = clock.wall();
    await pass(6_000);
    tally.interrupted(lastBytes, 'CameraFailed');
    tally.failed('CameraFailed');
    await pass(30_000);
    tally.attempt();
    await pass(1_000);
    recorded();
    const gap = only()[1];
    expect(gap?.startTime).to.equal(lastBytes.toISOString());
    expect(shares(gap)).to.equal('CameraFailed 36, Connect 1');
  });

  it('keeps the last five', async () => {
    recorded();
    for (let n = 0; n < 7; n += 1) {
      await pass(10_000);
      tally.interrupted(clock.wall(), 'CameraFailed');
      await pass(1_000);
      tally.attempt();
      recorded();
    }
    expect(only()).to.have.length(5);
  });

  it('begins where an earlier process ended, and holds the gap back until that is known', async () => {
    await pass(500);
    tally.attempt();
    await pass(500);
    recorded(3);
    expect(only(() => 'pending')).to.deep.equal([]);
    const end = new Date(clock.wall().getTime() - 9_000);
    const gap = only(() => end)[0];
    expect(gap?.startTime).to.equal(end.toISOString());
    expect(shares(gap)).to.equal('RecorderRestart 8, Connect 1');
  });

  it('tells the same again and again', async () => {
    recorded();
    const once = only();
    await pass(60_000);
    expect(only()).to.deep.equal(once);
  });
});

describe('what a recorder finds of earlier footage', () => {
  const ends = (lines: string[], before = Number.POSITIVE_INFINITY) =>
    parseEnds([...lines, 'done\n'].join('\n'), before);

  it('is the end of each camera, role and epoch, staged segments included', () => {
    const found = ends([
      'a/gate/e1-20260102-aa/20260102T030400Z.ts\t1000.5',
      'a/gate/e1-20260102-bb/20260102T030500Z.ts\t1100.25',
      '.understudy/staging/gate/20260102-cc/20260102T030600Z.ts\t1200',
      '.understudy/staging/gate/20260102-cc/e2.a\t1150',
      'a/gate/retention.json\t5000',
    ]);
    expect(found).to.deep.equal([
      { role: 'a', camera: 'gate', epoch: 2, endMs: 1_200_000 },
      { role: 'a', camera: 'gate', epoch: 1, endMs: 1_100_250 },
    ]);
  });

  it('leaves out what this process writes itself, and a list that was cut short', () => {
    expect(ends(['a/gate/e1-20260102-aa/20260102T030400Z.ts\t1000.5'], 900_000)).to.deep.equal([]);
    expect(parseEnds('a/gate/e1-20260102-aa/20260102T030400Z.ts\t1000.5\n', 1e9)).to.equal(undefined);
  });

  it('is told of the role that was recorded last, once another one is served', () => {
    const earlier = new EarlierFootage();
    expect(earlier.of('a', 'gate', 1)).to.equal('pending');
    earlier.found([
      { role: 'a', camera: 'gate', epoch: 1, endMs: 90_000_000 },
      { role: 'b', camera: 'door', epoch: 1, endMs: 5_000_000 },
      { role: 'a', camera: 'sold', epoch: 1, endMs: 1_000 },
    ]);
    expect(earlier.of('a', 'gate', 1)).to.deep.equal(new Date(90_000_000));
    expect(earlier.of('a', 'gate', 2)).to.equal(undefined);
    expect(earlier.formerRole('')).to.deep.equal({
      role: 'a',
      cameras: [{ name: 'gate', epoch: 1, endTime: new Date(90_000_000).toISOString() }],
    });
    expect(earlier.formerRole('a')?.role).to.equal('b');
    expect(new EarlierFootage().formerRole('')).to.equal(undefined);
  });

  it('gives way to what this process has seen of a role that it lost', () => {
    const earlier = new EarlierFootage();
    earlier.found([{ role: 'a', camera: 'gate', epoch: 1, endMs: 1_000 }]);
    earlier.ended([{ role: 'a', camera: 'gate', epoch: 3, endMs: 7_000 }]);
    expect(earlier.formerRole('')?.cameras).to.deep.equal([
      { name: 'gate', epoch: 3, endTime: new Date(7_000).toISOString() },
    ]);
  });
});
