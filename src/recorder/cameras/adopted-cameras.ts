import type { Clock, Timer } from '../../operator/clock.js';
import type { CameraTask } from './camera-task.js';
import type { WatchedCamera } from './camera-watch.js';

/**
 * A camera that leaves the role goes on for so long: two watches tell of its move from the old name to the new one, in
 * any order. Recorded twice, or a moment too long, is waste; stopped and begun anew is a gap. Milliseconds.
 */
const LINGER_MS = 5_000;

export interface AdoptedCamerasOptions {
  readonly server: string;
  readonly clock: Pick<Clock, 'monotonic' | 'setTimer'>;
  /** A camera's time has passed. */
  readonly onChange: () => void;
}

/**
 * What a substitute goes on recording although it has left the role: a person who adopts it for good has its cameras
 * name it, before the pool can give it the role of its own name.
 */
export class AdoptedCameras {
  readonly #options: AdoptedCamerasOptions;
  #role = '';
  #joined = new Map<string, CameraTask>();
  readonly #leftAt = new Map<string, number>();
  #timer: Timer | undefined;

  constructor(options: AdoptedCamerasOptions) {
    this.#options = options;
  }

  /** The cameras to record: those of the role, and those on their way from it to this server's own name. */
  join(role: string, ofRole: readonly CameraTask[], ownName: readonly WatchedCamera[]): readonly CameraTask[] {
    if (role !== this.#role) this.#forget(role);
    if (role === '' || role === this.#options.server) return ofRole;
    const tasks = new Map(ownName.filter((camera) => this.#isMine(camera)).map(({ task }) => [task.name, task]));
    for (const task of ofRole) tasks.set(task.name, task);
    const elsewhere = new Set(ownName.map(({ task }) => task.name).filter((name) => !tasks.has(name)));
    for (const task of this.#lingering(tasks, elsewhere)) tasks.set(task.name, task);
    this.#joined = tasks;
    return [...tasks.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Bound to this server; or to nobody yet, and recorded here until now. */
  #isMine({ task, boundTo }: WatchedCamera): boolean {
    return boundTo === this.#options.server || (boundTo === undefined && this.#joined.has(task.name));
  }

  /** Those that have just left the role, and of which nobody says that another server records them. */
  #lingering(tasks: ReadonlyMap<string, CameraTask>, elsewhere: ReadonlySet<string>): CameraTask[] {
    const now = this.#options.clock.monotonic();
    for (const name of [...this.#leftAt.keys()]) if (tasks.has(name) || elsewhere.has(name)) this.#leftAt.delete(name);
    const missing = [...this.#joined.values()].filter(({ name }) => !tasks.has(name) && !elsewhere.has(name));
    for (const { name } of missing) if (!this.#leftAt.has(name)) this.#leftAt.set(name, now);
    const staying = missing.filter(({ name }) => now - (this.#leftAt.get(name) ?? now) < LINGER_MS);
    for (const { name } of missing) if (!staying.some((task) => task.name === name)) this.#leftAt.delete(name);
    if (staying.length > 0) this.#wake();
    return staying;
  }

  #wake(): void {
    this.#timer?.cancel();
    const now = this.#options.clock.monotonic();
    const first = Math.min(...this.#leftAt.values());
    this.#timer = this.#options.clock.setTimer(Math.max(0, first + LINGER_MS - now), this.#options.onChange);
  }

  #forget(role: string): void {
    this.#role = role;
    this.#joined = new Map();
    this.#leftAt.clear();
    this.#timer?.cancel();
  }
}
