import { type CameraAssignmentStatus, type Reason, type RecordingServer, reasons } from '../../crds/index.js';
import type { RoleState } from '../roles.js';
import type { CameraViewSpec } from '../views.js';

type BoundTo = NonNullable<CameraAssignmentStatus['boundTo']>;

/** What is known of a camera when its binding is worked out. */
export interface BindingInput {
  readonly spec: CameraViewSpec;
  readonly name: string;
  readonly previous: BoundTo | undefined;
  readonly role: RoleState;
  /** Why the substitute leaves it behind (rules 4 and 5); absent when it is taken along, or at home. */
  readonly leftBehind?: Reason | undefined;
  readonly now: Date;
}

/** Who records a camera, or why nobody does. */
export interface Binding {
  readonly boundTo?: BoundTo | undefined;
  readonly bound: boolean;
  readonly reason: Reason;
  readonly message: string;
  /** Only a person can help. */
  readonly stalled: boolean;
}

const unbound = (reason: Reason, message: string, stalled: boolean): Binding => ({
  bound: false,
  reason,
  message,
  stalled,
});

/** Why the camera belongs to nobody, whatever its kind. */
function homeless({ spec, role }: BindingInput): Binding | undefined {
  const home = spec.serverRef.name;
  if (role.holder) return undefined;
  if (role.home?.spec.type === 'Failover') {
    const message = `spec.serverRef names ${home}, a server of type Failover, which has no role of its own; name one of type Standard`;
    return unbound(reasons.ServerHasNoRole, message, true);
  }
  if (role.role && role.role.holder !== home) {
    return unbound(reasons.HolderNotRunning, `The role ${home} was held by ${role.role.holder}, which is gone`, false);
  }
  const message = `spec.serverRef names ${home}, which does not exist; create that RecordingServer or name another`;
  return unbound(reasons.ServerNotFound, message, true);
}

/** The camera stays behind when its role is held by a substitute (rules 4 and 5). */
function leftBehind({ leftBehind: reason, role }: BindingInput): Binding | undefined {
  const holder = role.holder?.metadata.name;
  switch (reason) {
    case undefined:
      return undefined;
    case reasons.AnalogNotTransferable: {
      const message = `An analogue camera hangs on the capture card of ${role.name} and can't be recorded by ${holder}`;
      return unbound(reason, message, true);
    }
    case reasons.PriorityNever:
      return unbound(reason, `spec.priority is Never: it is not transferred to ${holder}`, false);
    default:
      return unbound(reason, `The capacity of ${holder} is used up by cameras of higher priority`, true);
  }
}

/**
 * While nobody decides over the role, what was once bound at a later epoch stays there: the API server refuses a binding
 * whose epoch falls, and the pool goes on above every epoch that it finds.
 */
function bindingEpoch({ role, previous }: BindingInput): number {
  return role.frozen && previous?.role === role.name ? Math.max(role.epoch, previous.epoch) : role.epoch;
}

function boundTo(input: BindingInput, holder: RecordingServer): BoundTo {
  const { role, previous, now } = input;
  const server = holder.metadata.name;
  const epoch = bindingEpoch(input);
  const same = previous?.role === role.name && previous.server === server && previous.epoch === epoch;
  const podName = holder.status?.podName;
  return {
    role: role.name,
    server,
    ...(podName === undefined ? {} : { podName }),
    epoch,
    startTime: same ? previous.startTime : (role.role?.startTime ?? now.toISOString()),
  };
}

/** The binding of a camera: a projection of who holds its role. */
export function bindingOf(input: BindingInput): Binding {
  const { role } = input;
  const obstacle = homeless(input) ?? leftBehind(input);
  if (obstacle) return obstacle;
  // homeless() has dealt with a role without a holder.
  const holder = role.holder as RecordingServer;
  const name = holder.metadata.name;
  const binding = { boundTo: boundTo(input, holder), stalled: false };
  if (holder.status?.podUID === undefined) {
    return { ...binding, bound: false, reason: reasons.HolderNotRunning, message: `${name} has no running pod yet` };
  }
  return { ...binding, bound: true, reason: reasons.Bound, message: `Assigned to ${name}` };
}
