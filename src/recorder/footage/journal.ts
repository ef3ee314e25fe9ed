import type { Clock, Timer } from '../../operator/clock.js';
import type { Log } from '../../operator/log.js';
import { ChildLane, type ChildResult } from '../children/child-lane.js';
import {
  formatCommands,
  JOURNAL_SCRIPT,
  type JournalCommand,
  OBEY_SCRIPT,
  parseListing,
  type StagedFile,
} from './journal-script.js';
import {
  cameraFolder,
  finalFolder,
  isSegmentName,
  type Place,
  parsePlaceMarker,
  placeMarker,
  stagingFolder,
} from './layout.js';

/** What an engine process has written so far, as seen on the disk. */
export interface Growth {
  /** Bytes of its newest segment. */
  readonly bytes: number;
  readonly segment: string;
  /** Modification time of its newest segment, in milliseconds since 1970. */
  readonly modifiedMs: number;
}

export interface JournalOptions {
  readonly mountPath: string;
  readonly clock: Clock;
  readonly log: Log;
  /**
   * Where segments of a camera belong that were left without the marker of their place: a power cut can take it. While
   * it is not known they stay where they are.
   */
  readonly placeOf?: (camera: string) => Place | undefined;
  /** Called after each round that saw the disk, with what each writer has written. */
  readonly onGrowth: (writers: ReadonlyMap<string, Growth>) => void;
  /** Called when a round failed or did not end: the volume should be probed. */
  readonly onTrouble: () => void;
  /** Rounds are this far apart while an engine is connecting. Milliseconds, default 250. */
  readonly hurriedIntervalMs?: number;
  /** Rounds are this far apart otherwise; what a power cut can cost. Milliseconds, default 1,000. */
  readonly intervalMs?: number;
}

interface Writer {
  readonly camera: string;
  readonly name: string;
  place: Place;
  /** No engine writes any more: the newest segment is closed too. */
  ended: boolean;
  /** Text of the rule; empty for a writer of an earlier run, whose rule was written by that. */
  readonly retention: string;
  /** The role beside whose footage the rule lies already. */
  retentionRole: string | undefined;
}

const ROUND_DEADLINE_MS = 10_000;

/** Syncs the open segments of one volume each second and moves the closed ones to their places. */
export class Journal {
  readonly #options: JournalOptions;
  readonly #lane = new ChildLane();
  readonly #openLane = new ChildLane();
  readonly #writers = new Map<string, Writer>();
  #waiting: { commands: JournalCommand[]; done: (ok: boolean) => void }[] = [];
  #pending: JournalCommand[] = [];
  #timer: Timer | undefined;
  #running = false;
  #hurried: () => boolean = () => false;
  #rounding: Promise<boolean> | undefined;
  #complained = '';

  constructor(options: JournalOptions) {
    this.#options = options;
  }

  /** Begins its rounds. Must not be called before the volume is known to be ours. */
  start(hurried: () => boolean): void {
    if (this.#running) return;
    this.#running = true;
    this.#hurried = hurried;
    this.#schedule(0);
  }

  get running(): boolean {
    return this.#running;
  }

  /** Whether some writer still has segments that are not in their place. */
  get settled(): boolean {
    return this.#writers.size === 0;
  }

  /**
   * Makes the folder for a new engine process. Resolves false when the volume did not do it in time. Calls that come
   * together share one child, so that 64 cameras cost no more than one.
   */
  open(camera: string, writer: string, place: Place, retention: string): Promise<boolean> {
    const folder = stagingFolder(camera, writer);
    this.#writers.set(writer, { camera, name: writer, place, ended: false, retention, retentionRole: undefined });
    return new Promise((done) => {
      const commands: JournalCommand[] = [
        { verb: 'folder', path: folder },
        { verb: 'mark', path: `${folder}/${placeMarker(place)}` },
      ];
      this.#waiting.push({ commands, done });
      if (this.#waiting.length === 1) queueMicrotask(() => void this.#openWaiting());
    });
  }

  /** From now on segments of this writer belong elsewhere, the open one included. */
  moveTo(writer: string, place: Place): void {
    const known = this.#writers.get(writer);
    if (known === undefined) return;
    known.place = place;
    this.#pending.push({ verb: 'mark', path: `${stagingFolder(known.camera, writer)}/${placeMarker(place)}` });
  }

  /** The engine process has ended: everything it wrote is closed. */
  end(writer: string): void {
    const known = this.#writers.get(writer);
    if (known !== undefined) known.ended = true;
  }

  /** Makes a round as soon as the one under way has ended; false when it failed, or the volume still hangs in one. */
  async flush(): Promise<boolean> {
    while (this.#rounding !== undefined) await this.#rounding;
    return this.#lane.busy ? false : this.#round();
  }

  /** Ends the rounds; what is still staged is promoted at the next start. */
  stop(): void {
    this.#running = false;
    this.#timer?.cancel();
  }

  /** Writes a small file in the next round. */
  write(path: string, text: string): void {
    this.#pending.push({ verb: 'write', path, text });
  }

  #schedule(ms: number): void {
    this.#timer?.cancel();
    this.#timer = this.#options.clock.setTimer(ms, () => void this.#tick());
  }

  async #tick(): Promise<void> {
    if (!this.#lane.busy) await this.#round();
    if (!this.#running) return;
    this.#schedule(this.#hurried() ? (this.#options.hurriedIntervalMs ?? 250) : (this.#options.intervalMs ?? 1000));
  }

  // The rounds' lane may be busy with a slow sync, and a takeover must not wait for it.
  async #openWaiting(): Promise<void> {
    if (this.#openLane.busy) {
      this.#options.clock.setTimer(20, () => void this.#openWaiting());
      return;
    }
    const batch = this.#waiting;
    this.#waiting = [];
    const result = await this.#openLane.run({
      script: OBEY_SCRIPT,
      args: [this.#options.mountPath],
      stdin: formatCommands(batch.flatMap(({ commands }) => commands)),
      deadlineMs: ROUND_DEADLINE_MS,
    });
    const ok = result.code === 0;
    if (!ok) this.#reportTrouble(result);
    for (const { done } of batch) done(ok);
  }

  #round(): Promise<boolean> {
    const rounding = this.#syncAndMove().finally(() => {
      this.#rounding = undefined;
    });
    this.#rounding = rounding;
    return rounding;
  }

  async #syncAndMove(): Promise<boolean> {
    const commands = this.#pending;
    this.#pending = [];
    // Only what had ended before this round's list is surely whole in it, and synced by this round.
    const ended = new Set([...this.#writers.values()].filter((writer) => writer.ended).map((writer) => writer.name));
    const result = await this.#lane.run({
      script: JOURNAL_SCRIPT,
      args: [this.#options.mountPath],
      stdin: formatCommands(commands),
      deadlineMs: ROUND_DEADLINE_MS,
    });
    const files = parseListing(result.stdout);
    if (files !== undefined) this.#take(files, ended);
    if (result.code === 0) {
      this.#complained = '';
      return true;
    }
    // Moves are worked out anew from the next list; marks and small files are not.
    this.#pending.unshift(...commands.filter(({ verb }) => verb === 'mark' || verb === 'write'));
    this.#reportTrouble(result);
    return false;
  }

  #reportTrouble(result: ChildResult): void {
    const message = result.timedOut ? `no answer within ${ROUND_DEADLINE_MS / 1000} s` : result.stderr.trim();
    // A dead disk says the same each second, for days.
    const level = message === this.#complained ? 'debug' : 'warn';
    this.#complained = message;
    this.#options.log[level]({ path: this.#options.mountPath, message }, 'footage could not be synced or moved');
    this.#options.onTrouble();
  }

  #take(files: readonly StagedFile[], ended: ReadonlySet<string>): void {
    const folders = groupByWriter(files);
    for (const folder of folders.values()) this.#adopt(folder);
    const growth = new Map<string, Growth>();
    for (const writer of [...this.#writers.values()]) {
      const segments = folders.get(`${writer.camera}/${writer.name}`)?.segments ?? [];
      const newest = segments.at(-1);
      if (newest !== undefined) {
        growth.set(writer.name, { bytes: newest.bytes, segment: newest.name, modifiedMs: newest.modifiedMs });
      }
      const whole = ended.has(writer.name);
      this.#promote(writer, whole ? segments : segments.slice(0, -1));
      if (whole && segments.length === 0) this.#forget(writer);
    }
    this.#options.onGrowth(growth);
  }

  /** A folder that no engine of this process writes to: left by a crash, a power cut or a container restart. */
  #adopt(folder: StagedFolder): void {
    if (this.#writers.has(folder.writer)) return;
    const { camera, writer: name } = folder;
    const place = folder.place ?? this.#options.placeOf?.(camera);
    if (place === undefined) return;
    this.#options.log.info(
      { camera, place, marked: folder.place !== undefined },
      'promoting segments of an earlier run',
    );
    this.#writers.set(name, { camera, name, place, ended: true, retention: '', retentionRole: undefined });
  }

  #promote(writer: Writer, closed: readonly StagedFile[]): void {
    const source = stagingFolder(writer.camera, writer.name);
    const made = new Set<string>();
    for (const { name, bytes } of closed) {
      if (bytes === 0) {
        this.#pending.push({ verb: 'drop', path: `${source}/${name}` });
        continue;
      }
      const target = finalFolder(writer.place, writer.camera, writer.name, name);
      if (!made.has(target)) this.#pending.push({ verb: 'folder', path: target });
      made.add(target);
      this.#pending.push({ verb: 'move', from: `${source}/${name}`, to: `${target}/${name}` });
    }
    // Once a role: a writer may go on under another one, and its footage has to age there too.
    if (made.size > 0 && writer.retention !== '' && writer.retentionRole !== writer.place.role) {
      const path = `${cameraFolder(writer.place.role, writer.camera)}/retention.json`;
      this.#pending.push({ verb: 'write', path, text: writer.retention });
      writer.retentionRole = writer.place.role;
    }
  }

  #forget(writer: Writer): void {
    this.#writers.delete(writer.name);
    this.#pending.push({ verb: 'drop', path: stagingFolder(writer.camera, writer.name) });
  }
}

interface StagedFolder {
  readonly camera: string;
  readonly writer: string;
  /** Oldest first. */
  readonly segments: StagedFile[];
  place: Place | undefined;
}

function groupByWriter(files: readonly StagedFile[]): Map<string, StagedFolder> {
  const folders = new Map<string, StagedFolder>();
  for (const file of files) {
    const key = `${file.camera}/${file.writer}`;
    const folder = folders.get(key) ?? { camera: file.camera, writer: file.writer, segments: [], place: undefined };
    folders.set(key, folder);
    const place = parsePlaceMarker(file.name);
    if (isSegmentName(file.name)) folder.segments.push(file);
    else if (place !== undefined && place.epoch >= (folder.place?.epoch ?? 0)) folder.place = place;
  }
  for (const folder of folders.values()) folder.segments.sort((a, b) => (a.name < b.name ? -1 : 1));
  return folders;
}
