import { z } from 'zod';
import { epoch, time } from './schema.js';

/**
 * Why a camera was not recorded for a while (rule 11).
 *
 * - Timeout: its recorder fell silent, and the administrator's timeout had to pass.
 * - Queued: the failover waited for its turn, or for a standby.
 * - Connect: the new recorder read its role and connected to the camera.
 * - Keyframe: connected, the recorder waited for the first picture that can be kept.
 * - TailLost: recorded, but gone from the disk: what a power cut took of it.
 * - CameraSessionLimit: the camera had no free session.
 * - CameraFailed: the camera itself, or the way to it.
 * - RecorderRestart: the recorder was started anew.
 * - StorageFailed: the recorder's disks.
 * - EngineFailed: the recording service.
 * - Reconfigured: its address or its recording was changed.
 */
export const gapCauses = [
  'Timeout',
  'Queued',
  'Connect',
  'Keyframe',
  'TailLost',
  'CameraSessionLimit',
  'CameraFailed',
  'RecorderRestart',
  'StorageFailed',
  'EngineFailed',
  'Reconfigured',
] as const;
export type GapCause = (typeof gapCauses)[number];

/** Gaps that a camera's status and a recorder's report keep of each camera. */
export const MOST_GAPS = 5;

/** Seconds in tenths. */
export const gapLength = () => z.number().min(0);

const share = z.object({
  cause: z.enum(gapCauses),
  seconds: gapLength().describe('In tenths.'),
});

/** How a gap's time was spent, in the order in which it passed. */
export const gapShares = () => z.array(share).max(gapCauses.length);
export type GapShare = z.infer<typeof share>;

/** A gap in a camera's ledger. */
export const gapEntry = z.object({
  epoch: epoch().describe('Epoch at which it was recorded again.'),
  from: z
    .string()
    .max(40)
    .describe(
      'Server that recorded it before; absent when it was the same as afterwards, or when a part was recovered.',
    )
    .optional(),
  startTime: time().describe('Last proof of recording before the gap, by the recorder that gave it.'),
  endTime: time().describe('First bytes after it.'),
  cause: z.enum(gapCauses).describe('What took most of its time.'),
  causes: gapShares().describe('All that took time, in its order.').optional(),
  provedUntilTime: time()
    .describe('What was known of the start before the previous recorder came back and told of more footage.')
    .optional(),
  closedBy: z
    .enum(['Recovery', 'PreviousHolder'])
    .describe(
      'Recovery: its footage was copied to the holder. PreviousHolder: the previous recorder had gone on, and has it on its own disks.',
    )
    .optional(),
});
export type Gap = z.infer<typeof gapEntry>;

/** A gap as a recorder tells it. */
export const reportedGap = z.object({
  epoch: epoch(),
  startTime: time()
    .describe('Last bytes before it on this recorder; absent for the first recording since the role came here.')
    .optional(),
  endTime: time().describe('First bytes after it.'),
  causes: gapShares(),
});
export type ReportedGap = z.infer<typeof reportedGap>;

/** The time of which the holder has no footage, whoever else may have it; undefined when it lacks nothing any more. */
export function missingOnHolder(gap: Gap): { readonly startTime: string; readonly endTime: string } | undefined {
  if (gap.closedBy === 'Recovery') return undefined;
  return { startTime: gap.provedUntilTime ?? gap.startTime, endTime: gap.endTime };
}
