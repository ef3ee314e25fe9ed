import { relative } from 'node:path';
import type { ProcessorSample } from '../../test/scenario/machine.js';
import { type Starvation, starvationOf, told } from '../../test/scenario/starvation.js';
import { type FileRun, type Outcome, sum } from './counts.js';

/** One run of a level, or of some of its files. */
export interface LevelRun extends Outcome {
  readonly files: readonly FileRun[];
}

export interface StarvedFile extends FileRun {
  /** Its own, or that of the one before it that failed so. */
  readonly starvation: Starvation;
}

/** What a level may need before the first of its tests on a machine that has little time. Milliseconds. */
const CLUSTER_MS = 90_000;

/**
 * Files with failures that happened while the host starved this machine, or after such a file: it may have left behind
 * what it could not finish. None when the level itself died: that is no test's.
 */
export function starvedFailures(run: LevelRun, samples: readonly ProcessorSample[]): StarvedFile[] {
  if (run.died !== undefined) return [];
  const found: StarvedFile[] = [];
  for (const file of run.files) {
    const starvation = starvationOf(samples, file.startMs, file.endMs) ?? found.at(-1)?.starvation;
    // Without a name it is a hook around all files, and there is nothing to run again.
    if (file.failed > 0 && file.file !== '' && starvation !== undefined) found.push({ ...file, starvation });
  }
  return found;
}

/** As long as the files took, and a new cluster for them. Milliseconds. */
export function secondRunMs(files: readonly FileRun[]): number {
  return files.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, CLUSTER_MS);
}

/** The same run, with the files that were run again in place of what they were. */
export function replaced(before: LevelRun, again: LevelRun): LevelRun {
  const files = before.files.map((file) => again.files.find((other) => other.file === file.file) ?? file);
  const died = again.died === undefined ? 0 : 1;
  const counts = sum(files);
  return { ...counts, failed: counts.failed + died, died: again.died, files };
}

/** What is said before a file is run again. */
export function blamed({ file, failed, starvation }: StarvedFile): string {
  const failures = failed === 1 ? 'a failure' : `${failed} failures`;
  return `Run again: ${relative(process.cwd(), file)} had ${failures} while, or after, ${told(starvation)}.`;
}
