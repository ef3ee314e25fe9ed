import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Runs the action while no other process holds the same lock file. The lock is the kernel's, held by a child that ends
 * with its standard input: it is released even if this process is killed, so no lock is ever stale.
 */
export async function withFileLock<T>(path: string, action: () => Promise<T>, onWait?: () => void): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  const release = await acquire(path, onWait);
  try {
    return await action();
  } finally {
    await release();
  }
}

async function acquire(path: string, onWait?: () => void): Promise<() => Promise<void>> {
  const holder = spawn('flock', ['--exclusive', path, 'sh', '-c', 'echo held; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // Out of the terminal's process group: Ctrl-C must not release the lock while this process still cleans up.
    detached: true,
  });
  const ended = new Promise<void>((resolve) => holder.once('close', () => resolve()));
  const waiting = setTimeout(() => onWait?.(), 500);
  try {
    await new Promise<void>((resolve, reject) => {
      holder.stdout.once('data', () => resolve());
      holder.once('error', (error) => reject(new Error(`flock (package util-linux) does not start: ${error.message}`)));
      holder.once('exit', (code) => reject(new Error(`flock could not lock ${path}: exit code ${code}`)));
    });
  } finally {
    clearTimeout(waiting);
  }
  return async () => {
    holder.stdin.end();
    await ended;
  };
}
