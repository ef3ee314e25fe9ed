import type { KubeClient } from '../../../src/operator/index.js';
import { Supervisor } from '../operator/supervisor.js';
import { differences } from '../oracle/differences.js';
import { type EndState, readEndState } from '../oracle/end-state.js';
import { countDifferences, countWrites, isOfInterest, specWrites, type WriteCounts } from '../oracle/write-counts.js';
import { FaultProxy, type Upstream } from '../proxy/fault-proxy.js';
import { workloads } from '../workloads/index.js';
import type { Workload } from '../workloads/workload.js';
import type { Observatory } from '../world/observatory.js';
import { Stage } from '../world/stage.js';
import { type CaseResult, type FaultCase, nameOf } from './case.js';
import { type Armed, armWatchFault, armWriteFault } from './inject.js';

/** No write for so long, and nothing to do: the operator has come to rest. Milliseconds. */
const restMs = 1_500;
/** What all cases are compared with has to be the very end: members of a pool look at one another only after 2 s. */
const referenceRestMs = 3_500;
/** After the workload the end state must be reached within so long, retries with backoff included. Milliseconds. */
const settleLimitMs = 60_000;
/** Longest time for a whole case. Milliseconds. */
const caseLimitMs = 240_000;
/** How soon to look again at an end state that is not as it should be, if nothing is written meanwhile. Milliseconds. */
const lookAgainMs = 1_000;
/** Watches that are deaf are to be found out within a case. Milliseconds. */
const shortWatchLimits = { silenceLimitMs: 5_000, relistIntervalMs: 4_000, relistGraceMs: 1_000 };

/** What all cases share: one API server. */
export interface Ground {
  readonly client: KubeClient;
  readonly observatory: Observatory;
  readonly upstream: Upstream;
}

/** How a workload goes when nothing fails. */
export interface Reference {
  readonly endState: EndState;
  readonly counts: WriteCounts;
  /** The writes that were applied, in order: identity and how many of the same came before. */
  readonly writes: readonly { readonly identity: string; readonly occurrence: number }[];
  /** Kinds of which the operator was told a change once the system was ready. */
  readonly changedKinds: ReadonlySet<string>;
}

export function workloadOf(name: string): Workload {
  const found = workloads.find((workload) => workload.name === name);
  if (found === undefined)
    throw new Error(`there is no workload ${name}; there are ${workloads.map((w) => w.name).join(', ')}`);
  return found;
}

/** A namespace with its operator, and the fault proxy between it and the API server. */
export interface Run {
  readonly stage: Stage;
  readonly proxy: FaultProxy;
  readonly supervisor: Supervisor;
}

/** Takes everything away again, whatever happens. */
export async function withRun<T>(
  ground: Ground,
  options: { readonly elected: boolean; readonly deafWatches: boolean },
  work: (run: Run) => Promise<T>,
): Promise<T> {
  const proxy = await FaultProxy.start(ground.upstream);
  const stage = await Stage.open(ground.client, ground.observatory, AbortSignal.timeout(caseLimitMs));
  const { namespace } = stage;
  const watchLimits = options.deafWatches ? { watchLimits: shortWatchLimits } : {};
  const supervisor = new Supervisor({ proxy, namespace, elected: options.elected, ...watchLimits });
  try {
    return await work({ stage, proxy, supervisor });
  } finally {
    await supervisor.close();
    await proxy.close();
    await stage.close();
  }
}

function lastWriteTime({ proxy }: Run): number {
  return proxy.writes.findLast(isOfInterest)?.time ?? 0;
}

function atRest(run: Run, forMs = restMs): boolean {
  return run.supervisor.idle() && performance.now() - lastWriteTime(run) > forMs;
}

async function play(
  { stage, supervisor }: Run,
  workload: Workload,
  { replicas = 1, ready }: { readonly replicas?: number; readonly ready?: () => Promise<void> } = {},
): Promise<void> {
  for (let started = 0; started < replicas; started += 1) await supervisor.start();
  const cast = await workload.setup(stage);
  await ready?.();
  await workload.act(stage, cast);
}

/** Runs a workload without a fault. */
export function runReference(ground: Ground, workload: Workload): Promise<Reference> {
  return withRun(ground, { elected: false, deafWatches: false }, async (run) => {
    await play(run, workload, { ready: async () => run.proxy.noteChanges() });
    const endState = await restingEndState(ground, run);
    const faults = lawViolations(run);
    if (faults.length > 0) throw new Error(`${workload.name} without a fault: ${faults.join('; ')}`);
    return {
      endState,
      counts: countWrites(run.proxy.writes, run.stage.removed),
      changedKinds: new Set(run.proxy.changedKinds),
      // A create that is refused because the watch is behind comes by chance, and can't be aimed at.
      writes: run.proxy.writes
        .filter((write) => isOfInterest(write) && (write.status ?? 500) < 300)
        .map(({ identity, occurrence }) => ({ identity, occurrence })),
    };
  });
}

/** A heartbeat that is late just while it is read would stand in what all cases are compared with. */
async function restingEndState(ground: Ground, run: Run): Promise<EndState> {
  for (;;) {
    await run.stage.until('the operator is at rest', () => atRest(run, referenceRestMs));
    const before = lastWriteTime(run);
    const endState = await endStateOf(ground, run);
    if (lastWriteTime(run) === before) return endState;
  }
}

/** Laws that were broken on the way, whatever the end state is. */
export function lawViolations({ stage, proxy, supervisor }: Run): string[] {
  return [
    ...stage.violations,
    ...specWrites(proxy.writes),
    ...supervisor.all.flatMap(({ log }) => log.programErrors.map((error) => `program error: ${error}`)),
  ];
}

/** The end state is reached, and stays: Sieve's differential oracle together with eventual stability. */
async function settle(ground: Ground, run: Run, reference: Reference): Promise<string[]> {
  const end = performance.now() + settleLimitMs;
  for (;;) {
    const resting = await run.stage.until('a look at the operator', () => atRest(run) || performance.now() > end);
    const before = lastWriteTime(run);
    const found = differences(reference.endState, await endStateOf(ground, run));
    if (resting && found.length === 0 && atRest(run)) return [];
    if (performance.now() > end) {
      return [...found, ...(atRest(run) ? [] : ['the operator does not come to rest'])];
    }
    // Each look costs the API server as much as a tenth of a case: only a write makes another one worth while.
    const again = performance.now() + lookAgainMs;
    await run.stage.until('another look', () => lastWriteTime(run) !== before || performance.now() > again);
  }
}

/** A busy API server may be late with an answer: that is no fault of the operator. */
function endStateOf({ client }: Ground, { stage }: Run): Promise<EndState> {
  return stage.eventually('the end state', () => readEndState(client, stage.namespace));
}

function arm(one: FaultCase, { proxy, supervisor }: Run): Armed {
  // A fault of watches strikes once the system is ready, and always does.
  return 'write' in one ? armWriteFault(one, { proxy, supervisor }) : { hit: () => true };
}

async function playCase(one: FaultCase, run: Run): Promise<Armed> {
  const armed = arm(one, run);
  const ready = async (): Promise<void> => {
    await run.proxy.snapshotLists();
    if ('kind' in one) armWatchFault(one.fault, one.kind, run.proxy);
  };
  await play(run, workloadOf(one.workload), { replicas: isElected(one) ? 2 : 1, ready });
  return armed;
}

function isElected({ fault }: FaultCase): boolean {
  return fault === 'leader-frozen' || fault === 'leader-late-write';
}

async function judged(ground: Ground, one: FaultCase, reference: Reference, run: Run): Promise<CaseFindings> {
  const armed = await playCase(one, run);
  if (!armed.hit()) return { reached: false, violations: [] };
  const early = armed.release === undefined ? [] : await settle(ground, run, reference);
  await armed.release?.();
  const late = await settle(ground, run, reference);
  const counts = countDifferences(reference.counts, countWrites(run.proxy.writes, run.stage.removed));
  const laws = [...lawViolations(run), ...(armed.judge?.() ?? [])];
  return { reached: true, violations: [...new Set([...early, ...late, ...counts, ...laws])] };
}

interface CaseFindings {
  readonly reached: boolean;
  readonly violations: readonly string[];
}

/** Runs one case. Never rejects: whatever goes wrong is a violation. */
export async function runCase(ground: Ground, one: FaultCase, reference: Reference): Promise<CaseResult> {
  const start = performance.now();
  const warnings: string[] = [];
  const options = { elected: isElected(one), deafWatches: one.fault === 'mute' || one.fault === 'lose' };
  const findings = await withRun(ground, options, async (run): Promise<CaseFindings> => {
    try {
      return await judged(ground, one, reference, run);
    } catch (error) {
      return {
        reached: true,
        violations: [error instanceof Error ? error.message : String(error), ...lawViolations(run)],
      };
    } finally {
      warnings.push(...run.supervisor.all.flatMap(({ log }) => log.warnings));
    }
  });
  const { workload, fault } = one;
  return { name: nameOf(one), workload, fault, ...findings, warnings, seconds: (performance.now() - start) / 1000 };
}
