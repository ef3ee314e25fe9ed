import { BackupError } from '../../backup/index.js';
import { type Reason, reasons } from '../../crds/index.js';
import { isApiError } from '../../operator/index.js';

export interface Failure {
  readonly reason: Reason;
  readonly message: string;
  /** Worth another try: said on the object, and final only by the caller's deadline. */
  readonly retryable?: boolean;
}

/** What has to be said of it on the object; undefined for what the API server is to blame for (or must not be written at all). */
export function failureOf(error: unknown): Failure | undefined {
  if (error instanceof BackupError) return error;
  if (isApiError(error, 'forbidden') && /quota/i.test(error.message)) {
    return refused(`a quota stands in the way: ${error.message}. Raise it for Secrets`);
  }
  if (isApiError(error, 'forbidden')) {
    return {
      reason: reasons.NotPermitted,
      message:
        `the operator lacks a permission: ${error.message}. Grant it get, create and delete on Secrets of this ` +
        'namespace, delete this Backup and create another',
      retryable: false,
    };
  }
  if (isApiError(error, 'invalid', 'terminal')) return refused(`the API server refused the baseline: ${error.message}`);
  return undefined;
}

function refused(what: string): Failure {
  return {
    reason: reasons.EngineRefused,
    message: `${what}; then delete this Backup and create another`,
    retryable: false,
  };
}
