import { z } from 'zod';
import { type CelRule, cel, seconds, time } from './schema.js';

/** One field of a cron expression: a list of stars with an optional step, values, and ranges with an optional step. */
function cronField(value: string): string {
  const step = '(/[0-9]{1,2})?';
  const item = `(\\*${step}|${value}|${value}-${value}${step})`;
  return `${item}(,${item})*`;
}

const cronFields = [
  '[0-5]?[0-9]',
  '([01]?[0-9]|2[0-3])',
  '(0?[1-9]|[12][0-9]|3[01])',
  '(0?[1-9]|1[0-2]|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)',
  '([0-7]|sun|mon|tue|wed|thu|fri|sat)',
].map(cronField);

/** What the API server can see of a cron expression: ranges turned round, and days that never come, it can't. */
export const cronPattern = `(?i)^(@(hourly|daily|midnight|weekly|monthly|yearly|annually)|${cronFields.join('[ ]+')})$`;

const cronRule: CelRule = {
  rule: `self.matches('${cronPattern.replaceAll('\\', '\\\\')}')`,
  message:
    "spec.backup.schedule must be a cron expression of five fields (minute hour day month weekday), as in '0 3 * * *', or one of @hourly, @daily, @weekly, @monthly, @yearly",
};

const timeZoneRule: CelRule = {
  rule: "self.matches('^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$')",
  message: 'spec.backup.timeZone must be a name of the IANA time zone database, as in Europe/Berlin or Etc/UTC',
};

/** A time zone without a schedule is a schedule that somebody forgot, or misspelt. */
export const timeZoneNeedsSchedule: CelRule = {
  rule: '!has(self.timeZone) || has(self.schedule)',
  message: 'spec.backup.timeZone belongs to spec.backup.schedule; set the schedule, or leave both out',
  fieldPath: '.timeZone',
};

/** Fields of `spec.backup` that say when baselines are made, for how long a try goes on, and which are kept. */
export const baselinePolicyFields = () => ({
  retrySeconds: seconds(0, 86400)
    .default(3600)
    .describe(
      'A baseline that can not be made for a reason that may pass is tried again for so long, and for deadlineSeconds at least; then it has failed. The queue never waits for it beyond deadlineSeconds.',
    ),
  schedule: cel(z.string().min(1).max(128), cronRule)
    .describe(
      'Cron expression of five fields, or @daily and the like: baselines beside those of takeovers. They wait while a failover runs; of those missed while no operator ran, one is made.',
    )
    .optional(),
  timeZone: cel(z.string().min(1).max(64), timeZoneRule)
    .describe('Of the schedule: a name of the IANA time zone database. Default: UTC.')
    .optional(),
  retain: z
    .object({
      count: z
        .int()
        .min(1)
        .max(100)
        .meta({ format: 'int32' })
        .default(10)
        .describe('So many complete ones are kept of those after takeovers, and so many of the scheduled ones.'),
      days: z
        .int()
        .min(1)
        .max(3650)
        .meta({ format: 'int32' })
        .default(30)
        .describe('One that is older by more than so many days than the newest complete one of the pool is deleted.'),
    })
    .prefault({})
    .describe(
      'Which of its own baselines the operator deletes, with what they hold. The newest complete one of each reason is always kept, and what a person has made (reason Manual) is theirs to delete. Of failed ones the last 5 are kept for 7 days.',
    ),
});

/** `status.backupSchedule` of a pool. */
export const backupScheduleStatus = () =>
  z
    .object({
      expression: z.string().max(200).describe('Schedule and time zone that the times belong to.'),
      handledTime: time().describe('Times of the schedule up to this one are dealt with.'),
      pendingBackup: z
        .string()
        .max(253)
        .describe('The Backup that is due and not seen yet; absent once it is there, and it is never made again.')
        .optional(),
    })
    .describe('How far the schedule of spec.backup has come.');
