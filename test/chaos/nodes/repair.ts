import { setTimeout as pause } from 'node:timers/promises';
import { waitUntil } from '../../cluster/wait-until.js';
import type { Fault } from '../../scenario/faults/index.js';
import type { Act } from './act.js';

/** A system must be whole and at rest so long after everything was healed. Milliseconds; a hang guard, no promise. */
const REST_LIMIT_MS = 120_000;
/** It is at rest when it is so at two looks that are so far apart. Milliseconds. */
const STILL_MS = 1_500;

/**
 * The documented procedure for a server whose disks are dead: into maintenance, which moves its role away; the pod goes;
 * the disks are repaired; back to Normal.
 */
export async function repairByMaintenance(act: Act, server: string, disks: Fault): Promise<void> {
  const { plot } = act;
  if (plot.holder() === server) act.repairMoves += 1;
  await plot.setMode(server, 'Maintenance');
  await plot.untilSafeToRepair(server);
  await disks.heal();
  await plot.setMode(server, 'Normal');
}

/** Waits until the system is whole and at rest; what is amiss when it never is, or nothing. */
export async function restViolations(act: Act): Promise<string[]> {
  const still = async () => {
    if (act.unrest().length > 0) return false;
    await pause(STILL_MS);
    return act.unrest().length === 0;
  };
  try {
    await waitUntil('the system is at rest', still, { timeoutMs: REST_LIMIT_MS, intervalMs: 100 });
    return [];
  } catch {
    return act.unrest().map((line) => `${REST_LIMIT_MS / 1000} s after everything was healed: ${line}`);
  }
}
