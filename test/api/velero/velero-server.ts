import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { ensureBinaries } from '../../cluster/binaries.js';
import type { Cluster } from '../../cluster/cluster.js';
import { freePorts } from '../../cluster/free-ports.js';
import { run } from '../../cluster/run-command.js';
import { veleroTools } from '../../cluster/tool-catalog.js';
import { waitUntil } from '../../cluster/wait-until.js';
import { startS3Server } from '../../store/support/s3-server.js';
import { accountKubeconfig } from './account-kubeconfig.js';

/** The real Velero with its plugin for S3, as a process beside the control plane; its bucket is on a real S3 server. */
export interface VeleroServer {
  readonly namespace: string;
  /** Who it is for the API server; bound to cluster-admin by a ClusterRoleBinding of the same name. */
  readonly account: string;
  /** Its own command line, on the same cluster. */
  cli(args: readonly string[]): Promise<string>;
  /** Names of the files of a Velero Backup in the bucket. */
  filesOf(backup: string): Promise<string[]>;
  /** Makes a BackupStorageLocation; it has not been validated yet. */
  addLocation(name: string, bucket: string): Promise<void>;
  locationPhase(name: string): Promise<string>;
  /** As a node's end would: at once. */
  kill(): Promise<void>;
  start(): Promise<void>;
  killStore(): Promise<void>;
  startStore(): Promise<void>;
  /** What it has complained of, and the end of its log, for a message. */
  lastWords(): Promise<string>;
  close(): Promise<void>;
}

const bucket = 'velero';

/** Starts it in a namespace that exists, with the BackupStorageLocation `default`; resolves when that is available. */
export async function startVelero(cluster: Cluster, namespace: string): Promise<VeleroServer> {
  const binary = await ensureBinaries(veleroTools, () => undefined);
  const base = await mkdtemp(join(tmpdir(), 'understudy-velero-'));
  const account = `velero-${randomUUID().slice(0, 8)}`;
  const log = join(base, 'server.log');
  const kubeconfig = join(base, 'kubeconfig');
  const home = join(base, 'home');
  await mkdir(home);
  // The logins of buckets that it reads are files below TMPDIR, too.
  const environment = { PATH: process.env.PATH, HOME: home, TMPDIR: base };
  const cli = (args: readonly string[]) =>
    run(binary('velero'), ['--kubeconfig', kubeconfig, '--namespace', namespace, ...args], { env: environment });
  const s3 = await startS3Server();
  await s3.createBucket(bucket);
  let child: ChildProcess | undefined;

  const server: VeleroServer = {
    namespace,
    account,
    cli,
    filesOf: async (backup) => (await s3.files()).filter((file) => file.includes(`/${bucket}/backups/${backup}/`)),
    addLocation: async (name, named) => {
      const config = { region: 'us-east-1', s3ForcePathStyle: 'true', s3Url: s3.endpoint };
      const location = {
        ...{ apiVersion: 'velero.io/v1', kind: 'BackupStorageLocation', metadata: { name, namespace } },
        spec: {
          ...{ provider: 'aws', objectStorage: { bucket: named }, config, default: name === 'default' },
          credential: { name: 'bucket', key: 'cloud' },
        },
      };
      await cluster.kubectl(['apply', '-f', '-'], JSON.stringify(location));
    },
    locationPhase: (name) =>
      cluster.kubectl(['-n', namespace, 'get', 'backupstoragelocation', name, '-o', 'jsonpath={.status.phase}']),
    kill: async () => {
      const running = child;
      child = undefined;
      if (!running?.pid || running.exitCode !== null) return;
      const gone = once(running, 'exit');
      // Its plugins are processes of the same group, and would outlive it.
      process.kill(-running.pid, 'SIGKILL');
      await gone;
    },
    start: async () => {
      const [port = 0, profiler = 0] = await freePorts(2);
      const places = ['--plugin-dir', dirname(binary('velero-plugin-for-aws'))];
      const addresses = ['--metrics-address', `127.0.0.1:${port}`, '--profiler-address', `127.0.0.1:${profiler}`];
      const who = ['--kubeconfig', kubeconfig, '--namespace', namespace];
      const output = openSync(log, 'a');
      child = spawn('setpriv', ['--pdeathsig', 'KILL', binary('velero'), 'server', ...who, ...places, ...addresses], {
        env: environment,
        detached: true,
        stdio: ['ignore', output, output],
      });
      closeSync(output);
    },
    killStore: () => s3.kill(),
    startStore: () => s3.start(),
    lastWords: async () => {
      const lines = (await readFile(log, 'utf8').catch(() => '')).split('\n');
      const complaints = lines.filter((line) => /level=(error|warning|fatal)/.test(line));
      return [...complaints, ...lines.slice(-5)].join('\n').slice(-6000);
    },
    close: async () => {
      await server.kill();
      await s3.close();
      await cluster.kubectl(['delete', '--ignore-not-found', 'clusterrolebinding', account]);
      await rm(base, { recursive: true, force: true });
    },
  };
  try {
    const kinds = ['install', '--crds-only', '--dry-run', '-o', 'yaml'];
    await installVelero(cluster, namespace, account, { id: s3.accessKeyId, secret: s3.secretAccessKey }, () =>
      run(binary('velero'), kinds, { env: environment }),
    );
    await writeFile(kubeconfig, await accountKubeconfig(cluster, namespace, account), { mode: 0o600 });
    await server.addLocation('default', bucket);
    await server.start();
    await waitUntil('Velero has validated its bucket', isReady, { timeoutMs: 120_000, intervalMs: 500 });
  } catch (error) {
    const words = await server.lastWords();
    await server.close();
    throw new Error(`Velero does not start: ${words}`, { cause: error });
  }
  return server;

  async function isReady(): Promise<boolean> {
    if (!child || child.exitCode !== null) throw new Error('it has ended');
    return (await server.locationPhase('default')) === 'Available';
  }
}

/**
 * Its kinds, from its own mouth; who it is; the login of its bucket; and a Deployment that runs nothing: a restore reads
 * from it what pods of the server look like, and refuses every object without it.
 */
async function installVelero(
  cluster: Cluster,
  namespace: string,
  account: string,
  login: { readonly id: string; readonly secret: string },
  kinds: () => Promise<string>,
): Promise<void> {
  await cluster.kubectl(['apply', '--server-side', '-f', '-'], await kinds());
  await cluster.kubectl(['wait', '--for=condition=Established', '--timeout=60s', 'crd', '-l', 'component=velero']);
  const cloud = `[default]\naws_access_key_id=${login.id}\naws_secret_access_key=${login.secret}\n`;
  const subjects = [{ kind: 'ServiceAccount', name: account, namespace }];
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' };
  const podLabels = { deploy: 'velero' };
  const template = {
    metadata: { labels: podLabels },
    spec: { containers: [{ name: 'velero', image: 'registry.example/velero' }] },
  };
  const objects = [
    {
      ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'velero', namespace } },
      spec: { replicas: 0, selector: { matchLabels: podLabels }, template },
    },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: account, namespace } },
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'bucket', namespace }, stringData: { cloud } },
    {
      ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', metadata: { name: account } },
      ...{ roleRef, subjects },
    },
  ];
  await cluster.kubectl(['apply', '-f', '-'], objects.map((object) => stringify(object)).join('---\n'));
}
