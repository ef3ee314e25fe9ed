// A fake of the recorder agent: on a bare control plane no kubelet runs the pod that would renew and report. What it
// does about an assignment are the agent's own rules; disks, engine and the network to the API server are left out.
import { childNames, type RecordingServer, recorderReports } from '../../../src/crds/index.js';
import { isApiError, type KubeClient, microTime, resources, systemClock } from '../../../src/operator/index.js';
import { decide, type KnownAssignment, learn, type Order } from '../../../src/recorder/assignment/assignment.js';
import { AdoptedCameras } from '../../../src/recorder/cameras/adopted-cameras.js';
import { selectCameras, taskOf } from '../../../src/recorder/cameras/camera-task.js';
import { ownServerOf } from '../../../src/recorder/own-server.js';
import type { Observatory } from './observatory.js';

/** The agent's cadence at a timeout of 3 s. Milliseconds. */
const beatMs = 1_000;

export interface RecorderOptions {
  /** Its power goes the moment it is given this role: it never acknowledges it. */
  readonly diesWith?: string;
  /** Its cameras stay in state Connecting until `prove()`. */
  readonly withholdsProof?: boolean;
}

/** Told of cameras that a recorder whose power is on does not record any more, in that very moment. */
export type StopListener = (recorder: Recorder, cameras: readonly string[]) => void;

/** Renews the Lease of a server and reports what it records, by the assignment in the server's status. */
export class Recorder {
  readonly namespace: string;
  readonly name: string;
  readonly #client: KubeClient;
  readonly #observatory: Observatory;
  readonly #options: RecorderOptions;
  readonly #onStop: StopListener;
  readonly #adopted: AdoptedCameras;
  #proves: boolean;
  #timer: NodeJS.Timeout | undefined;
  #stopListening: (() => void) | undefined;
  /** uid of the pod that it runs in; '' while there is none. */
  #pod = '';
  #podStarted = false;
  #known: KnownAssignment | undefined;
  #reported = '';
  #role = '';
  #recorded: ReadonlySet<string> = new Set();
  #alive = false;
  #working: Promise<void> = Promise.resolve();
  #dirty = false;

  constructor(
    client: KubeClient,
    observatory: Observatory,
    key: { readonly namespace: string; readonly name: string },
    options: RecorderOptions,
    onStop: StopListener,
  ) {
    this.#client = client;
    this.#observatory = observatory;
    this.namespace = key.namespace;
    this.name = key.name;
    this.#options = options;
    this.#onStop = onStop;
    this.#proves = options.withholdsProof !== true;
    this.#adopted = new AdoptedCameras({ server: key.name, clock: systemClock, onChange: () => this.#look() });
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Cameras of which it has proved that it records them, and has not stopped since. */
  get recorded(): ReadonlySet<string> {
    return this.#alive ? this.#recorded : new Set();
  }

  /** The role that it has acknowledged with its last report; '' for none. */
  get role(): string {
    return this.#role;
  }

  start(): this {
    this.#alive = true;
    this.#stopListening = this.#observatory.listen(this.namespace, (what) => this.#heard(what));
    this.#timer = setInterval(() => this.#do(() => this.#renew()), beatMs);
    this.#do(() => this.#renew());
    this.#look();
    return this;
  }

  /** From now on it shows that its cameras record. */
  prove(): void {
    this.#proves = true;
    this.#look();
  }

  /** No word any more; resolves when none is on its way. */
  async cutPower(): Promise<void> {
    this.#powerOff();
    await this.#working;
  }

  #heard(what: string): void {
    const concerns = what === `recordingservers ${this.name}` || what === `pods ${this.name}`;
    if (concerns || what.startsWith('cameraassignments ')) this.#look();
  }

  #look(): void {
    if (!this.#alive || this.#diesNow()) return;
    this.#enterPod();
    if (this.#dirty) return;
    this.#dirty = true;
    this.#do(() => {
      this.#dirty = false;
      return this.#report();
    });
  }

  /** Looked at before each report, too: none may slip through between the assignment and the news of it. */
  #diesNow(): boolean {
    const role = this.#server()?.status?.servingRole;
    if (role === undefined || role !== this.#options.diesWith) return false;
    this.#powerOff();
    return true;
  }

  #powerOff(): void {
    this.#alive = false;
    clearInterval(this.#timer);
    this.#stopListening?.();
  }

  /** One thing after the other. What fails is done again by the next beat, as the agent does it. */
  #do(work: () => Promise<void>): void {
    this.#working = this.#working
      .then(() => (this.#alive ? work() : undefined))
      .catch((error: unknown) => {
        if (!isApiError(error)) throw error;
      });
  }

  #server(): RecordingServer | undefined {
    return this.#observatory.server(this.namespace, this.name);
  }

  /** The process lives and dies with its pod: a new pod begins with an empty memory, and records nothing. */
  #enterPod(): void {
    const uid = this.#observatory.pod(this.namespace, this.name)?.metadata.uid ?? '';
    if (uid === this.#pod) return;
    this.#pod = uid;
    this.#podStarted = false;
    this.#known = undefined;
    this.#reported = '';
    this.#role = '';
    this.#stopAllBut(new Set());
  }

  #order(): Order {
    const server = this.#server();
    const assignment = server && ownServerOf(server).assignment;
    if (assignment !== undefined) this.#known = learn(this.#known, { ...assignment, origin: 'api' });
    return decide(this.#known, this.#pod, true);
  }

  async #renew(): Promise<void> {
    this.#enterPod();
    if (this.#pod === '' || this.#order().displaced) return;
    const lease = { namespace: this.namespace, name: childNames.lease(this.name) };
    const spec = { renewTime: microTime(new Date()), holderIdentity: this.#pod };
    await this.#client.patch(resources.leases, lease, { spec });
    await this.#report();
  }

  /** Nobody runs the pod, so nobody says so. */
  async #startPod(): Promise<void> {
    if (this.#podStarted) return;
    const key = { namespace: this.namespace, name: childNames.pod(this.name) };
    const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
    await this.#client.patchStatus(resources.pods, key, { metadata: { uid: this.#pod }, status });
    this.#podStarted = true;
  }

  /** Cameras to record by this order; those of a substitute that is being adopted among them. */
  #wanted({ role, mode }: Order): string[] {
    const camerasOf = (home: string) => this.#observatory.camerasOf(this.namespace, home);
    const ofRole = mode === 'Record' ? camerasOf(role).map(taskOf) : [];
    const ownName = camerasOf(this.name).map((camera) => ({
      task: taskOf(camera),
      boundTo: camera.status?.boundTo?.server,
    }));
    const tasks = this.#adopted.join(role, ofRole, ownName);
    const capacity = this.#server()?.spec.capacity?.cameras;
    const { recorded } = selectCameras(tasks, role !== this.name, capacity);
    return recorded.map(({ name }) => name).sort();
  }

  #stopAllBut(kept: ReadonlySet<string>): void {
    const stopped = [...this.#recorded].filter((camera) => !kept.has(camera));
    if (stopped.length === 0) return;
    this.#recorded = new Set([...this.#recorded].filter((camera) => kept.has(camera)));
    if (this.#alive) this.#onStop(this, stopped);
  }

  async #report(): Promise<void> {
    if (this.#diesNow()) return;
    this.#enterPod();
    const pod = this.#pod;
    const order = this.#order();
    const cameras = order.displaced ? [] : this.#wanted(order);
    this.#stopAllBut(new Set(cameras));
    if (pod === '' || order.displaced || this.#known === undefined) return;
    const state = this.#proves ? 'Recording' : 'Connecting';
    const word = JSON.stringify([order, pod, cameras, state]);
    if (word === this.#reported) return;
    await this.#startPod();
    const status = this.#statusOf(order, cameras, state);
    await this.#client.patchStatus(recorderReports, { namespace: this.namespace, name: this.name }, { status });
    if (this.#pod !== pod) return;
    this.#reported = word;
    this.#role = order.role;
    if (this.#proves) this.#recorded = new Set(cameras);
  }

  #statusOf({ role, epoch, mode }: Order, cameras: readonly string[], state: 'Recording' | 'Connecting'): object {
    const sinceTime = new Date().toISOString();
    const { volumes = [] } = this.#server()?.spec ?? {};
    const started = state === 'Recording' ? { startTime: sinceTime } : {};
    return {
      role,
      epoch,
      mode,
      podUID: this.#pod,
      version: '1.0.0',
      clockOffsetSeconds: 0,
      recordingService: { state: 'Ready', sinceTime },
      volumes: volumes.map(({ name, mountPath }) => ({
        ...{ name, mountPath, sinceTime },
        ...{ state: 'Healthy', fileSystem: 'ext4' },
      })),
      cameras: cameras.map((name) => ({ name, state, sinceTime, ...started })),
    };
  }
}
