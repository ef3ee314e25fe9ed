// A fake of the recorder agent: on a bare control plane no kubelet runs the pod that would renew and report.
import { childNames, type RecordingServer, recorderReports } from '../../../src/crds/index.js';
import { isApiError, type KubeClient, microTime, resources } from '../../../src/operator/index.js';
import type { Observatory } from './observatory.js';

/** The agent's cadence at a timeout of 3 s. Milliseconds. */
const beatMs = 1_000;

export interface RecorderOptions {
  /** Its power goes the moment it is given this role: it never acknowledges it. */
  readonly diesWith?: string;
  /** Its cameras stay in state Connecting until `prove()`. */
  readonly withholdsProof?: boolean;
}

/** Told of what a recorder records, as it has reported it. */
export type RecordingListener = (recorder: Recorder, before: string, now: string) => void;

/** Renews the Lease of a server and reports what it records, by the assignment in the server's status. */
export class Recorder {
  readonly namespace: string;
  readonly name: string;
  /** The role that it has reported to record; '' for none. */
  recording = '';
  readonly #client: KubeClient;
  readonly #observatory: Observatory;
  readonly #options: RecorderOptions;
  readonly #told: RecordingListener;
  #proves: boolean;
  #timer: NodeJS.Timeout | undefined;
  #stopListening: (() => void) | undefined;
  #reported = '';
  #startedPod = '';
  #alive = false;
  #working: Promise<void> = Promise.resolve();
  #dirty = false;

  constructor(
    client: KubeClient,
    observatory: Observatory,
    key: { readonly namespace: string; readonly name: string },
    options: RecorderOptions,
    told: RecordingListener,
  ) {
    this.#client = client;
    this.#observatory = observatory;
    this.namespace = key.namespace;
    this.name = key.name;
    this.#options = options;
    this.#told = told;
    this.#proves = options.withholdsProof !== true;
  }

  get alive(): boolean {
    return this.#alive;
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
    if (what === `recordingservers ${this.name}` || what.startsWith('cameraassignments ')) this.#look();
  }

  #look(): void {
    if (this.#diesNow() || this.#dirty) return;
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

  async #renew(): Promise<void> {
    const uid = this.#server()?.status?.podUID;
    if (uid === undefined || uid === '') return;
    const lease = { namespace: this.namespace, name: childNames.lease(this.name) };
    const spec = { renewTime: microTime(new Date()), holderIdentity: uid };
    await this.#client.patch(resources.leases, lease, { spec });
    await this.#report();
  }

  /** Nobody runs the pod, so nobody says so. */
  async #startPod(uid: string): Promise<void> {
    if (this.#startedPod === uid) return;
    const key = { namespace: this.namespace, name: childNames.pod(this.name) };
    const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
    await this.#client.patchStatus(resources.pods, key, { metadata: { uid }, status });
    this.#startedPod = uid;
  }

  async #report(): Promise<void> {
    if (this.#diesNow()) return;
    const { podUID, servingRole: role = '', epoch = 1 } = this.#server()?.status ?? {};
    if (podUID === undefined || podUID === '') return;
    const cameras = role === '' ? [] : this.#observatory.camerasOf(this.namespace, role);
    const state = this.#proves ? 'Recording' : 'Connecting';
    const word = JSON.stringify([role, epoch, podUID, cameras, state]);
    if (word === this.#reported) return;
    await this.#startPod(podUID);
    const sinceTime = new Date().toISOString();
    const volume = { name: 'footage', mountPath: '/footage/a', state: 'Healthy', sinceTime, fileSystem: 'ext4' };
    const started = this.#proves ? { startTime: sinceTime } : {};
    const status = {
      role,
      epoch,
      podUID,
      mode: role === '' ? 'Idle' : 'Record',
      version: '1.0.0',
      clockOffsetSeconds: 0,
      recordingService: { state: 'Ready', sinceTime },
      volumes: [volume],
      cameras: cameras.map((name) => ({ name, state, sinceTime, ...started })),
    };
    await this.#client.patchStatus(recorderReports, { namespace: this.namespace, name: this.name }, { status });
    this.#reported = word;
    const before = this.recording;
    this.recording = this.#proves ? role : '';
    this.#told(this, before, this.recording);
  }
}
