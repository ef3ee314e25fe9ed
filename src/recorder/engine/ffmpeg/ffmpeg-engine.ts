import { spawn } from 'node:child_process';
import { ChildLane } from '../../children/child-lane.js';
import type { Engine, EngineCheck, EngineRecording, EngineSource, RecordingEnd } from '../engine.js';
import { recordingInvocation } from './arguments.js';
import { failureOf } from './failure.js';

// Five frames of black, 16x16: copying a stream is all that a recorder does, so that is what the self-test does too.
const TEST_STREAM =
  'AAAAAWdCwAraewEQAAADABAAAAMAoPEiagAAAAFozg/IAAABZYiEOiYoAAkC4AAAAAFBmiA+lAAAAAFBmkA+lAAAAAFBmmAQpQAAAAFBmoAQpQ==';

/**
 * Tries the whole way of footage without a camera. Arguments: the program, a folder of its own for the test, a stream in base64. The
 * static builds that circulate are years old and give options other meanings (`-timeout` made them listen), so the
 * meaning is checked too.
 */
const CHECK_SCRIPT = `
f=$1 dir=$2
"$f" -hide_banner -version | head -n 1
"$f" -hide_banner -h demuxer=rtsp 2>&1 | grep -q 'timeout.*microseconds.*socket' || {
  echo "$f does not run, or does not know -timeout as a socket time-out: ffmpeg 5 or later is needed" >&2; exit 1; }
rm -rf "$dir" && mkdir -p "$dir" || exit 1
printf %s "$3" | base64 -d | "$f" -v error -f h264 -framerate 5 -i pipe:0 -map 0:v:0 -c copy -copyts \\
  -bsf:v 'setts=ts=if(eq(PTS\\,NOPTS)\\,NEXT_PTS-DURATION\\,PTS)' -f segment -segment_time 10 \\
  -segment_atclocktime 1 -segment_format mpegts -segment_format_options flush_packets=1:mpegts_copyts=1 \\
  -strftime 1 "$dir/%Y%m%dT%H%M%SZ.ts" || exit 1
set -- "$dir"/*.ts
[ -s "$1" ] || { echo 'the self-test wrote no segment' >&2; exit 1; }
rm -rf "$dir"
command -v setpriv
exit 0
`;
/** Engines of this process so far: two must not take each other's self-test away. */
let engines = 0;
const CHECK_DEADLINE_MS = 20_000;
const FORCE_AFTER_MS = 2000;
const STDERR_LIMIT = 8192;

export interface FfmpegOptions {
  /** The program; default `ffmpeg` from PATH. */
  readonly ffmpegPath?: string;
  /** Folder for the self-test. */
  readonly scratchPath: string;
}

/** Records with one ffmpeg process a camera. */
export class FfmpegEngine implements Engine {
  readonly name = 'ffmpeg';
  readonly #program: string;
  readonly #scratchPath: string;
  /**
   * Apart from those of other agents that share the scratch space, and the same after a restart of the container, whose
   * agent is process 1 again: what a killed test has left is taken away by the next one.
   */
  readonly #checkFolder: string;
  readonly #lane = new ChildLane();
  /**
   * An agent that is killed must not leave recordings that nobody watches. In a pod the kernel sees to it, because the
   * agent is process 1; elsewhere setpriv does, where it is installed.
   */
  #leash: readonly string[] = [];

  constructor(options: FfmpegOptions) {
    this.#program = options.ffmpegPath ?? 'ffmpeg';
    this.#scratchPath = options.scratchPath;
    engines += 1;
    this.#checkFolder = `${options.scratchPath}/understudy-check-${process.pid}-${engines}`;
  }

  async check(): Promise<EngineCheck> {
    if (this.#lane.busy)
      return { ok: false, message: 'the last self-test of ffmpeg has not ended: scratch disk hangs' };
    const args = [this.#program, this.#checkFolder, TEST_STREAM];
    const result = await this.#lane.run({ script: CHECK_SCRIPT, args, deadlineMs: CHECK_DEADLINE_MS });
    if (result.timedOut)
      return { ok: false, message: `the self-test of ffmpeg did not end in ${CHECK_DEADLINE_MS / 1000} s` };
    const version = /^ffmpeg version (\S+)/m.exec(result.stdout)?.[1];
    if (result.code === 0 && version !== undefined) {
      this.#leash = result.stdout.includes('/setpriv\n') ? ['setpriv', '--pdeathsig', 'KILL', '--'] : [];
      return { ok: true, version: `ffmpeg ${version}` };
    }
    const words = result.stderr.trim().split('\n').at(0) ?? '';
    return {
      ok: false,
      message: `${this.#program} cannot record: ${words === '' ? 'no version told' : words}`.slice(0, 400),
    };
  }

  record(source: EngineSource, folder: string, attempt: number): EngineRecording {
    const { args, stdin } = recordingInvocation(source, folder, attempt);
    const startedAt = performance.now();
    const [program = this.#program, ...all] = [...this.#leash, this.#program, ...args];
    const child = spawn(program, all, {
      cwd: '/',
      env: {
        PATH: process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin',
        TZ: 'UTC',
        LC_ALL: 'C',
        HOME: this.#scratchPath,
      },
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    if (child.stderr === undefined) {
      // Out of file descriptors, Node returns a child without streams and reports the error later.
      child.on('error', () => undefined);
      throw new Error('no file descriptor is left to start ffmpeg');
    }
    let stderr = '';
    let spawnError: string | undefined;
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-STDERR_LIMIT);
    });
    // The process may die before it has read its input; its end is reported below.
    child.stdin.on('error', () => undefined);
    child.stdin.end(stdin ?? '');
    const ended = new Promise<RecordingEnd>((resolve) => {
      child.on('error', (error) => {
        spawnError = error.message;
      });
      child.on('close', (code, signal) => {
        const livedMs = performance.now() - startedAt;
        resolve({ failure: failureOf({ code, signal, stderr, livedMs, spawnError }, source.credentials), livedMs });
      });
    });
    return { ended, stop: () => stopProcess((signal) => child.kill(signal), ended) };
  }
}

/** SIGTERM first: ffmpeg then frees the camera's session, which a camera would otherwise keep for up to a minute. */
function stopProcess(kill: (signal: NodeJS.Signals) => boolean, ended: Promise<unknown>): void {
  kill('SIGTERM');
  const force = setTimeout(() => kill('SIGKILL'), FORCE_AFTER_MS);
  force.unref();
  void ended.then(() => clearTimeout(force));
}
