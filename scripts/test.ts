// npm test [unit|media|api|chaos|e2e ...] [-- mocha arguments]: runs the levels one after the other, and ends with one line
// `N passed, N failed`. A level that dies counts as failed.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installMissing } from '../test/cluster/packages.js';
import { type Counts, type Ending, type Outcome, outcomeOf, sum, summary } from './test/counts.js';
import { type Level, parseArguments } from './test/levels.js';

const root = join(import.meta.dirname, '..');

async function main(): Promise<number> {
  const request = parseArguments(process.argv.slice(2));
  const interruption = watchForInterruption();
  const results: Counts[] = [];
  for (const level of request.levels) {
    if (interruption.interrupted()) break;
    const unfit = level.unfit();
    if (unfit !== undefined) console.log(`\n${level.name}: skipped: ${unfit}`);
    else results.push(await run(level, request.mochaArguments, interruption));
  }
  const total = sum(results);
  console.log(`\n${summary(total)}`);
  if (interruption.interrupted()) return 130;
  return total.failed > 0 ? 1 : 0;
}

async function run(level: Level, mochaArguments: readonly string[], interruption: Interruption): Promise<Outcome> {
  console.log(`\n${level.name}: ${level.files}`);
  const folder = mkdtempSync(join(tmpdir(), 'understudy-test-'));
  const marksFile = join(folder, 'marks');
  const started = performance.now();
  try {
    const obstacle = await prepare(level);
    if (obstacle !== undefined) {
      console.log(`${level.name}: can't start: ${obstacle}`);
      return { passed: 0, failed: 1, skipped: 0, died: obstacle };
    }
    const ending = await runMocha(level, mochaArguments, marksFile, interruption);
    const outcome = outcomeOf(readMarks(marksFile), ending);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${level.name}: ${summary(outcome)} in ${seconds} s${outcome.died ? `; ${outcome.died}` : ''}`);
    return outcome;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
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
function runMocha(
  level: Level,
  mochaArguments: readonly string[],
  marksFile: string,
  interruption: Interruption,
): Promise<Ending> {
  const child = spawn(
    process.execPath,
    [
      ...nodeOptions,
      join(root, 'node_modules/mocha/lib/cli/cli.js'),
      ...['--reporter', join(root, 'scripts/test/reporter.ts'), '--timeout', String(level.timeoutMs)],
      ...['--exit', ...mochaArguments, ...(namesFiles(mochaArguments) ? [] : [level.files])],
    ],
    // Its own process group: Ctrl-C reaches it once, from us, and not a second time from the terminal.
    { cwd: root, stdio: 'inherit', detached: true, env: { ...process.env, UNDERSTUDY_TEST_COUNTS: marksFile } },
  );
  interruption.guard(child);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      interruption.guard(undefined);
      resolve({ code, signal, interrupted: interruption.interrupted() });
    });
  });
}

/** Test files among mocha's arguments stand in place of the level's own. */
function namesFiles(mochaArguments: readonly string[]): boolean {
  return mochaArguments.some((word) => /\.test\.ts$/.test(word));
}

function readMarks(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    // No file: mocha never came to its first test. outcomeOf counts that as a failure.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

interface Interruption {
  interrupted(): boolean;
  /** The process that signals are handed on to. */
  guard(child: ChildProcess | undefined): void;
}

/** Hands Ctrl-C on and waits: the tests clean up, and the closing line still comes. */
function watchForInterruption(): Interruption {
  let child: ChildProcess | undefined;
  let interrupted = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      interrupted = true;
      child?.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal);
    });
  }
  return {
    interrupted: () => interrupted,
    guard(next) {
      child = next;
    },
  };
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  console.log('\n0 passed, 1 failed');
  process.exitCode = 1;
}
