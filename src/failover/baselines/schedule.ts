import { type BackupSchedule, childNames, reasons } from '../../crds/index.js';
import { isMoveCause } from '../causes.js';
import type { Draft, Policy } from '../draft.js';
import type { ConditionVerdict, PoolInput, ScheduleView } from '../types.js';

/** How soon at the latest the wall clock is looked at again: it may have been set forward. Milliseconds. */
const CLOCK_CHECK_MS = 60_000;

type ReadableSchedule = Extract<ScheduleView, { expression: string }>;

/**
 * How far the schedule has come. One that is new or changed begins now: what it would have made before is not missed.
 * So does one whose times lie ahead of the clock, which must have been wrong when they were written.
 */
function progressOf({ input, record }: Draft, { expression }: ReadableSchedule): BackupSchedule {
  const { wall } = input.now;
  const known = record.backupSchedule;
  if (known?.expression !== expression) return { expression, handledTime: wall.toISOString() };
  return Date.parse(known.handledTime) > wall.getTime() ? { ...known, handledTime: wall.toISOString() } : known;
}

/** The time of the schedule that has passed and is not dealt with: the last one. Of those missed before, none is made. */
function dueTime({ previousTime }: ReadableSchedule, { handledTime }: BackupSchedule): Date | undefined {
  return previousTime !== undefined && previousTime.getTime() > Date.parse(handledTime) ? previousTime : undefined;
}

/** Once the Backup is there it is not ordered again, whatever becomes of it; a foreign one of its name is let be. */
function noteOrdered(draft: Draft, progress: BackupSchedule): BackupSchedule {
  const { pendingBackup, ...rest } = progress;
  const found = draft.input.backups.find(({ name }) => name === pendingBackup);
  if (found === undefined) return progress;
  if (found.spec.reason !== 'Scheduled')
    draft.events.push({
      type: 'Warning',
      reason: reasons.NameTaken,
      action: 'BackUp',
      note: `Backup ${found.name} exists already and is not the scheduled one; the next scheduled one is made again`,
    });
  return rest;
}

function begin(draft: Draft, { expression }: BackupSchedule, due: Date): BackupSchedule {
  const name = childNames.scheduledBaseline(draft.input.name, due);
  draft.events.push({
    type: 'Normal',
    reason: reasons.BackupScheduled,
    action: 'BackUp',
    note: `Baseline ${name}, due at ${due.toISOString()} by '${expression}'`,
  });
  return { expression, handledTime: due.toISOString(), pendingBackup: name };
}

/**
 * Orders a baseline for each time of spec.backup.schedule; for those that were missed, one. It waits while a failover or
 * a planned move and its baseline run (rule 13). Its name carries the time, and what is dealt with stands in the record:
 * so a crash, another replica or the pruning of old baselines never leads to a second one.
 */
export const orderScheduled: Policy = (draft) => {
  const { schedule, now } = draft.input;
  if (schedule === undefined) {
    delete draft.record.backupSchedule;
    return;
  }
  if ('reason' in schedule) return;
  let progress = noteOrdered(draft, progressOf(draft, schedule));
  const due = dueTime(schedule, progress);
  if (due !== undefined && draft.record.current === undefined)
    progress = noteOrdered(draft, begin(draft, progress, due));
  draft.record.backupSchedule = progress;
  if (progress.pendingBackup !== undefined && draft.record.current === undefined)
    draft.backup = { name: progress.pendingBackup, reason: 'Scheduled' };
  const left = (schedule.nextTime?.getTime() ?? Number.POSITIVE_INFINITY) - now.wall.getTime();
  draft.due.push(Math.min(left, CLOCK_CHECK_MS));
};

/** Condition BackupsScheduled: what spec.backup.schedule makes, or why it makes nothing. */
export function backupsScheduled({ schedule, status }: PoolInput): ConditionVerdict {
  if (schedule === undefined)
    return {
      status: 'False',
      reason: reasons.NotScheduled,
      message: 'spec.backup.schedule is not set: baselines are made after takeovers and by hand',
    };
  if ('reason' in schedule) return { status: 'False', reason: reasons[schedule.reason], message: schedule.message };
  const { current, backupSchedule } = status;
  const due = backupSchedule && dueTime(schedule, backupSchedule);
  if (current !== undefined && due !== undefined) {
    const what = isMoveCause(current.trigger) ? 'planned move' : 'failover';
    const message = `The baseline of ${due.toISOString()} waits for the ${what} of ${current.server} and its baseline`;
    return { status: 'True', reason: reasons.FailoverRunning, message };
  }
  return { status: 'True', reason: reasons.Scheduled, message: `Baselines are made by '${schedule.expression}'` };
}
