import type { NodesLine } from '../run/results.js';
import type { NodeResult } from './case.js';
import { type Moment, nodeFaults } from './faults.js';

/** Counts what the systems that were hit have shown, by fault, in the order of the catalogue. */
export function tallyOf(results: readonly NodeResult[]): NodesLine[] {
  return nodeFaults.flatMap((fault) => {
    const ofFault = results.filter((result) => result.fault === fault);
    return ofFault.length === 0 ? [] : [lineOf(fault, ofFault)];
  });
}

function lineOf(fault: string, results: readonly NodeResult[]): NodesLine {
  const valid = results.filter(({ reached, disturbed }) => reached && !disturbed);
  const at = (moment: Moment): number => valid.filter((result) => result.moment === moment).length;
  const gaps = valid
    .filter(({ violations }) => violations.length === 0)
    .flatMap(({ longestGapSeconds }) => longestGapSeconds ?? []);
  return {
    fault,
    atRest: at('at-rest'),
    takingOver: at('at-taking-over'),
    backingUp: at('at-backing-up'),
    void: results.length - valid.length,
    // One that was hit by nothing, and showed a violation all the same, has to be seen, too.
    violations: results.filter(({ violations, disturbed }) => violations.length > 0 && !disturbed).length,
    longestGapSeconds: Math.round(Math.max(0, ...gaps) * 10) / 10,
  };
}

/** All cases of a line. */
export function casesOf({ atRest, takingOver, backingUp }: NodesLine): number {
  return atRest + takingOver + backingUp;
}

/** A line for the terminal. */
export function sentenceOf(line: NodesLine): string {
  const gap = `longest gap ${line.longestGapSeconds.toFixed(1)} s`;
  return `${line.fault.padEnd(22)} ${casesOf(line)} cases, ${line.violations} violations, ${line.void} that say nothing, ${gap}`;
}
