import { type Reason, reasons, type VeleroRecord } from '../../crds/index.js';
import type { Delegated } from '../delegate.js';
import type { VeleroBackup } from './objects.js';

/** Longest part of a message that Velero words. Characters. */
const wordsLimit = 1500;

interface Verdict {
  readonly state: Delegated['state'];
  readonly reason: Reason;
  readonly message: string;
}

/**
 * What the phase of a Velero Backup means. Only Completed counts: what is PartiallyFailed lacks objects, and nobody can
 * say which by looking at it. A phase that this version does not know is taken for work that goes on: the time limit ends
 * that.
 */
export function judge(backup: VeleroBackup): Delegated {
  const record = recordOf(backup);
  const { state, reason, message } = backup.metadata.deletionTimestamp
    ? deleting(record)
    : (verdicts[record.phase] ?? underWay)(record, backup);
  return state === 'Complete' ? { state, record, message } : { state, record, reason, message };
}

const verdicts: Readonly<Record<string, (record: VeleroRecord, backup: VeleroBackup) => Verdict>> = {
  New: waiting,
  Queued: waiting,
  ReadyToStart: waiting,
  InProgress: underWay,
  WaitingForPluginOperations: underWay,
  Finalizing: underWay,
  WaitingForPluginOperationsPartiallyFailed: doomed,
  FinalizingPartiallyFailed: doomed,
  Completed: complete,
  PartiallyFailed: partiallyFailed,
  FailedValidation: refused,
  Failed: failed,
  Deleting: deleting,
};

function recordOf({ metadata, status = {} }: VeleroBackup): VeleroRecord {
  const { phase = 'New', progress, errors, warnings } = status;
  const items = progress?.itemsBackedUp;
  return {
    namespace: metadata.namespace ?? '',
    backupName: metadata.name,
    uid: metadata.uid ?? '',
    phase,
    // Counted while it runs, too; our status changes with its phase alone.
    ...(ended.has(phase)
      ? { ...(items === undefined ? {} : { items }), errors: errors ?? 0, warnings: warnings ?? 0 }
      : {}),
  };
}

const ended = new Set(['Completed', 'PartiallyFailed', 'Failed']);

/** `Velero Backup velero/site-north-3-2f1c9a77`. */
export function named({ namespace, backupName }: Pick<VeleroRecord, 'namespace' | 'backupName'>): string {
  return `Velero Backup ${namespace}/${backupName}`;
}

function running(message: string): Verdict {
  return { state: 'Running', reason: reasons.VeleroInProgress, message };
}

function waiting(record: VeleroRecord): Verdict {
  return running(`Velero has not begun ${named(record)} (phase ${record.phase})`);
}

function underWay(record: VeleroRecord): Verdict {
  return running(`Velero is making ${named(record)} (phase ${record.phase})`);
}

function doomed(record: VeleroRecord): Verdict {
  return running(`Velero is making ${named(record)} and has met errors (phase ${record.phase}): it will not count`);
}

function complete(record: VeleroRecord): Verdict {
  const { items = 0, warnings = 0 } = record;
  const warned = warnings > 0 ? ` with ${warnings} warnings: ${logsOf(record)}` : '';
  const message = `${named(record)} holds ${items} objects, by Velero's word${warned}`;
  return { state: 'Complete', reason: reasons.Complete, message };
}

function partiallyFailed(record: VeleroRecord): Verdict {
  const { errors = 0, items = 0 } = record;
  const message =
    `${named(record)} is PartiallyFailed: ${errors} errors, ${items} objects. It does not count as a baseline. Read what ` +
    `failed by: ${logsOf(record)}; mend that, then create another Backup`;
  return { state: 'Failed', reason: reasons.VeleroPartiallyFailed, message };
}

function refused(record: VeleroRecord, { status }: VeleroBackup): Verdict {
  const words = (status?.validationErrors ?? []).join('; ').slice(0, wordsLimit) || 'it does not say why';
  const message = `Velero refused ${named(record)}: ${words}. Mend that, then create another Backup`;
  return { state: 'Failed', reason: reasons.VeleroValidationFailed, message };
}

function failed(record: VeleroRecord, { status }: VeleroBackup): Verdict {
  const words = status?.failureReason?.slice(0, wordsLimit) || 'it does not say why';
  const message = `${named(record)} has failed: ${words}. Read more by: ${logsOf(record)}; mend that, then create another Backup`;
  return { state: 'Failed', reason: reasons.VeleroFailed, message };
}

function deleting(record: VeleroRecord): Verdict {
  return {
    state: 'Failed',
    reason: reasons.VeleroBackupDeleted,
    message: `${named(record)} is being deleted, and was not seen complete. Create another Backup`,
  };
}

function logsOf({ namespace, backupName }: VeleroRecord): string {
  return `velero -n ${namespace} backup logs ${backupName}`;
}
