// A fake of the recorder agent: on a bare control plane no kubelet runs the pod that would renew and report.
import {
  childNames,
  labels,
  type RecordingServer,
  recorderReports,
  recordingServers,
} from '../../../src/crds/index.js';
import { type KubeClient, microTime, resources } from '../../../src/operator/index.js';

/** Renews the Lease of a server every second and reports what it records, by the assignment in the server's status. */
export class FakeRecorder {
  readonly #client: KubeClient;
  readonly #namespace: string;
  readonly #server: string;
  readonly #cameras: readonly string[];
  #timer: NodeJS.Timeout | undefined;
  /** It reaches none of the cameras that it records. */
  cutOff = false;
  /** Cameras that it reaches of a role that it is asked for. */
  reaches = 0;
  /** Why a beat failed last. */
  trouble: unknown;
  #reported = '';
  #running: Promise<void> = Promise.resolve();

  constructor(client: KubeClient, namespace: string, server: string, cameras: readonly string[]) {
    this.#client = client;
    this.#namespace = namespace;
    this.#server = server;
    this.#cameras = cameras;
  }

  start(): this {
    const beat = () => {
      // A beat that fails is tried again by the next one, as the agent does it.
      this.#running = this.#running
        .then(() => this.#beat())
        .catch((error: unknown) => {
          this.trouble = error;
        });
    };
    beat();
    this.#timer = setInterval(beat, 500);
    return this;
  }

  /** No word any more; resolves when none is on its way. */
  async cutPower(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  async #beat(): Promise<void> {
    const key = { namespace: this.#namespace, name: this.#server };
    const { status } = await this.#client.get<RecordingServer>(recordingServers, key);
    if (!status?.podUID) return;
    await this.#claimPhase(status.podUID);
    const spec = { renewTime: microTime(new Date()), holderIdentity: status.podUID };
    const lease = { namespace: this.#namespace, name: childNames.lease(this.#server) };
    const { metadata } = await this.#client.patch(resources.leases, lease, { spec });
    const asked = metadata.annotations?.[labels.leaseProbe] ?? '';
    await this.#report(status.servingRole ?? '', status.epoch ?? 1, status.podUID, asked);
  }

  /** Nobody runs the pod, so nobody says so. */
  async #claimPhase(uid: string): Promise<void> {
    const key = { namespace: this.#namespace, name: childNames.pod(this.#server) };
    const conditions = [{ type: 'Ready', status: 'True' }];
    if (this.#reported === '')
      await this.#client.patchStatus(resources.pods, key, {
        metadata: { uid },
        status: { phase: 'Running', conditions },
      });
  }

  async #report(role: string, epoch: number, podUID: string, asked: string): Promise<void> {
    const word = `${role}/${epoch}/${podUID}/${asked}/${this.cutOff}/${this.reaches}`;
    if (word === this.#reported) return;
    const sinceTime = new Date().toISOString();
    const volume = { name: 'footage', mountPath: '/footage/a', state: 'Healthy', sinceTime, fileSystem: 'ext4' };
    const cameras = role === '' ? [] : this.#cameras;
    const status = {
      role,
      epoch,
      podUID,
      mode: role === '' ? 'Idle' : 'Record',
      version: '1.0.0',
      clockOffsetSeconds: 0,
      recordingService: { state: 'Ready', sinceTime },
      volumes: [volume],
      cameras: cameras.map((name) =>
        this.cutOff
          ? { name, state: 'Failed', failure: 'Unreachable', error: 'the camera does not answer', sinceTime }
          : { name, state: 'Recording', sinceTime, startTime: sinceTime },
      ),
      reachability: role === '' && asked !== '' ? this.#answer(asked, sinceTime) : null,
    };
    await this.#client.patchStatus(recorderReports, { namespace: this.#namespace, name: this.#server }, { status });
    this.#reported = word;
  }

  #answer(asked: string, checkedTime: string): object {
    const counts = { cameras: 1, total: 1, reachable: 1, unreachable: [], noCredentials: [] };
    const answers = asked.split(' ').map((id) => ({ id, total: 1, reachable: this.reaches }));
    return { checkedTime, ...counts, asked: answers };
  }
}
