import { appendFileSync } from 'node:fs';
import mocha from 'mocha';
import { type Mark, marks, writtenMark } from './counts.js';

const { constants } = mocha.Runner;

/** Characters of a failure that are told at once. */
const LONGEST_MESSAGE = 600;
/** How long hooks may clean up after Ctrl-C before the process ends all the same. Milliseconds. */
const cleanUpMs = 60_000;

/**
 * mocha's own spec reporter, without its closing count (the whole run has one of its own), that also writes a mark per
 * outcome and lets the hooks clean up after Ctrl-C: mocha would die at once and leave clusters behind.
 */
class CountingReporter extends mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    const file = process.env.UNDERSTUDY_TEST_COUNTS;
    const write = (mark: Mark['mark'], of?: { readonly file?: string | undefined }): void => {
      if (file) appendFileSync(file, writtenMark({ mark, atMs: Date.now(), file: of?.file ?? '' }));
    };
    runner.on(constants.EVENT_SUITE_BEGIN, (suite) => {
      if (suite.parent?.root) write(marks.begun, suite);
    });
    runner.on(constants.EVENT_TEST_PASS, (test) => write(marks.passed, test));
    runner.on(constants.EVENT_TEST_FAIL, (test, error: Error) => {
      write(marks.failed, test);
      // The whole of it is told at the end; a run of minutes should not have to end before anybody can look.
      console.log(`       ${error.message.slice(0, LONGEST_MESSAGE).replaceAll('\n', '\n       ')}`);
    });
    runner.on(constants.EVENT_TEST_PENDING, (test) => write(marks.skipped, test));
    runner.on(constants.EVENT_RUN_END, () => write(marks.end));
    // The mark says so itself: a signal can come from a test as well, and what passed says nothing about the rest.
    const stopEarly = (): void => {
      write(marks.stopped);
      stop(runner);
    };
    process.once('SIGINT', stopEarly);
    process.once('SIGTERM', stopEarly);
  }

  override epilogue(): void {
    if (this.failures.length > 0) mocha.reporters.Base.list(this.failures);
  }
}

function stop(runner: Mocha.Runner): void {
  console.log('\nStopping after the test that runs now, and cleaning up; press Ctrl-C again to end at once.');
  runner.abort();
  process.once('SIGINT', () => process.exit(130));
  setTimeout(() => process.exit(130), cleanUpMs).unref();
}

// biome-ignore lint/style/noDefaultExport: mocha takes a reporter from `default` and from nothing else.
export { CountingReporter as default };
