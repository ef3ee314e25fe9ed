import type { Clock } from '../../operator/clock.js';
import type { Log } from '../../operator/log.js';
import type { VolumeMount } from '../environment.js';
import { type Growth, Journal } from '../footage/journal.js';
import type { Place } from '../footage/layout.js';
import { Retention } from '../footage/retention.js';
import type { VolumeState } from './verdict.js';
import { isUsable, VolumeMonitor } from './volume-monitor.js';

export interface FootageVolumeOptions {
  readonly mount: VolumeMount;
  readonly server: string;
  readonly serverUID: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly reservePercent?: number;
  /** Whether the first bytes of some camera are awaited. */
  readonly hurried: () => boolean;
  /** Where segments belong whose place marker is lost; undefined while it is not known. */
  readonly placeOf: (camera: string) => Place | undefined;
  /** The recorder records nothing: its disks may be measured. */
  readonly standsBy?: () => boolean;
  readonly onChange: () => void;
  readonly onGrowth: (volume: FootageVolume, writers: ReadonlyMap<string, Growth>) => void;
}

/** One footage volume: its health, the safety of its open segments, and the age of its old ones. */
export class FootageVolume {
  readonly monitor: VolumeMonitor;
  readonly journal: Journal;
  readonly #retention: Retention;
  readonly #hurried: () => boolean;

  constructor(options: FootageVolumeOptions) {
    const { mount, clock, log } = options;
    this.#hurried = options.hurried;
    this.journal = new Journal({
      mountPath: mount.mountPath,
      clock,
      log,
      placeOf: options.placeOf,
      onGrowth: (writers) => options.onGrowth(this, writers),
      onTrouble: () => this.monitor.suspect(),
    });
    this.#retention = new Retention({
      mountPath: mount.mountPath,
      clock,
      log,
      space: () => (isUsable(this.state) ? this.monitor.space : undefined),
      ...(options.reservePercent === undefined ? {} : { reservePercent: options.reservePercent }),
    });
    const onChange = () => {
      this.#follow();
      options.onChange();
    };
    this.monitor = new VolumeMonitor({
      mount,
      server: options.server,
      serverUID: options.serverUID,
      clock,
      log,
      onChange,
      ...(options.standsBy === undefined ? {} : { standsBy: options.standsBy }),
    });
  }

  get name(): string {
    return this.monitor.name;
  }
  get mountPath(): string {
    return this.monitor.mount.mountPath;
  }
  get state(): VolumeState {
    return this.monitor.state;
  }

  start(): void {
    this.monitor.start();
  }

  /** Probes at once. */
  suspect(): void {
    this.monitor.suspect();
  }

  stop(): void {
    this.monitor.stop();
    this.journal.stop();
    this.#retention.stop();
  }

  /** Nothing is written, moved or deleted on a volume before it is known to be ours, nor on one that was swapped. */
  #follow(): void {
    if (isUsable(this.state)) {
      this.journal.start(this.#hurried);
      this.#retention.start();
    } else if (this.state === 'Replaced' || this.state === 'Misconfigured') {
      this.journal.stop();
      this.#retention.stop();
    }
  }
}
