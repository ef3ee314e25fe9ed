import { expect } from 'chai';
import { describe, it } from 'mocha';
import { cronPattern } from '../../../../src/crds/index.js';
import { createScheduleReader } from '../../../../src/reconcilers/failover-pool/schedule.js';

const at = (time: string) => new Date(time);

function times(schedule: string, timeZone: string | undefined, now: string): (string | undefined)[] {
  const view = createScheduleReader()({ schedule, ...(timeZone === undefined ? {} : { timeZone }) }, at(now));
  if (view === undefined || 'reason' in view) throw new Error(view?.message ?? 'no schedule');
  return [view.previousTime?.toISOString(), view.nextTime?.toISOString()];
}

function refusal(schedule: string, timeZone = 'UTC') {
  const view = createScheduleReader()({ schedule, timeZone }, at('2026-11-23T12:00:00Z'));
  return view !== undefined && 'reason' in view ? view : undefined;
}

/** The rule of the API server in this runtime: RE2 writes the flag into the pattern. */
const apiRule = new RegExp(cronPattern.replace('(?i)', ''), 'i');

describe('spec.backup.schedule', () => {
  it('is nothing when it is not set', () => {
    expect(createScheduleReader()({}, at('2026-11-23T12:00:00Z'))).to.equal(undefined);
  });

  it('tells the last time, the present one included, and the next one; in UTC by default', () => {
    const both = ['2026-11-23T03:00:00.000Z', '2026-11-24T03:00:00.000Z'];
    expect(times('0 3 * * *', undefined, '2026-11-23T12:00:00Z')).to.deep.equal(both);
    expect(times('0 3 * * *', undefined, '2026-11-23T03:00:00Z')).to.deep.equal(both);
    expect(times('0 3 * * *', undefined, '2026-11-23T02:59:59.999Z')[1]).to.equal(both[0]);
  });

  it('is read in its time zone', () => {
    expect(times('0 3 * * *', 'America/New_York', '2026-11-23T12:00:00Z')[0]).to.equal('2026-11-23T08:00:00.000Z');
  });

  describe('when the clocks change', () => {
    it('comes at the end of the hour that is left out in spring, once', () => {
      expect(times('30 2 * * *', 'Europe/Berlin', '2026-03-29T00:59:59Z')[1]).to.equal('2026-03-29T01:00:00.000Z');
      const after = ['2026-03-29T01:00:00.000Z', '2026-03-30T00:30:00.000Z'];
      expect(times('30 2 * * *', 'Europe/Berlin', '2026-03-29T01:30:00Z')).to.deep.equal(after);
    });

    it('comes once in the hour that is repeated in autumn', () => {
      const both = ['2026-10-25T00:30:00.000Z', '2026-10-26T01:30:00.000Z'];
      for (const now of ['2026-10-25T00:31:00Z', '2026-10-25T01:31:00Z'])
        expect(times('30 2 * * *', 'Europe/Berlin', now), now).to.deep.equal(both);
    });

    it('comes in both of them when it is hourly', () => {
      expect(times('0 * * * *', 'Europe/Berlin', '2026-10-25T00:31:00Z')).to.deep.equal([
        '2026-10-25T00:00:00.000Z',
        '2026-10-25T01:00:00.000Z',
      ]);
    });
  });

  it('goes on from one time to the next, forwards and backwards, with one reader', () => {
    const reader = createScheduleReader();
    const next = (now: string) => {
      const view = reader({ schedule: '0 3 * * *' }, at(now));
      return view !== undefined && 'expression' in view ? view.nextTime?.toISOString() : undefined;
    };
    expect(next('2026-11-23T02:00:00Z')).to.equal('2026-11-23T03:00:00.000Z');
    expect(next('2026-11-23T03:00:00Z')).to.equal('2026-11-24T03:00:00.000Z');
    expect(next('2026-11-23T02:30:00Z')).to.equal('2026-11-23T03:00:00.000Z');
  });

  it('names the mend when it can not be read, or never comes', () => {
    for (const schedule of [
      '5-1 * * * *',
      '*/0 * * * *',
      '0 0 30 2 *',
      '0 0 31 4 *',
      '61 * * * *',
      'nonsense',
      '* * * *',
    ]) {
      const refused = refusal(schedule);
      expect(refused?.reason, schedule).to.equal('InvalidSchedule');
      expect(refused?.message, schedule).to.contain(`spec.backup.schedule '${schedule}'`).and.to.contain('0 3 * * *');
    }
    expect(refusal('0 3 * * *', 'Mars/Phobos')).to.deep.include({ reason: 'UnknownTimeZone' });
    expect(refusal('0 3 * * *', 'Mars/Phobos')?.message).to.contain("'Mars/Phobos'").and.to.contain('Europe/Berlin');
  });

  describe('at the API server', () => {
    const accepted = [
      '0 3 * * *',
      '*/15 * * * *',
      '0 0-6/2,12 1,15 jan-MAR mon-fri',
      '@daily',
      '@hourly',
      '59 23 31 12 7',
    ];
    for (const schedule of accepted) {
      it(`passes ${schedule}, and is read`, () => {
        expect(apiRule.test(schedule)).to.equal(true);
        expect(refusal(schedule)).to.equal(undefined);
      });
    }

    const refused = ['60 * * * *', '* 24 * * *', '* * 0 * *', '* * 32 * *', '* * * 13 *', '* * * * 8', '* * * *'];
    for (const schedule of [
      ...refused,
      '* * * * * *',
      '@reboot',
      '@every 5m',
      '1/5 * * * *',
      '0 3 * * * ',
      '0 0 L * *',
      'x',
    ]) {
      it(`is refused as '${schedule}'`, () => expect(apiRule.test(schedule)).to.equal(false));
    }
  });
});
