import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants, setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { installMissing } from '../../test/cluster/packages.js';
import { calmHost } from '../../test/scenario/calm-host.js';
import type { ProcessorWatch } from '../../test/scenario/machine.js';
import { type Ending, fileRuns, type Outcome, outcomeOf, readMarks, summary } from './counts.js';
import type { Interruption } from './interruption.js';
import type { Level } from './levels.js';
import { blamed, type LevelRun, replaced, secondRunMs, starvedFailures } from './starvation.js';

const root = join(import.meta.dirname, '../..');

/** For a host that gives its processors to others, before what it disturbed is run again. Milliseconds. */
const LONGEST_WAIT_MS = 240_000;

export interface RunOptions {
  /** Arguments for mocha, handed on as they are. */
  readonly mochaArguments: readonly string[];
  readonly interruption: Interruption;
  /** Saw what the host took of this machine while the level ran. */
  readonly processor: Pick<ProcessorWatch, 'samples' | 'withheldShare'>;
  /** How often a file whose failures the host is to blame for is run again, and when of `performance.now()` that must end. */
  readonly again: { readonly rounds: number; readonly untilMs: number };
  /** It takes what other levels leave of the machine, and says all it has to say at its end. */
  readonly inBackground: boolean;
}

/** Runs a level and prints its tests and their count; one that can't be prepared is a failure. Rejects without a mocha. */
export async function runLevel(level: Level, options: RunOptions): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'understudy-test-'));
  const started = performance.now();
  try {
    if (!options.inBackground) announce(level);
    const obstacle = await prepare(level);
    if (obstacle !== undefined) {
      console.log(`${level.name}: can't start: ${obstacle}`);
      return { passed: 0, failed: 1, skipped: 0, died: obstacle };
    }
    const outcome = await runJudged(options, (files) => runOnce(level, options, folder, files));
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${level.name}: ${summary(outcome)} in ${seconds} s${outcome.died ? `; ${outcome.died}` : ''}`);
    return outcome;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs all files; then, alone and a few times at most, those whose failures the host is to blame for. */
async function runJudged(
  { interruption, processor, again }: RunOptions,
  run: (files?: readonly string[]) => Promise<LevelRun>,
): Promise<LevelRun> {
  let result = await run();
  for (let round = 0; round < again.rounds; round += 1) {
    const starved = starvedFailures(result, processor.samples);
    if (starved.length === 0 || interruption.interrupted()) break;
    for (const line of starved.map(blamed)) console.log(line);
    const spareMs = again.untilMs - performance.now() - secondRunMs(starved);
    if (spareMs < 0) {
      console.log('There is no time left for that: the failures stand.');
      break;
    }
    await calmHost(processor, Math.min(spareMs, LONGEST_WAIT_MS));
    result = replaced(result, await run(starved.map(({ file }) => file)));
  }
  return result;
}

async function runOnce(
  level: Level,
  options: RunOptions,
  folder: string,
  files?: readonly string[],
): Promise<LevelRun> {
  const [marksFile, output] = ['marks', 'output'].map((name) => join(folder, name)) as [string, string];
  for (const file of [marksFile, output]) rmSync(file, { force: true });
  const { inBackground, mochaArguments } = options;
  const chosen =
    files === undefined ? mochaArguments : [...mochaArguments.filter((word) => !isTestFile(word)), ...files];
  const log = inBackground ? output : undefined;
  const ending = await runMocha(level, { ...options, mochaArguments: chosen }, { marksFile, output: log });
  if (inBackground) tellAfterwards(level, contentOf(output));
  const marks = readMarks(contentOf(marksFile));
  return { ...outcomeOf(marks, ending), files: fileRuns(marks) };
}

function announce(level: Level): void {
  console.log(`\n${level.name}: ${level.files}`);
}

function tellAfterwards(level: Level, output: string): void {
  announce(level);
  process.stdout.write(output);
}

/** Installs and builds what the level needs; or says why that was not possible. */
async function prepare(level: Level): Promise<string | undefined> {
  const say = (line: string): void => console.log(line);
  try {
    await installMissing(level.needs, say);
    await level.prepare(say);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * As in .mocharc.json, which only mocha's launcher reads. Without the second one mocha loads test files by `require`,
 * which makes CommonJS of them: no import.meta.resolve, and a module that is imported both ways exists twice.
 */
const nodeOptions = ['--import', 'tsx', '--no-experimental-require-module', '--enable-source-maps'];

/** Starts mocha's own program, not its launcher: that one would start a process more, which signals can miss. */
async function runMocha(
  level: Level,
  { mochaArguments, interruption }: RunOptions,
  { marksFile, output }: { readonly marksFile: string; readonly output: string | undefined },
): Promise<Ending> {
  const log = output === undefined ? undefined : openSync(output, 'w');
  const child = spawn(
    process.execPath,
    [
      ...nodeOptions,
      join(root, 'node_modules/mocha/lib/cli/cli.js'),
      ...['--reporter', join(root, 'scripts/test/reporter.ts'), '--timeout', String(level.timeoutMs)],
      ...(process.stdout.isTTY ? ['--color'] : []),
      ...['--exit', ...mochaArguments, ...(namesFiles(mochaArguments) ? [] : [level.files])],
    ],
    // Its own process group: Ctrl-C reaches it once, from us, and not a second time from the terminal.
    {
      cwd: root,
      stdio: ['inherit', log ?? 'inherit', log ?? 'inherit'],
      detached: true,
      env: { ...process.env, UNDERSTUDY_TEST_COUNTS: marksFile },
    },
  );
  if (log !== undefined) {
    closeSync(log);
    giveWay(child);
  }
  const release = interruption.guard(child);
  try {
    return await endingOf(child, interruption);
  } finally {
    release();
  }
}

function endingOf(child: ChildProcess, interruption: Interruption): Promise<Ending> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve({ code, signal, interrupted: interruption.interrupted() }));
  });
}

function giveWay({ pid }: ChildProcess): void {
  // Without a pid it has not started, which endingOf tells.
  if (pid === undefined) return;
  const { PRIORITY_LOW } = constants.priority;
  setPriority(pid, PRIORITY_LOW);
  // Linux weighs whole sessions against one another first, and each level is one of its own.
  const session = `/proc/${pid}/autogroup`;
  if (existsSync(session)) writeFileSync(session, String(PRIORITY_LOW));
}

/** Test files among mocha's arguments stand in place of the level's own. */
function namesFiles(mochaArguments: readonly string[]): boolean {
  return mochaArguments.some(isTestFile);
}

function isTestFile(word: string): boolean {
  return word.endsWith('.test.ts');
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    // No file: mocha never came to its first test. outcomeOf counts that as a failure.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
