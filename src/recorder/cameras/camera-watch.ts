import { type CameraAssignment, cameraAssignments } from '../../crds/camera-assignment.js';
import { createReflector, type KubeClient, type Log, type Metrics, type Reflector } from '../../operator/index.js';
import { type CameraTask, taskOf } from './camera-task.js';

export interface CameraWatchOptions {
  readonly client: Pick<KubeClient, 'listPages' | 'watch'>;
  readonly namespace: string;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly onChange: () => void;
}

/** A camera that is watched, and the server that is to record it by its status. */
export interface WatchedCamera {
  readonly task: CameraTask;
  readonly boundTo: string | undefined;
}

function watched(camera: CameraAssignment): WatchedCamera {
  return { task: taskOf(camera), boundTo: camera.status?.boundTo?.server };
}

/** Watches the cameras of the role that is served; a change of role changes the watch. */
export class CameraWatch {
  readonly #options: CameraWatchOptions;
  #role = '';
  #reflector: Reflector<WatchedCamera> | undefined;

  constructor(options: CameraWatchOptions) {
    this.#options = options;
  }

  /** Follows this role's cameras; '' for none. */
  follow(role: string): void {
    if (role === this.#role) return;
    void this.#reflector?.stop();
    this.#role = role;
    this.#reflector = role === '' ? undefined : this.#start(role);
  }

  /** The role's cameras by name; undefined as long as the API server has not listed them. */
  get cameras(): readonly CameraTask[] | undefined {
    const store = this.#reflector?.store;
    if (!store?.synced) return undefined;
    return [...store.list()].map(({ task }) => task).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** What is known so far, with the servers that the cameras are bound to. */
  get watched(): readonly WatchedCamera[] {
    return [...(this.#reflector?.store.list() ?? [])];
  }

  async stop(): Promise<void> {
    await this.#reflector?.stop();
  }

  #start(role: string): Reflector<WatchedCamera> {
    const { client, namespace, log, metrics, onChange } = this.#options;
    const reflector = createReflector<WatchedCamera>(client, {
      type: cameraAssignments,
      namespace,
      fieldSelector: `spec.serverRef.name=${role}`,
      project: (raw) => watched(raw as unknown as CameraAssignment),
      onChange,
      log,
      metrics,
    });
    reflector.start();
    // A role without cameras makes no change, but its list is an answer too.
    reflector.synced().then(onChange, () => undefined);
    return reflector;
  }
}
