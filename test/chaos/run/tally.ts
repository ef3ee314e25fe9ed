import type { CaseResult } from '../cases/case.js';

/** How it stands with one fault. */
export interface Line {
  readonly fault: string;
  readonly cases: number;
  /** Cases whose write never came: they prove nothing, and are not counted among the cases. */
  readonly unreached: number;
  readonly violations: number;
}

/** Counts results by fault, in the order of `faults`; others come behind. */
export function tally(results: readonly CaseResult[], faults: readonly string[]): Line[] {
  const names = [...new Set([...faults, ...results.map(({ fault }) => fault)])];
  return names.map((fault) => {
    const ofFault = results.filter((result) => result.fault === fault);
    const reached = ofFault.filter((result) => result.reached);
    const violations = reached.filter((result) => result.violations.length > 0).length;
    return { fault, cases: reached.length, unreached: ofFault.length - reached.length, violations };
  });
}

export function total(lines: readonly Line[]): Omit<Line, 'fault'> {
  const sum = (of: (line: Line) => number): number => lines.reduce((all, line) => all + of(line), 0);
  return {
    cases: sum(({ cases }) => cases),
    unreached: sum(({ unreached }) => unreached),
    violations: sum(({ violations }) => violations),
  };
}
