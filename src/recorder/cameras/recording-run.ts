import { deepEqual } from '../../operator/deep-equal.js';
import type { FootageVolume } from '../disks/footage-volume.js';
import type { EngineRecording, Failure } from '../engine/engine.js';
import type { Growth } from '../footage/journal.js';

// Longer than the pause of any camera that sends at all: those with rare key frames still send the frames between.
const STALL_MS = 6000;
// A new stream has to connect, to be probed, and to reach its next key frame.
const FIRST_BYTES_MS = 10_000;
// However long a look was delayed, it tells of one silence, not of a long one: a disk that hung, or a pause of the
// whole machine, held the engine up as well, and it goes on where it was.
const LONGEST_LOOK_MS = 2000;
const LEAST_BYTES = 1;

/** One engine process of a camera, from its folder to its end, and what has been seen of it on the disk. */
export class RecordingRun {
  readonly writer: string;
  readonly volume: FootageVolume;
  readonly #startedAt: number;
  #recording: EngineRecording | undefined;
  #growth: Growth | undefined;
  #lookedAt: number;
  #silentMs = 0;
  #verdict: Failure | undefined;

  /** `now` is monotonic, in milliseconds, as in all that follows. */
  constructor(writer: string, volume: FootageVolume, now: number) {
    this.writer = writer;
    this.volume = volume;
    this.#startedAt = now;
    this.#lookedAt = now;
  }

  /** The engine process; undefined while its folder is being made. */
  get recording(): EngineRecording | undefined {
    return this.#recording;
  }

  /** What has reached the disk; undefined before its first bytes. */
  get growth(): Growth | undefined {
    return this.#growth;
  }

  /** Why we ended it ourselves, if we did. */
  get verdict(): Failure | undefined {
    return this.#verdict;
  }

  /** Whether its first bytes are awaited. */
  hurried(now: number): boolean {
    return this.#growth === undefined && now - this.#startedAt < FIRST_BYTES_MS;
  }

  begin(recording: EngineRecording, now: number): void {
    this.#recording = recording;
    this.#lookedAt = now;
  }

  /** A look at the disk, which has answered; true when there is more than at the last one. */
  look(seen: Growth | undefined, now: number): boolean {
    const grown = seen !== undefined && seen.bytes >= LEAST_BYTES && !deepEqual(seen, this.#growth);
    this.#silentMs = grown ? 0 : this.#silentMs + Math.min(now - this.#lookedAt, LONGEST_LOOK_MS);
    this.#lookedAt = now;
    if (grown) this.#growth = seen;
    return grown;
  }

  /** Ends the engine when it has been silent for too long. */
  judgeSilence(connectTimeoutSeconds: number): void {
    if (this.#verdict !== undefined) return;
    const limit = this.#growth === undefined ? FIRST_BYTES_MS + connectTimeoutSeconds * 1000 : STALL_MS;
    if (this.#silentMs < limit) return;
    const message = `no frame reached the disk for ${Math.round(this.#silentMs / 1000)} s`;
    this.#verdict = { kind: this.#growth === undefined ? 'format' : 'ended', message };
    this.#recording?.stop();
  }
}
