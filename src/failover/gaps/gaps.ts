import {
  type FailoverPoolStatus,
  type Gap,
  type GapCause,
  type GapShare,
  MOST_GAPS,
  missingOnHolder,
  type ReportedGap,
  type Trigger,
} from '../../crds/index.js';

/** Two times that differ by less are one: they come from different looks at the same file. Milliseconds. */
const SAME_MS = 100;
/** What is left of a gap and shorter than this is no gap to a person. Milliseconds. */
const NEGLIGIBLE_MS = 1_000;

/** The failover that ended a gap, as far as its ledger entry needs it. */
export interface GapTakeover {
  readonly trigger: string;
  readonly from: string;
  readonly lastSeenTime?: string | undefined;
  readonly brokenTime: string;
  readonly committedTime: string;
}

/** A camera's ledger. */
export interface Ledger {
  /** Oldest first; at most `MOST_GAPS`. */
  readonly gaps: readonly Gap[];
  /** Of all gaps ever, closed ones left out. In tenths. */
  readonly totalSeconds: number;
}

const ms = (time: string): number => Date.parse(time);

/** Seconds in tenths: a status that held more would suggest that a camera can be measured so. */
export function tenths(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}

/** What a gap counts in totals: nothing once it is closed, and never less than nothing. Seconds. */
export function gapSeconds(gap: Pick<Gap, 'startTime' | 'endTime' | 'closedBy'>): number {
  return gap.closedBy === undefined ? tenths(Math.max(0, ms(gap.endTime) - ms(gap.startTime)) / 1000) : 0;
}

/** The failover by which a role came to its holder at this epoch; absent when the pool has forgotten it. */
export function takeoverAt(
  status: FailoverPoolStatus | undefined,
  role: string,
  epoch: number,
): GapTakeover | undefined {
  const { current, history = [] } = status ?? {};
  const running = current?.role === role && current.epoch === epoch ? { ...current, from: current.server } : undefined;
  const found = running ?? history.find((entry) => entry.role === role && entry.epoch === epoch);
  // A planned move has nothing broken: what is missing all the same began with the move.
  return found && { ...found, brokenTime: found.brokenTime ?? found.committedTime };
}

/** What the time between the fault and its detection is put down to. */
function detectionCause(trigger: string): GapCause {
  const causes: Readonly<Partial<Record<Trigger | 'CamerasUnreachable', GapCause>>> = {
    AllDisksLost: 'StorageFailed',
    RecordingServiceFailed: 'EngineFailed',
    CamerasUnreachable: 'CameraFailed',
  };
  return causes[trigger as Trigger] ?? 'Timeout';
}

interface Span {
  readonly cause: GapCause;
  /** Milliseconds. */
  readonly ms: number;
}

const total = (spans: readonly Span[]): number => spans.reduce((sum, span) => sum + span.ms, 0);

/** Cuts `cutMs` off the front: that much of the gap was none. */
function withoutFront(spans: readonly Span[], cutMs: number): Span[] {
  let left = cutMs;
  return spans.flatMap((span) => {
    const cut = Math.min(span.ms, left);
    left -= cut;
    return span.ms > cut ? [{ ...span, ms: span.ms - cut }] : [];
  });
}

/** Neighbours of one cause become one; a cause that comes twice is told where it came first. */
function sharesOf(spans: readonly Span[]): GapShare[] {
  const sums = new Map<GapCause, number>();
  for (const span of spans) sums.set(span.cause, (sums.get(span.cause) ?? 0) + span.ms);
  return [...sums].map(([cause, sum]) => ({ cause, seconds: tenths(sum / 1000) })).filter(({ seconds }) => seconds > 0);
}

function largest(shares: readonly GapShare[], otherwise: GapCause): GapCause {
  return shares.reduce((best, share) => (share.seconds > best.seconds ? share : best), {
    cause: shares[0]?.cause ?? otherwise,
    seconds: 0,
  }).cause;
}

function spansOf(causes: readonly GapShare[]): Span[] {
  return causes.map(({ cause, seconds }) => ({ cause, ms: seconds * 1000 }));
}

/** The last `lengthMs` of what a recorder tells: it measures with another clock, and may have begun before the gap. */
function fitted(causes: readonly GapShare[], lengthMs: number): Span[] {
  const spans = spansOf(causes);
  return withoutFront(spans, Math.max(0, total(spans) - lengthMs));
}

/** What happened before the new recorder began, from the pool's own record. Clocks differ, so each part is bounded. */
function before(takeover: GapTakeover | undefined, startMs: number, lengthMs: number, otherwise: GapCause): Span[] {
  if (takeover === undefined) return [{ cause: otherwise, ms: lengthMs }];
  const bound = (value: number, limit: number): number => Math.max(0, Math.min(value, limit));
  const { trigger, lastSeenTime, brokenTime, committedTime } = takeover;
  // Its heart beat on after its last bytes: until then it was not silence that kept the camera from being recorded.
  const alive = trigger === 'Unreachable' && lastSeenTime !== undefined ? ms(lastSeenTime) - startMs : 0;
  const failing = bound(alive, lengthMs);
  const detection = bound(ms(brokenTime) - startMs - failing, lengthMs - failing);
  const queued = bound(ms(committedTime) - Math.max(ms(brokenTime), startMs), lengthMs - failing - detection);
  return [
    { cause: 'CameraFailed', ms: failing },
    { cause: detectionCause(trigger), ms: detection },
    { cause: 'Queued', ms: queued },
    { cause: 'Connect', ms: lengthMs - failing - detection - queued },
  ];
}

/** What a gap is made from. */
export interface GapInput {
  readonly epoch: number;
  /** Who recorded before, when that was another server. */
  readonly from?: string | undefined;
  /** Last proof of recording. */
  readonly startTime: string;
  /** First bytes after it. */
  readonly endTime: string;
  /** What the recorder tells of its own share of the time. */
  readonly causes: readonly GapShare[];
  readonly takeover?: GapTakeover | undefined;
  /** Where the time goes of which nobody tells anything. */
  readonly otherwise: GapCause;
}

/**
 * A gap with its causes told apart (rule 11). Undefined when there is none: a negative one is an overlap. The times are
 * those of two recorders' clocks; condition ClockSynced says when they can't be compared.
 */
export function gapOf(input: GapInput): Gap | undefined {
  const { epoch, from, startTime, endTime, takeover } = input;
  const lengthMs = ms(endTime) - ms(startTime);
  // Also false for a time that can't be read.
  if (!(lengthMs >= SAME_MS)) return undefined;
  const told = fitted(input.causes, lengthMs);
  const untold = before(takeover, ms(startTime), lengthMs - total(told), input.otherwise);
  const causes = sharesOf([...untold, ...told]);
  return {
    epoch,
    ...(from === undefined ? {} : { from }),
    // A Lease's time has microseconds; all of one ledger look alike.
    startTime: new Date(ms(startTime)).toISOString(),
    endTime: new Date(ms(endTime)).toISOString(),
    cause: largest(causes, input.otherwise),
    causes,
  };
}

/** A gap that a recorder has seen from its begin to its end. */
export function gapFromReport(gap: ReportedGap): Gap | undefined {
  const { epoch, startTime, endTime, causes } = gap;
  if (startTime === undefined) return undefined;
  return gapOf({ epoch, startTime, endTime, causes, otherwise: causes[0]?.cause ?? 'CameraFailed' });
}

/**
 * Whether the ledger holds this gap, or a later one of its epoch: gaps of an epoch come from one recorder in the order
 * of its clock, and the newest is never the one that falls out of the list.
 */
function isKnown(gaps: readonly Gap[], gap: Gap): boolean {
  return gaps.some(({ epoch, endTime }) => epoch === gap.epoch && ms(endTime) >= ms(gap.endTime) - SAME_MS);
}

/** Takes gaps into the ledger, each once, however often it is told. */
export function addGaps(ledger: Ledger, found: readonly (Gap | undefined)[]): Ledger {
  let { gaps, totalSeconds } = ledger;
  for (const gap of found) {
    if (gap === undefined || isKnown(gaps, gap)) continue;
    gaps = [...gaps, gap].slice(-MOST_GAPS);
    totalSeconds = tenths(totalSeconds + gapSeconds(gap));
  }
  return gaps === ledger.gaps ? ledger : { gaps, totalSeconds };
}

/** Replaces gaps by what has become of them, and keeps the total in step. */
export function changeGaps(ledger: Ledger, change: (gap: Gap) => Gap): Ledger {
  let { totalSeconds } = ledger;
  const gaps = ledger.gaps.map((gap) => {
    const next = change(gap);
    totalSeconds += gapSeconds(next) - gapSeconds(gap);
    return next;
  });
  const same = gaps.every((gap, index) => gap === ledger.gaps[index]);
  return same ? ledger : { gaps, totalSeconds: Math.max(0, tenths(totalSeconds)) };
}

function withCauses(gap: Gap, spans: readonly Span[]): Gap {
  const causes = sharesOf(spans);
  return { ...gap, cause: largest(causes, gap.cause), causes };
}

/**
 * The previous recorder is back and tells from its segments where its footage ends. Less than was proved: the tail is
 * lost, and only then there is a TailLost. More: the gap began later, or is closed because it went on through all of it.
 */
export function withTrueStart(gap: Gap, footageEnd: string): Gap {
  const end = ms(footageEnd);
  const movedMs = end - ms(gap.startTime);
  if (gap.closedBy !== undefined || !(Math.abs(movedMs) >= SAME_MS)) return gap;
  if (end >= ms(gap.endTime)) return { ...gap, closedBy: 'PreviousHolder' };
  const known = gap.provedUntilTime ?? gap.startTime;
  const { provedUntilTime: _known, ...rest } = gap;
  const moved: Gap = { ...rest, startTime: footageEnd, ...(end > ms(known) ? { provedUntilTime: known } : {}) };
  const spans = spansOf(gap.causes ?? []);
  return movedMs > 0
    ? withCauses(moved, withoutFront(spans, movedMs))
    : withCauses(moved, [{ cause: 'TailLost', ms: -movedMs }, ...spans]);
}

/** A stretch of footage that was copied to the holder. */
export interface RecoveredStretch {
  readonly startTime: string;
  readonly endTime: string;
}

/** Footage was copied to the holder: what it covers of the gap is none any more; one that is filled is closed. */
export function withRecovered(gap: Gap, { startTime, endTime }: RecoveredStretch): Gap {
  const missing = missingOnHolder(gap);
  if (missing === undefined || ms(endTime) <= ms(missing.startTime) || ms(startTime) >= ms(missing.endTime)) return gap;
  const headMs = ms(startTime) - ms(missing.startTime);
  const tailMs = ms(missing.endTime) - ms(endTime);
  if (headMs <= NEGLIGIBLE_MS && tailMs <= NEGLIGIBLE_MS) return { ...gap, closedBy: 'Recovery' };
  // What the previous holder keeps for itself has been copied only in part: that it has it stays true.
  if (gap.closedBy !== undefined || headMs > NEGLIGIBLE_MS) return gap;
  // Where the previous recorder's footage ends says nothing any more of where the gap begins.
  const { provedUntilTime: _copied, from: _source, ...rest } = gap;
  const beginsAt = Math.max(ms(endTime), ms(gap.startTime));
  const spans = withoutFront(spansOf(gap.causes ?? []), beginsAt - ms(gap.startTime));
  return withCauses({ ...rest, startTime: new Date(beginsAt).toISOString() }, spans);
}
