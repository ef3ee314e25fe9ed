import { type CameraAssignmentStatus, type Reason, reasons } from '../../crds/index.js';
import type { Ledger } from '../../failover/gaps/gaps.js';
import { type Condition, setCondition } from '../../operator/index.js';
import { onSubstitute, type RoleState } from '../roles.js';
import type { Binding } from './binding.js';
import type { Recording } from './recording.js';

export interface CameraStatusInput {
  readonly generation: number | undefined;
  readonly previous: CameraAssignmentStatus | undefined;
  readonly role: RoleState;
  readonly binding: Binding;
  readonly recording: Recording;
  readonly ledger: Ledger;
  /** It is analogue, at home, and not ours to watch. */
  readonly unobserved: boolean;
  readonly now: Date;
}

interface Verdict {
  readonly status: Condition['status'];
  readonly reason: Reason;
  readonly message: string;
}

const yes = (reason: Reason, message: string): Verdict => ({ status: 'True', reason, message });
const no = (reason: Reason = reasons.AsExpected, message = ''): Verdict => ({ status: 'False', reason, message });

function substitution({ role, binding }: CameraStatusInput): Verdict {
  if (!onSubstitute(role)) return no(reasons.AtHome, '');
  const holder = role.holder?.metadata.name;
  if (!binding.boundTo) return no(binding.reason, binding.message);
  return yes(reasons.OnSubstitute, `${holder} records in place of ${role.name}`);
}

/** A camera recorded by a substitute is Ready, so that GitOps does not hang during an incident. */
function ready({ binding, recording, unobserved }: CameraStatusInput): Verdict {
  if (!binding.bound) return no(binding.reason, binding.message);
  if (unobserved || recording.status === 'True') return yes(recording.reason, recording.message);
  return { status: recording.status, reason: recording.reason, message: recording.message };
}

function reconciling({ binding, recording }: CameraStatusInput): Verdict {
  return recording.reconciling && !binding.stalled ? yes(recording.reason, recording.message) : no();
}

/** Absent as long as a camera has never had a gap. */
function ledgerFields({ gaps, totalSeconds }: Ledger): Pick<CameraAssignmentStatus, 'gaps' | 'gapSecondsTotal'> {
  return gaps.length === 0 && totalSeconds === 0 ? {} : { gaps: [...gaps], gapSecondsTotal: totalSeconds };
}

export function cameraStatus(input: CameraStatusInput): CameraAssignmentStatus {
  const { binding, recording, ledger, previous, generation, now } = input;
  const verdicts: Record<string, Verdict> = {
    Bound: { status: binding.bound ? 'True' : 'False', reason: binding.reason, message: binding.message },
    OnSubstitute: substitution(input),
    Ready: ready(input),
    Reconciling: reconciling(input),
    Recording: { status: recording.status, reason: recording.reason, message: recording.message },
    Stalled: binding.stalled ? yes(binding.reason, binding.message) : no(),
  };
  let conditions: Condition[] = [];
  for (const [type, verdict] of Object.entries(verdicts)) {
    const before = previous?.conditions?.filter((condition) => condition.type === type) as Condition[] | undefined;
    const observed = generation === undefined ? {} : { observedGeneration: generation };
    conditions = [...conditions, ...setCondition(before, { type, ...verdict, ...observed }, now)];
  }
  return {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    ...(binding.boundTo ? { boundTo: binding.boundTo } : {}),
    ...(recording.times ? { recording: recording.times } : {}),
    ...ledgerFields(ledger),
    conditions,
  };
}
