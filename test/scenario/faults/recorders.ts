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
  const agent = await containerProcess(podUID);
  const frozen = new Map<number, ProcessIdentity>();
  // Again until nobody was new: a process may start another one just before it stops.
  while (await freezeFrom(agent, frozen));
  return {
    heal: async () => {
      for (const process of frozen.values()) await signal(process, 'SIGCONT');
    },
  };
}

/** From the agent downwards: who stands still starts nothing more. Tells whether somebody was still moving. */
async function freezeFrom(pid: number, frozen: Map<number, ProcessIdentity>): Promise<boolean> {
  const identity = await identify(pid);
  if (identity === undefined) return false;
  let isNew = !frozen.has(pid);
  if (isNew) await signal(identity, 'SIGSTOP');
  frozen.set(pid, identity);
  for (const child of await childrenOf(pid)) isNew = (await freezeFrom(child, frozen)) || isNew;
  return isNew;
}
