import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Picture {
  /** Frames a second. */
  fps: number;
  /** Width and height as ffmpeg writes them, such as 640x360. */
  size: string;
  /**
   * Seconds between two key frames. Given, each camera has them at another moment, as real ones do; else once a second,
   * all at once.
   */
  keyFrameSeconds?: number | undefined;
}

export interface Sources {
  stop(): Promise<void>;
}

// One process encodes many cameras: 64 processes of their own would take 3.5 GB.
const CAMERAS_PER_PROCESS = 16;
const RESTART_MS = 500;

/** Publishes one picture per camera, each with the camera's name and a UTC clock in it, to a relay on loopback. */
export function startSources(names: readonly string[], relayPort: number, picture: Picture): Sources {
  const groups: EncoderProcess[] = [];
  for (let at = 0; at < names.length; at += CAMERAS_PER_PROCESS) {
    groups.push(new EncoderProcess(encoderArguments(names.slice(at, at + CAMERAS_PER_PROCESS), relayPort, picture)));
  }
  return {
    stop: async () => {
      await Promise.all(groups.map((group) => group.stop()));
    },
  };
}

/** The command line of one encoder process: a shared test picture, split, named, and encoded once per camera. */
export function encoderArguments(names: readonly string[], relayPort: number, picture: Picture): string[] {
  const { fps, size } = picture;
  const branches = names.map((_, index) => `[s${index}]`).join('');
  const texts = names.map((name, index) => `[s${index}]${nameAndClock(name)}[v${index}]`);
  const filter = [`[0:v]format=yuv420p,split=${names.length}${branches}`, ...texts].join(';');
  const outputs = names.flatMap((name, index) => [
    ...['-map', `[v${index}]`, '-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-threads', '1'],
    ...keyFrames(picture, index / names.length),
    ...['-sc_threshold', '0', '-x264-params', 'repeat-headers=1'],
    ...['-f', 'rtsp', '-rtsp_transport', 'tcp', `rtsp://127.0.0.1:${relayPort}/${name}`],
  ]);
  const threads = ['-filter_complex_threads', '1'];
  const input = ['-re', '-f', 'lavfi', '-i', `testsrc=size=${size}:rate=${fps}`];
  return ['-nostdin', '-loglevel', 'error', ...threads, ...input, '-filter_complex', filter, ...outputs];
}

/** `phase`, from 0 to 1, says where between two key frames of the first camera this one has its own. */
function keyFrames({ fps, keyFrameSeconds }: Picture, phase: number): string[] {
  if (keyFrameSeconds === undefined) return ['-g', String(fps), '-keyint_min', String(fps)];
  const expression = `expr:gte(t,n_forced*${keyFrameSeconds}+${(phase * keyFrameSeconds).toFixed(3)})`;
  return ['-g', String(fps * keyFrameSeconds), '-force_key_frames', expression];
}

function nameAndClock(name: string): string {
  const style = 'fontcolor=white:box=1:boxcolor=black:fontsize=h/10';
  return `drawtext=text='${name}':x=10:y=10:${style},drawtext=text='%{gmtime}':x=10:y=h-th-10:${style}`;
}

class EncoderProcess {
  readonly #arguments: readonly string[];
  #child: ChildProcess | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(args: readonly string[]) {
    this.#arguments = args;
    this.#start();
  }

  #start(): void {
    const child = spawn('ffmpeg', this.#arguments, { stdio: ['ignore', 'ignore', 'inherit'] });
    this.#child = child;
    child.on('error', (error) => console.error(`cameras: ffmpeg cannot start: ${error.message}; install ffmpeg`));
    child.on('close', () => {
      this.#child = undefined;
      if (!this.#stopped) this.#timer = setTimeout(() => this.#start(), RESTART_MS);
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    const child = this.#child;
    if (child === undefined) return;
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
  }
}
