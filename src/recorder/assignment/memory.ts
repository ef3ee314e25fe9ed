import type { Log } from '../../operator/index.js';
import type { CameraTask } from '../cameras/camera-task.js';
import type { FootageVolume } from '../disks/footage-volume.js';
import { ASSIGNMENT_FILE, type Place } from '../footage/layout.js';
import { type Assignment, decide, type KnownAssignment, learn, type Order } from './assignment.js';
import { formatState, readState, type SavedState } from './state-file.js';

export interface AssignmentMemoryOptions {
  readonly server: string;
  readonly podUID: string;
  readonly volumes: readonly FootageVolume[];
  readonly log: Log;
}

/** All that is known of the assignment: what the API server has said, and what the volumes remember of it. */
export class AssignmentMemory {
  readonly #options: AssignmentMemoryOptions;
  #known: KnownAssignment | undefined;
  #apiHadItsTurn = false;
  #volumesRead = false;
  #saved: SavedState | undefined;
  /** As the volumes told it at the start; never replaced by what came later. */
  #remembered: SavedState | undefined;
  readonly #savedOn = new Map<FootageVolume, string>();

  constructor(options: AssignmentMemoryOptions) {
    this.#options = options;
  }

  /** Whether the volumes have told what they remember, or have had the time to. */
  get volumesRead(): boolean {
    return this.#volumesRead;
  }

  /** Whether both sides have been heard. */
  get settled(): boolean {
    return this.#volumesRead && this.#apiHadItsTurn;
  }

  /** What has to be done as far as is known now. */
  get order(): Order {
    return decide(this.#known, this.#options.podUID, this.#apiHadItsTurn);
  }

  /** Whether the API server has named another pod of this server; what the volumes remember never says so. */
  get displaced(): boolean {
    return decide(this.#known, this.#options.podUID, true).displaced;
  }

  /** Reads what the volumes remember; bounded, hung ones are passed over. */
  async readVolumes(): Promise<void> {
    const { volumes, server, log } = this.#options;
    const paths = volumes.map((volume) => volume.mountPath);
    const state = await readState(paths, server);
    this.#volumesRead = true;
    if (state === undefined) return;
    const { role, epoch, podUID } = state;
    log.info({ role, epoch }, 'read the last assignment from a volume');
    this.#saved = state;
    this.#remembered = state;
    this.#known = learn(this.#known, { role, epoch, podUID, origin: 'volume' });
  }

  /** The API server has answered; undefined when it knows of no assignment. */
  learnFromApi(assignment: Assignment | undefined): void {
    this.#apiHadItsTurn = true;
    if (assignment !== undefined) this.#known = learn(this.#known, { ...assignment, origin: 'api' });
  }

  /** The API server has had the time to answer: what only the volumes know counts from now on. */
  giveTurn(): void {
    this.#apiHadItsTurn = true;
  }

  /** The cameras that are remembered for a role; undefined when none are. */
  camerasOf(role: string): readonly CameraTask[] | undefined {
    return this.#saved?.role === role ? this.#saved.cameras : undefined;
  }

  /**
   * Where footage of an earlier run belongs that does not say so itself: the role that was remembered with this camera,
   * else the server's own name at epoch 0, which no assignment ever has. Undefined until both sides have been heard.
   */
  placeOf(camera: string): Place | undefined {
    if (!this.settled) return undefined;
    const { role = '', epoch = 0, cameras = [] } = this.#remembered ?? {};
    const known = role !== '' && cameras.some(({ name }) => name === camera);
    return known ? { role, epoch } : { role: this.#options.server, epoch: 0 };
  }

  /** Keeps the assignment and its cameras on every volume, for a restart without the API server. */
  save(cameras: readonly CameraTask[]): void {
    if (this.#known === undefined || this.#known.origin === 'volume') return;
    const { role, epoch, podUID } = this.#known;
    this.#saved = { server: this.#options.server, role, epoch, podUID, cameras };
    const text = formatState(this.#saved);
    for (const volume of this.#options.volumes) {
      if (!volume.journal.running || this.#savedOn.get(volume) === text) continue;
      this.#savedOn.set(volume, text);
      volume.journal.write(ASSIGNMENT_FILE, text);
    }
  }
}
