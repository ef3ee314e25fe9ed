import { z } from 'zod';
import type { Clock } from '../../operator/clock.js';
import type { Log } from '../../operator/log.js';
import { ChildLane } from '../children/child-lane.js';
import type { Place } from './layout.js';
import { isSegmentName, parsePlaceMarker } from './layout.js';

/**
 * Lists, of each camera, the last segment of each folder of its newest day, and what is staged: `PATH<tab>SECONDS`. Names
 * are in the order of time, so that of thousands of segments one a folder is looked at. Argument: mount path.
 */
const ENDS_SCRIPT = `
cd "$1" || exit 1
for camera in */*/; do
  case $camera in lost+found/*|'*/*/') continue ;; esac
  folders=$(ls -1 "$camera" 2>/dev/null | grep -E '^e[0-9]+-[0-9]{8}-' ) || continue
  day=$(printf '%s\\n' "$folders" | sed 's/^e[0-9]*-\\([0-9]*\\)-.*/\\1/' | sort | tail -n 1)
  printf '%s\\n' "$folders" | grep -E "^e[0-9]+-$day-" | while read -r folder; do
    last=$(ls -1 "$camera$folder" | tail -n 1)
    [ -z "$last" ] || find "$camera$folder/$last" -maxdepth 0 -type f -printf '%p\\t%T@\\n'
  done
done
[ ! -d .understudy/staging ] || find .understudy/staging -mindepth 3 -maxdepth 3 -type f -printf '%p\\t%T@\\n'
echo done
`;

const DEADLINE_MS = 60_000;

/** Where the footage of one camera ends on this recorder. */
export interface FootageEnd {
  readonly role: string;
  readonly camera: string;
  readonly epoch: number;
  /** Milliseconds since 1970, of the last bytes. */
  readonly endMs: number;
}

const line = z.object({ path: z.string().min(1), seconds: z.number().positive() });

function staged(entries: readonly { readonly path: string; readonly endMs: number }[]): FootageEnd[] {
  const places = new Map<string, Place>();
  for (const { path } of entries) {
    const [, , camera = '', writer = '', name = ''] = path.split('/');
    const place = parsePlaceMarker(name);
    const known = places.get(`${camera}/${writer}`);
    if (place !== undefined && place.epoch >= (known?.epoch ?? 0)) places.set(`${camera}/${writer}`, place);
  }
  return entries.flatMap(({ path, endMs }) => {
    const [, , camera = '', writer = '', name = ''] = path.split('/');
    const place = places.get(`${camera}/${writer}`);
    return place !== undefined && isSegmentName(name) ? [{ ...place, camera, endMs }] : [];
  });
}

function placed({ path, endMs }: { readonly path: string; readonly endMs: number }): FootageEnd[] {
  const [role = '', camera = '', folder = '', name = ''] = path.split('/');
  const epoch = /^e(\d+)-/.exec(folder)?.[1];
  return epoch !== undefined && isSegmentName(name) ? [{ role, camera, epoch: Number(epoch), endMs }] : [];
}

/**
 * Reads what the script printed: the end of each camera's footage by role and epoch. Files written after `beforeMs` are
 * this process's own. Undefined when the list was cut short.
 */
export function parseEnds(stdout: string, beforeMs: number): FootageEnd[] | undefined {
  const lines = stdout.split('\n').filter((text) => text !== '');
  if (lines.at(-1) !== 'done') return undefined;
  const entries = lines.slice(0, -1).flatMap((text) => {
    const [path, seconds] = text.split('\t');
    const { data } = line.safeParse({ path, seconds: Number(seconds) });
    return data === undefined ? [] : [{ path: data.path, endMs: Math.round(data.seconds * 1000) }];
  });
  const inStaging = entries.filter(({ path }) => path.startsWith('.understudy/'));
  const inPlace = entries.filter(({ path }) => !path.startsWith('.understudy/'));
  return latest([...staged(inStaging), ...inPlace.flatMap(placed)].filter(({ endMs }) => endMs <= beforeMs));
}

/** The latest end of each camera, role and epoch. */
export function latest(ends: readonly FootageEnd[]): FootageEnd[] {
  const best = new Map<string, FootageEnd>();
  for (const end of ends) {
    const key = `${end.role}/${end.camera}/${end.epoch}`;
    if (end.endMs > (best.get(key)?.endMs ?? Number.NEGATIVE_INFINITY)) best.set(key, end);
  }
  return [...best.values()];
}

/** Looks at one volume. Undefined when it hangs, or could not be read. Never rejects. */
export async function readEnds(
  mountPath: string,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Promise<FootageEnd[] | undefined> {
  const beforeMs = clock.wall().getTime();
  const result = await new ChildLane().run({ script: ENDS_SCRIPT, args: [mountPath], deadlineMs: DEADLINE_MS });
  const ends = result.code === 0 ? parseEnds(result.stdout, beforeMs) : undefined;
  if (ends === undefined) log.warn({ path: mountPath, message: result.stderr.trim() }, 'old footage was not looked at');
  return ends;
}
