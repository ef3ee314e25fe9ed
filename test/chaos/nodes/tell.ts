import { DEFAULT_SYSTEMS } from '../run/arguments.js';
import type { NodeResult } from './case.js';

/** The command that repeats a case. */
export function commandOf(name: string, systems: number): string {
  const size = systems === DEFAULT_SYSTEMS ? '' : ` --systems ${systems}`;
  return `npm run chaos -- --only '${name}'${size}`;
}

/** Tells of a result as it comes: cases are long, so of each. */
export function tellResult(result: NodeResult, { count, systems }: { count: number; systems: number }): void {
  const { name, system, moment, violations, disturbed, longestGapSeconds, seconds } = result;
  const gap = longestGapSeconds === undefined ? '' : `, longest gap ${longestGapSeconds.toFixed(2)} s`;
  const what = `${name} on ${system} (${moment})`;
  if (violations.length === 0) {
    console.error(`  ${count}: ${what} in ${seconds.toFixed(0)} s${gap}`);
    return;
  }
  const account = [
    `${disturbed ? 'SAYS NOTHING, the machine was too busy:' : 'VIOLATION'} in ${what} after ${seconds.toFixed(0)} s${gap}`,
    ...violations.map((line) => `  - ${line}`),
    ...result.notes.map((line) => `    ${line}`),
    `  again: ${commandOf(name, systems)}`,
  ];
  console.log(`\n${account.join('\n')}`);
}
