import {
  type Backup,
  backups,
  type CameraAssignment,
  cameraAssignments,
  type FailoverPool,
  failoverPools,
  type RecordingServer,
  recordingServers,
} from '../../../src/crds/index.js';
import {
  createReflector,
  type KubeClient,
  type KubeObject,
  type Reflector,
  type ReflectorOptions,
  type ResourceType,
  resources,
} from '../../../src/operator/index.js';

type Listener = (name: string) => void;

/** No fault touches these watches, and to list what hundreds of cases have left behind is felt by those that run. */
const checkMs = 3_600_000;

/** What is true on the API server, for all cases at once, by watches that no fault touches. */
export class Observatory {
  readonly #reflectors: Reflector<unknown>[] = [];
  readonly #servers: Reflector<Seen<RecordingServer>>;
  readonly #pools: Reflector<Seen<FailoverPool>>;
  readonly #cameras: Reflector<Seen<CameraAssignment>>;
  readonly #backups: Reflector<Seen<Backup>>;
  readonly #pods: Reflector<Seen<KubeObject>>;
  readonly #listeners = new Map<string, Set<Listener>>();
  /** What is held of a namespace, by 'plural name'. */
  readonly #held = new Map<string, Map<string, Seen<KubeObject>>>();
  readonly #closed = new Set<string>();

  constructor(client: KubeClient) {
    this.#servers = this.#watch<RecordingServer>(client, recordingServers);
    this.#pools = this.#watch<FailoverPool>(client, failoverPools);
    this.#cameras = this.#watch<CameraAssignment>(client, cameraAssignments, {
      indexes: { home: (camera) => (camera.object === undefined ? [] : [homeOf(camera.object)]) },
    });
    this.#backups = this.#watch<Backup>(client, backups);
    this.#pods = this.#watch<KubeObject>(client, resources.pods);
  }

  async start(): Promise<void> {
    for (const reflector of this.#reflectors) reflector.start();
    await Promise.all(this.#reflectors.map((reflector) => reflector.synced()));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#reflectors.map((reflector) => reflector.stop()));
  }

  server(namespace: string, name: string): RecordingServer | undefined {
    return this.#servers.store.get(`${namespace}/${name}`)?.object;
  }

  pool(namespace: string, name: string): FailoverPool | undefined {
    return this.#pools.store.get(`${namespace}/${name}`)?.object;
  }

  backup(namespace: string, name: string): Backup | undefined {
    return this.#backups.store.get(`${namespace}/${name}`)?.object;
  }

  camera(namespace: string, name: string): CameraAssignment | undefined {
    return this.#cameras.store.get(`${namespace}/${name}`)?.object;
  }

  pod(namespace: string, name: string): KubeObject | undefined {
    return this.#pods.store.get(`${namespace}/${name}`)?.object;
  }

  /** The cameras whose home is this role. */
  camerasOf(namespace: string, role: string): CameraAssignment[] {
    const found = this.#cameras.store.byIndex('home', `${namespace}/${role}`);
    return found.flatMap(({ object }) => (object === undefined ? [] : [object]));
  }

  /** Calls back on every change of a namespace, with 'plural name'. The answer takes the listener away. */
  listen(namespace: string, listener: Listener): () => void {
    const all = this.#listeners.get(namespace) ?? new Set();
    this.#listeners.set(namespace, all.add(listener));
    return () => {
      all.delete(listener);
      if (all.size === 0) this.#listeners.delete(namespace);
    };
  }

  /**
   * Nobody asks for this namespace any more. Its objects stay on the API server for the rest of a run of hours; held
   * here, they would slow down each collection of garbage.
   */
  forget(namespace: string): void {
    this.#closed.add(namespace);
    for (const seen of this.#held.get(namespace)?.values() ?? []) seen.object = undefined;
    this.#held.delete(namespace);
  }

  #watch<T extends KubeObject>(
    client: KubeClient,
    type: ResourceType,
    { indexes = {} }: Pick<ReflectorOptions<Seen<T>>, 'indexes'> = {},
  ): Reflector<Seen<T>> {
    const reflector = createReflector<Seen<T>>(client, {
      type,
      indexes,
      relistIntervalMs: checkMs,
      project: (raw) => this.#keep(type, raw as T),
      onChange: (key) => {
        const [namespace = '', name = ''] = key.split('/');
        for (const listener of [...(this.#listeners.get(namespace) ?? [])]) listener(`${type.plural} ${name}`);
      },
    });
    this.#reflectors.push(reflector as Reflector<unknown>);
    return reflector;
  }

  #keep<T extends KubeObject>({ plural }: ResourceType, object: T): Seen<T> {
    const { namespace = '', name } = object.metadata;
    if (this.#closed.has(namespace)) return { object: undefined };
    // Who wrote which field is most of an object, and nobody here asks for it.
    delete (object.metadata as { managedFields?: unknown }).managedFields;
    const seen: Seen<T> = { object };
    const held = this.#held.get(namespace) ?? new Map<string, Seen<KubeObject>>();
    this.#held.set(namespace, held.set(`${plural} ${name}`, seen));
    return seen;
  }
}

/** An object as it was last seen; empty once its namespace is of no interest. */
interface Seen<T> {
  object: T | undefined;
}

function homeOf({ metadata, spec }: CameraAssignment): string {
  return `${metadata.namespace}/${spec.serverRef.name}`;
}
