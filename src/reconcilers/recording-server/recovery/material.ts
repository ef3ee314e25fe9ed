import { type HistoryEntry, labels, type RecorderReportStatus, reasons } from '../../../crds/index.js';
import type { ConditionVerdict } from '../../../failover/types.js';
import type { Gathered } from '../gather.js';

/** Shorter than this it is the last heartbeat that lay behind, not footage of its own. Milliseconds. */
const WORTH_IT_MS = 1_000;

type FormerRole = NonNullable<RecorderReportStatus['formerRole']>;
type Loss = Pick<HistoryEntry, 'lastSeenTime' | 'committedTime' | 'recordingTime' | 'epoch'> & {
  readonly brokenTime: string;
};

/** A planned move leaves nothing to recover: the role was recorded all the time. */
function asLoss(entry: Omit<Loss, 'brokenTime'> & { readonly brokenTime?: string | undefined }): Loss | undefined {
  const { brokenTime } = entry;
  return brokenTime === undefined ? undefined : { ...entry, brokenTime };
}

/** The failover by which this server lost the role last. */
function lossOf({ recovery, server }: Gathered, role: string): Loss | undefined {
  const { current, history = [] } = recovery.formerRole?.pool?.status ?? {};
  const { name } = server.metadata;
  if (current?.role === role && current.server === name) return asLoss(current);
  const last = history.find((entry) => entry.role === role && entry.from === name);
  return last && asLoss(last);
}

/** Footage of each camera that was made here after the last sign of life and before its successor had proved its own. */
function secondsInside({ cameras }: FormerRole, { lastSeenTime, brokenTime, recordingTime }: Loss): number[] {
  const begin = Date.parse(lastSeenTime ?? brokenTime);
  const end = recordingTime === undefined ? Number.POSITIVE_INFINITY : Date.parse(recordingTime);
  return cameras
    .map(({ endTime }) => Math.min(Date.parse(endTime), end) - begin)
    .filter((ms) => ms > WORTH_IT_MS)
    .map((ms) => Math.round(ms / 1000));
}

/**
 * Condition MaterialRecoverable (rule 10): this repaired server has footage of a role that is now held by another one,
 * from a time inside its gaps. Left out where it can't be: the server has lost no role, or holds it again.
 */
export function materialRecoverable(gathered: Gathered): ConditionVerdict | undefined {
  const { report, pod, recovery, server } = gathered;
  const former = report?.podUID === pod?.metadata.uid ? report?.formerRole : undefined;
  const holder = recovery.formerRole?.holder?.metadata.name;
  const { name } = server.metadata;
  if (former === undefined || holder === undefined || holder === name) return undefined;
  const loss = lossOf(gathered, former.role);
  const seconds = loss === undefined ? [] : secondsInside(former, loss);
  if (loss === undefined || seconds.length === 0)
    return { status: 'False', reason: reasons.NothingToRecover, message: `Nothing of ${former.role} inside its gaps` };
  const done = recovery.successorRecovery;
  const whole = done?.state === 'Done' && done.camera === undefined && done.role === former.role;
  if (whole && done.fromServer === name && Date.parse(done.startTime ?? '') > Date.parse(loss.committedTime))
    return {
      status: 'False',
      reason: reasons.FootageRecovered,
      message: `${holder} has copied it: request ${done.id}`,
    };
  const most = Math.max(...seconds);
  const command = `kubectl annotate rsrv ${holder} ${labels.request}='recover-${loss.epoch} recover ${former.role} from ${name}' --overwrite`;
  return {
    status: 'True',
    reason: reasons.FootageRecoverable,
    message: `Footage of ${seconds.length} cameras of ${former.role}, up to ${most} s each, is missing on ${holder} and is here; to copy it: ${command}`,
  };
}
