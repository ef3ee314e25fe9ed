import { cameraAssignments, failoverPools, recordingServers } from '../../../src/crds/index.js';
import { isApiError } from '../../../src/operator/index.js';
import { type Attempt, attempts, fieldOf, withAttempt } from '../../api/crds/limits.js';
import type { CaseResult } from '../cases/case.js';
import { type Ground, lawViolations, type Run, withRun } from '../cases/run-case.js';
import { randomFrom, shuffled } from '../run/random.js';
import { desiredState, names, specSchema } from './specs.js';

/** Violations of the schema that one case tries. */
const triesPerCase = 12;

const kinds = [
  { type: recordingServers, part: 'server' },
  { type: failoverPools, part: 'pool' },
  { type: cameraAssignments, part: 'camera' },
] as const;

/** Breaks the schema of a valid spec in one place after the other; the API server must refuse each. */
async function tries(run: Run, seed: number): Promise<string[]> {
  const random = randomFrom(seed);
  const state = desiredState('fit', random);
  const wrong: string[] = [];
  for (const { type, part } of kinds) {
    const spec = state[part];
    const all = attempts(specSchema(type.kind), spec, []).filter(({ allowed }) => !allowed);
    for (const attempt of shuffled(all, random).slice(0, triesPerCase / kinds.length)) {
      const accepted = await isAccepted(run, type, withAttempt(spec, attempt));
      if (accepted) wrong.push(`${type.kind}: ${sentence(attempt)} was not refused`);
    }
  }
  return wrong;
}

function sentence({ path, what }: Attempt): string {
  return `spec.${fieldOf(path)} ${what}`;
}

async function isAccepted({ stage }: Run, type: (typeof kinds)[number]['type'], spec: object): Promise<boolean> {
  try {
    await stage.make(type, `refused-${names.server}`, spec);
    return true;
  } catch (error) {
    if (isApiError(error, 'invalid')) return false;
    throw error;
  }
}

/** The operator still works: a server that is made now gets its pod. */
async function stillWorks({ stage }: Run): Promise<void> {
  await stage.makePool();
  await stage.makeServer('canary');
  await stage.until('the canary has its pod', () => stage.server('canary')?.status?.podUID);
}

export async function runRefusedCase(ground: Ground, seed: number): Promise<CaseResult> {
  const start = performance.now();
  const violations = await withRun(ground, { elected: false, deafWatches: false }, async (run) => {
    try {
      await run.supervisor.start();
      const wrong = await tries(run, seed);
      await stillWorks(run);
      return [...wrong, ...lawViolations(run)];
    } catch (error) {
      return [error instanceof Error ? error.message : String(error), ...lawViolations(run)];
    }
  });
  const seconds = (performance.now() - start) / 1000;
  const fault = 'spec-refused';
  return { name: `${fault}/${seed}`, workload: 'spec', fault, reached: true, violations, warnings: [], seconds };
}
