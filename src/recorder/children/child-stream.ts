import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';

/** A child through which bytes of a footage volume flow: this process never touches such a file itself. */
export interface ChildStream {
  readonly input: Writable;
  readonly output: Readable;
  /** Resolves with the exit code, or undefined when it was killed or could not start. On a hung disk perhaps never. */
  readonly ended: Promise<number | undefined>;
  /** Ends it, as far as its disk allows. May be called more than once. */
  kill(): void;
}

/**
 * Starts a shell script whose input and output are streamed; arguments arrive as $1, $2 ... It is detached and
 * unreferenced, like the children of `ChildLane`, for the same reasons. Throws when no process can be started.
 */
export function startStream(script: string, args: readonly string[]): ChildStream {
  const child: ChildProcessWithoutNullStreams = spawn('/bin/sh', ['-c', script, 'sh', ...args], {
    cwd: '/',
    detached: true,
    env: { PATH: process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | undefined>((resolve) => {
    child.on('error', () => resolve(undefined));
    child.on('close', (code) => resolve(code ?? undefined));
  });
  if (child.stdout === undefined) throw new Error('no file descriptor is left to start a child');
  // What a child says of a disk is judged by its exit code; an unread pipe would hold it up.
  child.stderr.resume();
  child.stdin.on('error', () => undefined);
  child.unref();
  const kill = (): void => {
    if (child.pid === undefined || child.exitCode !== null) return;
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // ESRCH: it has ended by itself in the meantime.
    }
  };
  return { input: child.stdin, output: child.stdout, ended, kill };
}
