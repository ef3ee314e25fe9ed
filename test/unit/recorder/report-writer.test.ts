// A fake client: only the times of its requests matter here.
import { expect } from 'chai';
import type { RecorderReport, RecorderReportStatus } from '../../../src/crds/recorder-report.js';
import { silentLog } from '../../../src/operator/index.js';
import { ReportWriter } from '../../../src/recorder/report/report-writer.js';
import { FakeClock } from '../support/fake-clock.js';

describe('the writer of the report', () => {
  let clock: FakeClock;
  let writes: number[];
  let epoch: number;
  let unproved: boolean;
  let writer: ReportWriter;

  beforeEach(() => {
    clock = new FakeClock();
    writes = [];
    epoch = 1;
    unproved = false;
    const status = (): RecorderReportStatus => ({ epoch });
    const report = (): RecorderReport => ({ metadata: { name: 'r', uid: 'u' }, status: status() }) as RecorderReport;
    const empty = { metadata: { name: 'r', uid: 'u' } };
    writer = new ReportWriter({
      client: {
        get: <T>() => Promise.resolve(empty as T),
        patchStatus: <T>() => {
          writes.push(clock.monotonic());
          return Promise.resolve(report() as T);
        },
      },
      report: { namespace: 'site', name: 'r' },
      clock,
      log: silentLog,
      build: status,
      unproved: () => unproved,
    });
  });

  /** Something new to tell. */
  function change(): void {
    epoch += 1;
    writer.changed();
  }

  it('writes at most once a second, and nothing when nothing has changed', async () => {
    for (let index = 0; index < 30; index += 1) {
      change();
      await clock.advance(100);
    }
    await clock.advance(5000);
    expect(writes).to.deep.equal([100, 1100, 2100, 3100]);
    writer.changed();
    await clock.advance(5000);
    expect(writes).to.have.length(4);
  });

  it('tells the proof of recording as soon as it is complete, once', async () => {
    unproved = true;
    change();
    await clock.advance(400);
    expect(writes).to.deep.equal([300]);
    unproved = false;
    change();
    await clock.advance(0);
    expect(writes).to.deep.equal([300, 400]);
    change();
    await clock.advance(900);
    expect(writes).to.deep.equal([300, 400]);
    await clock.advance(100);
    expect(writes).to.deep.equal([300, 400, 1400]);
  });

  it('puts cameras that come one after the other into one report', async () => {
    unproved = true;
    change();
    for (let index = 0; index < 4; index += 1) {
      await clock.advance(50);
      change();
    }
    unproved = false;
    change();
    await clock.advance(900);
    expect(writes).to.deep.equal([200]);
  });
});
