import { PooledKubeConfig } from '../../../src/operator/api/pooled-kube-config.js';
import {
  createApiClient,
  createController,
  createEventRecorder,
  createMetrics,
  type KubeClient,
  resources,
  silentLog,
  systemClock,
} from '../../../src/operator/index.js';
import { createReconcilers, type Reconcilers } from '../../../src/reconcilers/index.js';

/** Verbs of the API client that write. */
const writes = ['create', 'replace', 'replaceStatus', 'patchStatus', 'patch', 'apply', 'delete'] as const;

export interface OperatorUnderTest extends Reconcilers {
  /** Not the operator's own client: what a test writes is not counted. */
  readonly client: KubeClient;
  /** What the operator has written, as 'verb plural name'; Events excepted. */
  readonly written: string[];
  stop(): Promise<void>;
}

/** Stands between the operator and a write, such as 'create backups site-2', to let it happen or not. */
export type Interceptor = (write: string, send: () => Promise<unknown>) => Promise<unknown>;

/** Notes every write, then does it. */
function recorded(client: KubeClient, written: string[], intercept: Interceptor): KubeClient {
  return new Proxy(client, {
    get(target, property, receiver) {
      const value: unknown = Reflect.get(target, property, receiver);
      if (typeof value !== 'function') return value;
      const verb = writes.find((candidate) => candidate === property);
      return (...parameters: unknown[]) => {
        const [type, object] = parameters as [{ plural: string }, { name?: string; metadata?: { name: string } }];
        const send = () => Reflect.apply(value, target, parameters) as Promise<unknown>;
        if (!verb || type.plural === 'events') return send();
        const write = `${verb} ${type.plural} ${object.metadata?.name ?? object.name}`;
        written.push(write);
        return intercept(write, send);
      };
    },
  });
}

/** All reconcilers of the operator in this process, on one namespace of a real API server; no election. */
export async function startOperator(
  kubeconfigPath: string,
  namespace: string,
  intercept: Interceptor = (_write, send) => send(),
): Promise<OperatorUnderTest> {
  const kubeConfig = new PooledKubeConfig();
  kubeConfig.loadFromFile(kubeconfigPath);
  const metrics = createMetrics();
  const client = createApiClient({ kubeConfig, metrics });
  const written: string[] = [];
  const own = recorded(client, written, intercept);
  const events = createEventRecorder({ client, controller: 'understudy.dev/operator', metrics, log: silentLog });
  const reconcilers = createReconcilers({
    client: own,
    events,
    clock: systemClock,
    metrics,
    log: silentLog,
    namespaces: [namespace],
    operatorNamespace: namespace,
    podDefaults: { image: 'localhost/understudy:test', imagePullPolicy: 'Never' },
    version: '0.1.0',
    createController: (options) => createController({ ...options, metrics, log: silentLog }),
  });
  const { watches, observations, controllers } = reconcilers;
  observations.start();
  for (const reflector of watches.reflectors) reflector.start();
  await Promise.all(watches.reflectors.map((reflector) => reflector.synced()));
  for (const controller of controllers) controller.start();
  // Leader election asks every two seconds; here nobody leads, and contact with the API server has to be seen too.
  const contact = setInterval(() => void ask(client, namespace), 1_000);
  await ask(client, namespace);
  return {
    ...reconcilers,
    client,
    written,
    async stop() {
      clearInterval(contact);
      const abort = AbortSignal.timeout(5_000);
      await Promise.all(controllers.map((controller) => controller.stop(abort)));
      observations.stop();
      await Promise.all(watches.reflectors.map((reflector) => reflector.stop()));
      await client.close();
    },
  };
}

/** The answer does not matter: that one came is what counts. */
async function ask(client: KubeClient, name: string): Promise<void> {
  await client.get(resources.namespaces, { name }).catch(() => undefined);
}

/** Waits for a condition, not for a time; fails with the last thing that was seen. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined> | T | undefined,
  limitMs = 20_000,
): Promise<T> {
  const end = performance.now() + limitMs;
  let last: unknown;
  for (;;) {
    const found = await Promise.resolve(look()).catch((error: unknown) => {
      last = error;
      return undefined;
    });
    if (found !== undefined) return found;
    if (performance.now() > end) throw new Error(`${what}: not within ${limitMs / 1000} s; ${last ?? ''}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Waits until no reconciler has work and none has written for a moment: all that was to follow has followed. */
export async function quiet(operator: OperatorUnderTest, forMs = 3_000): Promise<void> {
  let count = -1;
  let since = performance.now();
  await until(
    'the operator is quiet',
    () => {
      const idle = operator.controllers.every((controller) => controller.idle());
      if (!idle || operator.written.length !== count) {
        count = operator.written.length;
        since = performance.now();
      }
      return performance.now() - since > forMs ? true : undefined;
    },
    60_000,
  );
}
