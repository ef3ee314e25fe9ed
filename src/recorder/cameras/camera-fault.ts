import type { ReportedCamera } from '../../crds/recorder-report.js';
import type { FailureKind } from '../engine/engine.js';

type Fault = NonNullable<ReportedCamera['failure']>;

const FAULTS: Record<FailureKind, Fault> = {
  unreachable: 'Unreachable',
  refused: 'Unreachable',
  ended: 'Unreachable',
  unauthorized: 'Rejected',
  notFound: 'Rejected',
  format: 'Rejected',
  sessionLimit: 'SessionLimit',
  credentials: 'Credentials',
  storage: 'Local',
  engine: 'Local',
};

/** Whose fault a failure is, as the report tells it. */
export function faultOf(kind: FailureKind): Fault {
  return FAULTS[kind];
}

/**
 * Whether a failure is no news after the one before. A camera that is cut off answers now with a reset, now not at all:
 * that is one failure, and not a write of the report at every attempt.
 */
export function sameFailure(before: FailureKind | undefined, kind: FailureKind): boolean {
  if (before === undefined) return false;
  return before === kind || (faultOf(before) === 'Unreachable' && faultOf(kind) === 'Unreachable');
}
