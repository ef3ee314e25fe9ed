import { mkdir, stat } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

/** The effective user's id; 0 is root. Only Linux is supported, where it always exists. */
export function userId(): number {
  return process.getuid?.() ?? -1;
}

/** Where built binaries are kept between runs: `understudy` in the user's cache folder (XDG_CACHE_HOME is honoured). */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'understudy');
}

/**
 * Where clusters keep everything that lives only as long as they do. It is the same for all runs of a user, so that
 * one run finds and removes what another has left behind. UNDERSTUDY_RUN_DIR moves it.
 */
export function runFolder(env: NodeJS.ProcessEnv = process.env): string {
  return env.UNDERSTUDY_RUN_DIR || join(tmpdir(), `understudy-${userId()}`);
}

/** Makes the run folder for this user alone. Throws if someone else made it first: names in a shared /tmp can be taken. */
export async function makeRunFolder(): Promise<string> {
  const folder = runFolder();
  await mkdir(join(folder, 'clusters'), { recursive: true, mode: 0o700 });
  const { uid } = await stat(folder);
  if (uid !== userId()) {
    throw new Error(`${folder} belongs to user ${uid}; remove it or set UNDERSTUDY_RUN_DIR to a folder of your own.`);
  }
  return folder;
}

export function isClusterName(name: string): boolean {
  return /^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/.test(name);
}

/** The name of a cluster is the name of its folder, which is deleted with all it holds. Throws if it is no plain name. */
export function clusterFolder(name: string): string {
  if (!isClusterName(name)) {
    throw new Error(`"${name}" is no cluster name: use up to 40 lower-case letters, digits and hyphens.`);
  }
  return join(runFolder(), 'clusters', name);
}

/** Throws if the run folder or the cache lies where every node has files of its own, and so would not see them. */
export function checkFoldersForNodes(run = runFolder(), cache = cacheFolder()): void {
  const hidden = (path: string, folders: readonly string[]) => folders.find((folder) => `${path}/`.startsWith(folder));
  const badRun = hidden(run, ['/run/', '/var/run/', '/var/log/', '/var/lib/']);
  if (badRun) throw new Error(`Nodes do not see ${run}: set UNDERSTUDY_RUN_DIR to a folder outside of ${badRun}.`);
  const badCache = hidden(cache, ['/run/', '/var/run/', '/var/log/']);
  if (badCache) throw new Error(`Nodes do not see ${cache}: set XDG_CACHE_HOME to a folder outside of ${badCache}.`);
}
