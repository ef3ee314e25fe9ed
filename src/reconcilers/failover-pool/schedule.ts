import { Cron } from 'croner';
import type { FailoverPoolSpec } from '../../crds/index.js';
import type { ScheduleView } from '../../failover/types.js';

/** Expressions whose times are remembered. */
const REMEMBERED = 256;

/** What spec.backup.schedule means at a time; undefined when it is not set. */
export type ScheduleReader = (
  spec: Pick<FailoverPoolSpec['backup'], 'schedule' | 'timeZone'>,
  now: Date,
) => ScheduleView | undefined;

/** False for a name that this runtime's time zone database does not have. */
function isTimeZone(timeZone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone });
    return true;
  } catch {
    return false;
  }
}

function invalid(schedule: string, why: string): ScheduleView {
  return {
    reason: 'InvalidSchedule',
    message: `spec.backup.schedule '${schedule}' ${why}; write five fields (minute hour day month weekday), as in '0 3 * * *'`,
  };
}

/**
 * Reads a cron expression by the rules of Vixie cron: a day and a weekday, both given, mean either. A time that the
 * clock leaves out in spring comes at the end of the gap; a fixed time that it repeats in autumn comes once.
 */
function read(schedule: string, timeZone: string, now: Date): ScheduleView {
  if (!isTimeZone(timeZone))
    return {
      reason: 'UnknownTimeZone',
      message: `spec.backup.timeZone '${timeZone}' is no time zone that this operator knows; use a name of the IANA database, as in Europe/Berlin`,
    };
  try {
    const cron = new Cron(schedule, { timezone: timeZone, mode: '5-part', fixedTimeRule: 'no-wildcard', paused: true });
    // Times before the reference are told, and the present one has come.
    const [previousTime] = cron.previousRuns(1, new Date(now.getTime() + 1));
    const nextTime = cron.nextRun(now) ?? undefined;
    if (previousTime === undefined && nextTime === undefined) return invalid(schedule, 'names a day that never comes');
    return { expression: `${schedule} ${timeZone}`, previousTime, nextTime };
  } catch (error) {
    return invalid(schedule, `can't be read (${error instanceof Error ? error.message : String(error)})`);
  }
}

/** Nothing has changed between the two times of a schedule, nor ever with one that can't be read. */
function holds(view: ScheduleView, now: Date): boolean {
  if ('reason' in view) return true;
  const after = view.previousTime === undefined || view.previousTime <= now;
  return after && (view.nextTime === undefined || now < view.nextTime);
}

/** A reader that remembers: a pool is decided over many times between two times of its schedule. */
export function createScheduleReader(): ScheduleReader {
  const remembered = new Map<string, ScheduleView>();
  return ({ schedule, timeZone = 'UTC' }, now) => {
    if (schedule === undefined) return undefined;
    const key = `${schedule} ${timeZone}`;
    const known = remembered.get(key);
    if (known !== undefined && holds(known, now)) return known;
    const view = read(schedule, timeZone, now);
    if (remembered.size >= REMEMBERED) remembered.clear();
    remembered.set(key, view);
    return view;
  };
}
