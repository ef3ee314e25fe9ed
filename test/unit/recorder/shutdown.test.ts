// A fake client and a fake engine: the API server has to hang and to answer while the recorder ends.
import { expect } from 'chai';
import type { RecorderReport, RecorderReportStatus } from '../../../src/crds/recorder-report.js';
import { ApiError, type KubeObject, silentLog } from '../../../src/operator/index.js';
import type { Engine } from '../../../src/recorder/engine/engine.js';
import { Heartbeat } from '../../../src/recorder/heartbeat/heartbeat.js';
import { ReportWriter } from '../../../src/recorder/report/report-writer.js';
import { RecordingService } from '../../../src/recorder/watchdog/recording-service.js';
import { FakeClock } from '../support/fake-clock.js';

type State = NonNullable<RecorderReportStatus['recordingService']>['state'];
type Told = { readonly at: number; readonly state: State | undefined };

/** The parts that end a recorder, on one clock; `answerMs` is how long the API server takes. */
function recorder(answerMs: () => number = () => 10) {
  const clock = new FakeClock();
  const told: Told[] = [];
  const check = () => Promise.resolve({ ok: true, version: 'ffmpeg 7' } as const);
  const engine = { name: 'fake', check } as unknown as Engine;
  let stored: RecorderReportStatus = {};
  let frames = 0;
  const stateOf = (): RecorderReportStatus => ({
    epoch: frames,
    recordingService: { state: service.state, sinceTime: service.since.toISOString() },
  });
  const answer = <T>(value: () => T, timeoutMs = 3000): Promise<T> =>
    new Promise((resolve, reject) => {
      clock.setTimer(timeoutMs, () => reject(new ApiError('transient', 'no answer')));
      clock.setTimer(answerMs(), () => resolve(value()));
    });
  const object = (): RecorderReport => ({ metadata: { name: 'r', uid: 'u' }, status: stored }) as RecorderReport;
  const report = new ReportWriter({
    client: {
      get: <T>() => answer(() => object() as T),
      patchStatus: <T>(_type: unknown, _key: unknown, patch: object) =>
        answer(() => {
          stored = { ...stored, ...(patch as { status: RecorderReportStatus }).status };
          told.push({ at: clock.monotonic(), state: stored.recordingService?.state });
          return object() as T;
        }),
    },
    report: { namespace: 'site', name: 'r' },
    clock,
    log: silentLog,
    build: stateOf,
    unproved: () => false,
  });
  const service = new RecordingService({
    engine,
    clock,
    log: silentLog,
    recording: () => false,
    onChange: () => report.changed(),
  });
  service.start();
  const end = (): void => {
    service.stop();
    report.announce();
  };
  const change = (): void => {
    frames += 1;
    report.changed();
  };
  return { clock, told, service, report, end, change };
}

describe('the end of a recorder', () => {
  it('is announced at once, without regard to the interval between reports', async () => {
    const { clock, told, end } = recorder();
    await clock.advance(500);
    expect(told.at(-1)?.state).to.equal('Ready');
    const before = clock.monotonic();
    end();
    await clock.advance(50);
    expect(told.at(-1)).to.deep.equal({ at: before + 10, state: 'Stopping' });
  });

  it('is announced right after a report that is on its way', async () => {
    let slow = 10;
    const { clock, told, end, change } = recorder(() => slow);
    await clock.advance(5_000);
    slow = 2_000;
    change();
    await clock.advance(200);
    slow = 10;
    end();
    await clock.advance(1_920);
    expect(told.slice(-2).map(({ state }) => state)).to.deep.equal(['Ready', 'Stopping']);
    expect(told.at(-1)?.at).to.be.at.most(5_100 + 2_000 + 20);
  });

  it('is announced as soon as a silent API server answers again', async () => {
    let slow = 10;
    const { clock, told, end } = recorder(() => slow);
    await clock.advance(5_000);
    slow = 60_000;
    end();
    await clock.advance(4_000);
    expect(told.at(-1)?.state).to.equal('Ready');
    slow = 10;
    await clock.advance(5_000);
    expect(told.at(-1)?.state).to.equal('Stopping');
  });

  it('is announced once: the last report adds nothing to it', async () => {
    const { clock, told, report, end } = recorder();
    await clock.advance(5_000);
    end();
    await clock.advance(1_000);
    const count = told.length;
    const finished = report.finish();
    await clock.advance(100);
    await finished;
    expect(told).to.have.length(count);
  });

  it('is not taken back by a self-test that ends after it', async () => {
    const { clock, service, end } = recorder();
    await clock.advance(29_999);
    end();
    await clock.advance(60_000);
    expect(service.state).to.equal('Stopping');
  });

  describe('renews its Lease a last time', () => {
    function heartbeat(answerMs: number) {
      const clock = new FakeClock();
      const patches: number[] = [];
      const reply = <T>(): Promise<T> => {
        const lease: KubeObject & { spec: object } = { metadata: { name: 'l' }, spec: { leaseDurationSeconds: 30 } };
        return new Promise((resolve) => clock.setTimer(answerMs, () => resolve(lease as T)));
      };
      const beats = new Heartbeat({
        client: {
          get: () => reply(),
          patch: () => {
            patches.push(clock.monotonic());
            return reply();
          },
        },
        lease: { namespace: 'site', name: 'l' },
        podUID: 'p',
        clock,
        log: silentLog,
        onAnswer: () => undefined,
      });
      beats.start();
      const finish = async (): Promise<number> => {
        const begun = clock.monotonic();
        let took = Number.NaN;
        const done = beats.finish(2_000).then(() => {
          took = clock.monotonic() - begun;
        });
        await clock.advance(60_000);
        await done;
        return took;
      };
      return { clock, patches, beats, finish };
    }

    it('when it ends, and never again', async () => {
      const { clock, patches, beats, finish } = heartbeat(10);
      beats.setSilent(false);
      await clock.advance(15_000);
      const before = patches.length;
      expect(await finish()).to.equal(10);
      expect(patches.slice(before)).to.deep.equal([15_000]);
    });

    it('but waits no longer than its limit for the answer', async () => {
      const { clock, beats, finish } = heartbeat(1e9);
      beats.setSilent(false);
      await clock.advance(3_000);
      expect(await finish()).to.equal(2_000);
    });

    it('unless another pod was assigned: its silence would be hidden', async () => {
      const { clock, patches, beats, finish } = heartbeat(10);
      beats.setSilent(true);
      await clock.advance(3_000);
      await finish();
      expect(patches).to.deep.equal([]);
    });
  });
});
