import { z } from 'zod';
import { count, listMap, time } from './schema.js';

/** SHA-256 in hex. */
export const sha256Hex = () =>
  z
    .string()
    .max(64)
    .regex(/^[0-9a-f]{64}$/);

const progress = {
  id: z.string().max(64).describe('Of the request.'),
  segments: count(10_000_000).describe('Copied and verified, or there already; in coarse steps.').optional(),
  segmentsTotal: count(10_000_000).optional(),
  bytes: z.int().min(0).meta({ format: 'int64' }).describe('Copied; in coarse steps.').optional(),
  message: z.string().max(512).describe('What it waits for, or why it failed and what to do.').optional(),
};

/** What the operator has made of a person's request to recover footage, and what the agent has to do for it. */
export const recoveryStatus = z.object({
  ...progress,
  state: z.enum(['Running', 'Done', 'Refused', 'Failed']),
  role: z.string().max(40).optional(),
  camera: z.string().max(63).describe('Absent: all cameras of the role.').optional(),
  fromServer: z.string().max(40).optional(),
  address: z
    .string()
    .max(128)
    .describe("Host and port of the source's agent; absent while it does not run.")
    .optional(),
  fingerprint: sha256Hex().describe("Of the source's certificate, which the agent pins.").optional(),
  startTime: time().optional(),
  endTime: time().optional(),
});
export type RecoveryStatus = z.infer<typeof recoveryStatus>;

/** Who may fetch segments from this server's agent right now. */
export const segmentOffers = () =>
  listMap(
    z
      .array(
        z.object({
          toServer: z.string().max(40),
          role: z.string().max(40),
          fingerprint: sha256Hex().describe("Of the fetching agent's certificate."),
        }),
      )
      .max(16),
    'toServer',
  );

/** The agent's own word about the recovery that it does or has done last. */
export const reportedRecovery = z.object({
  ...progress,
  state: z.enum(['Running', 'Done', 'Failed']),
  filled: z
    .array(z.object({ camera: z.string().max(63), startTime: time(), endTime: time() }))
    .max(1024)
    .describe('Stretches of footage that are here now, without holes; told at the end.')
    .optional(),
});
export type ReportedRecovery = z.infer<typeof reportedRecovery>;
