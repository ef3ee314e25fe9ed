import { spawn } from 'node:child_process';

/** How a child ended, or that it had not ended at its deadline. */
export interface ChildResult {
  /** Exit code; undefined when it was killed, could not start, or is still running. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

export interface ChildRequest {
  /** POSIX shell text; arguments arrive as $1, $2 ... */
  readonly script: string;
  readonly args: readonly string[];
  readonly stdin?: string;
  readonly deadlineMs: number;
}

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

  /** Whether a child of this lane has not ended yet, be its deadline over or not. */
  get busy(): boolean {
    return this.#busy;
  }

  /** Starts a child. Throws when the lane is busy; ask `busy` first. Never rejects. */
  run(request: ChildRequest): Promise<ChildResult> {
    if (this.#busy) throw new Error('a child of this lane is still outstanding');
    this.#busy = true;
    return runDetached(request, () => {
      this.#busy = false;
    });
  }
}

function runDetached(request: ChildRequest, onExit: () => void): Promise<ChildResult> {
  return new Promise((resolve) => {
    const child = spawn('/bin/sh', ['-c', request.script, 'sh', ...request.args], {
      cwd: '/',
      detached: true,
      env: { PATH: process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    const settle = (code: number | undefined, timedOut: boolean) => {
      clearTimeout(deadline);
      resolve({ code, stdout, stderr, timedOut });
    };
    const deadline = setTimeout(() => {
      killGroup(child.pid);
      settle(undefined, true);
    }, request.deadlineMs);
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

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // ESRCH: the whole group has ended by itself in the meantime.
  }
}
