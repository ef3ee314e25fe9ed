export { type ApiClientOptions, createApiClient } from './api/client.js';
export { ApiError, type ApiErrorDetails, type ApiErrorKind, isApiError } from './api/error.js';
export { type Connection, PooledKubeConfig, type PoolOptions } from './api/pooled-kube-config.js';
export type {
  ApiClient,
  ApplyOptions,
  DeleteOptions,
  KubeClient,
  ListOptions,
  Page,
  RequestOptions,
  Selection,
  WatchEvent,
  WatchOptions,
  WriteGate,
  WriterOptions,
} from './api/types.js';
export { createReflector } from './cache/reflector.js';
export type { Reflector, ReflectorOptions, Store } from './cache/types.js';
export { type Clock, sleep, systemClock, type Timer } from './clock.js';
export { type Condition, kubeTime, setCondition } from './conditions.js';
export { type ControllerOptions, createController } from './controller/controller.js';
export {
  type Controller,
  type Reconcile,
  type ReconcileContext,
  type Result,
  TerminalError,
} from './controller/types.js';
export { WorkQueue, type WorkQueueOptions } from './controller/work-queue.js';
export { deepEqual } from './deep-equal.js';
export { createLeaderElector, type LeaderElectorOptions } from './election/leader-elector.js';
export type { Lease, LeaseSpec } from './election/lease.js';
export { type LeaderElector, LeadershipLostError } from './election/types.js';
export { createEventRecorder, type EventRecorderOptions, type FlushingEventRecorder } from './events/event-recorder.js';
export type { EventInput, EventRecorder } from './events/types.js';
export {
  eventLoopBeat,
  type HealthCheck,
  type HealthServer,
  type HealthServerOptions,
  startHealthServer,
} from './health-server.js';
export { createLog, type Log, type LogOptions, redactSecrets, silentLog } from './log.js';
export { createMetrics, type Metrics, type MetricsOptions } from './metrics.js';
export { microTime } from './micro-time.js';
export {
  apiVersionOf,
  type Key,
  type KubeObject,
  type ObjectMeta,
  type ObjectRef,
  type OwnerReference,
  objectKey,
  objectRef,
  parseKey,
  type ResourceType,
} from './objects.js';
export type { HealthOptions } from './operator-process.js';
export { type ProcessOptions, type RunningProcess, startProcess } from './process.js';
export { resources } from './resources.js';
export { mergePatch, writeStatusIfChanged } from './status-writer.js';
