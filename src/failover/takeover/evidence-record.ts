import type { EvidenceEntry, HistoryEntry } from '../../crds/index.js';
import type { Draft, Policy } from '../draft.js';
import { MOST_EVIDENCE } from '../health/evidence.js';
import { findServer } from '../roles.js';
import type { Evidence } from '../types.js';

/**
 * What began so long after the failure is no evidence of it any more, but of its repair. Milliseconds; a node is called
 * NotReady within a minute, a volume that can't be mounted within three.
 */
const GATHER_MS = 600_000;

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

/** All that is seen of a server while it is broken; nothing otherwise. */
function seenOf(draft: Draft, name: string): readonly Evidence[] {
  const health = findServer(draft.input, name)?.health;
  return health?.verdict === 'Broken' ? health.evidence : [];
}

/** The failure of an entry of the history still lasts: the trigger's own evidence is the very same. */
function lasts(entry: HistoryEntry, [first]: readonly Evidence[]): boolean {
  return (
    first !== undefined &&
    entry.evidence?.some(
      ({ reason, message, time }) =>
        reason === first.reason && message === first.message && (first.time === undefined || time === first.time),
    ) === true
  );
}

function gatheredLater(draft: Draft, entry: HistoryEntry): EvidenceEntry[] {
  const seen = seenOf(draft, entry.from);
  if (!lasts(entry, seen)) return [];
  const broken = Date.parse(entry.brokenTime ?? entry.committedTime);
  return recordedEvidence(draft, seen).filter(({ time }) => Date.parse(time) <= broken + GATHER_MS);
}

/** The entries with what was seen since; the very same list when there is nothing new. */
function completed<T extends { readonly evidence?: EvidenceEntry[] | undefined }>(
  entries: T[],
  seen: (entry: T) => readonly EvidenceEntry[],
): T[] {
  const next = entries.map((entry) => {
    const evidence = joined(entry.evidence, seen(entry));
    return evidence.length === (entry.evidence ?? []).length ? entry : { ...entry, evidence };
  });
  return next.some((entry, index) => entry !== entries[index]) ? next : entries;
}

/**
 * Evidence that comes after the judgement is added, such as a node that is called NotReady 40 s after its recorder fell
 * silent: while the failure waits or is dealt with, and to its entry in the history as long as it lasts. Only what is
 * new is added, so a status at rest stays as it is.
 */
export const gatherEvidence: Policy = (draft) => {
  const { record } = draft;
  const seen = (server: string): EvidenceEntry[] => recordedEvidence(draft, seenOf(draft, server));
  if (record.history !== undefined) record.history = completed(record.history, (entry) => gatheredLater(draft, entry));
  if (record.queue !== undefined) record.queue = completed(record.queue, ({ server }) => seen(server));
  // A planned move has no evidence, whatever becomes of its source.
  if (record.current?.evidence === undefined) return;
  [record.current] = completed([record.current], ({ server }) => seen(server));
};
