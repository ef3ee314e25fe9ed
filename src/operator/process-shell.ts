import OperatorModule, { type OperatorLogger } from '@dot-i/k8s-operator';
import type { KubeConfig } from '@kubernetes/client-node';
import type { Log } from './log.js';

// A CommonJS module with `exports.default`: to Node the default import is the whole of `exports`, to a bundler that does
// not know the importing file for an ES module (esbuild behind a resolving plugin) it is `exports.default` itself.
const Operator = OperatorModule.default ?? (OperatorModule as unknown as typeof OperatorModule.default);

/** What the shell starts and stops. */
export interface Lifecycle {
  start(): Promise<void>;
  stop(): Promise<void>;
}

function shellLogger(log: Log): OperatorLogger {
  return {
    debug: (message) => log.debug(message),
    info: (message) => log.info(message),
    warn: (message) => log.warn(message),
    error: (message) => log.error(message),
  };
}

/**
 * The process shell: start and stop, nothing else of the library. Its watch ends the process after 30 s of silence on
 * client-node 2, and its status and finalizer helpers send nothing and swallow the error (docs/adr/0001).
 */
export class ProcessShell extends Operator {
  readonly #lifecycle: Lifecycle;
  #stopped: Promise<void> | undefined;

  constructor(lifecycle: Lifecycle, log: Log, kubeConfig?: KubeConfig) {
    // Loads the default kubeconfig (KUBECONFIG, ~/.kube/config, in-cluster), whether it is wanted or not.
    super(shellLogger(log));
    if (kubeConfig) this.kubeConfig = kubeConfig;
    this.#lifecycle = lifecycle;
  }

  protected override init(): Promise<void> {
    return this.#lifecycle.start();
  }

  /** Begins the shutdown; `stopped` says when it has ended. */
  override stop(): void {
    this.#stopped ??= this.#lifecycle.stop();
  }

  /** Resolves when the shutdown has ended; at once if none has begun. */
  async stopped(): Promise<void> {
    await this.#stopped;
  }
}
