import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { clusterFolder, isClusterName, runFolder } from './paths.js';
import { isAlive, type ProcessIdentity } from './process-identity.js';

/** What other processes must know about a cluster; kept in its run folder. */
export interface ClusterState {
  readonly name: string;
  /** The process with which the cluster ends; undefined for one that stays until `down`. */
  readonly owner?: ProcessIdentity;
  /** Only a cluster with nodes has a slot (addressing.ts). */
  readonly slot?: number;
  readonly nodes: number;
  /** True once it has been started completely. */
  readonly ready: boolean;
  readonly kubeconfigPath: string;
  /** Set for a cluster of the user's own: it is only remembered here, never started, stopped or changed. */
  readonly external?: { readonly context: string; readonly server: string };
}

const statePath = (name: string) => join(clusterFolder(name), 'state.json');

/** Writes the state in one step: a reader sees the old one or the new one, never half of it. */
export async function writeState(state: ClusterState): Promise<void> {
  await mkdir(clusterFolder(state.name), { recursive: true, mode: 0o700 });
  const unfinished = `${statePath(state.name)}.${process.pid}`;
  await writeFile(unfinished, JSON.stringify(state, undefined, 2));
  await rename(unfinished, statePath(state.name));
}

export async function readState(name: string): Promise<ClusterState | undefined> {
  const text = await readFile(statePath(name), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as ClusterState);
}

/** The names of all clusters that have a run folder, also of those whose state is lost. */
export async function listClusterNames(): Promise<string[]> {
  return (await readdir(join(runFolder(), 'clusters')).catch(() => [])).filter(isClusterName).sort();
}

/** A cluster is stale when the process it belonged to has ended without taking it down. */
export async function isStale(state: ClusterState | undefined): Promise<boolean> {
  if (!state) return true;
  return state.owner !== undefined && !(await isAlive(state.owner));
}
