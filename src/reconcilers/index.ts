import { createDelegates, createEngines } from '../backup/index.js';
import type {
  Clock,
  Controller,
  ControllerOptions,
  EventRecorder,
  KubeClient,
  Log,
  Metrics,
} from '../operator/index.js';
import { createBackupReconciler, createBaselineMetrics, isFinal } from './backup/index.js';
import { createRetentionReconciler, watchRetention } from './baseline-retention/index.js';
import { camerasOfRole, createCameraReconciler, reviewCamerasOf, watchCameras } from './camera-assignment/index.js';
import {
  createPoolReconciler,
  createProtection,
  createStandbyJudgement,
  poolsOfServer,
  watchPools,
} from './failover-pool/index.js';
import { createMountFaults } from './mount-faults.js';
import { createObservations, type Observations } from './observations.js';
import {
  createServerReconciler,
  PROTECTION_DELAY_MS,
  reviewProtection,
  watchServers,
} from './recording-server/index.js';
import type { PodDefaults } from './recording-server/pod-plan.js';
import { createWatches, type Watches, type WatchLimits } from './stores.js';

/** Bindings of a whole server are written at the same time; the API server bounds what more would bring. */
const CAMERA_WORKERS = 32;
const SERVER_WORKERS = 8;

export interface ReconcilersOptions {
  /** Writes through the leader's gate. */
  readonly client: KubeClient;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Namespaces to watch; empty: all. */
  readonly namespaces: readonly string[];
  readonly operatorNamespace: string;
  /** When a watch counts as deaf, if not by the reflector's own limits. */
  readonly watchLimits?: WatchLimits;
  /** Image of recorder pods whose template names none. */
  readonly podDefaults: PodDefaults;
  /** The operator's version, for baselines. */
  readonly version: string;
  readonly createController: (options: Pick<ControllerOptions, 'name' | 'reconcile' | 'workers'>) => Controller;
}

/** All kinds' reconcilers, wired to each other. */
export interface Reconcilers {
  readonly watches: Watches;
  readonly observations: Observations;
  readonly controllers: readonly Controller[];
}

/**
 * Builds the reconcilers and tells each which changes concern it. Nothing runs before the reflectors, the observations
 * and the controllers are started.
 */
export function createReconcilers(options: ReconcilersOptions): Reconcilers {
  const { client, events, clock, metrics, log, createController } = options;
  const { namespaces, operatorNamespace } = options;
  const limits = options.watchLimits ?? {};
  const watches = createWatches({ client, namespaces, operatorNamespace, metrics, log, limits });
  const { stores } = watches;
  const mountFaults = createMountFaults({ client, stores, clock, log, onFound: (key) => observations.refresh(key) });
  // The controllers are made after what calls them; nothing calls before the reflectors run.
  const observations = createObservations({
    watches,
    clock,
    mountFaultOf: mountFaults.faultOf,
    lastServerContact: client.lastServerContact,
    onVerdict: (key, health) => {
      // The pool first: what a verdict costs is the time to the pool's commit.
      for (const pool of poolsOfServer(stores, key)) pools.enqueue(pool);
      servers.enqueue(key);
      reviewProtection(stores, key, servers);
      reviewCamerasOf(stores, key, health, cameras);
      mountFaults.review(key, health);
    },
    // The waits of a failover begin anew with the contact (law 7). What it has to write meanwhile must not sit out a
    // backoff that only the outage has made long.
    onContactAgain: () => {
      for (const controller of controllers) controller.retryNow();
    },
  });
  const { healthOf, get: observationOf, contact } = observations;
  const protection = createProtection(stores, (key) => servers.enqueueAfter(key, PROTECTION_DELAY_MS));
  const servers = createController({
    name: 'recordingserver',
    workers: SERVER_WORKERS,
    reconcile: createServerReconciler({
      client,
      stores,
      observations,
      protectionOf: protection.of,
      standbyOf: createStandbyJudgement({ stores, healthOf, contact }),
      events,
      clock,
      podDefaults: options.podDefaults,
    }),
  });
  const cameras = createController({
    name: 'cameraassignment',
    workers: CAMERA_WORKERS,
    reconcile: createCameraReconciler({ client, stores, healthOf, events, clock }),
  });
  const notify = {
    server: (key: string) => servers.enqueue(key),
    camerasOf: (role: string) => {
      for (const camera of camerasOfRole(stores, role)) cameras.enqueue(camera);
    },
  };
  const pools = createController({
    name: 'failoverpool',
    reconcile: createPoolReconciler({
      client,
      stores,
      healthOf,
      contact,
      observationOf,
      events,
      clock,
      protection,
      notify,
    }),
  });
  const engines = createEngines({ client });
  const delegates = createDelegates({ client });
  const baselineMetrics = createBaselineMetrics(metrics, stores, clock);
  const reconcileBackup = createBackupReconciler({
    ...{ client, stores, events, clock, engines, delegates },
    version: options.version,
    metrics: baselineMetrics,
  });
  const backups = createController({ name: 'backup', reconcile: reconcileBackup });
  // Workers of their own: the baseline of a takeover, which a queue of broken recorders waits for, comes behind no other.
  const otherBackups = createController({ name: 'backup-unhurried', workers: 2, reconcile: reconcileBackup });
  const retention = createController({
    name: 'baseline-retention',
    workers: 1,
    reconcile: createRetentionReconciler({
      ...{ client, stores, events, metrics: baselineMetrics },
      engines: new Map([...engines, ...delegates].map((engine) => [engine.name, engine])),
    }),
  });
  watches.on('servers', (key, next) => {
    if (next === undefined) mountFaults.forget(key);
  });
  watchPools(watches, (key) => pools.enqueue(key));
  watchServers(watches, servers);
  watchCameras(watches, cameras);
  watches.on('backups', (key, next) => {
    if (next && !isFinal(next)) (next.spec.reason === 'Failover' ? backups : otherBackups).enqueue(key);
  });
  watchRetention(watches, (key) => retention.enqueue(key));
  const controllers = [pools, servers, cameras, backups, otherBackups, retention];
  return { watches, observations, controllers };
}
