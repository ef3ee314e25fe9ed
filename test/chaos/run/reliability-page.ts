import { watchFaults, writeFaults } from '../cases/case.js';
import { nodeFaults, traitsOf } from '../nodes/faults.js';
import { OPERATOR_LOSS_SECONDS, OPERATOR_REPLACED_SECONDS } from '../nodes/hits.js';
import { casesOf } from '../nodes/tally.js';
import type { ApiPart, NodesLine, NodesPart, Results } from './results.js';
import { total } from './tally.js';

/** What each fault of the API tier is, as the page says it. */
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

/** Faults of the API tier in the order of the page. */
export const faultNames: readonly string[] = [
  ...writeFaults,
  ...watchFaults,
  ...['spec-fit', 'spec-odd', 'spec-refused'],
];

/** docs/reliability.md, whole: it is written by the runs that it tells of. */
export function reliabilityPage({ api, nodes }: Results): string {
  return `# Reliability

What happens to the system when something under it fails. The tables were written by the runs that they tell of; a failing
case is printed with the command that repeats it. There are two tiers: faults on real nodes with real video, and faults
between the operator and its API server, of which there are many more because they take a second each.

| tier | injected | cases | violations |
|---|---|---|---|
${summaryOfNodes(nodes)}
${summaryOfApi(api)}

## Real nodes

${nodes === undefined ? 'Not run yet: `npm run chaos -- --tier nodes --for 45m --write-docs`, as root.' : nodesText(nodes)}

## API server, network and operator

${api === undefined ? 'Not run yet: `npm run chaos -- --for 60m --write-docs`.' : apiText(api)}
`;
}

function summaryOfNodes(part: NodesPart | undefined): string {
  if (part === undefined) return '| real nodes | not run yet | | |';
  const { cases, violations } = totalOf(part.lines);
  return `| real nodes | power, network, disks, processes, operator, control plane, planned moves | ${cases} | ${violations} |`;
}

function summaryOfApi(part: ApiPart | undefined): string {
  if (part === undefined) return '| API | not run yet | | |';
  const { cases, violations } = total(part.lines);
  return `| API | every write and every watch of the operator; random desired states | ${cases} | ${violations} |`;
}

function totalOf(lines: readonly NodesLine[]) {
  const sum = (of: (line: NodesLine) => number): number => lines.reduce((all, line) => all + of(line), 0);
  return {
    cases: sum(casesOf),
    atRest: sum(({ atRest }) => atRest),
    takingOver: sum(({ takingOver }) => takingOver),
    backingUp: sum(({ backingUp }) => backingUp),
    violations: sum(({ violations }) => violations),
    void: sum((line) => line.void),
  };
}

function nodesText(part: NonNullable<Results['nodes']>): string {
  const { lines, systems, nodes, injections, seed, minutes, machine, stolenPercent, commit } = part;
  const sum = totalOf(lines);
  const rows = lines.map(
    (line) =>
      `| ${line.fault} | ${meaningOnNodes(line.fault)} | ${line.atRest} | ${line.takingOver} | ${line.backingUp} | ${line.longestGapSeconds.toFixed(1)} s | ${line.violations} |`,
  );
  return `A cluster of ${nodes} real nodes (kubelet, container runtime, network and disks of their own) with the operator as its chart
installs it, two replicas, and ${systems} recording systems side by side: each a namespace with a pool, a recorder with two
disks, one or two standbys, and cameras that send real video. Timeout 5 s, failback None: roles wander as they may.

A fault strikes at rest, or in the middle of a failover that another fault has caused (dead disks, a frozen recorder, a
power cut or a partition): before the standby has proved that it records, or while the new baseline is made. Faults of one
system are injected in all systems side by side, each its own. For a fault of a whole node, or of what all share,
everything rests; it is injected once, and every system is judged.

How a case is counted: one injection as it hit one system, in the column of where that system really stood. A node that
takes servers of three systems with it is three cases; a system without a server on it is none, but is judged as well.
Here ${injections} injections made ${sum.cases} cases. ${sum.void} more say nothing: they showed something, but the machine had stood still for
a second, for the run itself or for a witness, which records every camera beside all systems and in no pod. What the
witness has no pictures of, nobody could have recorded, and is not counted as missing anywhere.

How a case is judged, from the outside only:

- Every picture in the files of every disk since the case began is read. No camera may have a hole where nobody's disks
  died or fell silent; after a fault of the holder it may last 8 s, and its connect time and key frame, and as long as the
  host of this virtual machine took its processor away in it. What strikes in the middle of a takeover adds what it costs by itself: another recorder its 8 s, a dead leader of the operator
  ${OPERATOR_LOSS_SECONDS} s (${OPERATOR_REPLACED_SECONDS} s where the nodes of both replicas are gone, because Kubernetes has to make new ones), an API
  server the time for which it was away and the timeout once more, since all timers begin anew, and a new leader. Where
  every recorder of a system is out at once, nobody can record; then the cameras must be said not to be recorded.
- Every version of every object: one holder a role and epoch, whoever says it; epochs only grow; no role for a server that
  is out for longer than it takes to notice; the role moves as often as the faults ask for, and not otherwise; one complete
  baseline a failover; no spec changed by anybody but the run.
- Afterwards everything is healed, disks by the maintenance procedure, and each system has to be whole: the holder active,
  all others standing by, all disks in use, the queue empty, every camera recorded.

Written by \`npm run chaos -- --tier nodes --for ${minutes}m --seed ${seed} --write-docs\` at commit ${commit}, in ${minutes} minutes on ${machine}, of
whose processor time the host took ${stolenPercent} % for others.

| fault | what is injected | at rest | before the proof | at the baseline | longest gap | violations |
|---|---|---|---|---|---|---|
${rows.join('\n')}
| **all** | | **${sum.atRest}** | **${sum.takingOver}** | **${sum.backingUp}** | | **${sum.violations}** |`;
}

function meaningOnNodes(name: string): string {
  const fault = nodeFaults.find((known) => known === name);
  return fault === undefined ? '' : traitsOf(fault).meaning;
}

function apiText({ lines, seed, minutes, workloads, machine, commit }: NonNullable<Results['api']>): string {
  const sum = total(lines);
  const rows = lines.map(
    ({ fault, cases, violations }) => `| ${fault} | ${meaning[fault] ?? ''} | ${cases} | ${violations} |`,
  );
  const plays = Object.entries(workloads).map(([name, writes]) => `${name} (${writes} writes)`);
  return `The operator runs against a real API server with real timers; a proxy between the two hits one write, or the watches of
one kind, in each case.

How a case is judged: the same workload runs without a fault first, twice, and both runs must be equal. Under the fault
the end state of every object, field by field, and the count of creates and deletes per object must be those of that run,
and the operator must come to rest. On the way nobody may stop recording while nobody else records the role, no spec of
ours may be written, a leader that was replaced must write nothing more, and nothing may throw a program error.

Workloads: ${plays.join(', ')}. Each write of a workload is hit by each fault; which ones a run takes is by chance of its
seed. A write that never came under the fault counts as no case, and neither does one during which the
machine did not let the run itself or its API server go on for a second (three tries).

Written by \`npm run chaos -- --for ${minutes}m --seed ${seed} --write-docs\` at commit ${commit} on ${machine}.

| fault | what is injected | cases | violations |
|---|---|---|---|
${rows.join('\n')}
| **all** | | **${sum.cases}** | **${sum.violations}** |`;
}
