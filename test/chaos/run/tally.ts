import type { CaseResult } from '../cases/case.js';

/** How it stands with one fault. */
export interface Line {
  readonly fault: string;
  readonly cases: number;
  /** Cases whose write never came, or that were disturbed: they prove nothing, and are not counted among the cases. */
  readonly void: number;
  readonly violations: number;
}

/** Counts results by fault, in the order of `faults`; others come behind. */
export function tally(results: readonly CaseResult[], faults: readonly string[]): Line[] {
  const names = [...new Set([...faults, ...results.map(({ fault }) => fault)])];
  return names.map((fault) => {
    const ofFault = results.filter((result) => result.fault === fault);
    const valid = ofFault.filter(({ reached, disturbed }) => reached && disturbed !== true);
    const violations = valid.filter((result) => result.violations.length > 0).length;
    return { fault, cases: valid.length, void: ofFault.length - valid.length, violations };
  });
}

export function total(lines: readonly Line[]): Omit<Line, 'fault'> {
  const sum = (of: (line: Line) => number): number => lines.reduce((all, line) => all + of(line), 0);
  return {
    cases: sum(({ cases }) => cases),
    void: sum((line) => line.void),
    violations: sum(({ violations }) => violations),
  };
}
