import { readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { slotCount } from './addressing.js';
import { removeCgroup } from './cgroups.js';
import { isStale, listClusterNames, readState } from './cluster-state.js';
import { clusterVariable } from './daemon.js';
import { thawAll } from './disk.js';
import { type Resource, readJournal } from './journal.js';
import { countLeftovers, describeLeftovers, findLeftovers, type LeftoverScope, type Leftovers } from './leftovers.js';
import { isWithin, listMounts } from './mounts.js';
import { clusterFolder, runFolder } from './paths.js';
import { endProcesses, valuesInEnvironments } from './process-identity.js';
import { run, tryRun } from './run-command.js';
import { waitUntil } from './wait-until.js';

/** Which leftovers a cluster could have; read it before the teardown, which removes what it is read from. */
export async function scopeOf(name: string): Promise<LeftoverScope> {
  const folder = clusterFolder(name);
  return { folder, slot: (await readState(name))?.slot, journal: await readJournal(folder) };
}

/**
 * Takes a cluster away, whoever started it and in whatever state it is, and gives what is left then: nothing, or it
 * throws and says what. It may run twice, and may run while another one runs.
 */
export async function tearDown(name: string): Promise<Leftovers> {
  const scope = await scopeOf(name);
  if ((await readState(name))?.external) {
    await rm(scope.folder, { recursive: true, force: true });
    return findLeftovers(scope);
  }
  return remove(scope, `Cluster ${name}`);
}

/**
 * Takes away what clusters have left whose run folders were lost, for example to someone who cleaned /tmp: marked
 * processes, and the network and cgroups of every slot that no cluster holds. Only to be called with the clusters locked
 * (reservation.ts). Gives the number of things found.
 */
export async function tearDownOrphans(onProgress: (line: string) => void): Promise<number> {
  let count = 0;
  for (const scope of await orphanScopes()) {
    const found = await findLeftovers(scope);
    if (countLeftovers(found) === 0) continue;
    onProgress(`Left by a cluster that is not known any more: ${describeLeftovers(found)}`);
    await remove(scope, 'A forgotten cluster');
    count += countLeftovers(found);
  }
  return count;
}

async function orphanScopes(): Promise<LeftoverScope[]> {
  const names = await listClusterNames();
  const known = new Set(names.map(clusterFolder));
  const clusters = join(runFolder(), 'clusters');
  const marked = await valuesInEnvironments(clusterVariable);
  const lost = marked.filter((folder) => dirname(folder) === clusters && !known.has(folder));
  const held = new Set((await Promise.all(names.map(readState))).map((state) => state?.slot));
  const slots = Array.from({ length: slotCount }, (_, slot) => slot).filter((slot) => !held.has(slot));
  return [
    ...lost.map((folder) => ({ folder, slot: undefined, journal: [] })),
    ...slots.map((slot) => ({ folder: join(clusters, '.lost'), slot, journal: [] })),
  ];
}

async function remove(scope: LeftoverScope, what: string): Promise<Leftovers> {
  await thawDisks(scope);
  await endAllProcesses(scope);
  await unmountAll(scope);
  await detachLoopDevices(scope);
  await removeNetwork(scope);
  await removeCgroups(scope);
  await removeFolders(scope);
  const left = await findLeftovers(scope);
  if (countLeftovers(left) > 0) throw new Error(`${what} was taken down, but left: ${describeLeftovers(left)}`);
  return left;
}

/** Takes down every cluster whose owner has ended without doing so. Gives their names. */
export async function sweepStaleClusters(onProgress: (line: string) => void): Promise<string[]> {
  const swept: string[] = [];
  for (const name of await listClusterNames()) {
    if (!(await isStale(await readState(name)))) continue;
    onProgress(`Taking down cluster ${name}: the process that started it has ended.`);
    await tearDown(name);
    swept.push(name);
  }
  return swept;
}

async function thawDisks(scope: LeftoverScope): Promise<void> {
  const disks = (await listMounts()).filter((mount) => mount.type === 'ext4' && mount.source.startsWith('/dev/loop'));
  await thawAll(disks.map((mount) => mount.path).filter((path) => isWithin(path, scope.folder)));
}

/** Killed, not asked: a test cluster has nothing to save, and the first process of a node takes all its pods with it. */
async function endAllProcesses(scope: LeftoverScope): Promise<void> {
  // Two rounds may be needed: a container runtime can start a process between being found and being killed.
  await waitUntil(
    'all processes of the cluster have ended',
    async () => {
      const { processes } = await findLeftovers(scope);
      await endProcesses(processes, 0);
      return processes.length === 0;
    },
    { timeoutMs: 30_000 },
  );
}

async function unmountAll(scope: LeftoverScope): Promise<void> {
  const { mounts } = await findLeftovers(scope);
  // The last made first: a later mount can lie inside an earlier one. A busy one is detached, and ends with its user.
  for (const path of [...mounts].reverse()) {
    if ((await tryRun('umount', [path])) === undefined) await tryRun('umount', ['--lazy', path]);
  }
}

/** /run/netns, which `ip netns` mounts on itself: ours if it was not there before, unless others use it by now. */
async function unmountIfEmpty(path: string): Promise<void> {
  const mounted = (await listMounts()).some((mount) => mount.path === path);
  if (mounted && (await readdir(path)).length === 0) await tryRun('umount', [path]);
}

async function detachLoopDevices(scope: LeftoverScope): Promise<void> {
  const { loopDevices } = await findLeftovers(scope);
  for (const device of loopDevices) await run('losetup', ['--detach', device]);
  // The kernel detaches a device when its last user has gone, which may be a moment after the call.
  const detached = async () => (await findLeftovers(scope)).loopDevices.length === 0;
  if (loopDevices.length > 0) await waitUntil('the loop devices are detached', detached, { timeoutMs: 10_000 });
}

async function removeNetwork(scope: LeftoverScope): Promise<void> {
  const found = await findLeftovers(scope);
  for (const rule of ofKind(scope.journal, 'iptables')) {
    if (found.firewallRules.length > 0) await tryRun('iptables', ['-w', '5', '-D', 'FORWARD', ...rule.rule]);
  }
  for (const link of found.links) await tryRun('ip', ['link', 'delete', link]);
  for (const namespace of found.namespaces) await tryRun('ip', ['netns', 'delete', namespace]);
  for (const entry of ofKind(scope.journal, 'mount')) {
    if (!isWithin(entry.path, scope.folder)) await unmountIfEmpty(entry.path);
  }
}

async function removeCgroups(scope: LeftoverScope): Promise<void> {
  const { cgroups } = await findLeftovers(scope);
  for (const cgroup of cgroups) {
    // A cgroup is busy for a moment after its last process has ended.
    const removed = () =>
      removeCgroup(cgroup).then(
        () => true,
        (error: NodeJS.ErrnoException) => {
          if (error.code === 'EBUSY') return false;
          throw error;
        },
      );
    await waitUntil(`cgroup ${cgroup} is removed`, removed, { timeoutMs: 10_000 });
  }
}

async function removeFolders(scope: LeftoverScope): Promise<void> {
  const mounted = (await findLeftovers(scope)).mounts;
  if (mounted.length > 0) throw new Error(`Still mounted, so nothing is deleted: ${mounted.join(', ')}`);
  await rm(scope.folder, { recursive: true, force: true });
}

function ofKind<K extends Resource['kind']>(journal: readonly Resource[], kind: K): Extract<Resource, { kind: K }>[] {
  return journal.filter((entry): entry is Extract<Resource, { kind: K }> => entry.kind === kind);
}
