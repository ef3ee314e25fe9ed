import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { daemonEnvironment } from './daemon.js';
import type { Journal } from './journal.js';
import { identify } from './process-identity.js';

/** The word by which the owner tells the reaper that the cluster stays. */
export const keepWord = 'keep';

/** The owner's hold on its reaper (reaper.ts). */
export interface Guard {
  /** The cluster outlives this process: the reaper ends and leaves it alone. */
  dismiss(): Promise<void>;
}

/** Starts the reaper of a cluster. It guards from the first instruction on: a pipe that is closed early stays closed. */
export async function startGuard(name: string, folder: string, journal: Journal): Promise<Guard> {
  const log = openSync(join(folder, 'logs', 'reaper.log'), 'a');
  const script = fileURLToPath(new URL('reaper.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), script, name], {
    detached: true,
    stdio: ['pipe', log, log],
    cwd: '/',
    env: { ...daemonEnvironment(folder), ...passedOn('UNDERSTUDY_RUN_DIR', 'TMPDIR') },
  });
  closeSync(log);
  const pipe = child.stdin;
  if (child.pid === undefined || !pipe) throw new Error('The reaper does not start; nothing has been made.');
  journal.recordProcess((await identify(child.pid)) ?? { pid: child.pid, startTime: 'ended' }, 'reaper');
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  // The pipe must not keep this process alive, and a reaper that was ended together with its cluster is no error.
  child.unref();
  (pipe as unknown as { unref(): void }).unref();
  pipe.on('error', () => undefined);
  return {
    dismiss: async () => {
      child.ref();
      pipe.end(`${keepWord}\n`);
      await ended;
    },
  };
}

function passedOn(...names: string[]): NodeJS.ProcessEnv {
  return Object.fromEntries(names.filter((name) => process.env[name]).map((name) => [name, process.env[name]]));
}
