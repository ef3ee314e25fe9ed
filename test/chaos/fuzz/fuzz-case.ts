import { cameraAssignments, failoverPools, recordingServers } from '../../../src/crds/index.js';
import { isApiError, type KubeObject, type ResourceType, resources } from '../../../src/operator/index.js';
import type { CaseResult } from '../cases/case.js';
import { type Ground, lawViolations, type Run, withRun } from '../cases/run-case.js';
import { differences } from '../oracle/differences.js';
import { type EndState, readEndState } from '../oracle/end-state.js';
import { isOfInterest } from '../oracle/write-counts.js';
import { randomFrom } from '../run/random.js';
import { type DesiredState, desiredState, givenClaims, type Manner, names } from './specs.js';
import { invisible } from './visible.js';

/**
 * Nothing is in work, and no write has succeeded for so long: what fails is tried again for ever, and is no sign of work.
 * Long enough for a watch that is late on a busy machine: what is compared with must be an end. Milliseconds.
 */
const restMs = 2_500;
/** A state must be reached within so long. Milliseconds. */
const reachLimitMs = 40_000;

/** What only grows, and so is another after there and back: epochs, and the count of changes of a spec. */
const growing = ['epoch', 'understudy.dev/epoch', 'observedGeneration', 'roles', 'silentStartTime'] as const;
/** Nobody renews a Lease here: what is said of that depends on nothing but for how long. */
const byTimeAlone = /^RecordingServer\/\S+\.status\.conditions\.Reachable\./;

function atRest({ proxy, supervisor }: Run): boolean {
  if (!supervisor.idle()) return false;
  const last = proxy.writes.findLast((write) => isOfInterest(write) && (write.status ?? 500) < 300);
  return performance.now() - (last?.time ?? 0) > restMs;
}

const subjects: readonly { readonly type: ResourceType; readonly name: string; readonly part: keyof DesiredState }[] = [
  { type: failoverPools, name: names.pool, part: 'pool' },
  { type: recordingServers, name: names.server, part: 'server' },
  { type: cameraAssignments, name: names.camera, part: 'camera' },
];

async function applySpec({ stage }: Run, type: ResourceType, name: string, spec: object): Promise<void> {
  const key = { namespace: stage.namespace, name };
  await stage.eventually(`${type.kind} ${name} is applied`, async () => {
    const live = await stage.client.get<KubeObject & { spec?: object }>(type, key).catch((error: unknown) => {
      if (isApiError(error, 'notFound')) return undefined;
      throw error;
    });
    if (live === undefined) return stage.make(type, name, spec).catch(unlessRefused);
    return stage.client.replace(type, { ...live, spec } as KubeObject).catch(unlessRefused);
  });
}

/** A refusal by the schema is final; all else is tried again. */
function unlessRefused(error: unknown): never {
  if (isApiError(error, 'invalid')) throw new Refused(error.message);
  throw error;
}

class Refused extends Error {
  override readonly name = 'Refused';
}

async function applyState(run: Run, state: DesiredState): Promise<void> {
  for (const { type, name, part } of subjects) await applySpec(run, type, name, state[part]);
}

async function makeClaims({ stage }: Run): Promise<void> {
  const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
  for (const name of givenClaims)
    await stage.client.create(resources.persistentVolumeClaims, {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { namespace: stage.namespace, name },
      spec,
    } as KubeObject);
}

/** Looks until nothing is amiss and nothing moves; gives what is amiss at the end of its patience. */
async function reached(run: Run, amissIn: (state: EndState) => string[]): Promise<[EndState, string[]]> {
  const end = performance.now() + reachLimitMs;
  for (;;) {
    await run.stage.until('a look at the operator', () => atRest(run) || performance.now() > end);
    const { stage } = run;
    const state = await stage.eventually('the state', () => readEndState(stage.client, stage.namespace, growing));
    const amiss = amissIn(state);
    if (amiss.length === 0 && atRest(run)) return [state, []];
    if (performance.now() > end) return [state, amiss.length > 0 ? amiss : ['the operator does not come to rest']];
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

/** Claims are never deleted by us: those of the state between stay. */
const leftClaim = /^PersistentVolumeClaim\/\S+ is there and should not be$/;

function notReverted(first: EndState, found: EndState): string[] {
  return differences(first, found).filter((line) => !leftClaim.test(line) && !byTimeAlone.test(line));
}

/** Without a pod and without maintenance something keeps the server from starting, and the object has to say what. */
function unreported({ server }: DesiredState, state: EndState): string[] {
  if (state.has(`Pod/${names.server}`) || server.operatingMode === 'Maintenance') return [];
  const { status } = state.get(`RecordingServer/${names.server}`) as { status?: { conditions?: readonly Told[] } };
  const told = status?.conditions?.some(
    ({ type, status: is, message }) => type === 'Stalled' && is === 'True' && message,
  );
  return told ? [] : ['the server has no pod, and its conditions do not say why'];
}

interface Told {
  readonly type: string;
  readonly status: string;
  readonly message: string;
}

/** There and back: the second time A is applied all is as it was the first time. */
async function thereAndBack(run: Run, a: DesiredState, b: DesiredState, manner: Manner): Promise<string[]> {
  const amissIn = (state: DesiredState) => (found: EndState) =>
    manner === 'fit' ? invisible(state, found) : unreported(state, found);
  await makeClaims(run);
  await applyState(run, a);
  const [first, amissFirst] = await reached(run, amissIn(a));
  const between = await applyState(run, b).then(
    () => reached(run, amissIn(b)),
    // Half of an odd state may be refused by its schema; what is left of it has to be undone all the same.
    (error: unknown) => (error instanceof Refused ? ([first, []] as const) : Promise.reject(error)),
  );
  await applyState(run, a);
  const [, unreverted] = await reached(run, (found) => notReverted(first, found));
  const label = (what: string) => (line: string) => `${what}: ${line}`;
  return [...amissFirst.map(label('A')), ...between[1].map(label('B')), ...unreverted.map(label('A after B'))];
}

/** Applies a random desired state, another, and the first one again. Never rejects: what goes wrong is a violation. */
export async function runFuzzCase(ground: Ground, manner: Manner, seed: number): Promise<CaseResult> {
  const start = performance.now();
  const random = randomFrom(seed);
  // The state that is returned to is a fit one in either manner: an odd one may be refused.
  const a = desiredState('fit', random);
  const b = desiredState(manner, random);
  const warnings: string[] = [];
  const violations = await withRun(ground, { elected: false, deafWatches: false }, async (run) => {
    try {
      await run.supervisor.start();
      return [...(await thereAndBack(run, a, b, manner)), ...lawViolations(run)];
    } catch (error) {
      return [error instanceof Error ? error.message : String(error), ...lawViolations(run)];
    } finally {
      warnings.push(...run.supervisor.all.flatMap(({ log }) => log.warnings));
    }
  });
  if (violations.length > 0) warnings.push(`A: ${JSON.stringify(a)}`, `B: ${JSON.stringify(b)}`);
  const fault = `spec-${manner}`;
  const seconds = (performance.now() - start) / 1000;
  return { name: `${fault}/${seed}`, workload: 'spec', fault, reached: true, violations, warnings, seconds };
}
