import { KubeConfig } from '@kubernetes/client-node';
import {
  createApiClient,
  createController,
  createEventRecorder,
  createLeaderElector,
  createMetrics,
  type KubeClient,
  type LeaderElector,
  resources,
} from '../../../src/operator/index.js';
import { createReconcilers, type Reconcilers, type ReconcilersOptions } from '../../../src/reconcilers/index.js';
import { FreezableClock } from './freezable-clock.js';
import { ReplicaLog } from './replica-log.js';

/** The operator's own Lease in a namespace under test. */
export const leaderLease = 'understudy-operator';
/** As in production, but so short that a case need not wait. Milliseconds. */
const election = { leaseDurationMs: 2_000, renewDeadlineMs: 1_400, retryPeriodMs: 400 };
/** Without an election a write is given so long: the gate of a leader cuts it likewise. Milliseconds. */
const writeTimeoutMs = 1_500;
/** How often a replica without an election asks the API server for a sign of life. Milliseconds. */
const contactMs = 1_000;

export interface ReplicaOptions {
  readonly name: string;
  readonly namespace: string;
  /** Where its API server is: the fault proxy. */
  readonly url: string;
  /** Takes part in an election, as all replicas do in production; else it leads from the start. */
  readonly elected: boolean;
  /** Shorter limits for watches that are deaf. */
  readonly watchLimits?: ReconcilersOptions['watchLimits'];
}

/** One process of the operator, as far as one can be within another: it shares nothing with the other replicas. */
export class Replica {
  readonly name: string;
  readonly log: ReplicaLog;
  readonly #clock = new FreezableClock();
  readonly #client: KubeClient;
  readonly #elector: LeaderElector | undefined;
  readonly #reconcilers: Reconcilers;
  readonly #electing = new AbortController();
  readonly #namespace: string;
  #contact: NodeJS.Timeout | undefined;
  #ended = false;
  #leading = false;

  constructor(options: ReplicaOptions) {
    this.name = options.name;
    this.#namespace = options.namespace;
    this.log = new ReplicaLog(options.name);
    const { log } = this.log;
    const clock = this.#clock;
    const metrics = createMetrics();
    this.#client = createApiClient({ kubeConfig: configFor(options.url), metrics, log, clock });
    const lease = { namespace: options.namespace, name: leaderLease };
    this.#elector = options.elected
      ? createLeaderElector({ client: this.#client, lease, identity: options.name, ...election, clock, metrics, log })
      : undefined;
    const gate = this.#elector ?? { assertOpen: () => undefined, remainingMs: () => writeTimeoutMs };
    const client = this.#client.withWriteGate(gate);
    this.#reconcilers = createReconcilers({
      client,
      events: createEventRecorder({ client, controller: 'understudy.dev/operator', clock, metrics, log }),
      clock,
      metrics,
      log,
      namespaces: [options.namespace],
      operatorNamespace: options.namespace,
      podDefaults: { image: 'localhost/understudy:test', imagePullPolicy: 'Never' },
      version: '0.1.0',
      ...(options.watchLimits === undefined ? {} : { watchLimits: options.watchLimits }),
      createController: (more) => createController({ retryCapMs: 30_000, ...more, clock, metrics, log }),
    });
  }

  get leading(): boolean {
    return this.#leading && !this.#ended;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** No reconciler has work now. */
  idle(): boolean {
    return this.#reconcilers.controllers.every((controller) => controller.idle());
  }

  /** Resolves when it runs: with an election, when it takes part. `onEnd`: it has lost its leadership. */
  async start(onEnd: () => void = () => undefined): Promise<void> {
    const { watches, observations } = this.#reconcilers;
    observations.start();
    for (const reflector of watches.reflectors) reflector.start();
    if (this.#elector === undefined) {
      this.#contact = setInterval(() => void this.#ask(), contactMs);
      void this.#ask();
    }
    await Promise.all(watches.reflectors.map((reflector) => reflector.synced(this.#electing.signal))).catch(
      (error: unknown) => {
        if (!this.#ended) throw error;
      },
    );
    if (this.#ended) return;
    if (this.#elector === undefined) this.#lead();
    else this.#elect(this.#elector, onEnd);
  }

  /** It stands still, as after SIGSTOP. */
  get frozen(): boolean {
    return this.#clock.frozen;
  }

  freeze(): void {
    this.#clock.freeze();
  }

  thaw(): void {
    this.#clock.thaw();
  }

  /** As by kill -9: nothing is finished, nothing is given back. Resolves when nothing of it runs any more. */
  async kill(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    clearInterval(this.#contact);
    this.#clock.thaw();
    this.#electing.abort(new Error(`the replica ${this.name} was killed`));
    const { watches, observations, controllers } = this.#reconcilers;
    observations.stop();
    const ending = Promise.all([
      ...controllers.map((controller) => controller.stop(AbortSignal.abort())),
      ...watches.reflectors.map((reflector) => reflector.stop()),
    ]);
    await this.#client.close();
    await ending;
  }

  #lead(): void {
    this.#leading = true;
    for (const controller of this.#reconcilers.controllers) controller.start();
  }

  #elect(elector: LeaderElector, onEnd: () => void): void {
    elector.onStartedLeading(() => this.#lead());
    elector.run(this.#electing.signal).catch(() => {
      // As in production: the reconciles are aborted, and the process ends.
      this.#leading = false;
      for (const controller of this.#reconcilers.controllers) void controller.stop(AbortSignal.abort());
      onEnd();
    });
  }

  /** The answer does not matter: that one came is what counts. */
  async #ask(): Promise<void> {
    await this.#client.get(resources.namespaces, { name: this.#namespace }).catch(() => undefined);
  }
}

function configFor(url: string): KubeConfig {
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [{ name: 'proxy', server: url, skipTLSVerify: true }],
    users: [{ name: 'operator' }],
    contexts: [{ name: 'proxy', cluster: 'proxy', user: 'operator' }],
    currentContext: 'proxy',
  });
  return config;
}
