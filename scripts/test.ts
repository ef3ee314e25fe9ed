// npm test [unit|media|store|api|chaos|e2e ...] [-- mocha arguments]: runs the levels, and ends with one line
// `N passed, N failed`. A level that dies counts as failed.
import { ProcessorWatch } from '../test/scenario/machine.js';
import { type Counts, sum, summary } from './test/counts.js';
import { watchForInterruption } from './test/interruption.js';
import { type Level, parseArguments, turnsOf } from './test/levels.js';
import { runLevel } from './test/run-level.js';

/** So that a run on a machine that stays starved ends within the hour and a half that it has in CI. */
const again = { rounds: 2, untilMs: 80 * 60_000 };

async function main(): Promise<number> {
  const request = parseArguments(process.argv.slice(2));
  const interruption = watchForInterruption();
  const { mochaArguments } = request;
  const processor = new ProcessorWatch();
  const results: Counts[] = [];
  for (const turn of turnsOf(request.levels.filter(canRun))) {
    if (interruption.interrupted()) break;
    const options = { mochaArguments, interruption, processor, again };
    const background = turn.beside.map((level) => runLevel(level, { ...options, inBackground: true }));
    results.push(await runLevel(turn.level, { ...options, inBackground: false }), ...(await Promise.all(background)));
  }
  const total = sum(results);
  console.log(`\n${summary(total)}`);
  if (interruption.interrupted()) return 130;
  return total.failed > 0 ? 1 : 0;
}

function canRun(level: Level): boolean {
  const unfit = level.unfit();
  if (unfit !== undefined) console.log(`\n${level.name}: skipped: ${unfit}`);
  return unfit === undefined;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  console.log('\n0 passed, 1 failed');
  process.exitCode = 1;
}
