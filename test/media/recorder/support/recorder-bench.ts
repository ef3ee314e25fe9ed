// A fake: the API server is the loopback one, which can be silenced. Agent, ffmpeg, disks and cameras are real.
import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import {
  API_VERSION,
  type CameraAssignmentSpec,
  cameraAssignments,
  type RecorderReportStatus,
  recorderReports,
  recordingServers,
} from '../../../../src/crds/index.js';
import {
  createApiClient,
  createMetrics,
  type KubeClient,
  resources,
  silentLog,
  systemClock,
} from '../../../../src/operator/index.js';
import { Agent } from '../../../../src/recorder/agent.js';
import type { RecorderEnvironment } from '../../../../src/recorder/environment.js';
import { isSegmentName } from '../../../../src/recorder/footage/layout.js';
import { LoopbackApiServer } from '../../../unit/support/loopback-api-server.js';
import type { StoredObject } from '../../../unit/support/loopback-store.js';

export const NAMESPACE = 'site';
export const SERVER = 'rec-1';
export const POD_UID = 'pod-uid-1';

export interface BenchOptions {
  /** Footage volumes; default: one plain folder. */
  volumes?: { name: string; mountPath: string; requireMount?: boolean }[];
  engineOptions?: Record<string, string>;
  podUID?: string;
}

/** Polls until `condition` gives a value; rejects after `ms`, naming what was awaited. */
export async function until<T>(what: string, condition: () => T | Promise<T>, ms = 25_000): Promise<NonNullable<T>> {
  const deadline = performance.now() + ms;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== null && value !== false) return value as NonNullable<T>;
    if (performance.now() > deadline) throw new Error(`did not happen within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
}

/** A recorder agent with its API server and its disks. */
export class RecorderBench {
  readonly api: LoopbackApiServer;
  readonly folder: string;
  readonly environment: RecorderEnvironment;
  #client: KubeClient | undefined;
  #agent: Agent | undefined;

  private constructor(api: LoopbackApiServer, folder: string, options: BenchOptions) {
    this.api = api;
    this.folder = folder;
    const volumes = options.volumes ?? [{ name: 'footage', mountPath: folder, requireMount: false }];
    this.environment = {
      server: SERVER,
      namespace: NAMESPACE,
      podUID: options.podUID ?? POD_UID,
      podName: SERVER,
      serverUID: 'server-uid-1',
      volumes: volumes.map((volume) => ({
        requireMount: true,
        claimName: `${volume.name}-${SERVER}`,
        claimUID: `claim-${volume.name}`,
        ...volume,
      })),
      engine: 'ffmpeg',
      engineOptions: options.engineOptions ?? {},
      scratchPath: tmpdir(),
      port: 0,
    };
  }

  static async open(options: BenchOptions = {}): Promise<RecorderBench> {
    const folder = await mkdtemp(join(tmpdir(), 'understudy-recorder-'));
    const bench = new RecorderBench(await LoopbackApiServer.start(), folder, options);
    const metadata = { name: SERVER, namespace: NAMESPACE, uid: 'server-uid-1' };
    bench.api.put(recordingServers, { metadata, spec: { type: 'Standard', volumes: [] } });
    bench.api.put(recorderReports, { apiVersion: API_VERSION, metadata: { ...metadata, uid: 'report-uid' } });
    const leaseMetadata = { name: `understudy-${SERVER}`, namespace: NAMESPACE, uid: 'lease-uid' };
    bench.api.put(resources.leases, { metadata: leaseMetadata, spec: { leaseDurationSeconds: 3 } });
    return bench;
  }

  get agent(): Agent {
    if (this.#agent === undefined) throw new Error('start the agent first');
    return this.#agent;
  }

  async start(): Promise<void> {
    const metrics = createMetrics({ processMetrics: false });
    this.#client = createApiClient({ kubeConfig: this.api.kubeConfig(), metrics, log: silentLog });
    this.#agent = new Agent({
      environment: this.environment,
      client: this.#client,
      clock: systemClock,
      log: silentLog,
      metrics,
      version: '1.2.3',
    });
    await this.#agent.start();
  }

  async stop(): Promise<void> {
    await this.#agent?.stop();
    this.#agent = undefined;
    await this.#client?.close();
  }

  async close(): Promise<void> {
    await this.stop();
    await this.api.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** What the operator does: the assignment in the server's status and on its Lease. */
  assign(role: string, epoch: number, podUID = POD_UID): void {
    const server = this.#stored(recordingServers, SERVER);
    this.api.put(recordingServers, { ...server, status: { servingRole: role, epoch, podUID } });
    const lease = this.#stored(resources.leases, `understudy-${SERVER}`);
    const annotations = {
      'understudy.dev/serving-role': role,
      'understudy.dev/epoch': String(epoch),
      'understudy.dev/assigned-pod-uid': podUID,
    };
    this.api.put(resources.leases, { ...lease, metadata: { ...lease.metadata, annotations } });
  }

  camera(name: string, url: string, change: { source?: object; recording?: object; priority?: string } = {}): void {
    const spec = {
      serverRef: { name: SERVER },
      source: { type: 'IP', url, transport: 'TCP', connectTimeoutSeconds: 2, audio: false, ...change.source },
      recording: { mode: 'Continuous', segmentSeconds: 2, retentionSeconds: 3600, ...change.recording },
      priority: change.priority ?? 'Normal',
    } as CameraAssignmentSpec;
    this.api.put(cameraAssignments, { metadata: { name, namespace: NAMESPACE }, spec } as unknown as StoredObject);
  }

  removeCamera(name: string): void {
    this.api.remove(cameraAssignments, `${NAMESPACE}/${name}`);
  }

  secret(name: string, username: string, password: string): void {
    const data = { username: btoa(username), password: btoa(password) };
    this.api.put(resources.secrets, { metadata: { name, namespace: NAMESPACE }, data });
  }

  get report(): RecorderReportStatus {
    return (this.#stored(recorderReports, SERVER).status ?? {}) as RecorderReportStatus;
  }

  cameraState(name: string): string | undefined {
    return this.report.cameras?.find((camera) => camera.name === name)?.state;
  }

  recording(name: string): Promise<boolean> {
    return until(`camera ${name} is recorded`, () => this.cameraState(name) === 'Recording');
  }

  get lease(): { spec: { holderIdentity?: string; renewTime?: string } } {
    return this.#stored(resources.leases, `understudy-${SERVER}`) as never;
  }

  /** Segments under a folder of the first volume, as paths relative to it, oldest first. */
  async segments(below: string, root = this.environment.volumes[0]?.mountPath ?? ''): Promise<string[]> {
    const names = await readdir(join(root, below), { recursive: true }).catch(() => []);
    return names
      .filter((name) => isSegmentName(name.slice(name.lastIndexOf('/') + 1)))
      .map((name) => join(below, name))
      .sort();
  }

  /** Process ids of the engines that write below this bench's folder. */
  async engines(): Promise<string[]> {
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
    const found = await Promise.all(pids.map((pid) => this.#isEngine(pid)));
    return pids.filter((_, index) => found[index]);
  }

  async #isEngine(pid: string): Promise<boolean> {
    const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    return text.includes('segment_atclocktime') && this.environment.volumes.some((v) => text.includes(v.mountPath));
  }

  async engineCommands(): Promise<string[]> {
    const pids = await this.engines();
    return Promise.all(
      pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').then((t) => t.replaceAll('\0', ' '))),
    );
  }

  /** Makes a file look last written so long ago. */
  async age(path: string, seconds: number): Promise<void> {
    const time = Date.now() / 1000 - seconds;
    await utimes(join(this.folder, path), time, time);
  }

  /** Arrival of the last frame of a segment on the first volume, in milliseconds since 1970. */
  async lastFrameTime(path: string): Promise<number> {
    const file = join(this.environment.volumes[0]?.mountPath ?? '', path);
    const args = ['-v', 'quiet', '-select_streams', 'v', '-show_entries', 'packet=pts', '-of', 'csv=p=0', file];
    const { stdout } = await promisify(execFile)('ffprobe', args);
    const pts = Number(stdout.trim().split('\n').at(-1)?.split(',')[0]);
    const { mtimeMs } = await stat(file);
    // Times in MPEG-TS count modulo 2^33 at 90 kHz; the file's own time says which turn.
    const turnMs = 2 ** 33 / 90;
    return pts / 90 + turnMs * Math.round((mtimeMs - pts / 90) / turnMs);
  }

  async hasFile(path: string): Promise<boolean> {
    return access(join(this.folder, path)).then(
      () => true,
      () => false,
    );
  }

  async file(path: string, text: string, root = this.folder): Promise<void> {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }

  renewals(): number {
    return this.api.count(({ method, path }) => method === 'PATCH' && path.includes('/leases/'));
  }

  /** Resolves after this many more renewals of the Lease. */
  async heartbeats(count: number): Promise<void> {
    const before = this.renewals();
    await until(`${count} heartbeats`, () => this.renewals() >= before + count);
  }

  #stored(type: Parameters<LoopbackApiServer['put']>[0], name: string): StoredObject {
    const group = type.group === '' ? '' : `${type.group}/`;
    return this.api.store.get(`${group}${type.version}/${type.plural}`, `${NAMESPACE}/${name}`);
  }
}
