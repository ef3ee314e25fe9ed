import type { FailoverPoolStatus } from '../../../src/crds/index.js';
import { isTrue } from '../../scenario/summary.js';
import { clock } from './clock.js';
import type { Evidence, Versions } from './evidence.js';
import { knownToBeOut } from './hits.js';

type Entry = NonNullable<FailoverPoolStatus['history']>[number];

/** What was broken of that which holds in every version of every object, whatever the fault. */
export function lawViolations(evidence: Evidence): string[] {
  return [
    ...oneHolderARole(evidence),
    ...epochsOnlyGrow(evidence),
    ...noTakeoverByTheBroken(evidence),
    ...oneBaselineAFailover(evidence),
    ...specsUntouched(evidence),
  ];
}

// --- one holder a role

interface Claim {
  readonly role: string;
  readonly epoch: number;
  readonly server: string;
  readonly atMs: number;
  readonly where: string;
}

/** Law 2: whoever says who holds a role in an epoch, says the same. */
function oneHolderARole(evidence: Evidence): string[] {
  const first = new Map<string, Claim>();
  const found = new Map<string, string>();
  for (const claim of claimsOf(evidence)) {
    const key = `${claim.role}@${claim.epoch}`;
    const other = first.get(key) ?? claim;
    first.set(key, other);
    if (other.server === claim.server) continue;
    const line = `the role ${claim.role} has two holders in epoch ${claim.epoch}: ${told(other)}, and ${told(claim)}`;
    if (!found.has(key)) found.set(key, line);
  }
  return [...found.values()];
}

const told = ({ server, where, atMs }: Claim): string => `${server} by ${where} at ${clock(atMs)}`;

function claimsOf({ pools, servers, cameras, reports }: Evidence): Claim[] {
  const ofPools = flat(pools, ({ status }, atMs): Claim[] =>
    (status?.roles ?? []).map(({ name, epoch, holder }) => ({
      ...{ role: name, epoch, server: holder, atMs },
      where: 'the pool',
    })),
  );
  const ofServers = flat(servers, ({ metadata, status }, atMs): Claim[] => {
    const { servingRole = '', epoch } = status ?? {};
    if (servingRole === '' || epoch === undefined) return [];
    return [{ role: servingRole, epoch, server: metadata.name, atMs, where: 'its status' }];
  });
  const ofCameras = flat(cameras, ({ metadata, status }, atMs): Claim[] => {
    const bound = status?.boundTo;
    return bound === undefined
      ? []
      : [{ role: bound.role, epoch: bound.epoch, server: bound.server, atMs, where: `camera ${metadata.name}` }];
  });
  const ofReports = flat(reports, ({ metadata, status }, atMs): Claim[] => {
    const { role = '', epoch } = status ?? {};
    if (role === '' || epoch === undefined) return [];
    return [{ role, epoch, server: metadata.name, atMs, where: 'its own report' }];
  });
  return [...ofPools, ...ofServers, ...ofCameras, ...ofReports].sort((a, b) => a.atMs - b.atMs);
}

function flat<T, R>(versions: Versions<T>, of: (object: T, atMs: number) => R[]): R[] {
  return [...versions.values()].flatMap((sightings) =>
    sightings.filter(({ type }) => type !== 'DELETED').flatMap(({ object, atMs }) => of(object, atMs)),
  );
}

// --- epochs

function epochsOnlyGrow({ pools, servers, cameras }: Evidence): string[] {
  return [
    ...falls(pools, 'pool', ({ status }) => [['', status?.epoch]]),
    ...falls(pools, 'pool', ({ status }) =>
      (status?.roles ?? []).map(({ name, epoch }): [string, number] => [` role ${name}`, epoch]),
    ),
    ...falls(servers, 'server', ({ status }) => [['', status?.epoch]]),
    ...falls(cameras, 'camera', ({ status }) => [['', status?.boundTo?.epoch]]),
  ];
}

/** Where a number is smaller than in an earlier version. */
function falls<T>(
  versions: Versions<T>,
  kind: string,
  epochsIn: (object: T) => readonly (readonly [string, number | undefined])[],
): string[] {
  return [...versions].flatMap(([name, sightings]) => {
    const highest = new Map<string, number>();
    const found: string[] = [];
    for (const { object, atMs } of sightings) {
      for (const [what, epoch] of epochsIn(object)) {
        const before = highest.get(what) ?? 0;
        if (epoch === undefined) continue;
        if (epoch < before)
          found.push(`the epoch of ${kind} ${name}${what} fell from ${before} to ${epoch} at ${clock(atMs)}`);
        highest.set(what, Math.max(before, epoch));
      }
    }
    return found;
  });
}

// --- takeovers

/** Entries of the pool's history that the case has added, oldest first. */
export function newEntries({ pools }: Pick<Evidence, 'pools'>): Entry[] {
  return [...pools.values()].flatMap((sightings) => {
    const before = highestEpoch(sightings[0]?.object.status?.history);
    const entries = sightings.at(-1)?.object.status?.history ?? [];
    return entries.filter(({ epoch }) => epoch > before).toReversed();
  });
}

function highestEpoch(history: readonly { readonly epoch: number }[] | undefined): number {
  return Math.max(0, ...(history ?? []).map(({ epoch }) => epoch));
}

/** Who had been out for long enough to be known to be, by what was done to it, must not be given a role. */
function noTakeoverByTheBroken(evidence: Evidence): string[] {
  return newEntries(evidence).flatMap(({ to, epoch, committedTime }) => {
    const hit = knownToBeOut(evidence.hits, to, Date.parse(committedTime));
    if (hit === undefined) return [];
    return [
      `${to} was given the role in epoch ${epoch} at ${committedTime}, out by ${hit.fault} since ${clock(hit.atMs)}`,
    ];
  });
}

// --- baselines

function oneBaselineAFailover(evidence: Evidence): string[] {
  const entries = newEntries(evidence);
  const before = evidence.startMs;
  const made = [...evidence.backups].filter(([, sightings]) => madeSince(sightings[0]?.object, before));
  const twice = made.filter(([, sightings]) => new Set(sightings.map(({ object }) => object.metadata.uid)).size > 1);
  const named = new Set(entries.map(({ backupName }) => backupName));
  const strange = made.filter(([name]) => !named.has(name));
  const missing = entries.filter(({ outcome, backupName }) => {
    const last = evidence.backups.get(backupName ?? '')?.at(-1)?.object;
    return outcome === 'Completed' && !isTrue(last, 'Complete');
  });
  // Only who makes the baseline can be late with it.
  const excused = evidence.hits.some(({ operatorLost }) => operatorLost !== 'none');
  const late = entries.filter(
    ({ outcome }) => !excused && (outcome === 'BaselineLate' || outcome === 'BaselineFailed'),
  );
  return [
    ...twice.map(([name]) => `the baseline ${name} was made more than once`),
    ...strange.map(([name]) => `the baseline ${name} belongs to no failover`),
    ...missing.map(({ epoch, backupName }) => `the failover of epoch ${epoch} has no complete baseline ${backupName}`),
    ...late.map(({ epoch, outcome }) => `the failover of epoch ${epoch} ended with ${outcome}`),
  ];
}

function madeSince(object: { metadata: { creationTimestamp?: string | undefined } } | undefined, ms: number): boolean {
  // Kubernetes tells whole seconds.
  return Date.parse(object?.metadata.creationTimestamp ?? '') >= ms - 1_000;
}

// --- specs

/** Law 1: a spec has changed as often as we have changed it. */
function specsUntouched({ pools, servers, cameras, edits }: Evidence): string[] {
  const all: readonly [string, Versions<{ metadata: { generation?: number | undefined } }>][] = [
    ['pool', pools],
    ['server', servers],
    ['camera', cameras],
  ];
  return all.flatMap(([kind, versions]) =>
    [...versions].flatMap(([name, sightings]) => {
      const [first, last] = [sightings[0]?.object.metadata.generation, sightings.at(-1)?.object.metadata.generation];
      const ours = edits.get(`${kind}/${name}`) ?? 0;
      const changes = (last ?? 0) - (first ?? 0);
      if (changes === ours) return [];
      return [`the spec of ${kind} ${name} was changed ${changes} times, ${ours} times by us`];
    }),
  );
}
