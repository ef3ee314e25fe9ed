import { randomBytes } from 'node:crypto';
import {
  API_VERSION,
  cameraAssignments,
  type FailoverPool,
  type FailoverPoolStatus,
  failoverPools,
  type RecordingServer,
  recordingServers,
} from '../../../src/crds/index.js';
import {
  isApiError,
  type KubeClient,
  type KubeObject,
  type ResourceType,
  resources,
} from '../../../src/operator/index.js';
import type { Observatory } from './observatory.js';
import { Recorder, type RecorderOptions } from './recorder.js';

/** Nothing in a workload takes so long unless it never comes. Milliseconds. */
const limitMs = 60_000;

/** On the namespace of every case. */
export const caseLabel = 'understudy.dev/chaos';

export const volumes = [{ name: 'footage', mountPath: '/footage/a', claimTemplate: { storage: '1Gi' } }];

/** One namespace with its recorders: where a workload takes place. */
export class Stage {
  readonly namespace: string;
  readonly client: KubeClient;
  readonly observatory: Observatory;
  /** Laws that were broken on the way, whatever the end state is. */
  readonly violations: string[] = [];
  readonly #recorders: Recorder[] = [];
  readonly #abort: AbortSignal;

  private constructor(client: KubeClient, observatory: Observatory, namespace: string, abort: AbortSignal) {
    this.client = client;
    this.observatory = observatory;
    this.namespace = namespace;
    this.#abort = abort;
  }

  /** `abort` ends every wait. */
  static async open(client: KubeClient, observatory: Observatory, abort: AbortSignal): Promise<Stage> {
    const name = `chaos-${randomBytes(5).toString('hex')}`;
    const metadata = { name, labels: { [caseLabel]: 'true' } };
    await client.create(resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata });
    const stage = new Stage(client, observatory, name, abort);
    // Before it exists no pod can be made, and its wait would be noise in the counts.
    await stage.eventually('the default service account', () =>
      client.get(resources.serviceAccounts, { namespace: name, name: 'default' }),
    );
    return stage;
  }

  /** The namespace stays until the ground is closed: taking it away costs the API server as much as a case does. */
  async close(): Promise<void> {
    await Promise.all(this.#recorders.map((recorder) => recorder.cutPower()));
  }

  make(type: ResourceType, name: string, spec: object): Promise<KubeObject> {
    const metadata = { name, namespace: this.namespace };
    return this.client.create(type, { apiVersion: API_VERSION, kind: type.kind, metadata, spec } as KubeObject);
  }

  makePool(spec: object = {}): Promise<KubeObject> {
    // Long enough that no baseline is late on a busy machine: which one is would be chance.
    const backup = { deadlineSeconds: 120 };
    return this.make(failoverPools, 'site', {
      failoverTimeoutSeconds: 3,
      // Of three recorders two break one after the other, which is no storm here.
      storm: { maxUnreachablePercent: 100 },
      failback: { stableSeconds: 1 },
      backup,
      ...spec,
    });
  }

  makeServer(name: string, spec: object = {}): Promise<KubeObject> {
    return this.make(recordingServers, name, { volumes, poolRef: { name: 'site' }, ...spec });
  }

  makeCamera(name: string, server: string): Promise<KubeObject> {
    const source = { url: `rtsp://camera.example/${name}` };
    return this.make(cameraAssignments, name, { serverRef: { name: server }, source });
  }

  recorder(name: string, options: RecorderOptions = {}): Recorder {
    const key = { namespace: this.namespace, name };
    const recorder = new Recorder(this.client, this.observatory, key, options, (...change) => this.#judge(...change));
    this.#recorders.push(recorder);
    return recorder.start();
  }

  server(name: string): RecordingServer | undefined {
    return this.observatory.server(this.namespace, name);
  }

  pool(): FailoverPool | undefined {
    return this.observatory.pool(this.namespace, 'site');
  }

  poolStatus(): FailoverPoolStatus {
    return this.pool()?.status ?? {};
  }

  /** Waits for what the watches show, with a bound; fails with what was seen last. */
  async until<T>(what: string, look: () => T | undefined | false): Promise<T> {
    const end = performance.now() + limitMs;
    for (;;) {
      this.#abort.throwIfAborted();
      const found = look();
      if (found !== undefined && found !== false) return found;
      if (performance.now() > end) throw new Error(`${what}: not within ${limitMs / 1000} s. ${this.#scene()}`);
      await this.#change(200);
    }
  }

  /** Asks the API server itself until it gives an answer. */
  async eventually<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
    const end = performance.now() + limitMs;
    for (;;) {
      this.#abort.throwIfAborted();
      const found = await ask().catch((error: unknown) => (isApiError(error) ? undefined : Promise.reject(error)));
      if (found !== undefined) return found;
      if (performance.now() > end) throw new Error(`${what}: not within ${limitMs / 1000} s`);
      await this.#change(50);
    }
  }

  serves(name: string, role: string): boolean {
    const status = this.server(name)?.status;
    const ready = status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True');
    return status?.servingRole === role && ready === true;
  }

  /** A change in the namespace, or the time. */
  #change(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const finish = (): void => {
        clearTimeout(timer);
        stop();
        resolve();
      };
      const stop = this.observatory.listen(this.namespace, finish);
      const timer = setTimeout(finish, ms);
    });
  }

  /** Law 6: who stops while his power is on stops only when another records the role. */
  #judge(recorder: Recorder, before: string, now: string): void {
    if (before === '' || before === now || !recorder.alive) return;
    const others = this.#recorders.filter((other) => other !== recorder && other.alive && other.recording === before);
    if (others.length > 0 || this.endedRoles.has(before)) return;
    this.violations.push(
      `overlap before gap: ${recorder.name} stopped recording ${before}, and nobody else records it`,
    );
  }

  /** Roles that the workload itself has ended. */
  readonly endedRoles = new Set<string>();

  #scene(): string {
    const servers = this.#recorders.map(({ name, alive, recording }) => {
      const status = this.server(name)?.status;
      return `${name}: ${status?.state} serves '${status?.servingRole}' at ${status?.epoch}, ${alive ? 'on' : 'off'}, records '${recording}'`;
    });
    const { epoch, current, queue, roles } = this.poolStatus();
    return `${servers.join('; ')}; pool ${JSON.stringify({ epoch, current, queue, roles })}`;
  }
}
