import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { conflicts, rangesOf, type SlotAddressing, slotAddressing, slotCount } from './addressing.js';
import { type ClusterState, listClusterNames, readState, writeState } from './cluster-state.js';
import { adminKubeconfigPath } from './control-plane.js';
import { withFileLock } from './file-lock.js';
import { clusterFolder, makeRunFolder, runFolder } from './paths.js';
import { identify } from './process-identity.js';
import { run } from './run-command.js';
import { sweepStaleClusters } from './teardown.js';

/** A name and, for a cluster with nodes, a slot that no other cluster on this machine has. */
export interface Reservation {
  readonly state: ClusterState;
  readonly folder: string;
  readonly addressing: SlotAddressing | undefined;
}

/** Names and slots are given, and stale clusters swept, by one process at a time: each step looks before it takes. */
export function withClustersLocked<T>(action: () => Promise<T>, onProgress: (line: string) => void): Promise<T> {
  const lock = join(runFolder(), 'clusters.lock');
  return withFileLock(lock, action, () => onProgress('Waiting for another run, which starts or stops a cluster ...'));
}

/** Sweeps stale clusters, then takes the name and a free slot for this process. Throws if the name is in use. */
export async function reserveCluster(name: string, nodes: number, onProgress: (line: string) => void) {
  await makeRunFolder();
  return withClustersLocked(async () => {
    await sweepStaleClusters(onProgress);
    if (await readState(name)) throw new Error(await nameTaken(name));
    const addressing = nodes > 0 ? await freeSlot() : undefined;
    const owner = await identify(process.pid);
    if (!owner) throw new Error('/proc is not mounted; a cluster cannot be guarded without it.');
    const folder = clusterFolder(name);
    const state: ClusterState = {
      name,
      owner,
      nodes,
      ready: false,
      kubeconfigPath: adminKubeconfigPath(folder),
      ...(addressing ? { slot: addressing.slot } : {}),
    };
    await writeState(state);
    await mkdir(join(folder, 'logs'));
    return { state, folder, addressing } satisfies Reservation;
  }, onProgress);
}

async function nameTaken(name: string): Promise<string> {
  const owner = (await readState(name))?.owner;
  const end = owner ? `process ${owner.pid} uses it` : `take it down: npm run cluster -- down --name ${name}`;
  return `There is a cluster ${name} already; ${end}.`;
}

/** The first slot that no cluster has and whose bridge and addresses nothing else on this machine uses. */
async function freeSlot(): Promise<SlotAddressing> {
  const states = await Promise.all((await listClusterNames()).map(readState));
  const taken = new Set(states.map((state) => state?.slot));
  const routes = JSON.parse((await run('ip', ['-json', 'route', 'show', 'table', 'all'])) || '[]') as { dst: string }[];
  const links = JSON.parse((await run('ip', ['-json', 'link', 'show'])) || '[]') as { ifname: string }[];
  for (let slot = 0; slot < slotCount; slot += 1) {
    const addressing = slotAddressing(slot);
    if (taken.has(slot) || links.some((link) => link.ifname === addressing.bridge)) continue;
    if (rangesOf(addressing).some((range) => routes.some((route) => conflicts(range, route.dst)))) continue;
    return addressing;
  }
  throw new Error(
    `All ${slotCount} slots for clusters with nodes are taken, or their addresses (10.77.0.0/16) are in use here. ` +
      'Take clusters down: npm run cluster -- down --all',
  );
}
