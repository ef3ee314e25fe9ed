import type { KubeConfig } from '@kubernetes/client-node';
import { systemClock } from './clock.js';
import { OperatorProcess, type ProcessParts } from './operator-process.js';
import { ProcessShell } from './process-shell.js';

export interface ProcessOptions extends Omit<ProcessParts, 'clock' | 'drainMs' | 'shutdownMs'> {
  /** For the log. */
  name: string;
  kubeConfig?: KubeConfig | undefined;
  clock?: ProcessParts['clock'] | undefined;
  /** Default 10,000. */
  drainMs?: number | undefined;
  /** Default 20,000: below the 30 s that a pod gets to end. */
  shutdownMs?: number | undefined;
  /** Ends the process; tests put something else here. */
  exit?: ((code: number) => void) | undefined;
}

export interface RunningProcess {
  /** Resolves, with the exit code, when the process is about to end. */
  readonly ended: Promise<number>;
  /** The port of the health server, once it listens. */
  readonly healthPort: () => number | undefined;
  /** As on SIGTERM: shuts down in order, then exits with 0. */
  stop(): Promise<number>;
}

/**
 * Runs an operator: reflectors on every replica, controllers on the leader. SIGTERM and SIGINT shut down in order (a
 * second one ends at once); lost leadership aborts the reconciles and ends with 1; so does an unhandled rejection or
 * exception, since nobody knows what state it left.
 */
export function startProcess(options: ProcessOptions): RunningProcess {
  return new SignalledProcess(options).start();
}

class SignalledProcess {
  readonly #options: ProcessOptions;
  readonly #lifecycle: OperatorProcess;
  readonly #shell: ProcessShell;
  readonly #ended = Promise.withResolvers<number>();
  readonly #listeners: [string, (...args: unknown[]) => void][];
  /** The clock's timers do not keep a process alive: without this, one that waits for its next retry would just end. */
  readonly #keepAlive = setInterval(() => undefined, 3_600_000);
  #stopping = false;
  #finished = false;

  constructor(options: ProcessOptions) {
    const { clock = systemClock, drainMs = 10_000, shutdownMs = 20_000, log } = options;
    this.#options = options;
    this.#lifecycle = new OperatorProcess({ ...options, clock, drainMs, shutdownMs });
    this.#shell = new ProcessShell(this.#lifecycle, log, options.kubeConfig);
    this.#listeners = [
      ['SIGTERM', () => this.#onSignal('SIGTERM')],
      ['SIGINT', () => this.#onSignal('SIGINT')],
      ['unhandledRejection', (reason) => this.#crash('unhandled rejection', reason)],
      ['uncaughtException', (error) => this.#crash('uncaught exception', error)],
    ];
  }

  start(): RunningProcess {
    this.#options.log.info({ name: this.#options.name, pid: process.pid }, 'starting');
    for (const [name, listener] of this.#listeners) process.on(name, listener);
    this.#lifecycle.failed.catch((error: unknown) => this.#fail(error));
    this.#shell.start().catch((error: unknown) => this.#fail(error));
    return {
      ended: this.#ended.promise,
      healthPort: () => this.#lifecycle.healthPort,
      stop: () => this.#stop(),
    };
  }

  #onSignal(signal: string): void {
    if (this.#stopping) {
      this.#options.log.warn({ signal }, 'a second signal: ending at once');
      this.#finish(1);
      return;
    }
    this.#options.log.info({ signal }, 'a signal asks to end');
    void this.#stop();
  }

  async #stop(): Promise<number> {
    if (!this.#stopping) {
      this.#stopping = true;
      this.#shell.stop();
      await this.#shell.stopped();
      this.#finish(0);
    }
    return await this.#ended.promise;
  }

  /** Leadership is lost, or the start failed: nothing orderly is left to do but to stop writing. */
  async #fail(error: unknown): Promise<void> {
    if (this.#finished) return;
    this.#options.log.fatal({ err: error }, 'the process must end');
    await this.#lifecycle.abandon();
    this.#finish(1);
  }

  #crash(what: string, error: unknown): void {
    this.#options.log.fatal({ err: error }, what);
    this.#finish(1);
  }

  #finish(code: number): void {
    if (this.#finished) return;
    this.#finished = true;
    clearInterval(this.#keepAlive);
    for (const [name, listener] of this.#listeners) process.off(name, listener);
    this.#ended.resolve(code);
    (this.#options.exit ?? process.exit)(code);
  }
}
