import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { daemonEnvironment } from '../cluster/daemon.js';
import { installMissing } from '../cluster/packages.js';
import { clusterFolder } from '../cluster/paths.js';

/** Simulated cameras in a process of their own, so that a busy test does not starve their pictures. */
export interface CameraProcess {
  readonly names: readonly string[];
  /** RTSP address as the nodes reach it. */
  url(name: string): string;
  stop(): Promise<void>;
}

const needs = [
  { command: 'ffmpeg', package: 'ffmpeg', why: 'makes the pictures of the cameras, and ffprobe counts them' },
];
const START_MS = 60_000;

/**
 * Starts cameras that the nodes of a cluster reach at the machine's address on its bridge. They carry the cluster's
 * mark: they go on when this process ends, and end when the cluster is taken down, by whomever.
 */
export async function startCameraProcess(
  names: readonly string[],
  cluster: { readonly name: string; readonly bridgeAddress: string | undefined },
  keyFrameSeconds?: number,
): Promise<CameraProcess> {
  const { bridgeAddress } = cluster;
  if (bridgeAddress === undefined) throw new Error(`cluster ${cluster.name} has no nodes that could reach cameras`);
  await installMissing(needs, (line) => console.log(`  ${line}`));
  const program = fileURLToPath(new URL('../cameras/main.ts', import.meta.url));
  const address = ['--host', '0.0.0.0', '--advertised-host', bridgeAddress];
  if (keyFrameSeconds !== undefined) address.push('--key-frame-seconds', String(keyFrameSeconds));
  const folder = clusterFolder(cluster.name);
  const log = openSync(join(folder, 'logs', 'cameras.log'), 'a');
  // A group of its own: Ctrl-C in the terminal reaches this process alone, which then ends the cameras in order.
  const loader = ['--import', import.meta.resolve('tsx')];
  const child = spawn(process.execPath, [...loader, program, '--names', names.join(','), ...address], {
    stdio: ['ignore', 'pipe', log],
    detached: true,
    env: daemonEnvironment(folder),
  });
  closeSync(log);
  const urls = await announced(child);
  child.unref();
  child.stdout?.destroy();
  return {
    names,
    url: (name) => {
      const url = urls[name];
      if (url === undefined) throw new Error(`there is no camera '${name}': ${names.join(', ')}`);
      return url;
    },
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      // It was let go, so that it can outlive this process; its end must be waited for all the same.
      child.ref();
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    },
  };
}

function announced(child: ChildProcess): Promise<Record<string, string>> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      child.kill('SIGTERM');
      reject(new Error(`the cameras did not start within ${START_MS / 1000} s`));
    }, START_MS);
    child.once('exit', (code) =>
      reject(new Error(`the cameras ended with exit code ${code} before they could be played`)),
    );
    child.once('error', reject);
    if (!child.stdout) throw new Error('the cameras have no standard output');
    createInterface({ input: child.stdout }).once('line', (line) => {
      clearTimeout(late);
      resolve((JSON.parse(line) as { urls: Record<string, string> }).urls);
    });
  });
}
