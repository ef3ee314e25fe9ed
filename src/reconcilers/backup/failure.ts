import { BackupError } from '../../backup/index.js';
import { type Reason, reasons } from '../../crds/index.js';
import { isApiError } from '../../operator/index.js';

export interface Failure {
  readonly reason: Reason;
  readonly message: string;
}

/** What only a person can mend, as it is said on the object; undefined for what may pass (or must not be written at all). */
export function failureOf(error: unknown): Failure | undefined {
  if (error instanceof BackupError) return error.mayPass ? undefined : { reason: error.reason, message: error.message };
  if (isApiError(error, 'forbidden') && /quota/i.test(error.message)) {
    return refused(`a quota stands in the way: ${error.message}. Raise it for Secrets`);
  }
  if (isApiError(error, 'forbidden')) {
    return {
      reason: reasons.NotPermitted,
      message:
        `the operator lacks a permission: ${error.message}. Grant it get, create and delete on Secrets of this ` +
        'namespace, delete this Backup and create another',
    };
  }
  if (isApiError(error, 'invalid', 'terminal')) return refused(`the API server refused the baseline: ${error.message}`);
  return undefined;
}

/**
 * What has failed for good although it might have passed: it did not within the time that the pool gives. The reason is
 * the engine's own, if it gave one. What is not known to be fit for people to read stays in the log.
 */
export function overdueFailure(error: unknown, limitMs: number): Failure {
  const known = error instanceof BackupError || isApiError(error);
  const last = known ? error.message : "an error that this operator does not know; the operator's log has it";
  return {
    reason: error instanceof BackupError ? error.reason : reasons.DeadlineExceeded,
    message:
      `it could not be made within ${Math.round(limitMs / 1000)} s (spec.backup.retrySeconds of the pool); ` +
      `the last try met: ${last}. Mend that, delete this Backup and create another`,
  };
}

function refused(what: string): Failure {
  return { reason: reasons.EngineRefused, message: `${what}; then delete this Backup and create another` };
}
