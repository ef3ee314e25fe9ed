import { expect } from 'chai';
import type { FailoverPool } from '../../../src/crds/index.js';
import { epochPromise, gapPromises, queuePromises } from '../../demo/promises.js';
import type { CameraResult } from '../../demo/results.js';
import type { Chronicle, Sighting } from '../../scenario/chronicle.js';

// A fake chronicle: the demo's own run keeps its promises, so only made-up histories show that broken ones are seen.
function chronicleOf(histories: Record<string, { status: object }[]>): Chronicle {
  const sightings = (key: string) =>
    (histories[key] ?? []).map((object, atMs) => ({ atMs, type: 'MODIFIED', object })) as unknown as Sighting<never>[];
  const names = (kind: string) =>
    Object.keys(histories)
      .filter((key) => key.startsWith(`${kind}/`))
      .map((key) => ({ metadata: { name: key.slice(kind.length + 1) } }));
  return {
    all: (kind: string) => names(kind),
    history: (kind: string, name: string) => sightings(`${kind}/${name}`),
  } as unknown as Chronicle;
}

const result = (camera: string, role: string, gapSeconds: number | undefined): CameraResult => ({
  camera,
  role,
  substitute: 'standby-1',
  gapSeconds,
  boundSeconds: 9,
  connectSeconds: 0.5,
  keyFrameSeconds: 0.5,
  lostTailSeconds: 1,
  otherHoles: [],
});

const poolWith = (entries: { from: string; epoch: number; broken: number; committed: number; backedUp: number }[]) => {
  const time = (seconds: number) => new Date(seconds * 1000).toISOString();
  const history = entries.map(({ from, epoch, broken, committed, backedUp }) => ({
    from,
    epoch,
    role: from,
    to: 'standby',
    trigger: 'Unreachable',
    outcome: 'Completed',
    brokenTime: time(broken),
    committedTime: time(committed),
    backedUpTime: time(backedUp),
  }));
  return { metadata: { name: 'site' }, spec: {}, status: { history } } as unknown as FailoverPool;
};
const inTime = [
  { from: 'b', epoch: 3, broken: 3, committed: 6, backedUp: 7 },
  { from: 'a', epoch: 2, broken: 1, committed: 2, backedUp: 5 },
];
const queued = { 'pools/site': [{ status: { current: { server: 'a' }, queue: [{ server: 'b' }] } }] };
const kept = (promises: { kept: boolean }[]) => promises.map((promise) => promise.kept);

describe("the demo's promises", () => {
  it('are kept when every gap is within its bound', () => {
    expect(kept(gapPromises([result('x', 'a', 8.9), result('y', 'b', 9)], 'a', 'b'))).to.deep.equal([true, true, true]);
  });

  it('are broken by one camera that misses more, and name it', () => {
    const [first, second] = gapPromises([result('x', 'a', 9.01), result('y', 'b', 9)], 'a', 'b');
    expect(first).to.include({ kept: false });
    expect(first?.finding).to.contain('x 9.01 s > 9.00 s');
    expect(second).to.include({ kept: true });
  });

  it('are broken by a camera that nobody took over, and by a role without cameras', () => {
    const [first, second] = gapPromises([result('x', 'a', undefined)], 'a', 'b');
    expect(first).to.include({ kept: false });
    expect(second).to.include({ kept: false });
  });

  it('are broken by a gap besides the one of the fault', () => {
    const frame = { timeMs: 0, isKey: true, server: 'a', epoch: 1, writer: 'w' };
    const hole = { startMs: 0, endMs: 900, seconds: 0.9, before: frame, after: frame };
    const restless = { ...result('x', 'a', 8), otherHoles: [hole] };
    expect(kept(gapPromises([restless, result('y', 'b', 9)], 'a', 'b'))).to.deep.equal([true, true, false]);
  });

  it('are kept when the queue was seen, in order and short', () => {
    expect(kept(queuePromises(chronicleOf(queued), poolWith(inTime), 'a', 'b'))).to.deep.equal([true, true, true]);
  });

  it('are broken when nobody queued, when two takeovers ran at once, and when the queue cost too much', () => {
    const overlapping = [
      { from: 'b', epoch: 3, broken: 3, committed: 9, backedUp: 12 },
      { from: 'a', epoch: 2, broken: 1, committed: 2, backedUp: 10 },
    ];
    const found = queuePromises(chronicleOf({ 'pools/site': [{ status: {} }] }), poolWith(overlapping), 'a', 'b');
    expect(kept(found)).to.deep.equal([false, false, false]);
    expect(found[2]?.finding).to.equal('6.00 s');
  });

  it('are broken by an epoch that falls on any object', () => {
    const versions = (...epochs: number[]) => epochs.map((epoch) => ({ status: { epoch } }));
    expect(epochPromise(chronicleOf({ 'servers/a': versions(1, 2, 2, 3) }))).to.include({ kept: true });
    const fallen = epochPromise(chronicleOf({ 'servers/a': versions(1, 2), 'reports/a': versions(3, 2) }));
    expect(fallen).to.include({ kept: false, finding: 'reports a: 3 -> 2' });
  });
});
