import { childNames } from '../crds/labels.js';
import type { RecorderReportStatus } from '../crds/recorder-report.js';
import { type RecordingServer, recordingServers } from '../crds/recording-server.js';
import { type Clock, createReflector, deepEqual, type KubeClient, type Log, type Metrics } from '../operator/index.js';
import type { Assignment, Order } from './assignment/assignment.js';
import { AssignmentMemory } from './assignment/memory.js';
import { SupersededNotice } from './assignment/superseded.js';
import { AdoptedCameras } from './cameras/adopted-cameras.js';
import { CameraFleet } from './cameras/camera-fleet.js';
import { type LeftOut, releasedCameras, selectCameras } from './cameras/camera-task.js';
import { CameraWatch } from './cameras/camera-watch.js';
import { ConnectGate } from './cameras/connect-gate.js';
import { CredentialStore } from './cameras/credential-store.js';
import { FootageVolume } from './disks/footage-volume.js';
import { placeCamera } from './disks/placement.js';
import { createEngine } from './engine/engines.js';
import type { RecorderEnvironment } from './environment.js';
import { Heartbeat } from './heartbeat/heartbeat.js';
import { type OwnServer, ownServerOf } from './own-server.js';
import { PoolCamerasReader } from './reach/pool-cameras.js';
import { ReachProber } from './reach/reach-prober.js';
import { probeCamera } from './reach/rtsp-probe.js';
import { reportStatus } from './report/report-status.js';
import { ReportWriter } from './report/report-writer.js';
import { type StatusServer, startStatusServer } from './status-server.js';
import { RecordingService } from './watchdog/recording-service.js';

export interface AgentOptions {
  readonly environment: RecorderEnvironment;
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** The recorder's version, as standbys are compared by it (rule 4). */
  readonly version: string;
}

const STATE_TURN_MS = 2000;
const TAKEOVER_MS = 120_000;
const STOP_RECORDINGS_MS = 3000;
const STOP_JOURNAL_ROUNDS = 3;
const STOP_JOURNAL_MS = 4000;
const LAST_RENEWAL_MS = 2000;

/**
 * The recorder agent: joins heartbeat, disks, assignment, cameras and report. Everything that happens leads to one
 * level-based step, `#step`, which compares what is known with what is done.
 */
export class Agent {
  readonly #options: AgentOptions;
  readonly #volumes: readonly FootageVolume[];
  readonly #heartbeat: Heartbeat;
  readonly #service: RecordingService;
  readonly #fleet: CameraFleet;
  readonly #cameraWatch: CameraWatch;
  /** Cameras that name this server while it serves another's role: it may be on the way to be adopted for good. */
  readonly #ownNameWatch: CameraWatch;
  readonly #adopted: AdoptedCameras;
  readonly #prober: ReachProber;
  readonly #report: ReportWriter;
  readonly #serverReflector;
  #statusServer: StatusServer | undefined;
  readonly #memory: AssignmentMemory;
  readonly #superseded = new SupersededNotice();
  #questions: readonly string[] = [];
  #order: Order = { mode: 'Idle', role: '', epoch: 0, displaced: false };
  #orderTime: Date;
  #orderedAt = Number.NEGATIVE_INFINITY;
  #leftOut: readonly LeftOut[] = [];
  #stepPlanned = false;
  #stopping = false;

  constructor(options: AgentOptions) {
    this.#options = options;
    const { environment, client, clock, log, metrics } = options;
    const { server, namespace } = environment;
    this.#orderTime = clock.wall();
    this.#volumes = environment.volumes.map((mount) => this.#makeVolume(mount));
    this.#memory = new AssignmentMemory({ server, podUID: environment.podUID, volumes: this.#volumes, log });
    const engine = createEngine(environment.engine, environment.engineOptions, environment.scratchPath);
    const credentials = new CredentialStore(client, namespace);
    this.#fleet = new CameraFleet({
      engine,
      clock,
      log,
      gate: new ConnectGate({ clock }),
      place: (camera) => placeCamera(camera, this.#volumes),
      placePending: () => this.#volumes.some((volume) => volume.state === 'Unknown'),
      credentials: (name) => credentials.get(name),
      takingOver: () => clock.monotonic() - this.#orderedAt < TAKEOVER_MS,
      onChange: () => this.#report.changed(),
      onEngineTrouble: () => this.#service.suspect(),
    });
    this.#service = new RecordingService({
      engine,
      clock,
      log,
      recording: () => this.#fleet.recording,
      onChange: () => this.#report.changed(),
    });
    this.#heartbeat = new Heartbeat({
      client,
      lease: { namespace, name: childNames.lease(server) },
      podUID: environment.podUID,
      clock,
      log,
      onAnswer: (assignment, { supersededEpoch, questions }) => {
        this.#superseded.learn('lease', supersededEpoch);
        this.#questions = questions;
        this.#learnFromApi(assignment);
      },
    });
    this.#cameraWatch = new CameraWatch({ client, namespace, log, metrics, onChange: () => this.#plan() });
    this.#ownNameWatch = new CameraWatch({ client, namespace, log, metrics, onChange: () => this.#plan() });
    this.#adopted = new AdoptedCameras({ server, clock, onChange: () => this.#plan() });
    this.#prober = new ReachProber({
      clock,
      log,
      reader: new PoolCamerasReader({ client, namespace }),
      credentials: (name) => credentials.get(name),
      probe: probeCamera,
      random: Math.random,
      onChange: () => this.#report.changed(),
    });
    this.#report = new ReportWriter({
      client,
      report: { namespace, name: childNames.report(server) },
      clock,
      log,
      build: (acknowledgedEpoch) => this.#reportable(acknowledgedEpoch),
      unproved: () => this.#fleet.unproved,
    });
    this.#serverReflector = createReflector<OwnServer>(client, {
      type: recordingServers,
      namespace,
      fieldSelector: `metadata.name=${server}`,
      project: (raw) => ownServerOf(raw as unknown as RecordingServer),
      onChange: (_key, next) => {
        if (next === undefined) return;
        this.#superseded.learn('status', next.supersededEpoch);
        this.#learnFromApi(next.assignment);
      },
      log,
      metrics,
    });
  }

  /** Port of /healthz, /readyz and /status; undefined before the start. */
  get port(): number | undefined {
    return this.#statusServer?.port;
  }

  /** Begins to work; resolves when the status port is open. */
  async start(): Promise<void> {
    const { environment, clock } = this.#options;
    this.#heartbeat.start();
    this.#serverReflector.start();
    for (const volume of this.#volumes) volume.start();
    this.#service.start();
    clock.setTimer(STATE_TURN_MS, () => {
      this.#memory.giveTurn();
      this.#plan();
    });
    void this.#memory.readVolumes().then(() => this.#plan());
    this.#statusServer = await startStatusServer({
      port: environment.port,
      ready: () => this.#ready(),
      status: () => ({ ...this.#status(), lastRenewalTime: this.#heartbeat.lastRenewal?.toISOString() }),
    });
  }

  /**
   * Announces its end, closes the segments, syncs and moves them, renews the Lease a last time, writes the last report.
   * Bounded to about 10 seconds. The announcement goes out while the segments are being closed: neither waits for the
   * other, be it the API server or a disk that hangs. Heartbeats go on until the end.
   */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#prober.follow(undefined);
    this.#service.stop();
    this.#report.announce();
    await this.#bounded(this.#fleet.stop(), STOP_RECORDINGS_MS);
    await this.#bounded(this.#settleJournals(), STOP_JOURNAL_MS);
    for (const volume of this.#volumes) volume.stop();
    await Promise.all([
      this.#heartbeat.finish(LAST_RENEWAL_MS),
      this.#report.finish(),
      this.#serverReflector.stop(),
      this.#cameraWatch.stop(),
    ]);
    await this.#ownNameWatch.stop();
    await this.#statusServer?.close();
  }

  #makeVolume(mount: RecorderEnvironment['volumes'][number]): FootageVolume {
    const { environment, clock, log } = this.#options;
    const reservePercent = Number(environment.engineOptions.reservePercent);
    return new FootageVolume({
      mount,
      server: environment.server,
      serverUID: environment.serverUID,
      clock,
      log,
      ...(reservePercent > 0 ? { reservePercent } : {}),
      hurried: () => this.#fleet.hurried,
      placeOf: (camera) => this.#memory.placeOf(camera),
      standsBy: () => this.#standsBy,
      onChange: () => {
        this.#fleet.volumesChanged();
        this.#plan();
      },
      onGrowth: (volume, writers) => this.#fleet.take(volume, writers),
    });
  }

  #learnFromApi(assignment: Assignment | undefined): void {
    this.#memory.learnFromApi(assignment);
    // Not in the step, which waits for the volumes: no disk may ever delay a heartbeat.
    this.#heartbeat.setSilent(this.#memory.displaced);
    this.#plan();
  }

  /** Plans one step for all that has changed in this turn of the event loop. */
  #plan(): void {
    if (this.#stepPlanned || this.#stopping) return;
    this.#stepPlanned = true;
    queueMicrotask(() => {
      this.#stepPlanned = false;
      if (!this.#stopping) this.#step();
    });
  }

  #step(): void {
    // The volume may know a higher epoch than the API server (a lost status): both are heard before anything begins.
    if (!this.#memory.volumesRead) return;
    this.#takeOrder(this.#memory.order);
    const { role } = this.#order;
    const { server } = this.#options.environment;
    this.#cameraWatch.follow(role);
    this.#ownNameWatch.follow(role === server || role === '' ? '' : server);
    this.#assignCameras();
    this.#prober.follow(this.#standsBy ? this.#own?.pool : undefined);
    this.#prober.ask(this.#questions);
    this.#report.changed();
  }

  /** What the server's own object says; undefined before it was read. */
  get #own(): OwnServer | undefined {
    const { server, namespace } = this.#options.environment;
    return this.#serverReflector.store.get(`${namespace}/${server}`);
  }

  /** It records nothing, by the word of the API server, and could be given a role. */
  get #standsBy(): boolean {
    const { mode, epoch, displaced } = this.#order;
    return this.#memory.settled && mode === 'Idle' && epoch > 0 && !displaced;
  }

  #takeOrder(order: Order): void {
    if (deepEqual(order, this.#order)) return;
    const { clock, log } = this.#options;
    log.info({ before: this.#order, order }, order.displaced ? 'another pod is assigned; this one stops' : 'new order');
    this.#order = order;
    this.#orderTime = clock.wall();
    this.#orderedAt = clock.monotonic();
  }

  #assignCameras(): void {
    const { mode, role, epoch } = this.#order;
    const ofRole = mode === 'Record' ? (this.#cameraWatch.cameras ?? this.#memory.camerasOf(role)) : [];
    // Not listed yet, and nothing remembered: what is recorded now goes on.
    if (ofRole === undefined) return;
    const tasks = this.#adopted.join(role, ofRole, this.#ownNameWatch.watched);
    const { server } = this.#options.environment;
    const { recorded, leftOut } = selectCameras(tasks, role !== server, this.#own?.capacity);
    this.#leftOut = leftOut;
    this.#fleet.assign({ role, epoch }, recorded, releasedCameras(recorded, this.#superseded.holds(epoch)));
    if (!this.#order.displaced) this.#memory.save(tasks);
  }

  #ready(): boolean {
    return this.#service.state === 'Ready' && this.#volumes.some((volume) => volume.state === 'Healthy');
  }

  #status(): RecorderReportStatus {
    const { environment, version } = this.#options;
    return reportStatus({
      order: this.#order,
      podUID: environment.podUID,
      version,
      service: this.#service,
      volumes: this.#volumes.map((volume) => volume.monitor),
      cameras: this.#fleet.report(),
      leftOut: this.#leftOut,
      reachability: this.#prober.findings,
      orderTime: this.#orderTime,
      clockOffsetSeconds: this.#heartbeat.clockOffsetSeconds,
    });
  }

  /**
   * Nothing before the first order is settled, and nothing from a displaced pod, whose successor writes the report. The
   * API server refuses an epoch that falls; one that was acknowledged stays acknowledged.
   */
  #reportable(acknowledgedEpoch: number): RecorderReportStatus | undefined {
    if (!this.#memory.settled || this.#order.displaced) return undefined;
    const status = this.#status();
    return { ...status, epoch: Math.max(acknowledgedEpoch, status.epoch ?? 0) };
  }

  async #settleJournals(): Promise<void> {
    const journals = this.#volumes.map((volume) => volume.journal).filter((journal) => journal.running);
    // One round to see the last bytes, one to sync them, one to move: what fails is promoted at the next start.
    for (let round = 0; round < STOP_JOURNAL_ROUNDS; round += 1) {
      await Promise.all(journals.map((journal) => journal.flush()));
    }
  }

  #bounded(work: Promise<unknown>, ms: number): Promise<unknown> {
    const limit = new Promise((resolve) => this.#options.clock.setTimer(ms, () => resolve(undefined)));
    return Promise.race([work, limit]);
  }
}
