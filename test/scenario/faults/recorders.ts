import { childrenOf, identify, type ProcessIdentity, signal } from '../../cluster/process-identity.js';
import { containerProcess } from '../container-process.js';
import type { Fault } from './fault.js';

/** The agent's process dies, and with it all that it has started; the kubelet starts the container again by itself. */
export async function killRecorder(podUID: string): Promise<Fault> {
  const agent = await identify(await containerProcess(podUID));
  if (agent) await signal(agent, 'SIGKILL');
  return { heal: async () => undefined };
}

/**
 * The agent and everything that it has started stand still, as in a hung machine: connections stay open, and nobody
 * answers. After a minute the kubelet's liveness probe ends the container; healing is then too late, and harmless.
 */
export async function freezeRecorder(podUID: string): Promise<Fault> {
  const frozen: ProcessIdentity[] = [];
  // From the agent downwards: who stands still starts nothing more.
  await freezeBelow(await containerProcess(podUID), frozen);
  return {
    heal: async () => {
      for (const process of frozen) await signal(process, 'SIGCONT');
    },
  };
}

async function freezeBelow(pid: number, frozen: ProcessIdentity[]): Promise<void> {
  const identity = await identify(pid);
  if (identity === undefined) return;
  await signal(identity, 'SIGSTOP');
  frozen.push(identity);
  for (const child of await childrenOf(pid)) await freezeBelow(child, frozen);
}
