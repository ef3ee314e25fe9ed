import type { FailoverPoolStatus, RecorderReportStatus, RecordingServer, Role } from '../../crds/index.js';
import { isHolder, roleEntry } from '../roles.js';
import { credible } from '../takeover/epochs.js';
import type { Assignment } from '../types.js';

/** What an assignment depends on, besides the pool's status. */
export type AssignedServer = Pick<RecordingServer, 'spec' | 'status'> & {
  readonly metadata: { readonly name: string; readonly uid?: string | undefined };
};

/**
 * How it stands with the role that a server records, when another pool than its own decides over that role: it moved to
 * another pool, or left, while it held it. `Held`: nobody else has proved that the role is recorded.
 */
export type ForeignRole = 'Held' | 'HandedOver';

/**
 * The assignment that is found beside a server's status: on its Lease, or in the word of its present pod. A recorder
 * follows the highest epoch that it knows, and its volume may remember a later one than anything that the API server
 * still has (a restored cluster, an older baseline): below that it would never hear what it is assigned.
 */
export function foundAssignment(
  lease: Assignment | undefined,
  report: Pick<RecorderReportStatus, 'role' | 'epoch' | 'podUID'> | undefined,
  podUID: string | undefined,
): Assignment | undefined {
  const speaks = podUID !== undefined && report?.podUID === podUID && credible(report.epoch) > 0;
  const said = speaks ? { role: report.role ?? '', epoch: credible(report.epoch) } : undefined;
  const shown = credible(lease?.epoch) > 0 ? lease : undefined;
  return said !== undefined && said.epoch > (shown?.epoch ?? 0) ? said : shown;
}

/**
 * What the server has been assigned until now. `found` is what its Lease or its recorder shows: it counts when status was
 * lost (re-applied from Git, restored), so that nobody stops recording for want of a status.
 */
export function presentAssignment(server: AssignedServer, found: Assignment | undefined): Assignment | undefined {
  const { servingRole, epoch } = server.status ?? {};
  const known = servingRole === undefined ? undefined : { role: servingRole, epoch: Math.max(1, epoch ?? 1) };
  return found !== undefined && found.epoch > (known?.epoch ?? 0) ? found : known;
}

/** Without a decision by a pool a Standard server serves its own role, and a standby none. */
function own(server: AssignedServer, epoch: number, elsewhere: number | undefined): Assignment {
  if (server.spec.type !== 'Standard') return { role: '', epoch: Math.max(1, epoch) };
  // Above the substitute's epoch, or the pool that it left would never hear that it records its role again.
  return { role: server.metadata.name, epoch: Math.max(1, epoch, (elsewhere ?? 0) + 1) };
}

function keepsUntilHandover(entry: Role | undefined): entry is Role {
  return entry !== undefined && entry.handedOverTime === undefined;
}

/** A role that it held, has lost, and may not leave yet: the new holder has not proved recording (law 6). */
function overlap(
  server: AssignedServer,
  now: Assignment | undefined,
  status: FailoverPoolStatus,
): Assignment | undefined {
  const recording = now === undefined ? undefined : roleEntry(status, now.role);
  if (now !== undefined && keepsUntilHandover(recording)) return now;
  const left = status.roles?.find((role) => role.previousHolder === server.metadata.name);
  // It was reset by a lost status in the middle of the takeover: it goes on below the new holder's epoch.
  if (now === undefined && keepsUntilHandover(left)) return { role: left.name, epoch: Math.max(1, left.epoch - 1) };
  return undefined;
}

function projected(
  server: AssignedServer,
  status: FailoverPoolStatus | undefined,
  now: Assignment | undefined,
  { foreign, elsewhere }: { readonly foreign: ForeignRole | undefined; readonly elsewhere: number | undefined },
): Assignment {
  const epoch = now?.epoch ?? 1;
  const { name, uid = '' } = server.metadata;
  if (server.spec.poolRef === undefined)
    return now !== undefined && foreign === 'Held' ? now : own(server, epoch, elsewhere);
  if (status?.epoch === undefined)
    return foreign === 'HandedOver' ? { role: '', epoch } : (now ?? own(server, epoch, elsewhere));
  const held = status.roles?.find((role) => isHolder(role, { name, uid }));
  if (held !== undefined) return { role: held.name, epoch: Math.max(held.epoch, server.status?.epoch ?? 0) };
  const kept = overlap(server, now, status);
  if (kept !== undefined) return kept;
  const taken = roleEntry(status, now?.role || name);
  // Assigned later than anything that this pool has decided: its memory is older than the world, and it adopts this. Not
  // so the own role of one that has become a standby: it has none, whatever it remembers.
  const isOwnAsStandby = server.spec.type === 'Failover' && now?.role === name;
  if (taken !== undefined && now !== undefined && now.role !== '' && now.epoch > status.epoch && !isOwnAsStandby)
    return now;
  if (taken !== undefined) return { role: '', epoch: now?.role === '' ? epoch : Math.max(epoch, taken.epoch) };
  // A role of which the pool does not know yet: it adopts what it finds (law 2), so nothing stops before that.
  const mayBeAdopted = now !== undefined && now.role !== '' && now.role !== name && foreign !== 'HandedOver';
  return mayBeAdopted ? now : own(server, epoch, elsewhere);
}

/**
 * What a server is to record, as a projection of its pool's status: the holder of a role records it at the role's
 * epoch; a previous holder goes on until the handover time (law 6); one that lost its role has none, at the epoch at
 * which it lost it. Without a pool, or while its pool has decided nothing yet, things stay as they are, and a Standard
 * server that has none serves its own role. Every change of role raises the epoch, and no epoch is ever lowered.
 *
 * @param status status of the FailoverPool in spec.poolRef; undefined when the server names none, or it is not there.
 * @param found what is found beside the status; see `foundAssignment`.
 * @param foreign how it stands with the present role when another pool, or none, decides over it.
 * @param elsewhere epoch at which another pool than its own has given its own role to a substitute.
 */
export function assignmentOf(
  server: AssignedServer,
  status: FailoverPoolStatus | undefined,
  found?: Assignment,
  foreign?: ForeignRole,
  elsewhere?: number,
): Assignment {
  const now = presentAssignment(server, found);
  const next = projected(server, status, now, { foreign, elsewhere });
  if (now === undefined || next.role === now.role || next.epoch > now.epoch) return next;
  return { role: next.role, epoch: now.epoch + 1 };
}
