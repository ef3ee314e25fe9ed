import { watchFaults, writeFaults } from '../cases/case.js';
import { type Line, total } from './tally.js';

/** What each fault is, as the page says it. */
const meaning: Readonly<Record<string, string>> = {
  'crash-before': 'the operator dies before the write is sent; a new one starts with an empty memory',
  'crash-after': 'the operator dies after the write was applied, without its answer',
  'crash-stale': 'the same, and its successor first gets old lists, with watches that lag behind them',
  cut: 'the connection breaks before the write arrives',
  'applied-cut': 'the write is applied, and the connection breaks before the answer',
  'applied-timeout': 'the write is applied, and no answer ever comes',
  timeout: 'half-open connection: not applied, and no byte comes',
  conflict: 'the write is answered with 409',
  'too-many-requests': 'the write is answered with 429 and Retry-After',
  'server-error': 'the write is answered with 500',
  'watches-expire': 'all watches end with 410 after the write: everything is listed anew',
  'watches-cut': 'all watches break after the write',
  'leader-frozen': 'the leader stands still after the write, another leads and finishes, then the first goes on',
  'leader-late-write': 'the same, and the write itself reaches the API server only after the other has finished',
  lag: 'the events of one kind, or of all, come 0.7 s late',
  coalesce: 'of several changes of an object within 0.7 s only the last is seen',
  lose: 'events are lost while the watch goes on',
  mute: 'a watch falls silent and never ends (half-open)',
  expire: 'a watch ends with 410 once the system is ready',
  'spec-fit': 'desired state A, another one, A again: each is reached, and the second A equals the first',
  'spec-odd': 'desired state that Kubernetes refuses in part: it is said on the object, and undone without a trace',
  'spec-refused': 'specs that break the schema in one place: each is refused, and the operator goes on',
};

export const faultNames: readonly string[] = [
  ...writeFaults,
  ...watchFaults,
  ...['spec-fit', 'spec-odd', 'spec-refused'],
];

export interface PageInput {
  readonly lines: readonly Line[];
  readonly seed: number;
  readonly minutes: number;
  /** Writes of the fault-free runs by workload. */
  readonly workloads: ReadonlyMap<string, number>;
}

/** docs/reliability.md, whole: it is written by the run that it tells of. */
export function reliabilityPage({ lines, seed, minutes, workloads }: PageInput): string {
  const sum = total(lines);
  const rows = lines.map(
    ({ fault, cases, violations }) => `| ${fault} | ${meaning[fault] ?? ''} | ${cases} | ${violations} |`,
  );
  const plays = [...workloads].map(([name, writes]) => `${name} (${writes} writes)`);
  return `# Reliability

What happens to the system when the API server, the network or the operator itself fails. The operator runs against a
real API server with real timers; a proxy between the two hits one write, or the watches of one kind, in each case.

How a case is judged: the same workload runs without a fault first, twice, and both runs must be equal. Under the fault
the end state of every object, field by field, and the count of creates and deletes per object must be those of that run,
and the operator must come to rest. On the way nobody may stop recording while nobody else records the role, no spec of
ours may be written, a leader that was replaced must write nothing more, and nothing may throw a program error.

Workloads: ${plays.join(', ')}. Each write of a workload is hit by each fault; which ones a run takes is by chance of its
seed. A write that never came under the fault counts as no case, and neither does one during which the
machine did not let the run itself or its API server go on for a second (three tries).

The table was written by \`npm run chaos -- --for ${Math.round(minutes)}m --seed ${seed} --write-docs\`. A failing case is printed with the
command that repeats it.

| fault | what is injected | cases | violations |
|---|---|---|---|
${rows.join('\n')}
| **all** | | **${sum.cases}** | **${sum.violations}** |
`;
}
