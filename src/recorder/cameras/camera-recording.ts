import { randomBytes } from 'node:crypto';
import type { ReportedCamera } from '../../crds/recorder-report.js';
import type { Clock, Timer } from '../../operator/clock.js';
import { deepEqual } from '../../operator/deep-equal.js';
import type { Log } from '../../operator/log.js';
import type { FootageVolume } from '../disks/footage-volume.js';
import type {
  Credentials,
  Engine,
  EngineRecording,
  EngineSource,
  Failure,
  FailureKind,
  RecordingEnd,
} from '../engine/engine.js';
import type { Growth } from '../footage/journal.js';
import { type Place, stagingFolder, writerName } from '../footage/layout.js';
import { formatRetention } from '../footage/retention-plan.js';
import { retryDelay } from './backoff.js';
import { faultOf, sameFailure } from './camera-fault.js';
import { type CameraTask, engineSource, rankOf } from './camera-task.js';
import type { ConnectGate, Ticket } from './connect-gate.js';
import { RecordingRun } from './recording-run.js';

/** What a camera's recording needs from its recorder. */
export interface RecordingHost {
  readonly engine: Engine;
  readonly gate: ConnectGate;
  readonly clock: Clock;
  readonly log: Log;
  /** The volume for a camera; undefined when none can be written. */
  place(camera: string): FootageVolume | undefined;
  /** Whether some volume has not been judged yet: it may become the place. */
  placePending(): boolean;
  /** Login of a camera; rejects with a sentence for people. */
  credentials(secretName: string): Promise<Credentials>;
  /** Whether the role came to this recorder a short while ago. */
  takingOver(): boolean;
  /** Something to tell has changed. */
  onChange(): void;
  /** The engine itself seems broken. */
  onEngineTrouble(): void;
}

/** Keeps one camera recorded: connects, watches the growth of its segments, retries, changes the volume. */
export class CameraRecording {
  readonly #host: RecordingHost;
  #task: CameraTask;
  #place: Place;
  #state: ReportedCamera['state'] = 'Waiting';
  #since: Date;
  #startTime: Date | undefined;
  #lastFrameTime: Date | undefined;
  #error: string | undefined;
  #failures = 0;
  #failureKind: FailureKind | undefined;
  #awaitsVolume = false;
  #probing = 0;
  #run: RecordingRun | undefined;
  #ticket: Ticket | undefined;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(host: RecordingHost, task: CameraTask, place: Place) {
    this.#host = host;
    this.#task = task;
    this.#place = place;
    this.#since = host.clock.wall();
  }

  get state(): ReportedCamera['state'] {
    return this.#state;
  }

  /** Whether its first bytes are awaited: the disk should then be looked at more often. */
  get hurried(): boolean {
    return this.#run?.hurried(this.#host.clock.monotonic()) ?? false;
  }

  /** Whether nothing is proved yet: it has neither recorded nor reported a failed attempt. */
  get unproved(): boolean {
    return this.#state === 'Waiting' || (this.#state === 'Connecting' && this.#failureKind === undefined);
  }

  /** What the RecorderReport says of it. */
  report(): ReportedCamera {
    return {
      name: this.#task.name,
      state: this.#state,
      sinceTime: this.#since.toISOString(),
      ...(this.#startTime === undefined || this.#state !== 'Recording'
        ? {}
        : { startTime: this.#startTime.toISOString() }),
      ...(this.#lastFrameTime === undefined ? {} : { lastFrameTime: this.#lastFrameTime.toISOString() }),
      ...(this.#run === undefined ? {} : { volume: this.#run.volume.name }),
      ...(this.#error === undefined ? {} : { error: this.#error.slice(0, 256) }),
      ...(this.#error === undefined || this.#failureKind === undefined ? {} : { failure: faultOf(this.#failureKind) }),
    };
  }

  start(): void {
    this.#attempt();
  }

  /** Takes over a changed assignment; a changed stream is connected anew. */
  update(task: CameraTask): void {
    const before = this.#task;
    this.#task = task;
    const { priority, retentionSeconds, maxSessions } = task;
    const same = { priority, retentionSeconds, maxSessions };
    if (deepEqual({ ...before, ...same }, task)) return;
    this.#abandon();
    this.#failures = 0;
    this.#probing = 0;
    this.#attempt();
  }

  /** The role or its epoch has changed: what is being written goes to the new place, without a break. */
  moveTo(place: Place): void {
    this.#place = place;
    this.#run?.volume.journal.moveTo(this.#run.writer, place);
  }

  /** Some volume has changed its state: leaves a dead one, comes back to a healthy one. */
  volumesChanged(): void {
    const run = this.#run;
    if (this.#stopped) return;
    if (run === undefined) {
      // Waiting for a retry whose reason may have been the volume.
      if (this.#awaitsVolume || (this.#timer !== undefined && this.#failureKind === 'storage')) this.#attempt();
      return;
    }
    if (run.volume.state === 'Healthy' || run.volume.state === 'Unknown') return;
    const other = this.#host.place(this.#task.name);
    if (other !== undefined && other !== run.volume) {
      this.#abandon();
      this.#attempt();
    } else if (run.volume.state !== 'Full') {
      // Nowhere else to go: the engine is left alone, because a disk that merely hung loses nothing.
      this.#leaveRecording(run);
      this.#failureKind = 'storage';
      this.#change('Failed', `footage volume ${run.volume.name}: ${run.volume.state}`);
    }
  }

  /** What a look at the disk has shown; also the moment to judge silence, because only then the disk has answered. */
  take(volume: FootageVolume, growth: ReadonlyMap<string, Growth>): void {
    const run = this.#run;
    if (run === undefined || run.volume !== volume || run.recording === undefined) return;
    const grown = run.look(growth.get(run.writer), this.#host.clock.monotonic());
    if (grown && run.growth !== undefined) this.#recorded(run.growth);
    run.judgeSilence(this.#task.connectTimeoutSeconds);
  }

  /** Ends it for good; resolves when the engine has ended, or after a bounded time. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const recording = this.#run?.recording;
    this.#abandon();
    this.#change('Stopped', undefined);
    await recording?.ended;
  }

  #attempt(): void {
    this.#awaitsVolume = false;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#ticket?.release();
    if (this.#stopped) return;
    this.#ticket = this.#host.gate.request(rankOf(this.#task), () => {
      this.#connect().catch((error: unknown) => this.#failed({ kind: 'ended', message: String(error) }));
    });
  }

  async #connect(): Promise<void> {
    const task = this.#task;
    const volume = this.#host.place(task.name);
    if (volume === undefined) return this.#withoutVolume();
    const { clock } = this.#host;
    const writer = writerName(clock.wall(), randomBytes(4).toString('hex'));
    const run = new RecordingRun(writer, volume, clock.monotonic());
    this.#run = run;
    // Told with the next change only: a report of its own now would make the proof of recording wait a second.
    if (this.#state === 'Waiting') this.#connecting();
    const place = this.#place;
    const [credentials, opened] = await Promise.all([
      this.#login(task.secretName),
      volume.journal.open(task.name, writer, place, formatRetention(task.retentionSeconds)),
    ]);
    if (this.#run !== run) return volume.journal.end(writer);
    if (this.#place !== place) volume.journal.moveTo(writer, this.#place);
    if (!opened || 'kind' in credentials) {
      volume.journal.end(writer);
      const failure: Failure = { kind: 'storage', message: `footage volume ${volume.name} refused a folder` };
      return this.#failed('kind' in credentials ? credentials : failure);
    }
    this.#begin(run, engineSource(task, credentials.login));
  }

  #withoutVolume(): void {
    if (!this.#host.placePending()) {
      this.#failed({ kind: 'storage', message: 'no footage volume can be written' });
      return;
    }
    // Right after the start: the first probes are under way, and the change of a volume wakes us.
    this.#ticket?.release();
    this.#awaitsVolume = true;
  }

  /** The camera's login; a Secret that can't be read is the camera's failure, not an exception. */
  async #login(secretName: string | undefined): Promise<{ login: Credentials | undefined } | Failure> {
    if (secretName === undefined) return { login: undefined };
    try {
      return { login: await this.#host.credentials(secretName) };
    } catch (error) {
      return { kind: 'credentials', message: error instanceof Error ? error.message : String(error) };
    }
  }

  #begin(run: RecordingRun, source: EngineSource): void {
    const folder = `${run.volume.mountPath}/${stagingFolder(source.camera, run.writer)}`;
    let recording: EngineRecording;
    try {
      recording = this.#host.engine.record(source, folder, this.#probing);
    } catch (error) {
      run.volume.journal.end(run.writer);
      this.#failed({ kind: 'engine', message: error instanceof Error ? error.message : String(error) });
      return;
    }
    run.begin(recording, this.#host.clock.monotonic());
    void recording.ended.then((end) => this.#ended(run, end));
  }

  #recorded(growth: Growth): void {
    this.#ticket?.release();
    this.#failures = 0;
    if (this.#state === 'Recording') return;
    this.#startTime = new Date(growth.modifiedMs);
    this.#change('Recording', undefined);
  }

  #ended(run: RecordingRun, end: RecordingEnd): void {
    run.volume.journal.end(run.writer);
    if (this.#run !== run) return;
    this.#leaveRecording(run);
    // An engine that ends while it writes may know of a dying disk before the probe does.
    if (run.growth !== undefined) run.volume.suspect();
    this.#failed(run.verdict ?? end.failure, run.growth !== undefined);
  }

  #failed(failure: Failure, hadFrames = false): void {
    const { clock, log } = this.#host;
    this.#ticket?.release();
    this.#run = undefined;
    if (this.#stopped) return;
    this.#failures += 1;
    if (failure.kind === 'format' || (failure.kind === 'ended' && !hadFrames)) this.#probing += 1;
    if (failure.kind === 'engine') this.#host.onEngineTrouble();
    log.warn({ camera: this.#task.name, kind: failure.kind, failures: this.#failures }, failure.message);
    // Words of retries differ in detail; only another kind of failure is worth a write of the report.
    const known = this.#state === 'Failed' && sameFailure(this.#failureKind, failure.kind);
    this.#failureKind = failure.kind;
    // A broken stream is first tried again at once; only when that fails, the camera has failed.
    if (!known) this.#change(hadFrames ? 'Connecting' : 'Failed', failure.message);
    const takingOver = this.#host.takingOver();
    const singleSession = this.#task.maxSessions === 1;
    const delay = retryDelay(
      { kind: failure.kind, failures: this.#failures, takingOver, singleSession },
      Math.random(),
    );
    this.#timer = clock.setTimer(delay, () => this.#attempt());
  }

  #leaveRecording(run: RecordingRun): void {
    if (this.#state === 'Recording' && run.growth !== undefined) this.#lastFrameTime = new Date(run.growth.modifiedMs);
  }

  /** Lets the engine process go without waiting: on a hung disk its end may never come. */
  #abandon(): void {
    const run = this.#run;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#ticket?.release();
    this.#run = undefined;
    if (run === undefined) return;
    this.#leaveRecording(run);
    run.recording?.stop();
    if (this.#state === 'Recording') this.#change('Connecting', undefined);
  }

  #connecting(): void {
    this.#state = 'Connecting';
    this.#since = this.#host.clock.wall();
  }

  #change(state: ReportedCamera['state'], error: string | undefined): void {
    if (this.#state === state && this.#error === error) return;
    if (this.#state !== state) this.#since = this.#host.clock.wall();
    this.#state = state;
    this.#error = error;
    this.#host.onChange();
  }
}
