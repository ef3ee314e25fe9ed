import type { IncomingMessage, ServerResponse } from 'node:http';
import { ChildLane } from '../children/child-lane.js';
import { startStream } from '../children/child-stream.js';
import { isSegmentName } from '../footage/layout.js';
import { answer } from '../port/agent-port.js';
import { checkedName, isPlainName, pathOf, type SegmentInfo, type SegmentName, startOf } from './segment-name.js';

/** Lists a camera's segments of some days: `FOLDER/FILE<tab>BYTES<tab>SECONDS`. Arguments: mount path, camera's folder, days. */
const LIST_SCRIPT = `
cd "$1" || exit 1
if cd "$2" 2>/dev/null; then
  shift 2
  for day in "$@"; do
    for folder in e*-"$day"-*; do
      [ ! -d "$folder" ] || find "$folder" -mindepth 1 -maxdepth 1 -type f -printf '%p\\t%s\\t%T@\\n' || exit 1
    done
  done
fi
echo done
`;
/** Checksum and size of a file; exit code 3 when it is not there. Arguments: mount path, file. */
const SUM_SCRIPT = `
cd "$1" || exit 1
[ -f "$2" ] || exit 3
stat -c %s "$2" && sha256sum <"$2"
`;
/** The file from a byte on. Arguments: mount path, file, first byte counted from 1. */
const READ_SCRIPT = 'cd "$1" && exec tail -c "+$3" "$2"';

const CHILD_DEADLINE_MS = 30_000;
const DAY_MS = 86_400_000;
/** A longer time than any gap between two recorders; a list of it is a few thousand segments. */
const MOST_DAYS = 32;

/** A volume to serve from. */
export interface SourceVolume {
  readonly mountPath: string;
  readonly usable: boolean;
}

/** The days of a time, as YYYYMMDD; a segment lies under the day of its begin, which may be the one before. */
export function daysOf(fromMs: number, toMs: number): string[] {
  const days: string[] = [];
  for (let ms = fromMs - DAY_MS; ms < toMs + DAY_MS && days.length < MOST_DAYS; ms += DAY_MS)
    days.push(new Date(Math.min(ms, toMs)).toISOString().slice(0, 10).replaceAll('-', ''));
  return [...new Set(days)];
}

/** Reads what LIST_SCRIPT printed; undefined when it was cut short. */
export function parseSegments(stdout: string): SegmentInfo[] | undefined {
  const lines = stdout.split('\n').filter((line) => line !== '');
  if (lines.at(-1) !== 'done') return undefined;
  return lines.slice(0, -1).flatMap((line) => {
    const [path = '', bytes, seconds] = line.split('\t');
    const [folder = '', file = ''] = path.split('/');
    if (!isSegmentName(file)) return [];
    return [{ folder, file, bytes: Number(bytes), startMs: startOf(file), endMs: Math.round(Number(seconds) * 1000) }];
  });
}

/**
 * Gives this recorder's segments to another one. It only ever reads, one child at a time: recording goes before any
 * recovery, so a second request is told to come again.
 */
export class SegmentSource {
  readonly #volumes: () => readonly SourceVolume[];
  readonly #lane = new ChildLane();
  #streaming = false;

  constructor(volumes: () => readonly SourceVolume[]) {
    this.#volumes = volumes;
  }

  /** Answers below /segments/; `roles` are those that are offered to the peer. */
  readonly handle = (
    url: URL,
    request: IncomingMessage,
    response: ServerResponse,
    roles: ReadonlySet<string>,
  ): void => {
    const [, , role = '', camera = '', folder = '', file = '', ...rest] = url.pathname.split('/');
    if (request.method !== 'GET') answer(response, 405, 'only GET: footage is never changed from outside\n');
    else if (!roles.has(role) || !isPlainName(camera)) answer(response, 403, 'forbidden: this role is not offered\n');
    else {
      const name = rest.length === 0 ? checkedName(role, camera, folder, file) : undefined;
      this.#serve(url, { role, camera, name, listed: folder === '' }, request, response).catch((error: unknown) => {
        if (!response.headersSent) answer(response, 500, `${error instanceof Error ? error.message : String(error)}\n`);
        else response.destroy();
      });
    }
  };

  async #serve(
    url: URL,
    wanted: { role: string; camera: string; name: SegmentName | undefined; listed: boolean },
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    if (wanted.listed) await this.#list(url, wanted, response);
    else if (wanted.name === undefined) answer(response, 404, 'not found: no name of a segment\n');
    else await this.#read(wanted.name, request, response);
  }

  #busy(response: ServerResponse): boolean {
    if (!this.#lane.busy && !this.#streaming) return false;
    response.setHeader('Retry-After', '1');
    answer(response, 503, 'busy: one request at a time, recording goes first\n');
    return true;
  }

  get #usable(): string[] {
    return this.#volumes()
      .filter(({ usable }) => usable)
      .map(({ mountPath }) => mountPath);
  }

  async #list(url: URL, { role, camera }: { role: string; camera: string }, response: ServerResponse): Promise<void> {
    const from = Date.parse(url.searchParams.get('from') ?? '');
    const to = Date.parse(url.searchParams.get('to') ?? '');
    if (!(from <= to)) answer(response, 400, 'from and to must be times in RFC 3339\n');
    else if (!this.#busy(response)) {
      const segments: SegmentInfo[] = [];
      for (const mountPath of this.#usable) {
        const args = [mountPath, `${role}/${camera}`, ...daysOf(from, to)];
        const result = await this.#lane.run({ script: LIST_SCRIPT, args, deadlineMs: CHILD_DEADLINE_MS });
        const found = result.code === 0 ? parseSegments(result.stdout) : undefined;
        if (found === undefined) throw new Error(`a footage volume can't be read: ${result.stderr.trim()}`);
        segments.push(...found.filter(({ startMs, endMs }) => startMs < to && endMs > from));
      }
      answer(response, 200, { segments: segments.sort((a, b) => a.startMs - b.startMs) });
    }
  }

  /** Where a segment lies, with its checksum, which is worked out for what is fetched and nothing else. */
  async #find(name: SegmentName): Promise<{ mountPath: string; bytes: number; sha256: string } | undefined> {
    for (const mountPath of this.#usable) {
      const args = [mountPath, pathOf(name)];
      const result = await this.#lane.run({ script: SUM_SCRIPT, args, deadlineMs: CHILD_DEADLINE_MS });
      const [bytes, sha256] = result.stdout.split(/\s+/);
      if (result.code === 0 && sha256 !== undefined) return { mountPath, bytes: Number(bytes), sha256 };
      if (result.code !== 3) throw new Error(`a footage volume can't be read: ${result.stderr.trim()}`);
    }
    return undefined;
  }

  async #read(name: SegmentName, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const offset = Number(/^bytes=(\d{1,15})-$/.exec(request.headers.range ?? 'bytes=0-')?.[1]);
    if (!Number.isSafeInteger(offset)) answer(response, 416, 'the range must be open, as in bytes=1000-\n');
    else if (!this.#busy(response)) {
      const found = await this.#find(name);
      if (found === undefined) answer(response, 404, 'not found: its retention may have ended\n');
      else if (offset > found.bytes) answer(response, 416, `it has ${found.bytes} bytes only\n`);
      else await this.#stream(found.mountPath, pathOf(name), { offset, ...found }, response);
    }
  }

  async #stream(
    mountPath: string,
    path: string,
    { offset, bytes, sha256 }: { offset: number; bytes: number; sha256: string },
    response: ServerResponse,
  ): Promise<void> {
    this.#streaming = true;
    const child = startStream(READ_SCRIPT, [mountPath, path, String(offset + 1)]);
    void child.ended.then(() => {
      this.#streaming = false;
    });
    response.on('close', () => child.kill());
    response.writeHead(offset > 0 ? 206 : 200, {
      'Content-Type': 'application/octet-stream',
      'Content-Length': String(bytes - offset),
      'Content-Range': `bytes ${offset}-${Math.max(offset, bytes - 1)}/${bytes}`,
      ETag: `"${sha256}"`,
    });
    child.output.pipe(response);
    const code = await child.ended;
    if (code !== 0) response.destroy();
  }
}
