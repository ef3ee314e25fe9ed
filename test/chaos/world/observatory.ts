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
  type ResourceType,
} from '../../../src/operator/index.js';

type Listener = (name: string) => void;

/** What is true on the API server, for all cases at once, by watches that no fault touches. */
export class Observatory {
  readonly #reflectors: Reflector<unknown>[] = [];
  readonly #servers: Reflector<RecordingServer>;
  readonly #pools: Reflector<FailoverPool>;
  readonly #cameras: Reflector<CameraAssignment>;
  readonly #backups: Reflector<Backup>;
  readonly #listeners = new Map<string, Set<Listener>>();

  constructor(client: KubeClient) {
    this.#servers = this.#watch<RecordingServer>(client, recordingServers);
    this.#pools = this.#watch<FailoverPool>(client, failoverPools);
    this.#cameras = this.#watch<CameraAssignment>(client, cameraAssignments);
    this.#backups = this.#watch<Backup>(client, backups);
  }

  async start(): Promise<void> {
    for (const reflector of this.#reflectors) reflector.start();
    await Promise.all(this.#reflectors.map((reflector) => reflector.synced()));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#reflectors.map((reflector) => reflector.stop()));
  }

  server(namespace: string, name: string): RecordingServer | undefined {
    return this.#servers.store.get(`${namespace}/${name}`);
  }

  pool(namespace: string, name: string): FailoverPool | undefined {
    return this.#pools.store.get(`${namespace}/${name}`);
  }

  backup(namespace: string, name: string): Backup | undefined {
    return this.#backups.store.get(`${namespace}/${name}`);
  }

  camera(namespace: string, name: string): CameraAssignment | undefined {
    return this.#cameras.store.get(`${namespace}/${name}`);
  }

  /** Names of the cameras whose home is this role. */
  camerasOf(namespace: string, role: string): string[] {
    const found = this.#cameras.store.byIndex('home', `${namespace}/${role}`);
    return found.map(({ metadata }) => metadata.name).sort();
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

  #watch<T extends KubeObject>(client: KubeClient, type: ResourceType): Reflector<T> {
    const reflector = createReflector<T>(client, {
      type,
      project: (raw) => raw as T,
      ...(type === cameraAssignments ? { indexes: { home: (camera) => [homeOf(camera)] } } : {}),
      onChange: (key) => {
        const [namespace = '', name = ''] = key.split('/');
        for (const listener of [...(this.#listeners.get(namespace) ?? [])]) listener(`${type.plural} ${name}`);
      },
    });
    this.#reflectors.push(reflector as Reflector<unknown>);
    return reflector;
  }
}

function homeOf(object: KubeObject): string {
  const { metadata, spec } = object as CameraAssignment;
  return `${metadata.namespace}/${spec.serverRef.name}`;
}
