import type { CaseResult } from '../cases/case.js';

const tellEvery = 25;

/** What went wrong, what the operator said, and the command that repeats it. */
export function accountOf({ name, violations, warnings, seconds }: CaseResult): string {
  return [
    `VIOLATION in ${name} after ${seconds.toFixed(1)} s`,
    ...violations.slice(0, 20).map((line) => `  - ${line}`),
    ...warnings.slice(-12).map((line) => `    ${line}`),
    `  again: npm run chaos -- --only '${name}'`,
  ].join('\n');
}

/** Tells of a result as it comes; of good ones only now and then. */
export function tellResult(result: CaseResult, count: number): void {
  if (!result.reached) console.error(`  says nothing, its write never came: ${result.name}`);
  else if (result.disturbed === true) console.error(`  says nothing, the machine was too busy: ${result.name}`);
  else if (result.violations.length > 0) console.log(`\n${accountOf(result)}`);
  else if (count % tellEvery === 0)
    console.error(`  ${count} cases; the last was ${result.name} in ${result.seconds.toFixed(1)} s`);
}
