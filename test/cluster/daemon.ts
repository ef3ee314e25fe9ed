import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Journal } from './journal.js';
import { endProcesses, identify, isAlive, type ProcessIdentity } from './process-identity.js';

/** Every background process of a cluster carries the cluster's folder in this variable; leftovers are found by it. */
export const clusterVariable = 'UNDERSTUDY_CLUSTER_FOLDER';

export interface DaemonOptions {
  /** What it is, in logs and file names. */
  readonly name: string;
  readonly command: readonly string[];
  readonly clusterFolder: string;
  readonly journal: Journal;
  /** Variables besides those that every daemon has. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface Daemon {
  readonly name: string;
  readonly identity: ProcessIdentity;
  readonly logPath: string;
  isAlive(): Promise<boolean>;
  /** Ends it: asks first if there is a grace time, then kills. Resolves when it is gone. */
  end(graceMs: number): Promise<void>;
}

/** Only what a daemon needs: the user's own variables (proxies, credentials) must not change a test cluster. */
export function daemonEnvironment(clusterFolder: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: clusterFolder,
    [clusterVariable]: clusterFolder,
  };
}

/**
 * Starts a background process in a session of its own, so that Ctrl-C in the starter's terminal does not reach it: the
 * cluster is always taken down in order, never half of it by the terminal. Its output goes to a log file.
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { name, clusterFolder, journal } = options;
  const logPath = join(clusterFolder, 'logs', `${name}.log`);
  const log = openSync(logPath, 'a');
  const [command = '', ...args] = options.command;
  const child = spawn(command, args, {
    detached: true,
    stdio: ['ignore', log, log],
    env: { ...daemonEnvironment(clusterFolder), ...options.environment },
    cwd: clusterFolder,
  });
  closeSync(log);
  const failure = await new Promise<Error | undefined>((resolve) => {
    child.once('spawn', () => resolve(undefined));
    child.once('error', resolve);
  });
  if (failure || child.pid === undefined) throw new Error(`${name} does not start: ${failure?.message}`);
  child.unref();
  const identity = (await identify(child.pid)) ?? { pid: child.pid, startTime: 'ended' };
  journal.recordProcess(identity, name);
  return daemonOf(name, identity, logPath);
}

/** A daemon that this or another process has started before. */
export function daemonOf(name: string, identity: ProcessIdentity, logPath: string): Daemon {
  return {
    name,
    identity,
    logPath,
    isAlive: () => isAlive(identity),
    end: (graceMs) => endProcesses([identity], graceMs),
  };
}

/** The end of a log, for an error message. */
export async function tailOf(logPath: string, lines = 12): Promise<string> {
  const text = await readFile(logPath, 'utf8').catch(() => '');
  return `The end of ${logPath}:\n${text.trimEnd().split('\n').slice(-lines).join('\n')}`;
}
