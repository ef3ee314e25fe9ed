import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

const requestBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const workBuckets = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60];

function apiMetrics(registers: Registry[]) {
  return {
    requests: new Counter({
      name: 'rest_client_requests_total',
      help: 'Requests to the API server by verb, resource and code (an HTTP status, "error" without an answer, "refused" by the write gate)',
      labelNames: ['verb', 'resource', 'code'] as const,
      registers,
    }),
    requestSeconds: new Histogram({
      name: 'rest_client_request_duration_seconds',
      help: 'Duration of requests to the API server, watches excepted',
      labelNames: ['verb'] as const,
      buckets: requestBuckets,
      registers,
    }),
  };
}

function reflectorMetrics(registers: Registry[]) {
  const labelNames = ['resource'] as const;
  return {
    lists: new Counter({
      name: 'reflector_lists_total',
      help: 'Lists by resource and cause (start, gone, missed, check)',
      labelNames: ['resource', 'cause'] as const,
      registers,
    }),
    watchEnds: new Counter({
      name: 'reflector_watch_ends_total',
      help: 'Watches that ended, by resource and reason',
      labelNames: ['resource', 'reason'] as const,
      registers,
    }),
    events: new Counter({
      name: 'reflector_events_total',
      help: 'Watch events by resource and type',
      labelNames: ['resource', 'type'] as const,
      registers,
    }),
    cacheMisses: new Counter({
      name: 'reflector_cache_misses_total',
      help: 'Changes that a checking list found and the watch had not delivered',
      labelNames,
      registers,
    }),
    callbackErrors: new Counter({
      name: 'reflector_callback_errors_total',
      help: 'Exceptions thrown by project, index or change callbacks',
      labelNames,
      registers,
    }),
    activityAge: new Gauge({
      name: 'reflector_last_activity_age_seconds',
      help: 'Time since the last data from the API server',
      labelNames,
      registers,
    }),
    objects: new Gauge({ name: 'reflector_objects', help: 'Objects held in the store', labelNames, registers }),
  };
}

/** The names of client-go, so that dashboards made for Go operators work. */
function workQueueMetrics(registers: Registry[]) {
  const labelNames = ['name'] as const;
  return {
    depth: new Gauge({ name: 'workqueue_depth', help: 'Keys that are ready', labelNames, registers }),
    adds: new Counter({ name: 'workqueue_adds_total', help: 'Keys added', labelNames, registers }),
    retries: new Counter({ name: 'workqueue_retries_total', help: 'Keys added with backoff', labelNames, registers }),
    queueSeconds: new Histogram({
      name: 'workqueue_queue_duration_seconds',
      help: 'Time a key waits from ready to taken',
      labelNames,
      buckets: workBuckets,
      registers,
    }),
    workSeconds: new Histogram({
      name: 'workqueue_work_duration_seconds',
      help: 'Time a key is worked on',
      labelNames,
      buckets: workBuckets,
      registers,
    }),
    unfinishedSeconds: new Gauge({
      name: 'workqueue_unfinished_work_seconds',
      help: 'Sum of the ages of the work in progress',
      labelNames,
      registers,
    }),
    longestSeconds: new Gauge({
      name: 'workqueue_longest_running_processor_seconds',
      help: 'Age of the oldest work in progress',
      labelNames,
      registers,
    }),
  };
}

function reconcileMetrics(registers: Registry[]) {
  return {
    reconciles: new Counter({
      name: 'controller_runtime_reconcile_total',
      help: 'Reconciles by controller and result (success, requeue_after, error, terminal_error, aborted)',
      labelNames: ['controller', 'result'] as const,
      registers,
    }),
    activeWorkers: new Gauge({
      name: 'controller_runtime_active_workers',
      help: 'Reconciles that run now',
      labelNames: ['controller'] as const,
      registers,
    }),
  };
}

function processMetrics(registers: Registry[]) {
  return {
    leader: new Gauge({
      name: 'leader_election_master_status',
      help: '1 while this process may write',
      labelNames: ['name'] as const,
      registers,
    }),
    events: new Counter({
      name: 'event_recorder_events_total',
      help: 'Kubernetes Events by result (created, aggregated, patched, dropped, failed)',
      labelNames: ['result'] as const,
      registers,
    }),
  };
}

/** All metrics of the machinery on one registry of their own; never the global one, which is shared by accident. */
export interface Metrics {
  readonly registry: Registry;
  readonly api: ReturnType<typeof apiMetrics>;
  readonly reflector: ReturnType<typeof reflectorMetrics>;
  readonly workQueue: ReturnType<typeof workQueueMetrics>;
  readonly reconcile: ReturnType<typeof reconcileMetrics>;
  readonly process: ReturnType<typeof processMetrics>;
  /**
   * Runs before every scrape: for gauges that are ages. `collect` must be quick and must not throw.
   * Returns a function that takes it off again.
   */
  onScrape(collect: () => void): () => void;
  /** The text format, after all `onScrape` functions. */
  scrape(): Promise<string>;
}

export interface MetricsOptions {
  /** Also the metrics of the process: memory, CPU, event loop lag. Default false. */
  processMetrics?: boolean;
}

/** Object names are never labels: a big label set blocks the event loop while it is rendered. */
export function createMetrics(options: MetricsOptions = {}): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const collectors = new Set<() => void>();
  if (options.processMetrics) collectDefaultMetrics({ register: registry });
  return {
    registry,
    api: apiMetrics(registers),
    reflector: reflectorMetrics(registers),
    workQueue: workQueueMetrics(registers),
    reconcile: reconcileMetrics(registers),
    process: processMetrics(registers),
    onScrape(collect) {
      collectors.add(collect);
      return () => collectors.delete(collect);
    },
    scrape() {
      for (const collect of collectors) collect();
      return registry.metrics();
    },
  };
}
