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

/** Watches the cameras of the role that is served; a change of role changes the watch. */
export class CameraWatch {
  readonly #options: CameraWatchOptions;
  #role = '';
  #reflector: Reflector<CameraTask> | undefined;

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
    return store?.synced ? [...store.list()].sort((a, b) => (a.name < b.name ? -1 : 1)) : undefined;
  }

  async stop(): Promise<void> {
    await this.#reflector?.stop();
  }

  #start(role: string): Reflector<CameraTask> {
    const { client, namespace, log, metrics, onChange } = this.#options;
    const reflector = createReflector<CameraTask>(client, {
      type: cameraAssignments,
      namespace,
      fieldSelector: `spec.serverRef.name=${role}`,
      project: (raw) => taskOf(raw as unknown as CameraAssignment),
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
