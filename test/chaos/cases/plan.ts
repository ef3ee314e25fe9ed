import { shuffled } from '../run/random.js';
import type { Workload } from '../workloads/index.js';
import { allKinds, type FaultCase, watchFaults, writeFaults } from './case.js';
import type { Reference } from './run-case.js';

/** What the operator watches, and a fault of its watch may change what it does. */
export const watchedKinds = [
  ...[allKinds, 'recordingservers', 'failoverpools', 'cameraassignments', 'recorderreports', 'backups'],
  ...['pods', 'leases', 'persistentvolumeclaims', 'services', 'serviceaccounts', 'roles', 'rolebindings'],
  'poddisruptionbudgets',
] as const;

/**
 * Every case of a workload: each write with each of its faults, each watch with each of its own. Of a watch that brings
 * nothing no event can be late or lost, but it can end.
 */
export function casesOf(
  { name: workload, alsoWatches = [] }: Pick<Workload, 'name' | 'alsoWatches'>,
  { writes, changedKinds }: Pick<Reference, 'writes' | 'changedKinds'>,
): FaultCase[] {
  const ofWrites = writeFaults.flatMap((fault) =>
    writes.map(({ identity, occurrence }): FaultCase => ({ workload, fault, write: identity, occurrence })),
  );
  const kinds = [...watchedKinds, ...alsoWatches];
  const ofWatches = watchFaults.flatMap((fault) =>
    kinds
      .filter((kind) => fault === 'expire' || kind === allKinds || changedKinds.has(kind))
      .map((kind): FaultCase => ({ workload, fault, kind })),
  );
  return [...ofWrites, ...ofWatches];
}

/**
 * The order in which cases are run: by chance, but each fault of each workload has had its turn before any has its next,
 * so that a short run sees something of everything.
 */
export function inOrder(cases: readonly FaultCase[], random: () => number): FaultCase[] {
  const groups = new Map<string, FaultCase[]>();
  for (const one of shuffled(cases, random)) {
    const group = `${one.workload}/${one.fault}`;
    groups.set(group, [...(groups.get(group) ?? []), one]);
  }
  const ranked = [...groups.values()].flatMap((group) => group.map((one, rank) => ({ one, rank })));
  return shuffled(ranked, random)
    .sort((a, b) => a.rank - b.rank)
    .map(({ one }) => one);
}
