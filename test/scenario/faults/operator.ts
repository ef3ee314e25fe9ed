import { identify, type ProcessIdentity, signal } from '../../cluster/process-identity.js';
import { operatorProcesses } from '../container-process.js';
import type { Operator, Replica } from '../operator.js';
import type { Fault } from './fault.js';

/** Replicas of the operator by what they do. */
export type Target = 'leader' | 'follower' | 'both';

/** Kills replicas of the operator; the kubelet starts them again. Healing waits until both are ready. */
export async function killOperator(operator: Operator, target: Target): Promise<Fault> {
  const pods = (await chosen(operator, target)).map(({ podUID }) => podUID);
  const processes = await operatorProcesses(pods);
  if (processes.length < pods.length) throw new Error(`of the ${target} only ${processes.length} run`);
  for (const { pid } of processes) await kill(await identify(pid));
  return { heal: () => operatorBack(operator) };
}

async function kill(process: ProcessIdentity | undefined): Promise<void> {
  if (process !== undefined) await signal(process, 'SIGKILL');
}

async function chosen(operator: Operator, target: Target): Promise<readonly Replica[]> {
  const replicas = await operator.replicas();
  if (target === 'both') return replicas;
  const leader = await operator.leader();
  if (leader === undefined) throw new Error(`no replica of the operator leads: ${JSON.stringify(replicas)}`);
  return target === 'leader' ? [leader] : replicas.filter(({ pod }) => pod !== leader.pod);
}

/**
 * Waits until both replicas are ready again. One that was killed again and again is kept waiting by its kubelet, at last
 * for minutes: a new pod is not.
 */
export async function operatorBack(operator: Operator): Promise<void> {
  for (const { pod, backsOff } of await operator.replicas()) if (backsOff) await operator.replace(pod);
  await operator.ready();
}
