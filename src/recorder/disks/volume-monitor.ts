import type { Clock } from '../../operator/clock.js';
import type { Log } from '../../operator/log.js';
import { ChildLane } from '../children/child-lane.js';
import type { VolumeMount } from '../environment.js';
import { Rounds } from '../rounds.js';
import { formatIdentity, type Identity, judgeOwnership } from './identity.js';
import { PROBE_SCRIPT, type ProbeOutput, parseProbe, type Space } from './probe-script.js';
import { type Verdict, type VolumeState, verdictOfError } from './verdict.js';
import {
  hasRoom,
  MEASURE_DEADLINE_MS,
  MEASURE_EVERY_MS,
  MEASURE_SCRIPT,
  measuredRate,
  RATE_AT_DEADLINE,
  steppedRate,
} from './write-rate.js';

export interface VolumeMonitorOptions {
  readonly mount: VolumeMount;
  readonly server: string;
  readonly serverUID: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Called after each change of state, and after each probe that changed the space in a way worth telling. */
  readonly onChange: () => void;
  /** From the end of a probe to the next. Milliseconds, default 1,000. */
  readonly intervalMs?: number;
  /** A probe that has not answered by then makes the volume lost. Milliseconds, default 2,500. */
  readonly deadlineMs?: number;
  /** The recorder records nothing: the disk's write rate may be measured, at the start and then each hour. */
  readonly standsBy?: () => boolean;
}

// A hung disk that answers again often hangs again: it must answer twice before cameras go back to it.
const GOOD_PROBES_AFTER_LOSS = 2;
/** So long a child that was killed at its deadline may take to end before it is asked who holds it. Milliseconds. */
const LET_GO_MS = 500;
/** Probes in a row that were too late although the disk held no child of theirs, before the volume is lost. */
const LATE_PROBES = 2;
const FULL_BYTES = 16 * 1024 * 1024;
const FULL_TEXT = '16 MiB or 1 % of the space';
const FREE_STEP_PERCENT = 5;
// At the start: read the marker, write it, read it again.
const QUICK_PROBES = 5;

/** Probes one volume over and over and says what is true of it (rule 9b). */
export class VolumeMonitor {
  readonly mount: VolumeMount;
  readonly #options: VolumeMonitorOptions;
  readonly #own: Identity;
  readonly #lane = new ChildLane();
  #state: VolumeState = 'Unknown';
  #message = '';
  #since: Date;
  #marker: Identity | undefined;
  /** The marker's text once it is known to be ours; from then on every probe must find exactly it. */
  #expected = '';
  #device: string | undefined;
  #output: ProbeOutput | undefined;
  #freePercent: number | undefined;
  #goodInARow = 0;
  #lateInARow = 0;
  #probes = 0;
  #writeRate: number | undefined;
  #measuredAt = Number.NEGATIVE_INFINITY;
  /** When a measurement that did not end was given up; its child may still be in the kernel. */
  /** When the probe whose child is still there was given up; the monotonic clock. */
  #lateSince: number | undefined;
  #measureGivenUpAt: number | undefined;
  readonly #rounds: Rounds;

  constructor(options: VolumeMonitorOptions) {
    this.#options = options;
    this.mount = options.mount;
    this.#rounds = new Rounds(options.clock, () => this.#round());
    this.#since = options.clock.wall();
    this.#own = { server: options.server, serverUID: options.serverUID, claimUID: options.mount.claimUID };
  }

  get state(): VolumeState {
    return this.#state;
  }
  get message(): string {
    return this.#message;
  }
  /** When it came into its state. */
  get since(): Date {
    return this.#since;
  }
  /** The marker as found on the volume. */
  get marker(): Identity | undefined {
    return this.#marker;
  }
  get fileSystem(): string | undefined {
    return this.#output?.fileSystem;
  }
  /** As of the last probe that answered. */
  get space(): Space | undefined {
    return this.#output?.space;
  }
  /** Free share in steps of 5 per cent, with hysteresis. */
  get freePercent(): number | undefined {
    return this.#freePercent;
  }
  /** Megabytes a second in coarse steps, as measured while the recorder stood by. */
  get writeRate(): number | undefined {
    return this.#writeRate;
  }
  /** Probes in a row that were too late although the disk did not hold them. */
  get lateProbes(): number {
    return this.#lateInARow;
  }
  get name(): string {
    return this.mount.name;
  }

  start(): void {
    this.#rounds.start();
  }

  stop(): void {
    this.#rounds.stop();
  }

  /** Probes at once: something that writes there had trouble. */
  suspect(): void {
    this.#rounds.soon();
  }

  async #round(): Promise<number> {
    // A second child would only join the one that is still in the kernel since the last round.
    if (!this.#lane.busy) {
      this.#measureGivenUpAt = undefined;
      this.#lateSince = undefined;
      this.#settle(await this.#probe());
      if (this.#measureDue()) await this.#measure();
    } else if (this.#hangsSinceMeasured()) {
      this.#settle({ state: 'Lost', message: 'no answer since its write rate was measured: the disk hangs' });
    } else if (this.#lateSince !== undefined) {
      this.#settle(this.#verdictOfOutstanding(this.#lateSince));
    }
    // The identity has been learned, and the disk itself has still to answer.
    const goesOn = this.#state === 'Unknown' && this.#expected !== '' && this.#probes < QUICK_PROBES;
    return goesOn ? 0 : (this.#options.intervalMs ?? 1000);
  }

  #measureDue(): boolean {
    if (this.#state !== 'Healthy' || this.#options.standsBy?.() !== true || !this.#rounds.running) return false;
    return this.#options.clock.monotonic() - this.#measuredAt >= MEASURE_EVERY_MS && hasRoom(this.#output?.space);
  }

  /** In the lane of the probes: there are never two children on one disk. */
  async #measure(): Promise<void> {
    const { clock } = this.#options;
    this.#measuredAt = clock.monotonic();
    const args = [this.mount.mountPath, this.#expected];
    const result = await this.#lane.run({ script: MEASURE_SCRIPT, args, deadlineMs: MEASURE_DEADLINE_MS });
    const now = clock.monotonic();
    if (result.timedOut) this.#measureGivenUpAt = now;
    const rate = result.timedOut ? RATE_AT_DEADLINE : measuredRate(result.stdout, now - this.#measuredAt);
    const before = this.#writeRate;
    if (rate !== undefined) this.#writeRate = steppedRate(rate, before);
    if (this.#writeRate !== before) this.#notify();
  }

  /** A slow disk lets the killed child go after a moment, a hung one does not. */
  #hangsSinceMeasured(): boolean {
    const since = this.#measureGivenUpAt;
    return since !== undefined && this.#options.clock.monotonic() - since >= (this.#options.deadlineMs ?? 2500);
  }

  /** One probe; undefined when only the identity was learned and the disk itself has still to answer. */
  async #probe(): Promise<Verdict | undefined> {
    const deadlineMs = this.#options.deadlineMs ?? 2500;
    const result = await this.#runProbe(this.#expected, 'check', deadlineMs);
    if (result.timedOut) return this.#verdictOfLateness(deadlineMs);
    this.#lateInARow = 0;
    if (result.untried) return this.#untried(result.stderr);
    if (result.code !== 0) return verdictOfError(result.stderr);
    const output = parseProbe(result.stdout);
    const swapped = this.#swapped(output);
    if (swapped !== undefined) return swapped;
    this.#output = { ...output, space: output.space ?? this.#output?.space };
    if (output.probed !== undefined) return this.#verdictOfSpace(output.space);
    return this.#claim(output, deadlineMs);
  }

  /**
   * Law 7: a child that is late is evidence against the disk only while the disk holds it. Any other may have waited for
   * a processor, as on a node that is overloaded for a moment: it takes two of them.
   */
  async #verdictOfLateness(deadlineMs: number): Promise<Verdict | undefined> {
    this.#lateSince = this.#options.clock.monotonic();
    await this.#lane.settled(LET_GO_MS);
    if (this.#lane.held) return hangs(deadlineMs);
    this.#lateInARow += 1;
    if (this.#state === 'Lost' || this.#lateInARow >= LATE_PROBES) return tooSlow(deadlineMs);
    this.#options.log.warn({ volume: this.name, deadlineMs }, 'a probe is late; one more makes the volume lost');
    return undefined;
  }

  /** Of a killed child that has not ended: one that gets no processor for as long as a probe may take is a late probe, too. */
  #verdictOfOutstanding(sinceMs: number): Verdict | undefined {
    const deadlineMs = this.#options.deadlineMs ?? 2500;
    if (this.#lane.held) return hangs(deadlineMs);
    if (this.#state === 'Lost' || this.#options.clock.monotonic() - sinceMs < deadlineMs) return undefined;
    this.#lateInARow = LATE_PROBES;
    return tooSlow(deadlineMs);
  }

  /** No memory, no process left: that says nothing of the disk; the recording service fails of it, and says so. */
  #untried(message: string): undefined {
    this.#options.log.warn({ volume: this.name, message }, 'the probe could not be made');
    return undefined;
  }

  #runProbe(expected: string, mode: 'check' | 'claim', deadlineMs: number) {
    this.#probes += 1;
    const nonce = `${this.#own.serverUID}.${this.#probes}.${this.#options.clock.wall().getTime()}`;
    const args = [this.mount.mountPath, expected, nonce, mode];
    return this.#lane.run({ script: PROBE_SCRIPT, args, deadlineMs });
  }

  #swapped(output: ProbeOutput): Verdict | undefined {
    if (this.mount.requireMount && !output.mounted) {
      return replaced(`nothing is mounted at ${this.mount.mountPath}; mount the volume and restart the pod`);
    }
    if (this.#expected === '') return undefined;
    if (output.identity !== this.#expected) {
      return replaced(output.identity === '' ? 'the identity marker is gone' : foreignText(output.identity));
    }
    if (this.#device !== undefined && output.device !== this.#device) {
      return replaced(`another device is mounted: ${output.device ?? 'none'} instead of ${this.#device}`);
    }
    this.#device ??= output.device;
    return undefined;
  }

  /** The marker has been read for the first time: makes the volume ours, or refuses it. */
  async #claim(output: ProbeOutput, deadlineMs: number): Promise<Verdict | undefined> {
    const ownership = judgeOwnership(output.identity, this.#own);
    if (ownership.kind === 'foreign') {
      this.#marker = ownership.identity;
      return replaced(foreignText(output.identity));
    }
    const expected = ownership.kind === 'ours' ? output.identity : formatIdentity(this.#own);
    if (ownership.kind !== 'ours') {
      const claimed = await this.#runProbe(expected, 'claim', deadlineMs);
      if (claimed.timedOut) return { state: 'Lost', message: 'no answer while the identity marker was written' };
      if (claimed.untried) return this.#untried(claimed.stderr);
      if (claimed.code !== 0) return verdictOfError(claimed.stderr);
    }
    this.#expected = expected;
    this.#marker = ownership.kind === 'ours' ? ownership.identity : this.#own;
    return undefined;
  }

  #verdictOfSpace(space: Space | undefined): Verdict {
    if (space === undefined) return { state: 'Healthy', message: '' };
    this.#freePercent = steppedPercent(space, this.#freePercent);
    if (space.availableBytes < Math.min(FULL_BYTES, space.sizeBytes / 100)) {
      // No figure that moves: every change of the message is a write of the report.
      return { state: 'Full', message: `less than ${FULL_TEXT} is left; delete foreign files or enlarge it` };
    }
    if (space.inodes > 0 && space.freeInodes === 0) {
      return { state: 'Full', message: 'no inodes are left; delete foreign files' };
    }
    return { state: 'Healthy', message: '' };
  }

  #settle(verdict: Verdict | undefined): void {
    if (verdict === undefined || !this.#rounds.running) return;
    const before = { state: this.#state, free: this.#freePercent };
    this.#goodInARow = isUsable(verdict.state) ? this.#goodInARow + 1 : 0;
    if (this.#state === 'Lost' && isUsable(verdict.state) && this.#goodInARow < GOOD_PROBES_AFTER_LOSS) return;
    this.#message = verdict.message;
    if (verdict.state === before.state) {
      if (this.#freePercent !== this.#reportedFree) this.#notify();
      return;
    }
    this.#state = verdict.state;
    this.#since = this.#options.clock.wall();
    const level = isUsable(verdict.state) ? 'info' : 'error';
    this.#options.log[level](
      { volume: this.name, from: before.state, to: verdict.state, message: verdict.message },
      'volume changed state',
    );
    this.#notify();
  }

  #reportedFree: number | undefined;

  #notify(): void {
    this.#reportedFree = this.#freePercent;
    this.#options.onChange();
  }
}

/** Whether footage can be read from it and, space permitting, written to it. */
export function isUsable(state: VolumeState): boolean {
  return state === 'Healthy' || state === 'Full';
}

function hangs(deadlineMs: number): Verdict {
  return { state: 'Lost', message: `no answer within ${deadlineMs / 1000} s: the disk hangs` };
}

function tooSlow(deadlineMs: number): Verdict {
  const message = `no answer within ${deadlineMs / 1000} s, twice: the disk, or this node, is too slow to record on`;
  return { state: 'Lost', message };
}

function replaced(message: string): Verdict {
  return { state: 'Replaced', message };
}

function foreignText(identity: string): string {
  const shown = identity.slice(0, 200);
  return `the volume carries another identity: ${shown}; if it shall be ours, delete .understudy/identity.json on it`;
}

/** The free share rounded down to steps; leaves a step only when it is left by more than half a step. */
export function steppedPercent(space: Space, previous: number | undefined): number {
  const percent = space.sizeBytes === 0 ? 0 : (100 * space.availableBytes) / space.sizeBytes;
  const half = FREE_STEP_PERCENT / 2;
  const stays = previous !== undefined && percent > previous - half && percent < previous + FREE_STEP_PERCENT + half;
  return stays ? previous : Math.min(100, Math.floor(percent / FREE_STEP_PERCENT) * FREE_STEP_PERCENT);
}
