import type { ReportedCamera } from '../../crds/recorder-report.js';
import type { FootageVolume } from '../disks/footage-volume.js';
import type { Growth } from '../footage/journal.js';
import type { Place } from '../footage/layout.js';
import { CameraRecording, type RecordingHost } from './camera-recording.js';
import type { CameraTask } from './camera-task.js';

/** The recordings of all cameras that this server records now. */
export class CameraFleet {
  readonly #host: RecordingHost;
  readonly #recordings = new Map<string, CameraRecording>();
  /** Last words of cameras that were released. */
  readonly #released = new Map<string, ReportedCamera>();
  #place: Place = { role: '', epoch: 0 };

  constructor(host: RecordingHost) {
    this.#host = host;
  }

  /**
   * Records exactly these cameras, into this place, without those that are released for another recorder. What goes on
   * is not interrupted.
   */
  assign(place: Place, tasks: readonly CameraTask[], released: ReadonlySet<string> = new Set()): void {
    const wanted = new Set(tasks.map((task) => task.name).filter((name) => !released.has(name)));
    for (const name of this.#released.keys()) if (!released.has(name)) this.#released.delete(name);
    for (const [name, recording] of this.#recordings) {
      if (!wanted.has(name)) this.#drop(name, recording, released.has(name));
    }
    if (place.role !== this.#place.role || place.epoch !== this.#place.epoch) {
      this.#place = place;
      for (const recording of this.#recordings.values()) recording.moveTo(place);
    }
    for (const task of tasks) if (wanted.has(task.name)) this.#assignOne(task);
  }

  #assignOne(task: CameraTask): void {
    const known = this.#recordings.get(task.name);
    if (known !== undefined) {
      known.update(task);
      return;
    }
    const recording = new CameraRecording(this.#host, task, this.#place);
    this.#recordings.set(task.name, recording);
    recording.start();
  }

  #drop(name: string, recording: CameraRecording, isReleased: boolean): void {
    this.#recordings.delete(name);
    void recording.stop();
    // The time of its last frame stays in the report: it is where the gap begins.
    if (isReleased) this.#released.set(name, { ...recording.report(), error: 'CameraSessionLimit' });
  }

  volumesChanged(): void {
    for (const recording of this.#recordings.values()) recording.volumesChanged();
  }

  take(volume: FootageVolume, growth: ReadonlyMap<string, Growth>): void {
    for (const recording of this.#recordings.values()) recording.take(volume, growth);
  }

  /** Whether the first bytes of some camera are awaited. */
  get hurried(): boolean {
    return [...this.#recordings.values()].some((recording) => recording.hurried);
  }

  /** Whether some camera has neither recorded nor failed yet: the proof of a takeover is not complete. */
  get unproved(): boolean {
    return [...this.#recordings.values()].some((recording) => recording.unproved);
  }

  /** Whether frames of any camera reach a disk. */
  get recording(): boolean {
    return [...this.#recordings.values()].some((recording) => recording.state === 'Recording');
  }

  report(): ReportedCamera[] {
    return [...[...this.#recordings.values()].map((recording) => recording.report()), ...this.#released.values()];
  }

  /** Ends all recordings; resolves when every engine has ended. */
  async stop(): Promise<void> {
    await Promise.all([...this.#recordings.values()].map((recording) => recording.stop()));
  }
}
