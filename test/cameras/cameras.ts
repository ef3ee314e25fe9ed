import type { CameraLogin } from './rtsp-auth.js';
import { startRelay } from './rtsp-relay.js';
import { startSources } from './sources.js';

export interface CameraOptions {
  /** Camera names; each is a path of the relay, and is written into its picture. Letters, digits, '-' and '.'. */
  names: readonly string[];
  /** Address to listen on; sources publish through loopback, so it must be 0.0.0.0 or on loopback. */
  host: string;
  /** Default: a free port. */
  port?: number;
  /** Host name or address in the URLs; default: `host`. Give it when listening on 0.0.0.0. */
  advertisedHost?: string;
  /** Frames a second, default 10. */
  fps?: number;
  /** Seconds between two key frames; see Picture. Default: one a second, in all cameras at once. */
  keyFrameSeconds?: number | undefined;
  /** Default 640x360. */
  size?: string;
  /** With a user name, viewers must log in; publishing needs none. */
  username?: string;
  password?: string;
  /** Default Digest. */
  scheme?: CameraLogin['scheme'];
}

/** Simulated cameras that run. */
export interface Cameras {
  readonly port: number;
  /** The URL without credentials. */
  url(name: string): string;
  /** Viewers that play the camera at this moment. */
  sessions(name: string): number;
  /** Connections that asked for the camera since the start, refused ones included. */
  attempts(name: string): number;
  /** Stops sending frames; connections stay open. */
  freeze(name: string): void;
  unfreeze(name: string): void;
  /** Answers 503 from now on and drops the viewers. */
  refuse(name: string): void;
  accept(name: string): void;
  /** Answers 453 above this number of viewers. */
  limitSessions(name: string, limit: number | undefined): void;
  stop(): Promise<void>;
}

const PUBLISH_DEADLINE_MS = 30_000;

/** Starts a relay and its sources and resolves when every camera can be played. */
export async function startCameras(options: CameraOptions): Promise<Cameras> {
  for (const name of options.names) checkName(name);
  const relay = await startRelay({
    host: options.host,
    port: options.port ?? 0,
    ...(options.username === undefined ? {} : { login: loginOf(options, options.username) }),
  });
  const { fps = 10, size = '640x360', keyFrameSeconds } = options;
  const sources = startSources(options.names, relay.port, { fps, size, keyFrameSeconds });
  const cameras: Cameras = {
    port: relay.port,
    url: (name) => `rtsp://${options.advertisedHost ?? options.host}:${relay.port}/${name}`,
    sessions: relay.sessions,
    attempts: relay.attempts,
    freeze: (name) => relay.setFrozen(name, true),
    unfreeze: (name) => relay.setFrozen(name, false),
    refuse: (name) => relay.setRefused(name, true),
    accept: (name) => relay.setRefused(name, false),
    limitSessions: relay.setMaxSessions,
    stop: async () => {
      await sources.stop();
      await relay.stop();
    },
  };
  try {
    await published(options.names, relay.isPublished);
  } catch (error) {
    await cameras.stop();
    throw error;
  }
  return cameras;
}

function checkName(name: string): void {
  if (!/^[A-Za-z0-9.-]+$/.test(name)) throw new Error(`camera name '${name}': use letters, digits, '-' and '.' only`);
}

function loginOf(options: CameraOptions, username: string): CameraLogin {
  return { username, password: options.password ?? '', scheme: options.scheme ?? 'Digest' };
}

async function published(names: readonly string[], isPublished: (name: string) => boolean): Promise<void> {
  const deadline = performance.now() + PUBLISH_DEADLINE_MS;
  while (!names.every(isPublished)) {
    if (performance.now() > deadline) {
      throw new Error(`cameras not published after 30 s: ${names.filter((name) => !isPublished(name)).join(', ')}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
