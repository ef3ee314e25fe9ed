import type { Clock, Log } from '../../operator/index.js';
import type { Engine, EngineCheck } from '../engine/engine.js';
import { Rounds } from '../rounds.js';

/** Stopping: the recorder was asked to end. */
export type ServiceState = 'Starting' | 'Ready' | 'Failed' | 'Stopping';

export interface RecordingServiceOptions {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly log: Log;
  /** Whether any camera's frames reach a disk now: then the service works, whatever its self-test says. */
  readonly recording: () => boolean;
  readonly onChange: () => void;
  /** Milliseconds between tests while all is well; default 30,000. */
  readonly intervalMs?: number;
}

const RETRY_MS = 2000;
// One failed test can be a moment without memory or scratch space.
const FAILURES_NEEDED = 2;

/**
 * Watches whether the recording service can work at all (rule 9c). Its evidence is the engine's test of itself, which
 * needs no camera: cameras that can't be reached never count.
 */
export class RecordingService {
  readonly #options: RecordingServiceOptions;
  #state: ServiceState = 'Starting';
  #since: Date;
  #message: string | undefined;
  #version: string | undefined;
  #failures = 0;
  readonly #rounds: Rounds;

  constructor(options: RecordingServiceOptions) {
    this.#options = options;
    this.#rounds = new Rounds(options.clock, () => this.#check());
    this.#since = options.clock.wall();
  }

  get state(): ServiceState {
    return this.#state;
  }
  get since(): Date {
    return this.#since;
  }
  get message(): string | undefined {
    return this.#message;
  }
  /** The engine and its version, once it has told it. */
  get version(): string | undefined {
    return this.#version;
  }

  start(): void {
    this.#rounds.start();
  }

  /** Tests no more, and announces that the recorder ends: its silence is a planned one. */
  stop(): void {
    this.#rounds.stop();
    this.#change('Stopping', undefined, false);
  }

  /** Tests at once: the engine has failed in a way that is no camera's fault. */
  suspect(): void {
    if (this.#state === 'Ready' && this.#failures === 0) this.#rounds.soon();
  }

  async #check(): Promise<number> {
    const result = await this.#options.engine.check();
    if (this.#rounds.running) this.#take(result);
    return result.ok ? (this.#options.intervalMs ?? 30_000) : RETRY_MS;
  }

  #take(result: EngineCheck): void {
    if (result.ok) {
      this.#failures = 0;
      const news = this.#version !== result.version;
      this.#version = result.version;
      this.#change('Ready', undefined, news);
      return;
    }
    this.#failures += 1;
    if (this.#failures >= FAILURES_NEEDED && !this.#options.recording()) this.#change('Failed', result.message, false);
  }

  #change(state: ServiceState, message: string | undefined, news: boolean): void {
    if (this.#state === state && !news) return;
    if (this.#state !== state) {
      this.#since = this.#options.clock.wall();
      const level = state === 'Failed' ? 'error' : 'info';
      this.#options.log[level]({ from: this.#state, to: state, message }, 'recording service changed state');
    }
    this.#state = state;
    this.#message = message;
    this.#options.onChange();
  }
}
