import { createHash, randomBytes } from 'node:crypto';
import { access, mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { silentLog, systemClock } from '../../../src/operator/index.js';
import { type AgentPort, startAgentPort } from '../../../src/recorder/port/agent-port.js';
import { makePortIdentity } from '../../../src/recorder/port/certificate.js';
import { listSegments } from '../../../src/recorder/recovery/fetch-segment.js';
import { peerOf } from '../../../src/recorder/recovery/footage-exchange.js';
import { RateLimit } from '../../../src/recorder/recovery/rate-limit.js';
import { type Missing, Recovery, type RecoveryOrder } from '../../../src/recorder/recovery/recovery.js';
import { checkedName, startOf, stretchesOf } from '../../../src/recorder/recovery/segment-name.js';
import { daysOf, SegmentSource } from '../../../src/recorder/recovery/segment-source.js';
import { ChecksumError, SegmentStore } from '../../../src/recorder/recovery/segment-store.js';
import { FakeClock } from '../support/fake-clock.js';

describe('the name of a segment between recorders', () => {
  const names: [string, string, string, string, boolean][] = [
    ['a', 'gate', 'e1-20260102-00ff', '20260102T030405Z.ts', true],
    ['a', 'gate.east', 'e12-20260102-00ff', '20260102T030405Z.mkv', true],
    ['..', 'gate', 'e1-20260102-00ff', '20260102T030405Z.ts', false],
    ['a', '..', 'e1-20260102-00ff', '20260102T030405Z.ts', false],
    ['a', 'a..b', 'e1-20260102-00ff', '20260102T030405Z.ts', false],
    ['a', 'gate', '../../etc', '20260102T030405Z.ts', false],
    ['a', 'gate', 'e1-20260102-00ff', 'identity.json', false],
    ['a', 'gate', 'e1-20260102-00/f', '20260102T030405Z.ts', false],
    ['.understudy', 'gate', 'e1-20260102-00ff', '20260102T030405Z.ts', false],
  ];
  for (const [role, camera, folder, file, fine] of names)
    it(`${fine ? 'may be' : 'is refused as'} ${role}/${camera}/${folder}/${file}`, () => {
      expect(checkedName(role, camera, folder, file) !== undefined).to.equal(fine);
    });

  it('tells when it begins, and what follows it without a hole', () => {
    expect(startOf('20260102T030405Z.ts')).to.equal(Date.UTC(2026, 0, 2, 3, 4, 5));
    const found = stretchesOf([
      { startMs: 20_000, endMs: 30_000 },
      { startMs: 0, endMs: 9_900 },
      { startMs: 10_000, endMs: 19_500 },
      { startMs: 60_000, endMs: 61_000 },
    ]);
    expect(found).to.deep.equal([
      { startMs: 0, endMs: 30_000 },
      { startMs: 60_000, endMs: 61_000 },
    ]);
  });

  it('is looked for under the day before, too, and never under a thousand days', () => {
    const midnight = Date.UTC(2026, 0, 2);
    expect(daysOf(midnight + 5_000, midnight + 60_000)).to.deep.equal(['20260101', '20260102']);
    expect(daysOf(0, midnight).length).to.be.lessThan(40);
  });
});

describe('the address of another agent', () => {
  it('may be of either family, and is nothing else', () => {
    expect(peerOf('10.0.0.1:8780', 'ff')).to.deep.equal({ host: '10.0.0.1', port: 8780, fingerprint: 'ff' });
    expect(peerOf('[fd00::1]:8780', 'ff')).to.include({ host: 'fd00::1', port: 8780 });
    expect(peerOf('10.0.0.1', 'ff')).to.equal(undefined);
    expect(peerOf('10.0.0.1:8780', undefined)).to.equal(undefined);
  });
});

describe('the rate of a recovery', () => {
  it('is not exceeded over time', async () => {
    const clock = new FakeClock();
    const limit = new RateLimit(clock, 1);
    const never = new AbortController().signal;
    let taken = 0;
    const all = (async () => {
      for (let n = 0; n < 40; n += 1) {
        await limit.take(100_000, never);
        taken += 100_000;
      }
    })();
    await clock.advance(1_000);
    expect(taken).to.be.within(900_000, 1_100_000);
    await clock.advance(3_000);
    await all;
  });

  it('ends with the recovery', async () => {
    const abort = new AbortController();
    const limit = new RateLimit(new FakeClock(), 0.001);
    const waiting = limit.take(1_000_000, abort.signal);
    abort.abort();
    expect(
      await waiting.then(
        () => 'passed',
        () => 'ended',
      ),
    ).to.equal('ended');
  });
});

describe('footage recovery', () => {
  const minute = Date.UTC(2026, 0, 2, 3, 4, 0);
  const at = (seconds: number): string => new Date(minute + seconds * 1000).toISOString();
  const source = makePortIdentity('a');
  const holder = makePortIdentity('s');
  let root: string;
  let port: AgentPort;
  let requests: string[];
  let missing: Missing[];
  let spareBytes: number | undefined;
  const recoveries: Recovery[] = [];

  const from = () => join(root, 'from');
  const to = () => join(root, 'to');

  /** A segment on the source that begins at a second of the minute and lasts ten. */
  async function segment(second: number, bytes = 100_000, camera = 'gate'): Promise<Buffer> {
    const file = `202601020304${String(second).padStart(2, '0')}`.replace(/^(\d{8})/, '$1T');
    const path = join(from(), `a/${camera}/e1-20260102-00aa/${file}Z.ts`);
    const content = randomBytes(bytes);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
    const end = minute / 1000 + second + 9.8;
    await utimes(path, end, end);
    return content;
  }

  async function segmentsIn(folder: string): Promise<string[]> {
    const names = await readdir(folder, { recursive: true });
    return names.filter((name) => name.endsWith('.ts')).sort();
  }

  async function startSource(): Promise<void> {
    const segments = new SegmentSource(() => [{ mountPath: from(), usable: true }]);
    port = await startAgentPort({
      port: 0,
      identity: source,
      ready: () => true,
      status: () => ({}),
      offers: () => [{ role: 'a', fingerprint: holder.fingerprint }],
      segments: (url, request, response, roles) => {
        requests.push(`${url.pathname} ${request.headers.range ?? ''}`.trim());
        segments.handle(url, request, response, roles);
      },
    });
  }

  const sourceNow = () => ({
    peer: { host: '127.0.0.1', port: port.port, fingerprint: source.fingerprint },
    identity: holder,
  });
  const order = (id: string, change: Partial<RecoveryOrder> = {}): RecoveryOrder => ({
    id,
    role: 'a',
    camera: undefined,
    fromServer: 'a',
    source: sourceNow(),
    ...change,
  });

  function recovery(megabytesPerSecond = 1000): Recovery {
    const made = new Recovery({
      clock: systemClock,
      log: silentLog,
      store: new SegmentStore(),
      limit: new RateLimit(systemClock, megabytesPerSecond),
      missing: async () => missing,
      place: () => ({ name: 'footage', mountPath: to(), spareBytes }),
      keepRetention: () => undefined,
      onChange: () => undefined,
    });
    recoveries.push(made);
    return made;
  }

  async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = performance.now() + 15_000;
    while (!(await condition())) {
      if (performance.now() > deadline) throw new Error(`did not happen: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async function finished(made: Recovery): Promise<NonNullable<Recovery['report']>> {
    await until('the recovery ended', () => made.report?.state === 'Done' || made.report?.state === 'Failed');
    return made.report ?? { id: '', state: 'Failed' };
  }

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'understudy-recovery-'));
    await mkdir(from());
    await mkdir(to());
    requests = [];
    spareBytes = undefined;
    const hundredYears = 100 * 365 * 86_400;
    missing = [{ camera: 'gate', startTime: at(12), endTime: at(35), retentionSeconds: hundredYears }];
    await startSource();
  });
  afterEach(async () => {
    for (const made of recoveries.splice(0)) made.stop();
    await port.close();
    await rm(root, { recursive: true, force: true });
  });

  it('copies what lies inside the gap, to the same place with the source epoch, and changes nothing there', async () => {
    const contents: Buffer[] = [];
    for (const second of [0, 10, 20, 30, 40]) contents.push(await segment(second));
    const before = await segmentsIn(from());
    const made = recovery();
    made.follow(order('r1'));
    const report = await finished(made);
    expect(report).to.include({ id: 'r1', state: 'Done', segments: 3, segmentsTotal: 3, bytes: 300_000 });
    expect(report.filled).to.deep.equal([{ camera: 'gate', startTime: at(10), endTime: at(39.8) }]);
    expect(await segmentsIn(to())).to.deep.equal(
      [10, 20, 30].map((n) => `a/gate/e1-20260102-00aa/20260102T0304${n}Z.ts`),
    );
    const copy = join(to(), 'a/gate/e1-20260102-00aa/20260102T030410Z.ts');
    expect((await readFile(copy)).equals(contents[1] ?? Buffer.alloc(0))).to.equal(true);
    expect((await stat(copy)).mtimeMs, 'its age').to.be.closeTo(minute + 19_800, 2);
    expect(await segmentsIn(from())).to.deep.equal(before);
    expect(
      await access(join(to(), '.understudy/recovery')).then(
        () => 'there',
        () => 'gone',
      ),
    ).to.equal('gone');
  });

  it('finds nothing to do when all is there already, and says so', async () => {
    await segment(20);
    const first = recovery();
    first.follow(order('r1'));
    await finished(first);
    const again = recovery();
    again.follow(order('r2'));
    expect(await finished(again)).to.include({ id: 'r2', state: 'Done', segments: 1, bytes: 0 });
    missing = [];
    const none = recovery();
    none.follow(order('r3'));
    expect((await finished(none)).message).to.match(/no footage inside the gaps/);
  });

  it('goes on where it was broken off by a restart of this side', async () => {
    await segment(20, 3_000_000);
    const slow = recovery(1);
    slow.follow(order('r1'));
    const part = join(to(), '.understudy/recovery/a/gate/e1-20260102-00aa/20260102T030420Z.ts.part');
    await until('a part has arrived', async () => (await stat(part).catch(() => ({ size: 0 }))).size > 200_000);
    slow.stop();
    requests = [];
    const made = recovery();
    made.follow(order('r1'));
    const report = await finished(made);
    expect(report.state).to.equal('Done');
    expect(requests.some((request) => /bytes=[1-9]\d*-/.test(request))).to.equal(true);
    expect(report.bytes).to.be.lessThan(3_000_000);
    expect(await segmentsIn(to())).to.have.length(1);
  });

  it('goes on when the source was restarted with another certificate and address', async () => {
    for (const second of [10, 20, 30]) await segment(second, 500_000);
    const made = recovery(1);
    made.follow(order('r1'));
    await until('the first one has arrived', async () => (await segmentsIn(to())).length > 0);
    await port.close();
    await until('it was told', () => made.report?.message !== undefined);
    expect(made.report?.state).to.equal('Running');
    await startSource();
    made.follow(order('r1'));
    expect(await finished(made)).to.include({ state: 'Done', segments: 3 });
  });

  it('does not put into its place what arrived damaged', async () => {
    const content = await segment(20);
    const store = new SegmentStore();
    const volume = { name: 'footage', mountPath: to() };
    const name = checkedName('a', 'gate', 'e1-20260102-00aa', '20260102T030420Z.ts');
    if (name === undefined) throw new Error('no name');
    async function* damaged(): AsyncGenerator<Uint8Array> {
      yield content.subarray(1);
      yield Buffer.from('x');
    }
    await store.append(volume, name, damaged(), true);
    const sha256 = createHash('sha256').update(content).digest('hex');
    const outcome = await store.finish(volume, name, sha256, minute).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(outcome).to.be.instanceOf(ChecksumError);
    expect(await segmentsIn(to())).to.deep.equal([]);
    expect(await store.look(volume, name)).to.equal(0);
  });

  it('mends a part that does not belong to the segment', async () => {
    await segment(20);
    const part = join(to(), '.understudy/recovery/a/gate/e1-20260102-00aa/20260102T030420Z.ts.part');
    await mkdir(dirname(part), { recursive: true });
    await writeFile(part, randomBytes(50_000));
    const made = recovery();
    made.follow(order('r1'));
    expect(await finished(made)).to.include({ state: 'Done', segments: 1 });
  });

  it('does not drive out footage of today: without space it fails, and says what to do', async () => {
    await segment(20);
    spareBytes = 50_000;
    const made = recovery();
    made.follow(order('r1'));
    const report = await finished(made);
    expect(report.state).to.equal('Failed');
    expect(report.message).to.match(/no space left beyond its reserve; enlarge it/);
    expect(await segmentsIn(to())).to.deep.equal([]);
  });

  it('does not fetch what retention would delete at once', async () => {
    await segment(20);
    missing = missing.map((gap) => ({ ...gap, retentionSeconds: 3_600 }));
    const made = recovery();
    made.follow(order('r1'));
    expect(await finished(made)).to.include({ state: 'Done', segments: 0, segmentsTotal: 0 });
  });

  it('waits for a source that does not run, and ends when it is not wanted any more', async () => {
    const made = recovery();
    made.follow(order('r1', { source: undefined }));
    await until('it was told', () => made.report?.message !== undefined);
    expect(made.report?.message).to.match(/the agent of a does not run/);
    made.follow(undefined);
    expect(made.report).to.equal(undefined);
  });

  it('is given the segments of the offered role only', async () => {
    await segment(20);
    const foreign = listSegments(sourceNow(), { role: 'b', camera: 'gate' }, { startTime: at(0), endTime: at(60) });
    expect(
      await foreign.then(
        () => 'given',
        (error: unknown) => String(error),
      ),
    ).to.match(/this role is not offered/);
    const own = await listSegments(sourceNow(), { role: 'a', camera: 'gate' }, { startTime: at(0), endTime: at(60) });
    expect(own.map(({ bytes }) => bytes)).to.deep.equal([100_000]);
  });
}).timeout(40_000);
