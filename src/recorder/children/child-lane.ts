import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { heldByKernel } from './uninterruptible.js';

/** How a child ended, or that it had not ended at its deadline. */
export interface ChildResult {
  /** Exit code; undefined when it was killed, could not start, or is still running. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
  /** It could not be started, or was killed by somebody else: what it was about has not been tried. */
  readonly untried: boolean;
}

export interface ChildRequest {
  /** POSIX shell text; arguments arrive as $1, $2 ... */
  readonly script: string;
  readonly args: readonly string[];
  readonly stdin?: string;
  readonly deadlineMs: number;
}

const LATE_MS = 100;
const AGAIN_MS = 300;

/**
 * Runs shell children one at a time, for work on a file system that may hang.
 *
 * A hung disk keeps its child in uninterruptible sleep, where even SIGKILL waits. So the child runs detached and
 * unreferenced, its result is given up at the deadline, and the lane stays busy until the kernel lets the child go:
 * there are never two outstanding. No file system call on a footage volume is ever made in this process, because
 * four hung calls fill libuv's thread pool and stop every later fs, dns and crypto call.
 */
export class ChildLane {
  #busy = false;
  #released: Promise<void> = Promise.resolve();
  #group: number | undefined;

  /** Whether a child of this lane has not ended yet, be its deadline over or not. */
  get busy(): boolean {
    return this.#busy;
  }

  /** Starts a child. Throws when the lane is busy; ask `busy` first. Never rejects. */
  run(request: ChildRequest): Promise<ChildResult> {
    if (this.#busy) throw new Error('a child of this lane is still outstanding');
    this.#busy = true;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#released = promise;
    this.#group = undefined;
    const onExit = () => {
      this.#busy = false;
      resolve();
    };
    return runDetached(request, onExit, (pid) => {
      this.#group = pid;
    });
  }

  /** Waits until the child has ended, for so many milliseconds at most. */
  async settled(ms: number): Promise<void> {
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    await Promise.race([this.#released, over]);
    clearTimeout(timer);
  }

  /**
   * Whether the kernel holds the child, as it does for a disk that hangs. After a deadline this tells such a disk from a
   * processor that nobody gives to the child: that one has been killed, and ends as soon as it runs.
   */
  get held(): boolean {
    return this.#busy && this.#group !== undefined && heldByKernel(this.#group);
  }
}

function start(request: ChildRequest): ChildProcessWithoutNullStreams {
  const child = spawn('/bin/sh', ['-c', request.script, 'sh', ...request.args], {
    cwd: '/',
    detached: true,
    env: { PATH: process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  if (child.stdout !== undefined) return child;
  // Out of file descriptors, Node returns a child without streams and reports the error later.
  child.on('error', () => undefined);
  throw new Error('no file descriptor is left to start a child');
}

function runDetached(
  request: ChildRequest,
  onExit: () => void,
  onStart: (pid: number | undefined) => void,
): Promise<ChildResult> {
  return new Promise((resolve) => {
    let child: ChildProcessWithoutNullStreams;
    try {
      child = start(request);
    } catch (error) {
      // ENOMEM and E2BIG are thrown, where EAGAIN and ENOENT are emitted.
      onExit();
      const stderr = error instanceof Error ? error.message : String(error);
      return resolve({ code: undefined, stdout: '', stderr, timedOut: false, untried: true });
    }
    onStart(child.pid);
    let stdout = '';
    let stderr = '';
    const settle = (code: number | undefined, timedOut: boolean) => {
      clearTimeout(deadline);
      resolve({ code, stdout, stderr, timedOut, untried: code === undefined && !timedOut });
    };
    const giveUp = () => {
      killGroup(child.pid);
      settle(undefined, true);
    };
    let deadline = setDeadline(request.deadlineMs, giveUp, (again) => {
      deadline = again;
    });
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    // A child that dies before it has read its input is reported by its exit code.
    child.stdin.on('error', () => undefined);
    child.stdin.end(request.stdin ?? '');
    child.on('error', (error) => {
      stderr += error.message;
      onExit();
      settle(undefined, false);
    });
    child.on('close', (code) => {
      onExit();
      settle(code ?? undefined, false);
    });
    child.unref();
  });
}

/**
 * Calls `fn` after `ms`. After a pause of this process (a stunned virtual machine, a frozen group) timers come before
 * what the child has long said, and every pause would look like a hung disk: a late deadline is set again, shortly.
 */
function setDeadline(ms: number, fn: () => void, onAgain: (timer: NodeJS.Timeout) => void): NodeJS.Timeout {
  const dueTime = performance.now() + ms;
  return setTimeout(() => {
    if (performance.now() - dueTime < LATE_MS) fn();
    else onAgain(setDeadline(AGAIN_MS, fn, onAgain));
  }, ms);
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // ESRCH: the whole group has ended by itself in the meantime.
  }
}
