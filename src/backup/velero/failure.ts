import { type Reason, reasons, type VeleroSettings } from '../../crds/index.js';
import { type ApiError, isApiError } from '../../operator/index.js';
import { BackupError } from '../engine.js';

const then = 'then make another Backup';

/**
 * True when the object alone is missing, and not its kind: only who knows the kind answers with a Status. (A 404 without
 * one means that Velero's kinds are not installed.)
 */
export function isAbsent(error: unknown): boolean {
  return isApiError(error, 'notFound') && error.reason === 'NotFound';
}

/**
 * Says what of Velero is in the way and what to do. Hands on what is none of Velero's: aborts, an API server that is out
 * of order. A missing namespace must not pass as our own object's end, which ends the work in silence.
 */
export function veleroFailure(error: unknown, settings: VeleroSettings): unknown {
  if (!isApiError(error)) return error;
  const verdict = verdictOn(error, settings);
  return verdict ? new BackupError(verdict.reason, verdict.text, { cause: error }) : error;
}

function verdictOn(error: ApiError, { namespace }: VeleroSettings): { reason: Reason; text: string } | undefined {
  switch (error.kind) {
    case 'notFound':
      return {
        reason: reasons.VeleroNotInstalled,
        text:
          error.reason === 'NotFound'
            ? `there is no namespace ${namespace}: install Velero there, or correct spec.backup.velero.namespace of the pool; ${then}`
            : `this cluster does not know Velero's kinds (velero.io/v1): install Velero, or choose another engine in spec.backup.engine of the pool; ${then}`,
      };
    case 'namespaceTerminating':
      return {
        reason: reasons.VeleroNotInstalled,
        text: `the namespace ${namespace} of Velero is being deleted: install Velero again, or correct spec.backup.velero.namespace of the pool; ${then}`,
      };
    case 'forbidden':
      return forbidden(error, namespace);
    case 'invalid':
    case 'terminal':
      return {
        reason: reasons.EngineRefused,
        text: `the API server refused what Velero is asked for: ${error.message}; mend that, ${then}`,
      };
    default:
      return undefined;
  }
}

function forbidden({ message }: ApiError, namespace: string): { reason: Reason; text: string } {
  if (/exceeded quota/i.test(message)) {
    return {
      reason: reasons.EngineRefused,
      text: `a quota of namespace ${namespace} stands in the way: ${message}. Raise it, ${then}`,
    };
  }
  return {
    reason: reasons.NotPermitted,
    text:
      `the operator lacks a permission in the namespace ${namespace} of Velero: ${message}. Set velero.enabled of its chart, ` +
      `and velero.namespace to ${namespace}; ${then}`,
  };
}
