import { childNames } from '../../crds/index.js';
import { acknowledged } from '../../failover/takeover/proof.js';
import type { Assignment } from '../../failover/types.js';
import type { RoleState } from '../roles.js';
import type { Stores } from '../stores.js';
import type { CameraView } from '../views.js';

/** What decides whether a recorder has to release cameras before the handover. */
export interface SupersededInput {
  readonly assignment: Assignment;
  readonly role: RoleState | undefined;
  readonly holdsRole: boolean;
  readonly cameras: readonly CameraView[];
}

/** The new holder is there and tries: before that a released camera would be recorded by nobody. */
function takenUp(stores: Stores, { namespace, name, pool, role, holder }: RoleState, epoch: number): boolean {
  const current = pool?.status?.current;
  if (current?.role === name && current.epoch === role?.epoch && current.acknowledgedTime !== undefined) return true;
  if (holder === undefined) return false;
  const report = stores.reports.get(`${namespace}/${childNames.report(holder.metadata.name)}`)?.status;
  return acknowledged({ report, podUID: holder.status?.podUID }, name, epoch);
}

/**
 * Law 6, reversed: the epoch at which another recorder takes over the role that this one still records. Cameras that
 * allow one session only must be released then, or the new holder could never prove them; all others go on until the
 * handover. Undefined while nobody has taken the role up, and for roles without such cameras: then nothing is written.
 */
export function supersededEpoch(stores: Stores, input: SupersededInput): number | undefined {
  const { assignment, role, holdsRole, cameras } = input;
  const entry = role?.role;
  if (role === undefined || entry === undefined || holdsRole || entry.handedOverTime !== undefined) return undefined;
  if (entry.epoch <= assignment.epoch || !cameras.some(({ spec }) => spec.source.maxSessions === 1)) return undefined;
  return takenUp(stores, role, entry.epoch) ? entry.epoch : undefined;
}
