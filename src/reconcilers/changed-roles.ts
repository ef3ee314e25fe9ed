import type { FailoverPool } from '../crds/index.js';
import { deepEqual } from '../operator/index.js';
import { hasDecided } from './roles.js';

/** What one change of a pool means to the projections of its roles. */
export interface RoleChanges {
  /** Every member and camera: the pool came, went, or has decided for the first time. */
  readonly all: boolean;
  /** Roles whose holder, epoch or handover is another one now. */
  readonly roles: readonly string[];
  /** Servers that were or are part of such a change, or of the running failover. */
  readonly servers: readonly string[];
}

function partiesOf(pool: FailoverPool | undefined): string[] {
  const current = pool?.status?.current;
  return current ? [current.server, current.standby] : [];
}

/** Compares two states of a pool, so that one moved role does not wake a thousand servers. */
export function changedRoles(next: FailoverPool | undefined, previous: FailoverPool | undefined): RoleChanges {
  const all = !next || !previous || hasDecided(next) !== hasDecided(previous);
  const before = new Map((previous?.status?.roles ?? []).map((role) => [role.name, role]));
  const after = new Map((next?.status?.roles ?? []).map((role) => [role.name, role]));
  const roles = [...new Set([...before.keys(), ...after.keys()])].filter(
    (name) => !deepEqual(before.get(name), after.get(name)),
  );
  const holders = roles
    .flatMap((name) => [name, before.get(name)?.holder, after.get(name)?.holder, after.get(name)?.previousHolder])
    .filter((name) => name !== undefined);
  const running = deepEqual(next?.status?.current, previous?.status?.current)
    ? []
    : [...partiesOf(next), ...partiesOf(previous)];
  return { all, roles, servers: [...new Set([...holders, ...running])] };
}
