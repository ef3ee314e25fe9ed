import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBinaries } from '../../cluster/binaries.js';
import { freePorts } from '../../cluster/free-ports.js';
import { waitUntil } from '../../cluster/wait-until.js';

/** A real S3 server on loopback, over a folder of its own. */
export interface S3Server {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Buckets are folders in it. */
  readonly folder: string;
  createBucket(name: string): Promise<void>;
  /** Paths of all files in the folder, parts of unfinished uploads among them. */
  files(): Promise<string[]>;
  /** As a power cut would: at once. */
  kill(): Promise<void>;
  /** On the same port, over the same folder. */
  start(): Promise<void>;
  /** Ends it and removes the folder. */
  close(): Promise<void>;
}

export interface S3ServerOptions {
  /** Default: a new folder below the system's temporary one. */
  readonly folder?: string;
  /** Speaks TLS with these PEM files. */
  readonly tls?: { readonly certificate: string; readonly key: string };
}

const access = 'understudy-test';
const secret = 'not-a-secret-outside-of-tests';

export async function startS3Server(options: S3ServerOptions = {}): Promise<S3Server> {
  const binary = (await ensureBinaries(['versitygw'], () => undefined))('versitygw');
  const base = await mkdtemp(join(tmpdir(), 'understudy-s3-'));
  const folder = options.folder ?? join(base, 'data');
  const sidecar = join(base, 'metadata');
  for (const needed of [folder, sidecar]) await mkdir(needed, { recursive: true });
  const [port = 0] = await freePorts(1);
  const tls = options.tls ? ['--cert', options.tls.certificate, '--key', options.tls.key] : [];
  let child: ChildProcess | undefined;

  const server: S3Server = {
    endpoint: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    accessKeyId: access,
    secretAccessKey: secret,
    folder,
    createBucket: async (name) => {
      await mkdir(join(folder, name));
    },
    files: async () => {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    },
    kill: async () => {
      const running = child;
      child = undefined;
      if (!running || running.exitCode !== null) return;
      const gone = once(running, 'exit');
      running.kill('SIGKILL');
      await gone;
    },
    start: async () => {
      const environment = { PATH: process.env.PATH, ROOT_ACCESS_KEY: access, ROOT_SECRET_KEY: secret };
      const address = ['--port', `127.0.0.1:${port}`, '--quiet', ...tls];
      child = spawn(binary, [...address, 'posix', '--sidecar', sidecar, folder], { env: environment, stdio: 'ignore' });
      await waitUntil(`the S3 server answers on port ${port}`, () => accepts(port), { timeoutMs: 20_000 });
    },
    close: async () => {
      await server.kill();
      await rm(base, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
