import { childNames } from '../../../src/crds/index.js';
import { leaderLease } from '../operator/replica.js';
import type { WriteRecord } from '../proxy/fault-proxy.js';

/** How often each object was created and deleted, by 'create plural name'. */
export type WriteCounts = ReadonlyMap<string, number>;

/** Writes that a case is about: Events are told at a rate of their own, and the operator's own Lease is no result. */
export function isOfInterest({ identity, request }: WriteRecord): boolean {
  return request.resource !== 'events' && !identity.endsWith(` ${leaderLease}`);
}

/**
 * Counts what the API server has applied. Server-side apply creates, too: the answer says which it was. `removed`: servers
 * whose children do not count. Garbage collection takes them away while the operator may not have heard why.
 */
export function countWrites(writes: readonly WriteRecord[], removed: ReadonlySet<string> = new Set()): WriteCounts {
  const counts = new Map<string, number>();
  const children = new Set([...removed].flatMap(ownChildren));
  for (const write of writes.filter(isOfInterest)) {
    const { request, status = 0 } = write;
    if (children.has(`${request.resource} ${request.name}`)) continue;
    const created = status === 201;
    const deleted = request.verb === 'delete' && status >= 200 && status < 300;
    if (!created && !deleted) continue;
    const key = `${created ? 'create' : 'delete'} ${request.resource} ${request.name}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

/** What a server owns alone, as 'plural name'. The Service of its role is not: that outlives it. */
function ownChildren(server: string): string[] {
  const access = ['serviceaccounts', 'roles', 'rolebindings'].map((plural) => `${plural} ${childNames.access(server)}`);
  return [
    `pods ${childNames.pod(server)}`,
    `leases ${childNames.lease(server)}`,
    `recorderreports ${childNames.report(server)}`,
    `poddisruptionbudgets ${childNames.disruptionBudget(server)}`,
    ...access,
  ];
}

/** Where the counts differ, one line each. */
export function countDifferences(expected: WriteCounts, found: WriteCounts): string[] {
  const keys = [...new Set([...expected.keys(), ...found.keys()])].sort();
  return keys
    .filter((key) => (expected.get(key) ?? 0) !== (found.get(key) ?? 0))
    .map((key) => `${key}: expected ${expected.get(key) ?? 0} times, found ${found.get(key) ?? 0} times`);
}

const ownKinds = /^(recordingservers|failoverpools|cameraassignments|backups|recorderreports)$/;

/** Law 1: the operator never writes the spec of a kind of ours; a Backup and a report it creates. */
export function specWrites(writes: readonly WriteRecord[]): string[] {
  return writes
    .filter(({ request }) => ownKinds.test(request.resource))
    .filter(({ request }) => request.verb === 'update' || request.verb === 'patch' || isCreateOfPeoples(request))
    .filter(({ request }) => !touchesMetadataOnly(request.body))
    .map(({ identity }) => `law 1: the operator wrote to a spec: ${identity}`);
}

function isCreateOfPeoples({ verb, resource }: WriteRecord['request']): boolean {
  return verb === 'create' && resource !== 'backups' && resource !== 'recorderreports';
}

function touchesMetadataOnly(body: Buffer): boolean {
  const object = JSON.parse(body.toString('utf8')) as { spec?: unknown };
  return object.spec === undefined;
}
