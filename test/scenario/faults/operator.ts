import { operatorProcess } from '../container-process.js';
import type { Operator, Replica } from '../operator.js';
import type { Fault } from './fault.js';

/** Replicas of the operator by what they do. */
export type Target = 'leader' | 'follower' | 'both';

/** Kills replicas of the operator; the kubelet starts them again. Healing waits until both are ready. */
export async function killOperator(operator: Operator, target: Target): Promise<Fault> {
  const shoot = await aimAtOperator(operator, target);
  return shoot();
}

/**
 * Looks up the processes now and gives what kills them later at once: some moments of a failover are over before a
 * process could be looked up. Throws when nobody leads.
 */
export async function aimAtOperator(operator: Operator, target: Target): Promise<() => Fault> {
  const pids = await Promise.all((await chosen(operator, target)).map(({ podUID }) => operatorProcess(podUID)));
  return () => {
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    return { heal: () => untilBack(operator) };
  };
}

async function chosen(operator: Operator, target: Target): Promise<readonly Replica[]> {
  const replicas = await operator.replicas();
  if (target === 'both') return replicas;
  const leader = await operator.leader();
  if (leader === undefined) throw new Error(`no replica of the operator leads: ${JSON.stringify(replicas)}`);
  return target === 'leader' ? [leader] : replicas.filter(({ pod }) => pod !== leader.pod);
}

/** A replica that was killed again and again is waited with by its kubelet, at last for minutes: a new pod is not. */
async function untilBack(operator: Operator): Promise<void> {
  for (const { pod, backsOff } of await operator.replicas()) if (backsOff) await operator.replace(pod);
  await operator.ready();
}
