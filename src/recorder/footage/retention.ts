import type { Clock, Timer } from '../../operator/clock.js';
import type { Log } from '../../operator/log.js';
import { ChildLane, type ChildResult } from '../children/child-lane.js';
import type { Space } from '../disks/probe-script.js';
import { type FootageFolder, parseFolders, planExpiry, planFreeing } from './retention-plan.js';

/**
 * Lists the writers' folders, and each retention.json as `./ROLE/CAMERA/retention.json:TEXT`. Argument: mount path.
 * ext4's lost+found belongs to root; neither it nor any other folder that can't be read may keep footage from ageing.
 */
const LIST_SCRIPT = `
cd "$1" || exit 1
shift
failed=0
for role in *; do
  [ "$role" = lost+found ] || [ ! -d "$role" ] || set -- "$@" "./$role"
done
if [ $# -gt 0 ]; then
  find "$@" -mindepth 2 -maxdepth 2 -type d -print || failed=1
  find "$@" -mindepth 2 -maxdepth 2 -type f -name retention.json -exec grep -H . {} + || failed=1
fi
echo done
exit $failed
`;

/** Deletes segments last written before a time. Argument: mount path; stdin: lines of `SECONDS FOLDER`. */
const EXPIRE_SCRIPT = `
cd "$1" || exit 1
while read -r cutoff folder; do
  find "$folder" -mindepth 1 -maxdepth 1 -type f -not -newermt "@$cutoff" -delete || exit 1
  rmdir --ignore-fail-on-non-empty "$folder" || exit 1
done
`;

/**
 * Deletes the oldest segments of some folders until enough is free. Arguments: mount path, bytes; stdin: the folders,
 * one a line, because a day of cameras that come and go has more of them than a command line takes. A folder that was
 * only listed a moment ago may be gone. An empty one has to go first, or it would stay the oldest for ever.
 */
const FREE_SCRIPT = `
cd "$1" || exit 1
need=$2
xargs -r -d '\\n' sh -c 'rmdir --ignore-fail-on-non-empty "$@"; find "$@" -mindepth 1 -maxdepth 1 -type f -printf "%T@ %s %p\\\\n"' sh | sort -n |
  while [ "$need" -gt 0 ] && read -r time bytes path; do
    rm -f "$path" || exit 1
    rmdir --ignore-fail-on-non-empty "\${path%/*}" || exit 1
    need=$((need - bytes))
  done
`;

export interface RetentionOptions {
  readonly mountPath: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Space as last probed; undefined while the volume can't be used: then nothing is deleted. */
  readonly space: () => Space | undefined;
  /** Share of the volume that is kept free, in per cent. Default 5. */
  readonly reservePercent?: number;
  /** Looks at the ages this often. Milliseconds; default: a fiftieth of the shortest retention, 10 s to 10 min. */
  readonly expiryIntervalMs?: number;
}

const SPACE_CHECK_MS = 2000;
const CHILD_DEADLINE_MS = 600_000;
// Freed beyond the reserve, so that the list of segments is seldom sorted.
const FREE_AHEAD = 1.2;

/**
 * Deletes footage that is older than its camera's retention, and the oldest of all roles when the reserve of space is
 * used up, so that a disk is never filled by us. Open segments are in staging and out of its reach.
 */
export class Retention {
  readonly #options: RetentionOptions;
  readonly #lane = new ChildLane();
  #timer: Timer | undefined;
  #nextExpiry = 0;
  #running = false;

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#schedule();
  }

  stop(): void {
    this.#running = false;
    this.#timer?.cancel();
  }

  #schedule(): void {
    this.#timer = this.#options.clock.setTimer(SPACE_CHECK_MS, () => void this.#tick());
  }

  async #tick(): Promise<void> {
    const space = this.#options.space();
    if (!this.#lane.busy && space !== undefined) await this.#round(space);
    if (this.#running) this.#schedule();
  }

  async #round(space: Space): Promise<void> {
    const missing = missingBytes(space, this.#options.reservePercent ?? 5);
    const expiryIsDue = this.#options.clock.monotonic() >= this.#nextExpiry;
    if (missing <= 0 && !expiryIsDue) return;
    const folders = await this.#list();
    if (folders === undefined) return;
    if (expiryIsDue) await this.#expire(folders);
    if (missing > 0 && !this.#lane.busy) await this.#free(folders, missing);
  }

  async #list(): Promise<FootageFolder[] | undefined> {
    const result = await this.#run(LIST_SCRIPT, []);
    // What could not be read is missing in the list, and is left alone; the rest has to age all the same.
    return parseFolders(result.stdout);
  }

  async #expire(folders: readonly FootageFolder[]): Promise<void> {
    this.#nextExpiry = this.#options.clock.monotonic() + (this.#options.expiryIntervalMs ?? expiryInterval(folders));
    const expired = planExpiry(folders, this.#options.clock.wall().getTime());
    if (expired.length === 0 || this.#lane.busy) return;
    await this.#run(EXPIRE_SCRIPT, [], expired.map(({ path, cutoffSeconds }) => `${cutoffSeconds} ${path}\n`).join(''));
  }

  async #free(folders: readonly FootageFolder[], bytes: number): Promise<void> {
    const oldest = planFreeing(folders);
    if (oldest.length === 0) return;
    this.#options.log.info({ path: this.#options.mountPath, bytes }, 'freeing space: deleting the oldest footage');
    await this.#run(FREE_SCRIPT, [String(Math.ceil(bytes))], oldest.map((folder) => `${folder}\n`).join(''));
  }

  async #run(script: string, args: readonly string[], stdin = ''): Promise<ChildResult> {
    const request = { script, args: [this.#options.mountPath, ...args], stdin, deadlineMs: CHILD_DEADLINE_MS };
    const result = await this.#lane.run(request);
    if (result.code !== 0) {
      const message = result.timedOut ? 'no end within 10 minutes' : result.stderr.trim();
      this.#options.log.warn({ path: this.#options.mountPath, message }, 'old footage could not be deleted');
    }
    return result;
  }
}

function missingBytes(space: Space, reservePercent: number): number {
  const reserve = (space.sizeBytes * reservePercent) / 100;
  return space.availableBytes >= reserve ? 0 : reserve * FREE_AHEAD - space.availableBytes;
}

function expiryInterval(folders: readonly FootageFolder[]): number {
  const shortest = Math.min(...folders.map((folder) => folder.retentionSeconds ?? Number.POSITIVE_INFINITY));
  return Math.min(600_000, Math.max(10_000, (shortest * 1000) / 50));
}
