import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EngineSource } from '../../src/recorder/engine/engine.js';
import { recordingInvocation } from '../../src/recorder/engine/ffmpeg/arguments.js';
import { placeMarker, STAGING_FOLDER, stagingFolder } from '../../src/recorder/footage/layout.js';
import { daemonEnvironment } from '../cluster/daemon.js';
import { clusterFolder } from '../cluster/paths.js';
import type { CameraProcess } from './camera-process.js';
import { measureCamera } from './measure.js';
import { type Silence, silencesBetween } from './silences.js';

/**
 * Records every camera beside all systems: a plain process of this machine, in no pod and on no disk that is ever hurt.
 * What it has no pictures of, nobody could have recorded.
 */
export interface Witness {
  silences(camera: string, sinceMs: number): Promise<Silence[]>;
  stop(): void;
}

const NAME = 'witness';
const SEGMENT_SECONDS = 5;
const CONNECT_SECONDS = 5;
const RESTART_MS = 200;
/** Older footage is of no case any more. Milliseconds. */
const KEPT_MS = 900_000;

/** Starts to record; it ends with the cluster at the latest. */
export async function openWitness(clusterName: string, cameras: CameraProcess): Promise<Witness> {
  const root = join(clusterFolder(clusterName), NAME);
  const ended = new AbortController();
  for (const name of cameras.names) await record(name, cameras.url(name), root, clusterName, ended.signal);
  return {
    silences: async (camera, sinceMs) => {
      const { frames } = await measureCamera([{ server: NAME, folder: root }], NAME, camera, sinceMs);
      await forget(root, camera);
      return silencesBetween(frames.map(({ timeMs }) => timeMs));
    },
    stop: () => ended.abort(),
  };
}

/** As a recorder does, and again whenever it ends: cameras let everybody go who is too slow. */
async function record(
  camera: string,
  url: string,
  root: string,
  clusterName: string,
  signal: AbortSignal,
): Promise<void> {
  let starts = 0;
  const start = async (): Promise<void> => {
    starts += 1;
    const folder = join(root, stagingFolder(camera, `20260101-${NAME}${starts}`));
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, placeMarker({ role: NAME, epoch: 1 })), '');
    const source: EngineSource = {
      ...{ camera, url, credentials: undefined, transport: 'TCP', audio: false },
      ...{ connectTimeoutSeconds: CONNECT_SECONDS, segmentSeconds: SEGMENT_SECONDS },
    };
    const env = { ...daemonEnvironment(clusterFolder(clusterName)), TZ: 'UTC' };
    const child = spawn('ffmpeg', [...recordingInvocation(source, folder, 0).args], { stdio: 'ignore', env });
    child.once('exit', () => {
      // Where the cluster is being taken away, its folder is gone, too.
      setTimeout(() => (signal.aborted ? undefined : start().catch(() => undefined)), RESTART_MS);
    });
    endWith(child, signal);
  };
  await start();
}

function endWith(child: ChildProcess, signal: AbortSignal): void {
  const kill = (): void => {
    child.kill('SIGKILL');
  };
  signal.addEventListener('abort', kill, { once: true });
  child.once('exit', () => signal.removeEventListener('abort', kill));
}

async function forget(root: string, camera: string): Promise<void> {
  const folder = join(root, STAGING_FOLDER, camera);
  for (const writer of await readdir(folder)) {
    for (const name of await readdir(join(folder, writer))) {
      const path = join(folder, writer, name);
      if (name.endsWith('.ts') && (await stat(path)).mtimeMs < Date.now() - KEPT_MS) await rm(path);
    }
  }
}
