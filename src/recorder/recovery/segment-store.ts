import { ChildLane, type ChildResult } from '../children/child-lane.js';
import { startStream } from '../children/child-stream.js';
import { OWN_FOLDER } from '../footage/layout.js';
import { pathOf, type SegmentName } from './segment-name.js';

/** Where a segment is put together before it is known to be whole. Not in staging, which the journal promotes. */
const RECOVERY_FOLDER = `${OWN_FOLDER}/recovery`;

/** Prints `there`, or `part BYTES`. Arguments: mount path, final file, part. */
const LOOK_SCRIPT = `
cd "$1" || exit 1
if [ -e "$2" ]; then echo there
elif [ -e "$3" ]; then echo "part $(stat -c %s "$3")"
else echo 'part 0'
fi
`;
/** Arguments: mount path, part, 'new' to begin anew. */
const APPEND_SCRIPT = `
cd "$1" && mkdir -p "\${2%/*}" || exit 1
[ "$3" != new ] || : >"$2" || exit 1
exec cat >>"$2"
`;
/**
 * Puts a whole part into its place; exit code 9 when it is not what was offered. Its time is the source's, because
 * retention goes by it. Synced before it is moved, or a power cut would leave an empty segment in its place.
 * Arguments: mount path, part, final file, checksum, seconds since 1970.
 */
const FINISH_SCRIPT = `
cd "$1" || exit 1
sum=$(sha256sum <"$2") || exit 1
[ "\${sum%% *}" = "$4" ] || { rm -f "$2"; exit 9; }
mkdir -p "\${3%/*}" && touch -d "@$5" "$2" && sync "$2" && mv -n "$2" "$3" && sync "\${3%/*}" && rm -f "$2"
`;
const CLEAN_SCRIPT = `cd "$1" && rm -rf ${RECOVERY_FOLDER}`;

const CHILD_DEADLINE_MS = 60_000;

/** What arrived is not what was offered. */
export class ChecksumError extends Error {
  override readonly name = 'ChecksumError';
}

/** A volume as the store uses it. */
export interface StoreVolume {
  readonly name: string;
  readonly mountPath: string;
}

function partOf(name: SegmentName): string {
  return `${RECOVERY_FOLDER}/${pathOf(name)}.part`;
}

/** Puts fetched segments on this recorder's volumes, by children only. One at a time. */
export class SegmentStore {
  readonly #lane = new ChildLane();

  /** Whether the segment is there, else how many bytes of it have arrived. */
  async look({ mountPath }: StoreVolume, name: SegmentName): Promise<'there' | number> {
    const result = await this.#run(LOOK_SCRIPT, [mountPath, pathOf(name), partOf(name)]);
    if (result.code !== 0) throw new Error(`footage volume ${mountPath} can't be read: ${wordsOf(result)}`);
    return result.stdout.trim() === 'there' ? 'there' : Number(result.stdout.trim().slice('part '.length));
  }

  /** Adds chunks to what has arrived of a segment. Rejects when the volume or the chunks fail; what arrived stays. */
  async append(
    { mountPath }: StoreVolume,
    name: SegmentName,
    chunks: AsyncIterable<Uint8Array>,
    anew: boolean,
  ): Promise<void> {
    const child = startStream(APPEND_SCRIPT, [mountPath, partOf(name), anew ? 'new' : 'on']);
    let ended = false;
    const end = child.ended.then((code) => {
      ended = true;
      return code;
    });
    try {
      for await (const chunk of chunks) {
        if (ended) break;
        if (!child.input.write(chunk)) await Promise.race([drained(child.input), end]);
      }
      child.input.end();
    } catch (error) {
      child.input.end();
      await end;
      throw error;
    }
    const code = await end;
    if (code !== 0) throw new Error(`footage volume ${mountPath} took no more bytes; is it full?`);
  }

  /** Verifies a whole segment and puts it into its place. Rejects with a ChecksumError when it is another one. */
  async finish({ mountPath }: StoreVolume, name: SegmentName, sha256: string, endMs: number): Promise<void> {
    const args = [mountPath, partOf(name), pathOf(name), sha256, (endMs / 1000).toFixed(3)];
    const result = await this.#run(FINISH_SCRIPT, args);
    if (result.code === 9) throw new ChecksumError(`${pathOf(name)} arrived with another checksum than was told`);
    if (result.code !== 0) throw new Error(`${pathOf(name)} could not be put into its place: ${wordsOf(result)}`);
  }

  /** Takes away what was left of segments that never became whole. */
  async clean({ mountPath }: StoreVolume): Promise<void> {
    await this.#run(CLEAN_SCRIPT, [mountPath]);
  }

  async #run(script: string, args: readonly string[]): Promise<ChildResult> {
    if (this.#lane.busy) throw new Error('a footage volume hangs');
    return this.#lane.run({ script, args, deadlineMs: CHILD_DEADLINE_MS });
  }
}

function drained(stream: NodeJS.WritableStream): Promise<unknown> {
  return new Promise((resolve) => stream.once('drain', resolve));
}

function wordsOf(result: ChildResult): string {
  return result.timedOut ? 'no answer' : result.stderr.trim();
}
