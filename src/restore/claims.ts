import { labels, type RecordingServer } from '../crds/index.js';
import type { Assignment } from '../failover/types.js';

/** What a Lease or a report shows of a recorder. */
export interface ShownAssignment extends Assignment {
  readonly server: string;
}

/** A server that says, by status, Lease or report, that it serves a role. */
export interface Claim extends Assignment {
  readonly server: RecordingServer;
}

/**
 * Law 2: who serves which role by the servers' own word. A home that was given its own role by default, at epoch 1 and
 * without ever having been ready, says nothing: so does every home that has just been made.
 */
export function claimsOf(
  servers: Iterable<RecordingServer>,
  shown: readonly ShownAssignment[],
  pool: string,
): ReadonlyMap<string, Claim> {
  const claims = new Map<string, Claim>();
  for (const server of servers) {
    const claim = server.spec.poolRef?.name === pool ? claimOf(server, shown) : undefined;
    const known = claim && claims.get(claim.role);
    if (claim !== undefined && (known === undefined || known.epoch < claim.epoch)) claims.set(claim.role, claim);
  }
  return claims;
}

function claimOf(server: RecordingServer, shown: readonly ShownAssignment[]): Claim | undefined {
  const { name } = server.metadata;
  const found: Assignment[] = [
    { role: server.status?.servingRole ?? '', epoch: server.status?.epoch ?? 0 },
    ...shown.filter((assignment) => assignment.server === name),
  ];
  const latest = found.reduce((one, other) => (other.epoch > one.epoch ? other : one));
  const byDefault = latest.role === name && latest.epoch <= 1 && server.status?.everReadyTime === undefined;
  return latest.role === '' || byDefault ? undefined : { role: latest.role, epoch: latest.epoch, server };
}

/** The assignment in the annotations of a recorder's Lease. */
export function leaseClaim({
  metadata,
}: {
  readonly metadata: { readonly labels?: Record<string, string>; readonly annotations?: Record<string, string> };
}): ShownAssignment {
  const { annotations = {} } = metadata;
  return {
    server: metadata.labels?.[labels.server] ?? '',
    role: annotations[labels.leaseServingRole] ?? '',
    epoch: Number(annotations[labels.leaseEpoch]) || 0,
  };
}
