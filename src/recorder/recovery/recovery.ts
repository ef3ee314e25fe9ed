import type { ReportedRecovery } from '../../crds/recovery.js';
import { type Clock, type Log, sleep } from '../../operator/index.js';
import { PeerError } from '../port/agent-client.js';
import { fetchSegment, listSegments, type Source } from './fetch-segment.js';
import type { RateLimit } from './rate-limit.js';
import { checkedName, type SegmentInfo, type SegmentName, type Stretch, stretchesOf } from './segment-name.js';
import { ChecksumError, type SegmentStore, type StoreVolume } from './segment-store.js';

/** What the operator asks this recorder to fetch. */
export interface RecoveryOrder {
  readonly id: string;
  readonly role: string;
  /** Undefined: all cameras of the role. */
  readonly camera: string | undefined;
  readonly fromServer: string;
  /** Undefined while the source does not run. */
  readonly source: Source | undefined;
}

/** A time of which a camera's footage is missing here. */
export interface Missing {
  readonly camera: string;
  readonly startTime: string;
  readonly endTime: string;
  readonly retentionSeconds: number;
}

/** A volume that recovered footage may go to. */
export interface TargetVolume extends StoreVolume {
  /** Bytes that may be written before the reserve of space is touched; undefined while that is not known. */
  readonly spareBytes: number | undefined;
}

export interface RecoveryOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: SegmentStore;
  readonly limit: RateLimit;
  /** Times inside the ledger's gaps, from the API server. */
  readonly missing: (role: string, camera: string | undefined) => Promise<readonly Missing[]>;
  /** The volume for a camera's footage; undefined while none can be written. */
  readonly place: (camera: string) => TargetVolume | undefined;
  /** Lays the camera's retention beside its footage. */
  readonly keepRetention: (volume: StoreVolume, role: string, camera: string, retentionSeconds: number) => void;
  /** Something to tell has changed. */
  readonly onChange: () => void;
}

/** What time itself does not mend; the request has to be made again. */
class HopelessError extends Error {
  override readonly name = 'HopelessError';
}

interface Wanted {
  readonly name: SegmentName;
  readonly info: SegmentInfo;
  readonly missing: Missing;
}

const FIRST_RETRY_MS = 2_000;
const LONGEST_RETRY_MS = 60_000;
/** A source that streams to nobody else is free within a second. */
const BUSY_RETRY_MS = 1_000;
/** The report tells the progress in so many steps at most. */
const STEPS = 10;
const MOST_FILLED = 1024;
/** Footage that would be deleted within so long is not worth its way. */
const RETENTION_MARGIN_MS = 600_000;

const iso = (ms: number): string => new Date(ms).toISOString();

/**
 * Fetches footage from another recorder, segment by segment, into the places that it has there (rule 10): role, camera,
 * and the writer's folder with the source's epoch, so that the place tells where it came from. It can be broken off at
 * any point: what is in its place is whole, what is not is fetched on.
 */
export class Recovery {
  readonly #options: RecoveryOptions;
  #order: RecoveryOrder | undefined;
  #report: ReportedRecovery | undefined;
  #abort: AbortController | undefined;
  #bytes = 0;

  constructor(options: RecoveryOptions) {
    this.#options = options;
  }

  /** What the RecorderReport says; of the last order when there is none any more. */
  get report(): ReportedRecovery | undefined {
    return this.#report;
  }

  /** Does this from now on; undefined: nothing. Level-based: the same order again changes nothing. */
  follow(order: RecoveryOrder | undefined): void {
    const same = order?.id === this.#order?.id;
    this.#order = order;
    if (same) return;
    this.#abort?.abort();
    this.#abort = undefined;
    if (order === undefined) {
      // Broken off: a report that went on saying Running would be a lie. What is done stays told.
      if (this.#report?.state === 'Running') this.#report = undefined;
      return;
    }
    const abort = new AbortController();
    this.#abort = abort;
    this.#bytes = 0;
    this.#tell({ id: order.id, state: 'Running' });
    void this.#work(order.id, abort.signal);
  }

  stop(): void {
    this.follow(undefined);
  }

  #tell(report: ReportedRecovery): void {
    if (JSON.stringify(report) === JSON.stringify(this.#report)) return;
    this.#report = report;
    this.#options.onChange();
  }

  async #work(id: string, signal: AbortSignal): Promise<void> {
    let retryMs = FIRST_RETRY_MS;
    while (!signal.aborted) {
      try {
        await this.#round(id, signal);
        return;
      } catch (error) {
        if (signal.aborted) return;
        const message = (error instanceof Error ? error.message : String(error)).slice(0, 512);
        const hopeless = error instanceof HopelessError || error instanceof ChecksumError;
        const busy = error instanceof PeerError && error.code === 503;
        this.#options.log[busy ? 'debug' : 'warn'](
          { id, message, hopeless },
          'the recovery of footage was interrupted',
        );
        const { message: _before, ...known } = this.#report ?? { id };
        if (!busy) this.#tell({ ...known, id, state: hopeless ? 'Failed' : 'Running', message });
        if (hopeless) return;
        await sleep(this.#options.clock, busy ? BUSY_RETRY_MS : retryMs, signal).catch(() => undefined);
        retryMs = busy ? FIRST_RETRY_MS : Math.min(2 * retryMs, LONGEST_RETRY_MS);
      }
    }
  }

  /** One try at the whole. What an earlier one has fetched is found in its place. */
  async #round(id: string, signal: AbortSignal): Promise<void> {
    const order = this.#order;
    if (order?.id !== id) return;
    const { source, role, camera, fromServer } = order;
    if (source === undefined) throw new Error(`the agent of ${fromServer} does not run; it goes on when that is back`);
    const missing = await this.#options.missing(role, camera);
    const wanted: Wanted[] = [];
    for (const gap of missing) wanted.push(...(await this.#wantedOf(source, role, gap)));
    const fetched: Wanted[] = [];
    for (const [index, one] of wanted.entries()) {
      signal.throwIfAborted();
      this.#tellProgress(id, index, wanted.length);
      if (await this.#fetch(source, one, signal)) fetched.push(one);
    }
    await this.#cleanUp(missing);
    signal.throwIfAborted();
    const filled = filledBy(fetched).slice(0, MOST_FILLED);
    const message =
      wanted.length === 0 ? `${fromServer} has no footage inside the gaps of ${camera ?? role}` : undefined;
    const counts = { segments: fetched.length, segmentsTotal: wanted.length, bytes: this.#bytes };
    this.#tell({ id, state: 'Done', ...counts, ...(message === undefined ? {} : { message }), filled });
  }

  async #wantedOf(source: Source, role: string, missing: Missing): Promise<Wanted[]> {
    const oldest = this.#options.clock.wall().getTime() - missing.retentionSeconds * 1000 + RETENTION_MARGIN_MS;
    const segments = await listSegments(source, { role, camera: missing.camera }, missing);
    return segments.flatMap((info) => {
      const name = checkedName(role, missing.camera, info.folder, info.file);
      return name === undefined || info.bytes === 0 || info.endMs < oldest ? [] : [{ name, info, missing }];
    });
  }

  /** Whether the segment is here now; false when the source has it no more. */
  async #fetch(source: Source, { name, info, missing }: Wanted, signal: AbortSignal): Promise<boolean> {
    const { store, limit, place, keepRetention } = this.#options;
    const volume = place(name.camera);
    if (volume === undefined) throw new Error('no footage volume can be written');
    if ((volume.spareBytes ?? Number.POSITIVE_INFINITY) < info.bytes) {
      // Fetched all the same, it would drive out footage of today.
      throw new HopelessError(`footage volume ${volume.name} has no space left beyond its reserve; enlarge it`);
    }
    const bytes = await fetchSegment({ source, store, volume, limit, signal }, name, info.endMs);
    if (bytes === 'gone') return false;
    this.#bytes += bytes;
    if (bytes > 0) keepRetention(volume, name.role, name.camera, missing.retentionSeconds);
    return true;
  }

  #tellProgress(id: string, done: number, total: number): void {
    const step = Math.ceil(total / STEPS);
    if (done % step !== 0) return;
    this.#tell({ id, state: 'Running', segments: done, segmentsTotal: total, bytes: this.#bytes });
  }

  async #cleanUp(missing: readonly Missing[]): Promise<void> {
    const volumes = new Map(
      missing.map(({ camera }) => this.#options.place(camera)).map((one) => [one?.mountPath, one]),
    );
    for (const volume of volumes.values()) if (volume !== undefined) await this.#options.store.clean(volume);
  }
}

function filledBy(fetched: readonly Wanted[]): NonNullable<ReportedRecovery['filled']> {
  const byCamera = new Map<string, SegmentInfo[]>();
  for (const { name, info } of fetched) byCamera.set(name.camera, [...(byCamera.get(name.camera) ?? []), info]);
  return [...byCamera].flatMap(([camera, segments]) =>
    stretchesOf(segments).map(({ startMs, endMs }: Stretch) => ({
      camera,
      startTime: iso(startMs),
      endTime: iso(endMs),
    })),
  );
}
