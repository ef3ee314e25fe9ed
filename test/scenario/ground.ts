import { after } from 'mocha';
import { type Site, standUp } from './stand-up.js';

export const CAMERA_NAMES = ['gate', 'yard', 'dock', 'lobby'];

let opened: Promise<Site> | undefined;
const undo: (() => Promise<void>)[] = [];

/**
 * What the e2e tests of one process share, brought up at the first call and taken away after the last test. Exactly three nodes: the smallest
 * system that the rules allow (rule 8), so every test here shows that it is enough.
 */
export function ground(): Promise<Site> {
  opened ??= open();
  return opened;
}

/** Waits for the work after the last test, before the cluster is taken away; its failure is a failure of the run. */
export function awaitAtEnd(work: Promise<void>): void {
  // Reported by the hook below, not as unhandled before.
  work.catch(() => undefined);
  undo.push(() => work);
}

async function open(): Promise<Site> {
  const site = await standUp({
    ...{ name: `e2e-${process.pid}`, nodes: 3, cameras: CAMERA_NAMES },
    note: (line) => console.log(`    ${line}`),
    undo: (_, step) => undo.push(step),
  });
  await site.operator.ready();
  return site;
}

// At the top level of a file that test files import, this is a hook of mocha's root suite: it runs once, at the end.
after('take the cluster away', async function () {
  this.timeout(480_000);
  const failures: unknown[] = [];
  for (const step of undo.reverse()) await step().catch((error) => failures.push(error));
  if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join('\n'));
});
