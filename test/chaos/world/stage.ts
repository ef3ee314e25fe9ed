import { randomBytes } from 'node:crypto';
import {
  API_VERSION,
  cameraAssignments,
  type FailoverPool,
  type FailoverPoolStatus,
  failoverPools,
  labels,
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
import { FakeNodes } from './fake-nodes.js';
import type { Observatory } from './observatory.js';
import { Recorder, type RecorderOptions } from './recorder.js';

/** Nothing in a workload takes so long unless it never comes. Milliseconds. */
const limitMs = 90_000;

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
  readonly #nodes: FakeNodes;
  readonly #abort: AbortSignal;

  private constructor(client: KubeClient, observatory: Observatory, namespace: string, abort: AbortSignal) {
    this.client = client;
    this.observatory = observatory;
    this.namespace = namespace;
    this.#abort = abort;
    this.#nodes = new FakeNodes(client, namespace);
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
    this.observatory.forget(this.namespace);
    await this.#nodes.remove();
  }

  make(type: ResourceType, name: string, spec: object): Promise<KubeObject> {
    const metadata = { name, namespace: this.namespace };
    return this.client.create(type, { apiVersion: API_VERSION, kind: type.kind, metadata, spec } as KubeObject);
  }

  makePool(spec: object = {}, name = 'site'): Promise<KubeObject> {
    // Long enough that no baseline is late on a busy machine: which one is would be chance.
    const backup = { deadlineSeconds: 120 };
    return this.make(failoverPools, name, {
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

  /** What a person does: a merge patch of the spec. `null` takes a field away. */
  edit(type: ResourceType, name: string, spec: object): Promise<KubeObject> {
    return this.client.patch(type, { namespace: this.namespace, name }, { spec });
  }

  /** A person's command, by the annotation of the pool; `request` is '<id> <command>'. */
  ask(request: string, pool = 'site'): Promise<KubeObject> {
    const metadata = { annotations: { [labels.request]: request } };
    return this.client.patch(failoverPools, { namespace: this.namespace, name: pool }, { metadata });
  }

  /** Servers that the workload has deleted: how often their children were made is chance, as the news comes in any order. */
  readonly removed = new Set<string>();

  remove(type: ResourceType, name: string): Promise<void> {
    if (type === recordingServers) this.removed.add(name);
    return this.client.delete(type, { namespace: this.namespace, name });
  }

  /** Puts the pod of a server on a node of its own, which can be cordoned. */
  placeOnNode(server: string): Promise<void> {
    return this.#nodes.place(server);
  }

  cordon(server: string, unschedulable: boolean): Promise<void> {
    return this.#nodes.cordon(server, unschedulable);
  }

  recorder(name: string, options: RecorderOptions = {}): Recorder {
    const key = { namespace: this.namespace, name };
    const recorder = new Recorder(this.client, this.observatory, key, options, (...stop) => this.#judge(...stop));
    this.#recorders.push(recorder);
    return recorder.start();
  }

  server(name: string): RecordingServer | undefined {
    return this.observatory.server(this.namespace, name);
  }

  pool(name = 'site'): FailoverPool | undefined {
    return this.observatory.pool(this.namespace, name);
  }

  poolStatus(name = 'site'): FailoverPoolStatus {
    return this.pool(name)?.status ?? {};
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

  /** Law 6, camera by camera: who stops while his power is on stops only what another records, or a person ended. */
  #judge(recorder: Recorder, cameras: readonly string[]): void {
    for (const camera of cameras) {
      const elsewhere = this.#recorders.some((other) => other !== recorder && other.recorded.has(camera));
      if (elsewhere || this.mayStop.has(camera)) continue;
      this.violations.push(
        `overlap before gap: ${recorder.name} stopped recording ${camera}, and nobody else records it`,
      );
    }
  }

  /** Cameras whose recording the workload itself ends: by moving them, or by deleting who records them. */
  readonly mayStop = new Set<string>();

  #scene(): string {
    const servers = this.#recorders.map(({ name, alive, recorded }) => {
      const status = this.server(name)?.status;
      const serves = `serves '${status?.servingRole}' at ${status?.epoch}`;
      return `${name}: ${status?.state} ${serves}, ${alive ? 'on' : 'off'}, records ${[...recorded].join(' ') || 'nothing'}`;
    });
    const { epoch, current, queue, roles } = this.poolStatus();
    return `${servers.join('; ')}; pool ${JSON.stringify({ epoch, current, queue, roles })}`;
  }
}
