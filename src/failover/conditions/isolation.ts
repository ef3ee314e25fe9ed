import { type Reason, reasons } from '../../crds/index.js';
import { type Draft, waitLeftMs } from '../draft.js';
import type { ConditionVerdict, ReplicaView } from '../types.js';
import { listed } from './placement.js';

/**
 * A replica that was evicted or is being upgraded is back within so long. For that time one that is missing is no news.
 * Milliseconds.
 */
const ROLLING_MS = 60_000;
/** Rule 8: the operator, a recorder and its standby on a machine each. */
const FEWEST_MACHINES = 3;

function nodesOf(replicas: readonly ReplicaView[]): string[] {
  return [...new Set(replicas.map(({ nodeName }) => nodeName))].sort();
}

function previous(draft: Draft, type: string): ConditionVerdict | undefined {
  const known = draft.input.status.conditions?.find((condition) => condition.type === type);
  return known && { status: known.status, reason: known.reason as Reason, message: known.message };
}

/** Said already, so it is not unsaid by a restart of the operator. */
function alreadySaid(draft: Draft): boolean {
  const isRisk = (reason: string | undefined) => reason === reasons.OneNode || reason === reasons.OperatorAtRisk;
  if (isRisk(previous(draft, 'OperatorIsolated')?.reason) || isRisk(previous(draft, 'Protected')?.reason)) return true;
  return draft.input.servers.some(({ status }) =>
    status?.conditions?.some(({ type, reason }) => type === 'Protected' && isRisk(reason)),
  );
}

/** Replicas come and go while they roll: all on one node counts once it has lasted. */
function rolling(draft: Draft): boolean {
  return !alreadySaid(draft) && waitLeftMs(draft, 'operator-on-one-node', ROLLING_MS) > 0;
}

/** The node that runs every ready replica of the operator; undefined when there are more, or none is known. */
export function lonelyNode(draft: Draft): string | undefined {
  const [node, ...others] = nodesOf((draft.input.replicas ?? []).filter(({ ready }) => ready));
  return node === undefined || others.length > 0 || rolling(draft) ? undefined : node;
}

interface Placement {
  readonly replicas: readonly ReplicaView[];
  /** Nodes of the replicas. */
  readonly operators: readonly string[];
  /** Names of the recorders by node. */
  readonly recorders: ReadonlyMap<string, readonly string[]>;
}

function placementOf({ input }: Draft): Placement {
  const replicas = [...(input.replicas ?? [])].sort((a, b) => (a.name < b.name ? -1 : 1));
  const recorders = new Map<string, readonly string[]>();
  for (const { name, nodeName, member } of input.servers)
    if (member && nodeName !== undefined) recorders.set(nodeName, [...(recorders.get(nodeName) ?? []), name]);
  return { replicas, operators: nodesOf(replicas), recorders };
}

function unknown(message: string): ConditionVerdict {
  return { status: 'Unknown', reason: reasons.NotYetObserved, message };
}

function no(reason: Reason, message: string): ConditionVerdict {
  return { status: 'False', reason, message };
}

function judge({ replicas, operators, recorders }: Placement): ConditionVerdict {
  const machines = new Set([...operators, ...recorders.keys()]);
  if (machines.size < FEWEST_MACHINES) {
    const what = `operator and recorders run on ${machines.size === 1 ? 'one node' : `${machines.size} nodes`} in all`;
    return no(reasons.TooFewMachines, `${what}: ${listed([...machines].sort())}; have three at least`);
  }
  if (operators.length === 1) {
    const mend = `kubectl rollout restart of its Deployment spreads ${replicas.length > 1 ? 'them' : 'its replicas'}`;
    return no(reasons.OneNode, `All replicas of the operator run on node ${operators[0]}; ${mend} if there is another`);
  }
  const shared = replicas.filter(({ nodeName }) => recorders.has(nodeName));
  if (shared.length === 0) {
    const message = `The operator runs on ${listed(operators)}, and no recorder of the pool does`;
    return { status: 'True', reason: reasons.OnOtherNodes, message };
  }
  const pairs = shared.map(
    ({ name, nodeName }) => `${name} on node ${nodeName} with ${listed(recorders.get(nodeName) ?? [], 3)}`,
  );
  return no(reasons.SharesNode, `Replicas of the operator share nodes with recorders: ${listed(pairs, 5)}`);
}

/**
 * Condition OperatorIsolated (rule 8): whether all replicas of the operator run on other nodes than the recorders of this
 * pool, and on more than one. Replicas that do not run yet change nothing.
 */
export function operatorIsolated(draft: Draft): ConditionVerdict {
  const placement = placementOf(draft);
  if (placement.replicas.length === 0) return unknown('No replica of the operator is seen in its namespace');
  if (placement.recorders.size === 0) return unknown('No recorder of the pool has a node yet');
  const before = previous(draft, 'OperatorIsolated');
  if (placement.operators.length === 1 && before !== undefined && rolling(draft)) return before;
  return judge(placement);
}
