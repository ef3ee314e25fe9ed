import { type CameraAssignment, cameraAssignments } from '../../crds/camera-assignment.js';
import { type RecordingServer, recordingServers } from '../../crds/recording-server.js';
import type { KubeClient } from '../../operator/index.js';
import { type CameraTask, taskOf } from '../cameras/camera-task.js';
import { type SampledCamera, sampleOf, shareOf, transferable } from './sample.js';

/** Objects a page: a page lives until the next one has come. */
const PAGE = 100;

/** The cameras of a pool as an idle recorder keeps them. */
export interface PoolCameras {
  /** All that could be transferred. */
  readonly cameras: number;
  readonly sample: readonly SampledCamera[];
}

export interface PoolCamerasOptions {
  readonly client: Pick<KubeClient, 'listPages'>;
  readonly namespace: string;
}

/**
 * Lists, seldom, and keeps no watch: the cameras of a large pool are many, and idle recorders are to cost the API server
 * nothing in between. Rejects when the API server does not answer.
 */
export class PoolCamerasReader {
  readonly #options: PoolCamerasOptions;

  constructor(options: PoolCamerasOptions) {
    this.#options = options;
  }

  /** The cameras of every role of the pool; a role whose home was deleted is known by whoever serves it. */
  async sample(pool: string, signal: AbortSignal): Promise<PoolCameras> {
    const roles = await this.#roles(pool, signal);
    const share = shareOf(roles.length);
    const byRole = new Map<string, readonly CameraTask[]>();
    let cameras = 0;
    for (const role of roles) {
      const tasks = await this.ofRole(role, signal);
      cameras += tasks.length;
      byRole.set(role, tasks.slice(0, share));
    }
    return { cameras, sample: sampleOf(byRole) };
  }

  /** The cameras of a role that could be transferred, the most important first. */
  async ofRole(role: string, signal: AbortSignal): Promise<CameraTask[]> {
    const tasks: CameraTask[] = [];
    const { client, namespace } = this.#options;
    const options = { namespace, fieldSelector: `spec.serverRef.name=${role}`, limit: PAGE, signal };
    for await (const { items } of client.listPages(cameraAssignments, options)) {
      tasks.push(...items.map((item) => taskOf(item as unknown as CameraAssignment)));
    }
    return transferable(tasks);
  }

  async #roles(pool: string, signal: AbortSignal): Promise<string[]> {
    const roles = new Set<string>();
    const { client, namespace } = this.#options;
    const options = { namespace, fieldSelector: `spec.poolRef.name=${pool}`, limit: PAGE, signal };
    for await (const { items } of client.listPages(recordingServers, options)) {
      for (const { metadata, spec, status } of items as unknown as RecordingServer[]) {
        if (spec.type === 'Standard') roles.add(metadata.name);
        if (status?.servingRole) roles.add(status.servingRole);
      }
    }
    return [...roles].sort();
  }
}
