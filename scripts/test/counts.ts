/** How many tests had which outcome. A failed hook counts as a failure. */
export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** What the reporter writes, a line each, as it happens: what was counted survives the death of its process. */
export const marks = { begun: 'b', passed: 'p', failed: 'f', skipped: 's', stopped: 'x', end: 'e' } as const;

export interface Mark {
  readonly mark: (typeof marks)[keyof typeof marks];
  /** Wall clock, milliseconds. */
  readonly atMs: number;
  /** Test file; empty for what belongs to none, such as a hook around all of them. */
  readonly file: string;
}

/** The line of a mark. */
export function writtenMark({ mark, atMs, file }: Mark): string {
  return `${mark} ${Math.round(atMs)} ${file}\n`;
}

/** A last line that was cut off is left out. */
export function readMarks(text: string): Mark[] {
  const known = new Set<string>(Object.values(marks));
  return text.split('\n').flatMap((line) => {
    const [, mark = '', at = '', file = ''] = /^(\w) (\d+) (.*)$/.exec(line) ?? [];
    return known.has(mark) ? [{ mark: mark as Mark['mark'], atMs: Number(at), file }] : [];
  });
}

/** The tests of one file in one run. */
export interface FileRun extends Counts {
  readonly file: string;
  readonly startMs: number;
  /** Of its last outcome. */
  readonly endMs: number;
}

/** By file, in the order in which they ran. What belongs to no file is counted with the file before it. */
export function fileRuns(all: readonly Mark[]): FileRun[] {
  const runs: FileRun[] = [];
  for (const { mark, atMs, file } of all) {
    if (mark === marks.stopped || mark === marks.end) continue;
    const last = runs.at(-1);
    const known = file === '' ? last : runs.find((run) => run.file === file);
    const counted = countsOf([{ mark }]);
    const run = known ?? { file, startMs: atMs, endMs: atMs, ...none };
    const next = { ...run, ...sum([run, counted]), endMs: atMs };
    if (known === undefined) runs.push(next);
    else runs[runs.indexOf(known)] = next;
  }
  return runs;
}

const none: Counts = { passed: 0, failed: 0, skipped: 0 };

function countsOf(all: readonly Pick<Mark, 'mark'>[]): Counts {
  const count = (wanted: Mark['mark']): number => all.filter(({ mark }) => mark === wanted).length;
  return { passed: count(marks.passed), failed: count(marks.failed), skipped: count(marks.skipped) };
}

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

/** Judges the marks. A level that did not come to its end, or failed without a failed test, is a failure of its own. */
export function outcomeOf(all: readonly Mark[], ending: Ending): Outcome {
  const has = (wanted: Mark['mark']): boolean => all.some(({ mark }) => mark === wanted);
  const counts = countsOf(all);
  const stopped = ending.interrupted || has(marks.stopped);
  const died = causeOfDeath(has(marks.end), counts.failed, { ...ending, interrupted: stopped });
  return { ...counts, failed: counts.failed + (died === undefined ? 0 : 1), died };
}

function causeOfDeath(ended: boolean, failed: number, { code, signal, interrupted }: Ending): string | undefined {
  if (interrupted) return 'it was interrupted';
  if (signal !== null) return `it was ended by ${signal}`;
  if (!ended) return `it could not start, or ended before its last test (exit code ${code})`;
  return code !== 0 && failed === 0 ? `it ended with exit code ${code} although no test failed` : undefined;
}

export function sum(all: readonly Counts[]): Counts {
  const total: Counts = { ...none };
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
