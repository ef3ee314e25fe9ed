import { expect } from 'chai';
import { type Gap, type GapShare, missingOnHolder } from '../../../src/crds/index.js';
import {
  addGaps,
  changeGaps,
  type GapTakeover,
  gapFromReport,
  gapOf,
  gapSeconds,
  type Ledger,
  takeoverAt,
  withRecovered,
  withTrueStart,
} from '../../../src/failover/gaps/gaps.js';
import { camera } from '../support/builders/camera.js';
import { PoolWorld } from './support/pool-world.js';

/** A time of the test's minute, in seconds. */
const at = (seconds: number): string => new Date(Date.UTC(2026, 0, 2, 3, 4, 0) + seconds * 1000).toISOString();

const silence = (change: Partial<GapTakeover> = {}): GapTakeover => ({
  trigger: 'Unreachable',
  from: 'a',
  lastSeenTime: at(0),
  brokenTime: at(5),
  committedTime: at(5.2),
  ...change,
});

const shares = (causes: readonly GapShare[] | undefined): string =>
  (causes ?? []).map(({ cause, seconds }) => `${cause} ${seconds}`).join(', ');

describe('a gap', () => {
  const cases: {
    readonly says: string;
    readonly start: number;
    readonly end: number;
    readonly takeover?: GapTakeover;
    readonly causes?: readonly GapShare[];
    readonly expected: string;
    readonly largest?: string;
  }[] = [
    {
      says: 'of a silent recorder is the timeout, the way to the standby and its connect',
      start: 0,
      end: 6.5,
      takeover: silence(),
      causes: [
        { cause: 'Connect', seconds: 0.6 },
        { cause: 'Keyframe', seconds: 0.4 },
      ],
      expected: 'Timeout 5, Queued 0.2, Connect 0.9, Keyframe 0.4',
      largest: 'Timeout',
    },
    {
      says: 'is mostly the queue when another failover ran before',
      start: 0,
      end: 20,
      takeover: silence({ committedTime: at(18) }),
      expected: 'Timeout 5, Queued 13, Connect 2',
      largest: 'Queued',
    },
    {
      says: "is the camera's own until the recorder fell silent",
      start: -30,
      end: 6,
      takeover: silence(),
      expected: 'CameraFailed 30, Timeout 5, Queued 0.2, Connect 0.8',
      largest: 'CameraFailed',
    },
    {
      says: 'of dead disks is no timeout',
      start: 0,
      end: 4,
      takeover: silence({ trigger: 'AllDisksLost', lastSeenTime: at(2), brokenTime: at(3), committedTime: at(3) }),
      expected: 'StorageFailed 3, Connect 1',
      largest: 'StorageFailed',
    },
    {
      says: 'holds the time in which the camera had no free session',
      start: 0,
      end: 30,
      takeover: silence(),
      causes: [
        { cause: 'CameraSessionLimit', seconds: 22 },
        { cause: 'Connect', seconds: 1 },
      ],
      expected: 'Timeout 5, Queued 0.2, Connect 2.8, CameraSessionLimit 22',
      largest: 'CameraSessionLimit',
    },
    {
      says: 'is never longer than its two ends, whatever a recorder with another clock tells',
      start: 0,
      end: 2,
      takeover: silence({ brokenTime: at(50), committedTime: at(90) }),
      causes: [{ cause: 'Connect', seconds: 500 }],
      expected: 'Connect 2',
    },
    {
      says: 'is put down to one cause when the pool has forgotten the failover',
      start: 0,
      end: 9,
      expected: 'Timeout 9',
    },
  ];
  for (const { says, start, end, takeover, causes = [], expected, largest } of cases)
    it(says, () => {
      const gap = gapOf({
        epoch: 7,
        from: 'a',
        startTime: at(start),
        endTime: at(end),
        causes,
        takeover,
        otherwise: 'Timeout',
      });
      expect(shares(gap?.causes)).to.equal(expected);
      if (largest !== undefined) expect(gap?.cause).to.equal(largest);
      const sum = (gap?.causes ?? []).reduce((seconds, share) => seconds + share.seconds, 0);
      expect(sum).to.be.closeTo(end - start, 0.3);
    });

  it('is none when the new recorder began before the old one ended', () => {
    const one = { epoch: 7, causes: [], otherwise: 'Timeout' } as const;
    expect(gapOf({ ...one, startTime: at(5), endTime: at(4) })).to.equal(undefined);
    expect(gapOf({ ...one, startTime: at(5), endTime: at(5) })).to.equal(undefined);
    expect(gapOf({ ...one, startTime: 'rubbish', endTime: at(5) })).to.equal(undefined);
  });

  it('comes from one recorder alone when only the camera failed', () => {
    const causes = [{ cause: 'CameraFailed', seconds: 38.5 }] as const;
    const gap = gapFromReport({ epoch: 1, startTime: at(1), endTime: at(40), causes: [...causes] });
    expect(gap).to.include({ epoch: 1, startTime: at(1), endTime: at(40), cause: 'CameraFailed' });
    expect(gap?.from).to.equal(undefined);
  });

  it('knows its failover while that runs, and in the history', () => {
    const times = { brokenTime: at(1), committedTime: at(2), trigger: 'Unreachable' } as const;
    const running = { role: 'a', server: 'a', standby: 's', epoch: 3, step: 'TakingOver', ...times } as const;
    expect(takeoverAt({ current: running }, 'a', 3)?.from).to.equal('a');
    expect(takeoverAt({ current: running }, 'a', 2)).to.equal(undefined);
    const over = { role: 'a', from: 'a', to: 's', epoch: 3, outcome: 'Completed', ...times } as const;
    expect(takeoverAt({ history: [over] }, 'a', 3)?.from).to.equal('a');
  });
});

const gap = (start: number, end: number, change: Partial<Gap> = {}): Gap => ({
  epoch: 7,
  from: 'a',
  startTime: at(start),
  endTime: at(end),
  cause: 'Timeout',
  causes: [
    { cause: 'Timeout', seconds: 5 },
    { cause: 'Connect', seconds: end - start - 5 },
  ],
  ...change,
});

describe('the start of a gap, when the previous recorder is back', () => {
  it('is later when its footage goes on beyond the last heartbeat', () => {
    const found = withTrueStart(gap(0, 8), at(1.5));
    expect(found).to.include({ startTime: at(1.5), provedUntilTime: at(0) });
    expect(shares(found.causes)).to.equal('Timeout 3.5, Connect 3');
    expect(withTrueStart(found, at(1.5))).to.equal(found);
  });

  it('is earlier when the tail is lost, and only then there is a TailLost', () => {
    const found = withTrueStart(gap(0, 8), at(-2));
    expect(found.startTime).to.equal(at(-2));
    expect(found.provedUntilTime).to.equal(undefined);
    expect(shares(found.causes)).to.equal('TailLost 2, Timeout 5, Connect 3');
    expect(gapSeconds(found)).to.equal(10);
    expect(withTrueStart(found, at(-2))).to.equal(found);
  });

  it('makes it none when that recorder, cut off, had gone on', () => {
    const found = withTrueStart(gap(0, 8), at(60));
    expect(found.closedBy).to.equal('PreviousHolder');
    expect(gapSeconds(found)).to.equal(0);
    // The holder still lacks it: that is what a recovery copies.
    expect(missingOnHolder(found)).to.deep.equal({ startTime: at(0), endTime: at(8) });
  });

  it('stays as it is for a difference that is none', () => {
    const known = gap(0, 8);
    expect(withTrueStart(known, at(0.05))).to.equal(known);
    expect(withTrueStart(known, 'rubbish')).to.equal(known);
  });
});

describe('recovered footage', () => {
  it('closes the gap that it fills, of whichever kind', () => {
    const whole = { startTime: at(-3), endTime: at(8.4) };
    expect(withRecovered(gap(0, 8), whole).closedBy).to.equal('Recovery');
    expect(withRecovered(gap(0, 8, { closedBy: 'PreviousHolder' }), whole).closedBy).to.equal('Recovery');
    expect(missingOnHolder(withRecovered(gap(0, 8), whole))).to.equal(undefined);
  });

  it('shortens a gap of which it fills the begin', () => {
    const found = withRecovered(withTrueStart(gap(0, 20), at(6)), { startTime: at(-1), endTime: at(6) });
    expect(found.closedBy).to.equal(undefined);
    expect(missingOnHolder(found)).to.deep.equal({ startTime: at(6), endTime: at(20) });
    expect(gapSeconds(found)).to.equal(14);
  });

  it('leaves alone what it does not touch', () => {
    const known = gap(0, 8);
    expect(withRecovered(known, { startTime: at(-10), endTime: at(0) })).to.equal(known);
    expect(withRecovered(known, { startTime: at(8), endTime: at(20) })).to.equal(known);
  });
});

describe('the ledger of a camera', () => {
  const empty: Ledger = { gaps: [], totalSeconds: 0 };

  it('books a gap once, however often it is told', () => {
    const once = addGaps(empty, [gap(0, 8)]);
    expect(once.totalSeconds).to.equal(8);
    expect(addGaps(once, [gap(0, 8)])).to.equal(once);
    expect(addGaps(once, [undefined])).to.equal(once);
  });

  it('keeps the last five and counts all, also those that a report tells again', () => {
    const all = [0, 1, 2, 3, 4, 5, 6].map((n) => gap(n * 10, n * 10 + 6));
    const ledger = addGaps(empty, all);
    expect(ledger.gaps.map(({ startTime }) => startTime)).to.deep.equal([20, 30, 40, 50, 60].map(at));
    expect(ledger.totalSeconds).to.equal(42);
    expect(addGaps(ledger, all)).to.equal(ledger);
  });

  it('books the gap of a recorder whose clock is behind, at its own epoch', () => {
    const ledger = addGaps(addGaps(empty, [gap(100, 106)]), [gap(50, 56, { epoch: 8 })]);
    expect(ledger.totalSeconds).to.equal(12);
  });

  it('keeps the total in step with what becomes of its gaps', () => {
    const ledger = addGaps(empty, [gap(0, 8), gap(20, 26, { epoch: 8 })]);
    const closed = changeGaps(ledger, (one) => (one.epoch === 7 ? { ...one, closedBy: 'Recovery' } : one));
    expect(closed.totalSeconds).to.equal(6);
    expect(changeGaps(closed, (one) => one)).to.equal(closed);
  });
});

describe('the history of a pool', () => {
  const told = (name: string, gaps: readonly Gap[], settled = true) => ({
    ...camera(name).boundTo('a', 's', 2).build(),
    ledger: { gaps, settled },
  });

  function afterFailover(): PoolWorld {
    const world = new PoolWorld().add('a').add('s');
    world.change('s', { spec: { ...world.view('s').spec, type: 'Failover' } });
    world.change('s', { status: { state: 'Standby', servingRole: '', epoch: 1 } });
    world.cameras = [camera('gate').build(), camera('door').build()];
    world.breaks('a').settle();
    expect(world.status.history?.[0]).to.include({ outcome: 'Completed', epoch: 2 });
    return world;
  }

  it('waits for its cameras, and then holds the longest gap and how many have one', () => {
    const world = afterFailover();
    expect(world.status.history?.[0]?.gapSeconds).to.equal(undefined);
    world.cameras = [told('gate', [gap(0, 8, { epoch: 2 })]), told('door', [gap(0, 500, { epoch: 1 })])];
    world.settle();
    expect(world.status.history?.[0]).to.include({ gapSeconds: 8, camerasWithGap: 1 });
  });

  it('does not change afterwards, whatever its cameras tell later', () => {
    const world = afterFailover();
    world.cameras = [told('gate', []), told('door', [])];
    world.settle();
    expect(world.status.history?.[0]).to.include({ gapSeconds: 0, camerasWithGap: 0 });
    world.cameras = [told('gate', [gap(0, 8, { epoch: 2 })])];
    world.settle();
    expect(world.status.history?.[0]).to.include({ gapSeconds: 0 });
  });

  it('does not wait for a dead camera for ever, nor after a restart of the operator', () => {
    const world = afterFailover();
    world.restartOperator().settle();
    expect(world.status.history?.[0]?.gapSeconds).to.equal(undefined);
    world.advance(30_000).settle();
    expect(world.status.history?.[0]).to.include({ gapSeconds: 0, camerasWithGap: 0 });
  });
});
