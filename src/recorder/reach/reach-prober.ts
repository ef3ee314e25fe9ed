import type { Reachability } from '../../crds/recorder-report.js';
import { type Clock, deepEqual, type Log, type Timer } from '../../operator/index.js';
import type { CameraTask } from '../cameras/camera-task.js';
import type { Credentials } from '../engine/engine.js';
import { type Finding, findingsOf } from './findings.js';
import { LoginCache } from './login-cache.js';
import type { PoolCamerasReader } from './pool-cameras.js';
import { ReachQuestions } from './reach-questions.js';
import type { ProbeOutcome, ProbeRequest } from './rtsp-probe.js';
import type { SampledCamera } from './sample.js';

export interface ReachProberOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly reader: Pick<PoolCamerasReader, 'sample' | 'ofRole'>;
  readonly credentials: (secretName: string) => Promise<Credentials>;
  readonly probe: (request: ProbeRequest) => Promise<ProbeOutcome>;
  /** In [0, 1). */
  readonly random: () => number;
  /** There is something new in `findings`. */
  readonly onChange: () => void;
}

/** The first question comes so soon after the start, with jitter. Milliseconds. */
const FIRST_MS = 1000;
/** From the start of one probe to the next, at least. */
const SPACING_MS = 1000;
/** The first round takes about so long, but no longer than this for each camera. */
const FIRST_ROUND_MS = 120_000;
const FIRST_GAP_MS = 3000;
/** A camera is asked again after so long at the earliest, and a tenth later at the latest. The list as well. */
const ROUND_MS = 600_000;
/** What the API server did not answer is asked again after so long. */
const RETRY_MS = 30_000;
const LONGEST_PROBE_MS = 5000;
/** Changes are told together: cameras of a broken network are found broken one after the other. */
const GATHER_MS = 30_000;

interface Entry {
  readonly camera: SampledCamera;
  nextAt: number;
}

/**
 * While a recorder stands by, it asks the cameras of its pool whether it reaches them: slowly, with jitter, and without
 * taking a session of theirs. It ends at once when the recorder gets a role.
 */
export class ReachProber {
  readonly #options: ReachProberOptions;
  readonly #logins: LoginCache;
  readonly #questions = new ReachQuestions();
  #pool: string | undefined;
  #run = new AbortController();
  #timer: Timer | undefined;
  #listAt = 0;
  #listing = false;
  #listed = false;
  #lastProbe = Number.NEGATIVE_INFINITY;
  #cameras = 0;
  #entries = new Map<string, Entry>();
  #found = new Map<string, Finding>();
  #told: Reachability | undefined;
  #tellAt: number | undefined;

  constructor(options: ReachProberOptions) {
    this.#options = options;
    this.#logins = new LoginCache(options.credentials, options.clock);
  }

  /** What the report says; undefined before the first round is complete, and while this is no standby. */
  get findings(): Reachability | undefined {
    return this.#told;
  }

  /** Probes the cameras of this pool; undefined ends all probes at once and forgets what was found. */
  follow(pool: string | undefined): void {
    if (pool === this.#pool) return;
    this.#stop();
    this.#pool = pool;
    if (pool === undefined) return;
    const { clock, random } = this.#options;
    this.#run = new AbortController();
    this.#listAt = clock.monotonic() + FIRST_MS * (1 + random());
    this.#schedule();
  }

  /** The operator's questions as they stand now. They are put to standbys only. */
  ask(ids: readonly string[]): void {
    const before = this.#questions.answers.length;
    this.#questions.set(this.#pool === undefined ? [] : ids);
    if (this.#questions.answers.length !== before) this.#tell();
    this.#schedule();
  }

  #stop(): void {
    this.#run.abort();
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#questions.clear();
    this.#logins.clear();
    this.#entries = new Map();
    this.#found = new Map();
    this.#told = undefined;
    this.#tellAt = undefined;
    this.#listing = false;
    this.#listed = false;
  }

  /** One timer for all: the next list, the next probe, the next word. */
  #schedule(): void {
    if (this.#pool === undefined) return;
    const now = this.#options.clock.monotonic();
    const probes = [...this.#entries.values()].map(({ nextAt }) => nextAt - now);
    const asked = this.#questions.dueInMs(now);
    const nextProbe = Math.min(...probes, asked ?? Number.POSITIVE_INFINITY);
    const waits = [
      this.#listing ? Number.POSITIVE_INFINITY : this.#listAt - now,
      Math.max(nextProbe, this.#lastProbe + SPACING_MS - now),
      (this.#tellAt ?? Number.POSITIVE_INFINITY) - now,
    ];
    this.#timer?.cancel();
    // Whole milliseconds: a timer that fires a hair too soon would find nothing to do, and again.
    const wait = Math.ceil(Math.min(...waits));
    this.#timer = Number.isFinite(wait) ? this.#options.clock.setTimer(wait, () => this.#turn()) : undefined;
  }

  #turn(): void {
    const now = this.#options.clock.monotonic();
    if (this.#tellAt !== undefined && this.#tellAt <= now) this.#tell();
    if (this.#listAt <= now && !this.#listing) void this.#list(this.#run.signal);
    const unlisted = this.#questions.toList(now);
    if (unlisted !== undefined) void this.#listRole(unlisted, this.#run.signal);
    if (now - this.#lastProbe >= SPACING_MS) this.#probeNext(now);
    this.#schedule();
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { reader, log, random, clock } = this.#options;
    this.#listing = true;
    let wait = ROUND_MS;
    try {
      const { cameras, sample } = await reader.sample(this.#pool ?? '', signal);
      if (signal.aborted) return;
      this.#cameras = cameras;
      this.#listed = true;
      this.#take(sample);
    } catch (error) {
      if (signal.aborted) return;
      wait = RETRY_MS;
      log.warn({ error: String(error) }, 'the cameras of the pool could not be listed; it is tried again');
    }
    this.#listing = false;
    this.#listAt = clock.monotonic() + wait * (1 + 0.1 * random());
    this.#noteChange();
    this.#schedule();
  }

  async #listRole({ id, role }: { readonly id: string; readonly role: string }, signal: AbortSignal): Promise<void> {
    const { reader, clock } = this.#options;
    try {
      const tasks = await reader.ofRole(role, signal);
      if (signal.aborted) return;
      const cameras = tasks.map((task) => ({ role, task }));
      if (this.#questions.listed(id, cameras, clock.monotonic())) this.#tell();
    } catch {
      if (!signal.aborted) this.#questions.notListed(id, clock.monotonic());
    }
    this.#schedule();
  }

  /** New cameras are spread over the first round; what goes on keeps its turn. */
  #take(sample: readonly SampledCamera[]): void {
    const { clock, random } = this.#options;
    const gap = Math.min(FIRST_GAP_MS, Math.max(SPACING_MS, FIRST_ROUND_MS / Math.max(1, sample.length)));
    let at = clock.monotonic();
    const entries = new Map<string, Entry>();
    for (const camera of sample) {
      const known = this.#entries.get(camera.task.name);
      entries.set(camera.task.name, { camera, nextAt: known?.nextAt ?? at });
      if (known === undefined) at += gap * (0.75 + 0.5 * random());
    }
    this.#entries = entries;
    for (const name of this.#found.keys()) if (!entries.has(name)) this.#found.delete(name);
  }

  #probeNext(now: number): void {
    const { signal } = this.#run;
    const asked = this.#questions.next(now);
    if (asked !== undefined) {
      this.#lastProbe = now;
      void this.#find(asked.camera.task, signal).then((finding) => {
        if (signal.aborted) return;
        if (this.#questions.settle(asked.id, finding === 'Reached', this.#options.clock.monotonic())) this.#tell();
        this.#schedule();
      });
      return;
    }
    const due = [...this.#entries.values()].filter(({ nextAt }) => nextAt <= now).sort((a, b) => a.nextAt - b.nextAt);
    const entry = due[0];
    if (entry === undefined) return;
    this.#lastProbe = now;
    entry.nextAt = now + ROUND_MS * (1 + 0.1 * this.#options.random());
    void this.#find(entry.camera.task, signal).then((finding) => {
      if (signal.aborted || !this.#entries.has(entry.camera.task.name)) return;
      // Not known whether the login can be read: what was found before stands.
      if (finding === undefined) entry.nextAt = this.#options.clock.monotonic() + RETRY_MS;
      else this.#found.set(entry.camera.task.name, finding);
      this.#noteChange();
      this.#schedule();
    });
  }

  /** Undefined when it could not be tried. */
  async #find(task: CameraTask, signal: AbortSignal): Promise<Finding | undefined> {
    const login = await this.#logins.get(task.secretName);
    if (signal.aborted) return undefined;
    if (login.kind !== 'login') return login.kind === 'unreadable' ? 'NoCredentials' : undefined;
    const timeoutMs = Math.min(LONGEST_PROBE_MS, task.connectTimeoutSeconds * 1000);
    return this.#options.probe({ url: task.url, credentials: login.credentials, timeoutMs, signal });
  }

  /** The first round is told when it is complete, later changes after a while, together. */
  #noteChange(): void {
    if (this.#told === undefined) {
      if (this.#complete()) this.#tell();
      return;
    }
    if (this.#tellAt !== undefined || deepEqual(this.#worded(this.#told.checkedTime), this.#told)) return;
    this.#tellAt = this.#options.clock.monotonic() + GATHER_MS;
  }

  #complete(): boolean {
    return this.#listed && [...this.#entries.keys()].every((name) => this.#found.has(name));
  }

  #worded(checkedTime: string): Reachability {
    // A camera that has not been tried yet is not told of.
    const tried = [...this.#entries.values()]
      .map(({ camera }) => camera)
      .filter(({ task }) => this.#found.has(task.name));
    return { checkedTime, ...findingsOf(this.#cameras, tried, this.#found, this.#questions.answers) };
  }

  #tell(): void {
    this.#tellAt = undefined;
    const next = this.#worded(this.#told?.checkedTime ?? '');
    if (this.#told !== undefined && deepEqual(next, this.#told)) return;
    this.#told = { ...next, checkedTime: this.#options.clock.wall().toISOString() };
    this.#options.onChange();
  }
}
