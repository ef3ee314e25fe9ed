import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { tryRun } from '../cluster/run-command.js';

/** Lines of a failed command's output that its error repeats. */
const tailLines = 40;

/** Runs buildah with a storage of its own; gives the standard output. Throws with the last lines that it wrote. */
export type Buildah = (args: readonly string[], onLine?: (line: string) => void) => Promise<string>;

/**
 * Buildah with images and layers in a folder of ours, apart from those of the machine. Each call runs in a mount
 * namespace of its own: the overlay driver leaves its folder mounted, and so nothing stays mounted however it ends.
 */
export async function openBuildah(folder: string): Promise<Buildah> {
  for (const driver of ['overlay', 'vfs']) {
    const storage = join(folder, driver);
    await mkdir(storage, { recursive: true });
    const prefix = ['--mount', '--', 'buildah', '--root', storage, '--runroot', join(storage, 'run')];
    const global = [...prefix, '--storage-driver', driver];
    if ((await tryRun('unshare', [...global, 'info'])) !== undefined) {
      return (args, onLine) => stream('unshare', [...global, ...args], onLine);
    }
  }
  throw new Error(`buildah works neither with the overlay nor with the vfs driver in ${folder}; try: buildah info`);
}

/** Like `run`, for commands that take minutes: each line is told as it comes, and only the end is kept for the error. */
export function stream(command: string, args: readonly string[], onLine?: (line: string) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    const output: string[] = [];
    const tail: string[] = [];
    const hear = (line: string) => {
      tail.push(line);
      if (tail.length > tailLines) tail.shift();
      onLine?.(line);
    };
    createInterface(child.stdout).on('line', (line) => {
      output.push(line);
      hear(line);
    });
    createInterface(child.stderr).on('line', hear);
    child.once('error', (error) => reject(new Error(`${command} does not start: ${error.message}`)));
    child.once('close', (code, signal) => {
      if (code === 0) return resolve(output.join('\n'));
      reject(
        new Error(`${command} ${args.join(' ')} ended with ${signal ?? `exit code ${code}`}:\n${tail.join('\n')}`),
      );
    });
  });
}
