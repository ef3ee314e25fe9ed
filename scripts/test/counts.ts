/** How many tests had which outcome. A failed hook counts as a failure. */
export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** What the reporter writes, one letter a line, as it happens: what was counted survives the death of its process. */
export const marks = { passed: 'p', failed: 'f', skipped: 's', stopped: 'x', end: 'e' } as const;

/** How a level's process ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Ctrl-C came while it ran: what passed says nothing about the rest. */
  readonly interrupted: boolean;
}

export interface Outcome extends Counts {
  /** Why the level itself counts as a failure; undefined when it ran to its end. */
  readonly died: string | undefined;
}

/** Reads the marks. A level that did not come to its end, or failed without a failed test, is a failure of its own. */
export function outcomeOf(text: string, ending: Ending): Outcome {
  const lines = text.split('\n');
  const count = (mark: string): number => lines.filter((line) => line === mark).length;
  const failed = count(marks.failed);
  const stopped = ending.interrupted || lines.includes(marks.stopped);
  const died = causeOfDeath(lines.includes(marks.end), failed, { ...ending, interrupted: stopped });
  return {
    passed: count(marks.passed),
    failed: failed + (died === undefined ? 0 : 1),
    skipped: count(marks.skipped),
    died,
  };
}

function causeOfDeath(ended: boolean, failed: number, { code, signal, interrupted }: Ending): string | undefined {
  if (interrupted) return 'it was interrupted';
  if (signal !== null) return `it was ended by ${signal}`;
  if (!ended) return `it could not start, or ended before its last test (exit code ${code})`;
  return code !== 0 && failed === 0 ? `it ended with exit code ${code} although no test failed` : undefined;
}

export function sum(all: readonly Counts[]): Counts {
  const total: Counts = { passed: 0, failed: 0, skipped: 0 };
  for (const counts of all) {
    total.passed += counts.passed;
    total.failed += counts.failed;
    total.skipped += counts.skipped;
  }
  return total;
}

/** `N passed, N failed`, and `, N skipped` when some were. */
export function summary({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
