import { readdir } from 'node:fs/promises';
import { linkPrefix, namespacePrefix } from './addressing.js';
import { findCgroups, processesIn } from './cgroups.js';
import { clusterVariable } from './daemon.js';
import { exists } from './exists.js';
import type { Resource } from './journal.js';
import { isWithin, listMounts } from './mounts.js';
import { userId } from './paths.js';
import { findByEnvironment, identify, isAlive, type ProcessIdentity } from './process-identity.js';
import { run, tryRun } from './run-command.js';

/** Everything of a cluster that is on this machine, found by the marks it carries, not by what anyone remembers. */
export interface Leftovers {
  readonly processes: readonly ProcessIdentity[];
  readonly namespaces: readonly string[];
  readonly links: readonly string[];
  /** In the order in which they were made. */
  readonly mounts: readonly string[];
  readonly loopDevices: readonly string[];
  readonly cgroups: readonly string[];
  /** Rules of the FORWARD chain, as `iptables -S` prints them. */
  readonly firewallRules: readonly string[];
  readonly runFolders: readonly string[];
}

/** Which cluster's leftovers are looked for. */
export interface LeftoverScope {
  readonly folder: string;
  /** Undefined for a cluster that has no nodes and so no resources of the kernel's. */
  readonly slot: number | undefined;
  readonly journal: readonly Resource[];
}

export async function findLeftovers(scope: LeftoverScope): Promise<Leftovers> {
  const slot = scope.slot;
  const root = userId() === 0 && slot !== undefined;
  const cgroups = root ? await findCgroups((name) => name === `${namespacePrefix}${slot}`) : [];
  return {
    processes: await findProcesses(scope, cgroups),
    namespaces: root ? await findNamespaces(slot) : [],
    links: root ? await findLinks(slot) : [],
    mounts: (await listMounts()).map((mount) => mount.path).filter((path) => isWithin(path, scope.folder)),
    loopDevices: root ? await findLoopDevices(scope.folder) : [],
    cgroups,
    firewallRules: root ? await findFirewallRules(slot) : [],
    runFolders: (await exists(scope.folder)) ? [scope.folder] : [],
  };
}

async function findProcesses(scope: LeftoverScope, cgroups: readonly string[]): Promise<ProcessIdentity[]> {
  const found = new Map<number, ProcessIdentity>();
  for (const each of await findByEnvironment(clusterVariable, scope.folder)) {
    found.set(each.pid, each);
  }
  for (const entry of scope.journal) {
    if (entry.kind === 'process' && entry.pid !== process.pid && (await isAlive(entry))) found.set(entry.pid, entry);
  }
  // A pod's processes have their container's environment; they are found by the cgroup of their node.
  for (const pid of new Set((await Promise.all(cgroups.map(processesIn))).flat())) {
    const identity = await identify(pid);
    if (identity && (await isAlive(identity))) found.set(pid, identity);
  }
  return [...found.values()];
}

async function findNamespaces(slot: number): Promise<string[]> {
  const names = await readdir('/run/netns').catch(() => []);
  return names.filter((name) => name.startsWith(`${namespacePrefix}${slot}-`));
}

async function findLinks(slot: number): Promise<string[]> {
  const links = JSON.parse((await tryRun('ip', ['-json', 'link', 'show'])) || '[]') as { ifname: string }[];
  const ours = new RegExp(`^${linkPrefix}${slot}(c|n\\d+)?$`);
  return links.map((link) => link.ifname).filter((name) => ours.test(name));
}

async function findLoopDevices(folder: string): Promise<string[]> {
  const text = (await run('losetup', ['--list', '--json', '--output', 'NAME,BACK-FILE'])) || '{}';
  const { loopdevices = [] } = JSON.parse(text) as { loopdevices?: { name: string; 'back-file': string | null }[] };
  return loopdevices.filter((each) => isWithin(each['back-file'] ?? '', folder)).map((each) => each.name);
}

async function findFirewallRules(slot: number): Promise<string[]> {
  const rules = (await tryRun('iptables', ['-w', '5', '-S', 'FORWARD'])) ?? '';
  return rules.split('\n').filter((rule) => rule.includes(`--comment ${namespacePrefix}${slot} `));
}

export function countLeftovers(found: Leftovers): number {
  return Object.values(found).reduce((sum: number, list: readonly unknown[]) => sum + list.length, 0);
}

/** One line: "0 processes, 0 network namespaces, ...", with the names of what is there. */
export function describeLeftovers(found: Leftovers): string {
  const part = (list: readonly (string | ProcessIdentity)[], what: string) => {
    const names = list.map((each) => (typeof each === 'string' ? each : each.pid));
    return `${list.length} ${what}${names.length > 0 ? ` (${names.join(', ')})` : ''}`;
  };
  return [
    part(found.processes, 'processes'),
    part(found.namespaces, 'network namespaces'),
    part(found.links, 'bridges and links'),
    part(found.mounts, 'mounts'),
    part(found.loopDevices, 'loop devices'),
    part(found.cgroups, 'cgroups'),
    part(found.firewallRules, 'iptables rules'),
    part(found.runFolders, 'run folders'),
  ].join(', ');
}
