import { mkdir, writeFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import type { Binaries } from './binaries.js';
import {
  type CertificateRequest,
  type KeyPair,
  makeAuthority,
  makeCertificate,
  makeServiceAccountKey,
} from './certificates.js';
import {
  apiServerArguments,
  auditPolicy,
  auditPolicyPath,
  type ControlPlaneSettings,
  controllerManagerArguments,
  controlPlaneEnvironment,
  etcdArguments,
  schedulerArguments,
} from './control-plane-arguments.js';
import { type Daemon, startDaemon, tailOf } from './daemon.js';
import type { Journal } from './journal.js';
import { kubeconfigFor } from './kubeconfig.js';
import { tryRun } from './run-command.js';
import { waitUntil } from './wait-until.js';

export interface ControlPlaneInput {
  readonly name: string;
  readonly settings: ControlPlaneSettings;
  readonly binaries: Binaries;
  readonly journal: Journal;
  /** The network namespace it runs in; the machine's own if undefined. */
  readonly namespace: string | undefined;
  /** Addresses and names by which clients reach the API server. */
  readonly serverNames: readonly string[];
}

export interface ControlPlane {
  readonly authority: KeyPair;
  readonly server: string;
  /** A client certificate of this cluster as a kubeconfig file; gives its path. */
  writeKubeconfig(request: CertificateRequest): Promise<string>;
  startApiServer(): Promise<void>;
  stopApiServer(): Promise<void>;
  /** Starts it with the data that it had; the API server finds it by itself. */
  startEtcd(): Promise<void>;
  /** Kills it; what it had answered is kept. */
  stopEtcd(): Promise<void>;
  /** From now on nothing is started again: the cluster is about to be taken away. */
  letGo(): void;
}

/** Starts etcd, the API server, the controller manager and, if there are nodes, the scheduler. */
export async function startControlPlane(input: ControlPlaneInput): Promise<ControlPlane> {
  const { settings } = input;
  const { folder } = settings;
  const pki = join(folder, 'pki');
  await Promise.all(['pki', 'kubeconfigs', 'logs'].map((each) => mkdir(join(folder, each), { recursive: true })));
  const start = (name: string, binary: string, args: readonly string[]) =>
    startDaemon({
      name,
      command: [...inNamespace(input.namespace), binary, ...args],
      clusterFolder: folder,
      journal: input.journal,
      environment: controlPlaneEnvironment(settings, totalmem()),
    });
  // First of all, so that it listens by the time the API server looks for it, which would wait a second to look again.
  let etcd: Daemon | undefined;
  const startEtcd = async () => {
    if (await etcd?.isAlive()) return;
    etcd = await start('etcd', input.binaries('etcd'), etcdArguments(settings));
  };
  const stopEtcd = async () => {
    await etcd?.end(0);
    etcd = undefined;
  };
  await startEtcd();

  const authority = await makeAuthority(pki);
  const server = `https://${settings.address}:${settings.apiPort}`;
  const writeKubeconfig = async (request: CertificateRequest) => {
    const client = await makeCertificate(pki, authority, request);
    const path = join(folder, 'kubeconfigs', `${request.name}.yaml`);
    const text = await kubeconfigFor({ server, clusterName: input.name, authorityPath: authority.certificate, client });
    await writeFile(path, text, { mode: 0o600 });
    return path;
  };
  await Promise.all([makeServerCertificates(input, pki, authority), writeOwnKubeconfigs(writeKubeconfig)]);
  await writeFile(auditPolicyPath(folder), auditPolicy);

  let apiServer: Daemon | undefined;
  const startApiServer = async () => {
    if (await apiServer?.isAlive()) return;
    apiServer = await start('kube-apiserver', input.binaries('kube-apiserver'), apiServerArguments(settings));
    await untilReady(input, apiServer);
  };
  const stopApiServer = async () => {
    // Killed: asked, it would drain its watches for half a minute first, and that is not how a master is lost.
    await apiServer?.end(0);
    apiServer = undefined;
  };
  await startApiServer();
  const kept: Kept[] = [];
  const keep = async (name: string, binary: string, args: readonly string[]) => {
    kept.push(await keepRunning(() => start(name, binary, args)));
  };
  const controllers = input.binaries('kube-controller-manager');
  await keep('kube-controller-manager', controllers, controllerManagerArguments(settings));
  if (settings.hasNodes) await keep('kube-scheduler', input.binaries('kube-scheduler'), schedulerArguments(settings));
  const letGo = () => {
    for (const each of kept) each.letGo();
  };
  await untilServiceAccountsAreMade(input).catch((error) => {
    letGo();
    throw error;
  });
  return { authority, server, writeKubeconfig, startApiServer, stopApiServer, startEtcd, stopEtcd, letGo };
}

interface Kept {
  letGo(): void;
}

const LOOK_EVERY_MS = 1_000;

/**
 * Starts a daemon, and again whenever it has ended, as the kubelet of a real control plane does: a scheduler ends by
 * itself when, after an outage of the API server, it sees what its memory can't explain.
 */
async function keepRunning(start: () => Promise<Daemon>): Promise<Kept> {
  let daemon = await start();
  let looking = false;
  const look = async () => {
    if (looking || (await daemon.isAlive())) return;
    looking = true;
    daemon = await start().finally(() => {
      looking = false;
    });
  };
  const timer = setInterval(() => void look().catch(() => undefined), LOOK_EVERY_MS).unref();
  return { letGo: () => clearInterval(timer) };
}

/** `nsenter`, not `ip netns exec`: the latter mounts a new /sys and so hides the cgroups. */
function inNamespace(namespace: string | undefined): string[] {
  return namespace ? ['nsenter', `--net=/run/netns/${namespace}`, '--'] : [];
}

async function makeServerCertificates(input: ControlPlaneInput, pki: string, authority: KeyPair): Promise<void> {
  const names = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc', ...input.serverNames];
  await Promise.all([
    makeCertificate(pki, authority, { name: 'api-server', commonName: 'kube-apiserver', names }),
    makeCertificate(pki, authority, {
      name: 'kubelet-client',
      commonName: 'kube-apiserver-kubelet-client',
      organization: 'system:masters',
    }),
    makeServiceAccountKey(pki),
  ]);
}

async function writeOwnKubeconfigs(write: ControlPlane['writeKubeconfig']): Promise<void> {
  await Promise.all([
    write({ name: 'admin', commonName: 'admin', organization: 'system:masters' }),
    write({ name: 'controller-manager', commonName: 'system:kube-controller-manager' }),
    write({ name: 'scheduler', commonName: 'system:kube-scheduler' }),
  ]);
}

export const adminKubeconfigPath = (folder: string) => join(folder, 'kubeconfigs', 'admin.yaml');

function kubectl(input: ControlPlaneInput, args: readonly string[]): Promise<string | undefined> {
  const config = adminKubeconfigPath(input.settings.folder);
  return tryRun(input.binaries('kubectl'), ['--kubeconfig', config, ...args], { timeoutMs: 20_000 });
}

async function untilReady(input: ControlPlaneInput, apiServer: Daemon): Promise<void> {
  const ready = async () => {
    if (!(await apiServer.isAlive())) throw new Error(`The API server ended. ${await tailOf(apiServer.logPath)}`);
    return (await kubectl(input, ['get', '--raw', '/readyz'])) === 'ok';
  };
  const hint = () => tailOf(apiServer.logPath);
  await waitUntil('the API server is ready', ready, { timeoutMs: 90_000, intervalMs: 150, hint });
}

/** Before its service account exists, no pod can be created in the default namespace. */
async function untilServiceAccountsAreMade(input: ControlPlaneInput): Promise<void> {
  const made = async () => (await kubectl(input, ['get', 'serviceaccount', 'default', '-n', 'default'])) !== undefined;
  const hint = () => tailOf(join(input.settings.folder, 'logs', 'kube-controller-manager.log'));
  await waitUntil('the controller manager works', made, { timeoutMs: 60_000, intervalMs: 150, hint });
}
