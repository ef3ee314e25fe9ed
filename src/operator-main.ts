import { randomBytes } from 'node:crypto';
import {
  createApiClient,
  createController,
  createEventRecorder,
  createLeaderElector,
  createLog,
  createMetrics,
  PooledKubeConfig,
  startProcess,
  systemClock,
} from './operator/index.js';
import { ConfigError, type OperatorConfig, readOperatorConfig } from './operator-config.js';
import { createReconcilers } from './reconcilers/index.js';

/** Name of the operator's own Lease; the chart's Role covers exactly this one. */
const LEADER_LEASE = 'understudy-operator';
/**
 * Longest wait before a failed reconcile is tried again, in milliseconds: after a long outage of the API nothing may
 * touch a key such as a Backup for minutes, and the queue of broken recorders waits for it.
 */
const RETRY_CAP_MS = 30_000;
/** Stands in every baseline; the image's build may name another. */
const VERSION = process.env.UNDERSTUDY_VERSION ?? '0.1.0';

/**
 * The composition root: reflectors and observations on every replica, controllers on the leader. All writes but the
 * election's own go through the leader's gate.
 */
function run(config: OperatorConfig): void {
  const log = createLog({ name: 'operator', level: config.logLevel });
  const kubeConfig = new PooledKubeConfig();
  kubeConfig.loadFromDefault();
  const metrics = createMetrics({ processMetrics: true });
  const base = createApiClient({ kubeConfig, metrics, log });
  const elector = createLeaderElector({
    client: base,
    lease: { namespace: config.namespace, name: LEADER_LEASE },
    // Unique to the process: a container that was restarted in the same pod must not take itself for its predecessor.
    identity: `${config.identity}_${randomBytes(4).toString('hex')}`,
    leaseDurationMs: config.leaseDurationMs,
    renewDeadlineMs: config.renewDeadlineMs,
    retryPeriodMs: config.retryPeriodMs,
    metrics,
    log,
  });
  const client = base.withWriteGate(elector);
  const events = createEventRecorder({ client, controller: 'understudy.dev/operator', metrics, log });
  const { watches, observations, controllers } = createReconcilers({
    client,
    events,
    clock: systemClock,
    metrics,
    log,
    namespaces: config.watchNamespaces,
    operatorNamespace: config.namespace,
    podDefaults: { image: config.image, imagePullPolicy: config.imagePullPolicy },
    version: VERSION,
    createController: (options) => createController({ retryCapMs: RETRY_CAP_MS, ...options, metrics, log }),
  });
  observations.start();
  startProcess({
    name: 'understudy-operator',
    kubeConfig,
    reflectors: watches.reflectors,
    controllers,
    elector,
    events,
    client: base,
    health: { port: config.healthPort },
    log,
    metrics,
  });
}

try {
  run(readOperatorConfig(process.env));
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`operator: ${message}\n`);
  // 2: the configuration is wrong, and another start does not help; 1: anything else.
  process.exitCode = error instanceof ConfigError ? 2 : 1;
}
