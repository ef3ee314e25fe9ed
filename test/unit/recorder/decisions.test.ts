import { expect } from 'chai';
import fc from 'fast-check';
import { decide, type KnownAssignment, learn } from '../../../src/recorder/assignment/assignment.js';
import { formatState, parseState } from '../../../src/recorder/assignment/state-file.js';
import { retryDelay } from '../../../src/recorder/cameras/backoff.js';
import { type CameraTask, selectCameras } from '../../../src/recorder/cameras/camera-task.js';
import { ConnectGate, type Ticket } from '../../../src/recorder/cameras/connect-gate.js';
import { judgeOwnership } from '../../../src/recorder/disks/identity.js';
import { placeCamera } from '../../../src/recorder/disks/placement.js';
import { verdictOfError } from '../../../src/recorder/disks/verdict.js';
import { steppedPercent } from '../../../src/recorder/disks/volume-monitor.js';
import { recordingInvocation, urlWithCredentials } from '../../../src/recorder/engine/ffmpeg/arguments.js';
import { failureOf } from '../../../src/recorder/engine/ffmpeg/failure.js';
import { heard, Lines } from '../../../src/recorder/engine/ffmpeg/words.js';
import { formatCommands, parseListing } from '../../../src/recorder/footage/journal-script.js';
import { finalFolder, parsePlaceMarker, placeMarker } from '../../../src/recorder/footage/layout.js';
import { parseFolders, planExpiry, planFreeing } from '../../../src/recorder/footage/retention-plan.js';
import { ClockOffset } from '../../../src/recorder/heartbeat/clock-offset.js';
import { assignmentOf, renewalInterval } from '../../../src/recorder/heartbeat/lease.js';
import { FakeClock } from '../support/fake-clock.js';

const api = (role: string, epoch: number, podUID?: string): KnownAssignment => ({ role, epoch, podUID, origin: 'api' });
const volume = (role: string, epoch: number, podUID?: string): KnownAssignment => ({
  ...api(role, epoch, podUID),
  origin: 'volume',
});

describe('the assignment of a recorder', () => {
  const sighting = fc.record({
    role: fc.constantFrom('', 'a', 'b'),
    epoch: fc.nat(5),
    podUID: fc.constantFrom(undefined, 'p'),
    origin: fc.constantFrom<'api' | 'volume'>('api', 'volume'),
  });

  it('is the one of the highest epoch, in whatever order they are seen', () => {
    fc.assert(
      fc.property(fc.array(sighting, { minLength: 1 }), (seen) => {
        const known = seen.reduce<KnownAssignment | undefined>(learn, undefined);
        expect(known?.epoch).to.equal(Math.max(...seen.map(({ epoch }) => epoch)));
      }),
    );
  });

  it('is what the API server says when the volume remembers the same epoch', () => {
    expect(learn(volume('a', 3, 'old'), api('a', 3, 'new')).podUID).to.equal('new');
    expect(learn(api('a', 3, 'new'), volume('a', 3, 'old')).podUID).to.equal('new');
  });

  it('from the volume waits for the word of the API server, and then counts', () => {
    expect(decide(volume('a', 3, 'p'), 'p', false).mode).to.equal('Idle');
    expect(decide(volume('a', 3, 'p'), 'p', true)).to.include({ mode: 'Record', role: 'a', epoch: 3 });
  });

  it('displaces this pod only by the word of the API server', () => {
    expect(decide(api('a', 3, 'other'), 'p', true)).to.include({ mode: 'Idle', displaced: true });
    expect(decide(volume('a', 3, 'other'), 'p', true)).to.include({ mode: 'Record', displaced: false });
    expect(decide(api('a', 3), 'p', true)).to.include({ mode: 'Record', displaced: false });
  });

  it('is read from the annotations of the Lease, and from no half-written ones', () => {
    const lease = (annotations: Record<string, string>) => ({ metadata: { name: 'l', annotations } });
    const full = {
      'understudy.dev/serving-role': 'a',
      'understudy.dev/epoch': '7',
      'understudy.dev/assigned-pod-uid': 'p',
    };
    expect(assignmentOf(lease(full))).to.deep.equal({ role: 'a', epoch: 7, podUID: 'p' });
    expect(assignmentOf(lease({}))).to.equal(undefined);
    expect(assignmentOf(lease({ ...full, 'understudy.dev/epoch': 'x' }))).to.equal(undefined);
    expect(assignmentOf(lease({ 'understudy.dev/epoch': '8' }))).to.deep.equal({
      role: '',
      epoch: 8,
      podUID: undefined,
    });
  });

  it('survives on a volume, and that of another server does not', () => {
    const state = { server: 's', role: 'a', epoch: 3, podUID: 'p', cameras: [task('c')] };
    expect(parseState(formatState(state), 's')).to.deep.equal(state);
    expect(parseState(formatState(state), 't')).to.equal(undefined);
    expect(parseState(formatState(state).slice(0, -9), 's')).to.equal(undefined);
  });
});

function task(name: string, change: Partial<CameraTask> = {}): CameraTask {
  return {
    name,
    type: 'IP',
    url: `rtsp://camera.example/${name}`,
    secretName: undefined,
    transport: 'TCP',
    connectTimeoutSeconds: 5,
    audio: false,
    segmentSeconds: 10,
    retentionSeconds: 3600,
    priority: 'Normal',
    ...change,
  };
}

describe('the choice of cameras', () => {
  const cameras = [
    task('low', { priority: 'Low' }),
    task('never', { priority: 'Never' }),
    task('high', { priority: 'High' }),
    task('card', { type: 'Analog' }),
    task('normal'),
  ];
  const names = (tasks: readonly { name: string }[]) => tasks.map(({ name }) => name);

  it('gives a home server all of its own but those on a capture card', () => {
    const { recorded, leftOut } = selectCameras(cameras, false, 1);
    expect(names(recorded)).to.deep.equal(['high', 'normal', 'low', 'never']);
    expect(leftOut).to.deep.equal([{ name: 'card', reason: 'AnalogNotTransferable' }]);
  });

  it('gives a smaller substitute the most important ones and names the rest', () => {
    const { recorded, leftOut } = selectCameras(cameras, true, 2);
    expect(names(recorded)).to.deep.equal(['high', 'normal']);
    expect(leftOut).to.deep.include({ name: 'low', reason: 'CapacityExceeded' });
    expect(leftOut).to.deep.include({ name: 'never', reason: 'PriorityNever' });
  });
});

describe('the retry of a camera', () => {
  it('comes no sooner than a minute after a refused login', () => {
    for (const failures of [1, 2, 50]) {
      expect(retryDelay({ kind: 'unauthorized', failures, takingOver: true }, 0)).to.be.at.least(60_000);
    }
  });

  it('keeps knocking during a takeover at a camera whose sessions are taken', () => {
    for (const failures of [1, 10, 100]) {
      const delay = retryDelay({ kind: 'sessionLimit', failures, takingOver: true }, 0.99);
      expect(delay).to.be.within(1000, 2000);
    }
  });

  it('grows to a cap otherwise', () => {
    const delays = [1, 2, 3, 20].map((failures) =>
      retryDelay({ kind: 'unreachable', failures, takingOver: false }, 0.5),
    );
    expect(delays).to.deep.equal([...delays].sort((a, b) => a - b));
    expect(delays.at(-1)).to.be.at.most(15_000);
  });
});

describe('the gate of connects', () => {
  it('lets in a few at a time, apart from each other, by rank', async () => {
    const clock = new FakeClock();
    const gate = new ConnectGate({ clock, limit: 2, spacingMs: 30, holdMs: 10_000 });
    const begun: [string, number][] = [];
    const ask = (name: string, rank: number): Ticket => gate.request(rank, () => begun.push([name, clock.monotonic()]));
    const first = ask('low', 2);
    ask('normal', 1);
    ask('high', 0);
    await clock.advance(1000);
    expect(begun).to.deep.equal([
      ['high', 0],
      ['normal', 30],
    ]);
    first.release();
    await clock.advance(20_000);
    expect(begun).to.have.length(2);
  });

  it('takes the place back from a connect that does not end', async () => {
    const clock = new FakeClock();
    const gate = new ConnectGate({ clock, limit: 1, spacingMs: 0, holdMs: 4000 });
    const begun: string[] = [];
    gate.request(0, () => begun.push('dead'));
    gate.request(0, () => begun.push('live'));
    await clock.advance(3999);
    expect(begun).to.deep.equal(['dead']);
    await clock.advance(1);
    expect(begun).to.deep.equal(['dead', 'live']);
  });
});

describe('the judgement of a disk', () => {
  it('tells lost, full and forbidden apart by the words of coreutils', () => {
    const state = (words: string) => verdictOfError(`dd: failed to open '/f/.understudy/probe': ${words}\n`).state;
    for (const words of ['Input/output error', 'Read-only file system', 'Stale file handle', 'No such device']) {
      expect(state(words), words).to.equal('Lost');
    }
    for (const words of ['No space left on device', 'Disk quota exceeded'])
      expect(state(words), words).to.equal('Full');
    expect(state('Permission denied')).to.equal('Misconfigured');
    expect(verdictOfError('').state).to.equal('Lost');
  });

  it('refuses the marker of another server on the same claim', () => {
    const own = { server: 's', serverUID: 'u', claimUID: 'c' };
    const kind = (text: string) => judgeOwnership(text, own).kind;
    expect(kind('')).to.equal('unclaimed');
    expect(kind('{"server":"s","serverUID":"u","claimUID":"c"}')).to.equal('ours');
    expect(kind('{"server":"s","serverUID":"before","claimUID":"c"}')).to.equal('renewed');
    expect(kind('{"server":"t","serverUID":"v","claimUID":"c"}')).to.equal('foreign');
    expect(kind('{"server":"s","serverUID":"u","claimUID":"d"}')).to.equal('foreign');
    expect(kind('rubbish')).to.equal('foreign');
  });

  it('never tells more of a foreign marker than the report may hold', () => {
    const own = { server: 's', serverUID: 'u', claimUID: 'c' };
    const found = `{"serverUID":"u","claimUID":"${'x'.repeat(65)}"}`;
    expect(judgeOwnership(found, own)).to.deep.equal({ kind: 'foreign', identity: undefined });
  });

  it('tells the free share in steps that do not flutter', () => {
    const space = (percent: number) => ({ sizeBytes: 1000, availableBytes: percent * 10, inodes: 0, freeInodes: 0 });
    expect(steppedPercent(space(53), undefined)).to.equal(50);
    expect(steppedPercent(space(49), 50)).to.equal(50);
    expect(steppedPercent(space(56), 50)).to.equal(50);
    expect(steppedPercent(space(47), 50)).to.equal(45);
  });

  it('moves only the cameras of a lost volume', () => {
    const volumes = ['a', 'b', 'c'].map((name) => ({ name, state: 'Healthy' as const }));
    const damaged = volumes.map((v) => (v.name === 'b' ? { ...v, state: 'Lost' as const } : v));
    for (let index = 0; index < 50; index += 1) {
      const before = placeCamera(`camera-${index}`, volumes)?.name;
      const after = placeCamera(`camera-${index}`, damaged)?.name;
      if (before === 'b') expect(after).to.be.oneOf(['a', 'c']);
      else expect(after).to.equal(before);
    }
    expect(placeCamera('x', [{ name: 'a', state: 'Full' }])).to.equal(undefined);
  });
});

describe('the words of ffmpeg', () => {
  const end = { code: 1, signal: null, stderr: '', livedMs: 400 };
  const kind = (change: Partial<Parameters<typeof failureOf>[0]>) => failureOf({ ...end, ...change }, undefined).kind;

  it('say why a recording ended, where exit codes do not', () => {
    expect(kind({ stderr: '[rtsp @ 0x1] method DESCRIBE failed: 401 Unauthorized\n' })).to.equal('unauthorized');
    expect(kind({ stderr: '[rtsp @ 0x1] method SETUP failed: 453 Not Enough Bandwidth\n' })).to.equal('sessionLimit');
    expect(kind({ stderr: 'rtsp://c/x: Connection refused\n' })).to.equal('refused');
    expect(kind({ stderr: 'x: Server returned 404 Not Found\n' })).to.equal('notFound');
    expect(kind({ code: 0, stderr: '' })).to.equal('ended');
    expect(kind({ stderr: "[segment @ 0x1] Failed to open segment '/f/x.ts'\n" })).to.equal('storage');
  });

  it('are missed when the engine itself is broken', () => {
    expect(kind({ code: 127 })).to.equal('engine');
    expect(kind({ code: null, signal: 'SIGSEGV' })).to.equal('engine');
    expect(kind({ code: 1, stderr: '' })).to.equal('engine');
    expect(kind({ spawnError: 'spawn x ENOENT' })).to.equal('engine');
  });

  it('never carry the password on', () => {
    const stderr = 'rtsp://viewer:s3cret%21@camera/x: 401 Unauthorized for s3cret!\n';
    const { message } = failureOf({ ...end, stderr }, { username: 'viewer', password: 's3cret!' });
    expect(message).to.not.contain('s3cret');
    const inURL = 'x: 401 Unauthorized for s3cret%28%21\n';
    const other = failureOf({ ...end, stderr: inURL }, { username: 'viewer', password: 's3cret(!' });
    expect(other.message).to.not.contain('s3cret');
  });
});

describe('what ffmpeg says with its levels', () => {
  const lines: [string, string | undefined, boolean][] = [
    ["[info] Input #0, rtsp, from 'rtsp://camera.example/gate':", undefined, true],
    ["[segment @ 0x55d7] [info] Opening '/footage/x.ts' for writing", undefined, false],
    [
      '[tcp @ 0x5585] [error] Connection failed: Connection refused',
      '[tcp @ 0x5585] Connection failed: Connection refused',
      false,
    ],
    ['[error] rtsp://camera.example/gate: Connection refused', 'rtsp://camera.example/gate: Connection refused', false],
    ['[warning] something odd', 'something odd', false],
    ['sh: ffmpeg: not found', 'sh: ffmpeg: not found', false],
  ];
  for (const [line, kept, connected] of lines)
    it(`${kept === undefined ? 'drops' : 'keeps'}: ${line}`, () => {
      expect(heard(line)).to.deep.equal({ kept, connected });
    });

  it('is read line by line, however it comes', () => {
    const seen: string[] = [];
    const reader = new Lines((line) => void seen.push(line));
    for (const piece of ['one\ntw', 'o\n', 'three']) reader.add(piece);
    expect(seen).to.deep.equal(['one', 'two']);
    reader.end();
    expect(seen).to.deep.equal(['one', 'two', 'three']);
  });
});

describe('the command of ffmpeg', () => {
  const source = {
    camera: 'c',
    url: 'rtsp://camera.example/1',
    credentials: undefined,
    transport: 'TCP' as const,
    connectTimeoutSeconds: 5,
    audio: false,
    segmentSeconds: 10,
  };

  it('keeps a login out of the arguments', () => {
    const credentials = { username: 'me', password: "a'b@c/d%" };
    const { args, stdin } = recordingInvocation({ ...source, credentials }, '/f', 0);
    expect(args.join(' ')).to.not.match(/camera\.example|a'b/);
    expect(stdin).to.contain("file 'rtsp://me:a%27b%40c%2Fd%25@camera.example/1'");
    expect(new URL(urlWithCredentials({ ...source, credentials })).hostname).to.equal('camera.example');
  });

  it('probes more thoroughly with each failure, and records audio into Matroska', () => {
    const args = (attempt: number) => recordingInvocation(source, '/f', attempt).args;
    expect(args(0)).to.include('-probesize');
    expect(args(1)).to.not.include('-probesize');
    expect(args(9)).to.not.include('-fpsprobesize');
    expect(recordingInvocation({ ...source, audio: true }, '/f', 0).args).to.include('matroska');
  });
});

describe('the place of footage', () => {
  it('is told by the marker beside open segments', () => {
    const place = { role: 'rec-1', epoch: 12 };
    expect(parsePlaceMarker(placeMarker(place))).to.deep.equal(place);
    expect(parsePlaceMarker('20260101T000000Z.ts')).to.equal(undefined);
  });

  it('has a folder for each writer and day', () => {
    const folder = finalFolder({ role: 'r', epoch: 2 }, 'c', '20260101-abcd', '20260102T000001Z.ts');
    expect(folder).to.equal('r/c/e2-20260102-abcd');
  });

  it('is listed whole or not at all', () => {
    expect(parseListing('c/w/20260101T000000Z.ts\t188\t1.5\n')).to.equal(undefined);
    expect(parseListing('c/w/20260101T000000Z.ts\t188\t1.5\ndone\n')).to.deep.equal([
      { camera: 'c', writer: 'w', name: '20260101T000000Z.ts', bytes: 188, modifiedMs: 1500 },
    ]);
    expect(() => formatCommands([{ verb: 'folder', path: 'a\nb' }])).to.throw('control character');
  });

  it('ages by the rule beside it, and gives way from the oldest day on', () => {
    const folders = parseFolders(
      './r/c/e1-20260101-a\n./r/c/e1-20260103-a\n./r/d/e1-20260101-b\n./r/c/retention.json:{"retentionSeconds":86400}\ndone\n',
    );
    const now = Date.UTC(2026, 0, 3, 12);
    expect(planExpiry(folders ?? [], now)).to.deep.equal([
      { path: 'r/c/e1-20260101-a', cutoffSeconds: now / 1000 - 86400 },
    ]);
    expect(planFreeing(folders ?? [])).to.deep.equal(['r/c/e1-20260101-a', 'r/d/e1-20260101-b']);
  });
});

describe('the clock and the beat', () => {
  it('find the offset although the server tells full seconds only', () => {
    fc.assert(
      fc.property(fc.integer({ min: -5000, max: 5000 }), fc.integer({ min: 0, max: 999 }), (offsetMs, phase) => {
        const clock = new ClockOffset();
        for (let beat = 0; beat < 20; beat += 1) {
          const sentMs = 1_700_000_000_000 + phase + beat * 1370;
          const serverMs = sentMs + 2 - offsetMs;
          clock.add({ sentMs, receivedMs: sentMs + 4, serverSecondMs: Math.floor(serverMs / 1000) * 1000 });
        }
        expect(Math.abs((clock.seconds ?? 99) - offsetMs / 1000)).to.be.lessThan(0.75);
      }),
    );
  });

  it('beat at a third of the timeout, within bounds', () => {
    expect([3, 5, 30, 3600].map(renewalInterval).map(Math.round)).to.deep.equal([1000, 1667, 10_000, 10_000]);
  });
});
