import { resources } from '../../src/operator/resources.js';
import { CommandError } from '../cluster/run-command.js';
import { waitUntil } from '../cluster/wait-until.js';
import { OPERATOR_NAMESPACE } from './operator.js';
import type { RecorderPod } from './recorder-pod.js';
import { HANG_MS, type Scene } from './scene.js';

/** A drain that runs. */
export interface Drain {
  readonly ended: Promise<void>;
  isOver(): boolean;
}

/** Longer than any wait for a condition, and shorter than commands may take. */
const DRAIN_SECONDS = 110;

/** Begins `kubectl drain`, as a person does before the repair of a node; it cordons the node first. */
export function startDrain({ ground: { cluster } }: Scene, node: string): Drain {
  let over = false;
  const drain = ['drain', node, '--ignore-daemonsets', '--delete-emptydir-data', `--timeout=${DRAIN_SECONDS}s`];
  const ended = cluster.kubectl(drain).then(() => {
    over = true;
  });
  // It is awaited later; a failure before that must not be reported as unhandled.
  ended.catch(() => undefined);
  return { ended, isOver: () => over };
}

/** Cordons a node, or takes its cordon away; says the same twice without harm. */
export async function setCordon({ ground: { cluster } }: Scene, node: string, cordoned: boolean): Promise<void> {
  await cluster.kubectl([cordoned ? 'cordon' : 'uncordon', node]);
}

/** Whether no new pod goes to the node. */
export async function isCordoned({ api }: Scene, node: string): Promise<boolean> {
  const { spec } = await api.get<{ spec?: { unschedulable?: boolean } }>(resources.nodes, { name: node });
  return spec?.unschedulable === true;
}

/** What the API server answers to an eviction of the pod that it refuses. Throws when it is not refused. */
export async function evictionRefusal({ ground: { cluster }, namespace }: Scene, pod: string): Promise<string> {
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: pod, namespace } };
  const path = `/api/v1/namespaces/${namespace}/pods/${pod}/eviction`;
  try {
    await cluster.kubectl(['create', '--raw', path, '-f', '-'], JSON.stringify(eviction));
  } catch (error) {
    if (error instanceof CommandError) return error.stderr;
    throw error;
  }
  throw new Error(`the eviction of ${pod} was not refused`);
}

/** Waits until other scenes that end meanwhile have left the node: a drain would wait for their pods, too. */
export async function nodeIsOurs({ api, namespace }: Scene, node: string): Promise<void> {
  const strangers = async () => {
    const pods = await api.list<RecorderPod & { metadata: { namespace: string } }>(resources.pods);
    return pods
      .filter(({ spec }) => spec.nodeName === node)
      .map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)
      .filter((name) => ![namespace, OPERATOR_NAMESPACE].includes(name.split('/')[0] ?? ''));
  };
  await waitUntil(`${node} has no pods of other scenes`, async () => (await strangers()).length === 0, {
    timeoutMs: HANG_MS,
    intervalMs: 500,
    hint: async () => `It has: ${(await strangers()).join(', ')}`,
  });
}
