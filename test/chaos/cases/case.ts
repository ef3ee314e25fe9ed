/** Faults that hit one write of a run. */
export const writeFaults = [
  /** The operator dies before the write is sent. */
  'crash-before',
  /** It dies after the write was applied, without its answer. */
  'crash-after',
  /** As crash-after; its successor gets old lists, and its watches lag: it acts on what was. */
  'crash-stale',
  /** The connection breaks before the write was sent. */
  'cut',
  /** Applied, and the connection breaks before the answer. */
  'applied-cut',
  /** Applied, and no answer comes: the time-out ends it. */
  'applied-timeout',
  /** Half-open: not applied, no byte comes. */
  'timeout',
  /** Answered with 409, 429 with Retry-After, 500. */
  'conflict',
  'too-many-requests',
  'server-error',
  /** All watches end with 410 right after it. */
  'watches-expire',
  /** All watches break right after it. */
  'watches-cut',
  /** The leader stands still from the write on; another leads meanwhile; then it goes on. */
  'leader-frozen',
  /** As leader-frozen, and the write itself stays in the network until the other leader has finished. */
  'leader-late-write',
] as const;
export type WriteFault = (typeof writeFaults)[number];

/** Faults of the watches of one kind, or of all, from the moment when the system is ready. */
export const watchFaults = ['lag', 'coalesce', 'lose', 'mute', 'expire'] as const;
export type WatchFaultName = (typeof watchFaults)[number];

export const allKinds = 'all';

/** One case: a workload, and what goes wrong in it. */
export type FaultCase =
  | {
      readonly workload: string;
      readonly fault: WriteFault;
      /** 'verb plural name'. */
      readonly write: string;
      /** Which of the writes of that name, from 0. */
      readonly occurrence: number;
    }
  | {
      readonly workload: string;
      readonly fault: WatchFaultName;
      /** Plural of the kind, or 'all'. */
      readonly kind: string;
    };

/** The name by which `--only` repeats a case. */
export function nameOf(one: FaultCase): string {
  const { workload, fault } = one;
  if ('kind' in one) return `${workload}/${fault}/${one.kind}`;
  return `${workload}/${fault}/${one.write.replaceAll(' ', '_')}/${one.occurrence}`;
}

/** The inverse of `nameOf`; undefined for what is no name of a case. */
export function parseName(name: string): FaultCase | undefined {
  const [workload = '', faultName = '', ...rest] = name.split('/');
  const writeFault = writeFaults.find((known) => known === faultName);
  if (writeFault !== undefined) {
    const occurrence = Number(rest.pop());
    if (!Number.isInteger(occurrence) || rest.length === 0) return undefined;
    return { workload, fault: writeFault, write: rest.join('/').replaceAll('_', ' '), occurrence };
  }
  const watchFault = watchFaults.find((known) => known === faultName);
  const [kind] = rest;
  return watchFault === undefined || kind === undefined ? undefined : { workload, fault: watchFault, kind };
}

/** What became of a case. */
export interface CaseResult {
  readonly name: string;
  readonly workload: string;
  readonly fault: string;
  /** False when the write that was to be hit never came: the case says nothing, and counts as none. */
  readonly reached: boolean;
  /** The process of the run itself stood still each time: what was found says nothing, and counts as no case. */
  readonly disturbed?: boolean;
  readonly violations: readonly string[];
  /** What the operators warned of, for whoever looks into a violation. */
  readonly warnings: readonly string[];
  readonly seconds: number;
}
