import type { EvidenceEntry } from '../crds/index.js';
import type { Draft, Policy } from './draft.js';
import { MOST_EVIDENCE } from './evidence.js';
import { findServer } from './roles.js';
import type { Evidence } from './types.js';

/**
 * The wall clock in milliseconds, but after the failures that are still to be dealt with: one that was set back must not
 * put a later failure in front of an earlier one.
 */
export function steadyWall({ record, input }: Draft): number {
  const broken = [...(record.queue ?? []), record.current].map((entry) => Date.parse(entry?.brokenTime ?? ''));
  const latest = Math.max(...broken.filter(Number.isFinite));
  const wall = input.now.wall.getTime();
  return wall < latest ? latest + 1 : wall;
}

/** Evidence as it is kept: with the time when it began, frozen. */
export function recordedEvidence(draft: Draft, evidence: readonly Evidence[]): EvidenceEntry[] {
  const wall = draft.input.now.wall.getTime();
  return evidence.slice(0, MOST_EVIDENCE).map(({ reason, message, time, ageMs }) => ({
    reason,
    message,
    time: time ?? new Date(wall - ageMs).toISOString(),
  }));
}

const same = (a: EvidenceEntry, b: EvidenceEntry): boolean => a.reason === b.reason && a.message === b.message;

/** What was known and what is new: nothing known is rewritten or dropped, and the list is bounded. */
function joined(known: readonly EvidenceEntry[] | undefined, seen: readonly EvidenceEntry[]): EvidenceEntry[] {
  const fresh = seen.filter((entry) => known?.some((other) => same(other, entry)) !== true);
  return [...(known ?? []), ...fresh].slice(0, MOST_EVIDENCE);
}

function seenOf(draft: Draft, name: string): EvidenceEntry[] {
  const health = findServer(draft.input, name)?.health;
  return health?.verdict === 'Broken' ? recordedEvidence(draft, health.evidence) : [];
}

/**
 * Evidence that comes after the judgement, such as a node that is called NotReady 40 s after its recorder fell silent,
 * is added while the failure waits or is dealt with. Only what is new is added, so a status at rest stays as it is.
 */
export const gatherEvidence: Policy = (draft) => {
  const { current, queue = [] } = draft.record;
  const next = queue.map((entry) => ({ ...entry, evidence: joined(entry.evidence, seenOf(draft, entry.server)) }));
  if (next.some(({ evidence }, index) => evidence.length !== (queue[index]?.evidence ?? []).length))
    draft.record.queue = next;
  // A planned move has no evidence, whatever becomes of its source.
  if (current?.evidence === undefined) return;
  const evidence = joined(current.evidence, seenOf(draft, current.server));
  if (evidence.length !== current.evidence.length) draft.record.current = { ...current, evidence };
};
