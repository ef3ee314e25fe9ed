import type {
  FailoverPoolSpec,
  FailoverPoolStatus,
  RecorderReportStatus,
  Trigger,
} from '../../../../src/crds/index.js';
import { camerasOfRole } from '../../../../src/failover/cameras.js';
import { decide } from '../../../../src/failover/decide.js';
import { assignmentOf } from '../../../../src/failover/server/assignment.js';
import { serverState } from '../../../../src/failover/server/server-state.js';
import type {
  BackupView,
  CameraView,
  PoolDecision,
  PoolEvent,
  PoolInput,
  PoolMemory,
  ReplicaView,
  ScheduleView,
  ServerHealth,
  ServerView,
  Verdict,
} from '../../../../src/failover/types.js';
import { failoverPool } from '../../support/builders/failover-pool.js';
import { type RecordingServerBuilder, recordingServer } from '../../support/builders/recording-server.js';

const fine = { status: 'True', reason: 'AsExpected', message: '' } as const;

export function health(verdict: Verdict, trigger?: Trigger, brokenForMs = 0): ServerHealth {
  return {
    verdict,
    trigger,
    evidence: verdict === 'Healthy' ? [] : [{ reason: 'NotHealthy', message: `${verdict} for the test`, ageMs: 0 }],
    lastSeenTime: '2026-01-02T03:04:00Z',
    silentForMs: 0,
    suspected: trigger === 'Unreachable',
    brokenForMs,
    reachable: fine,
    storageHealthy: fine,
    recordingServiceReady: fine,
    clockSynced: fine,
    camerasReachable: fine,
  };
}

interface Member {
  view: ServerView;
  /** Its agent reads its assignment and reports. */
  agent: boolean;
}

/** A pool with its servers in memory: decisions are applied, projected and acknowledged as the real parts would. */
export class PoolWorld {
  spec: FailoverPoolSpec = failoverPool().build().spec;
  status: FailoverPoolStatus = { epoch: 1 };
  readonly servers = new Map<string, Member>();
  cameras: CameraView[] = [];
  backups: BackupView[] = [];
  /** What spec.backup.schedule means at a time. */
  schedule: ((now: Date) => ScheduleView | undefined) | undefined;
  /** The annotation of a person. */
  request: string | undefined;
  events: PoolEvent[] = [];
  memory: PoolMemory = new Map();
  /** Since when the API server has answered without a gap. */
  contactSince = 0;
  replicas: ReplicaView[] = [];
  monotonic = 1_000_000;
  wall = Date.parse('2026-01-02T03:04:05.000Z');
  /** Backups become complete by themselves. */
  backupsWork = true;
  last: PoolDecision | undefined;

  add(builder: RecordingServerBuilder | string, verdict: Verdict = 'Healthy'): this {
    const { metadata, spec, status } = (typeof builder === 'string' ? recordingServer(builder) : builder).build();
    const { name, uid = '' } = metadata;
    const free = spec.type === 'Failover' ? { state: 'Standby' as const } : { state: 'Active' as const };
    const view: ServerView = {
      name,
      uid,
      spec,
      status: status ?? { ...free, servingRole: spec.type === 'Standard' ? name : '', epoch: 1 },
      deleting: false,
      member: spec.poolRef?.name === 'pool',
      health: health(verdict),
      podUID: `pod-${uid}`,
      nodeName: `node-${name}`,
      report: this.#report(spec, `pod-${uid}`),
    };
    this.servers.set(name, { view, agent: true });
    return this;
  }

  #report(spec: ServerView['spec'], podUID: string): RecorderReportStatus {
    const sinceTime = '2026-01-02T03:00:00Z';
    const volumes = spec.volumes.map(({ name, mountPath }) => ({
      name,
      mountPath,
      state: 'Healthy' as const,
      sinceTime,
      fileSystem: 'ext4',
    }));
    return { podUID, version: '1.2.3', volumes, recordingService: { state: 'Ready', sinceTime } };
  }

  change(name: string, change: Partial<ServerView>): this {
    const member = this.servers.get(name);
    if (member) member.view = { ...member.view, ...change };
    return this;
  }

  report(name: string, change: RecorderReportStatus): this {
    return this.change(name, { report: { ...this.view(name).report, ...change } });
  }

  view(name: string): ServerView {
    const member = this.servers.get(name);
    if (!member) throw new Error(`no server ${name} in this test`);
    return member.view;
  }

  breaks(name: string, trigger: Trigger = 'Unreachable', brokenForMs = 0): this {
    const member = this.servers.get(name);
    if (member) member.agent = false;
    return this.change(name, { health: health('Broken', trigger, brokenForMs) });
  }

  recovers(name: string): this {
    const member = this.servers.get(name);
    if (member) member.agent = true;
    return this.change(name, { health: health('Healthy') });
  }

  silenceAgent(name: string): this {
    const member = this.servers.get(name);
    if (member) member.agent = false;
    return this;
  }

  input(): PoolInput {
    return {
      name: 'pool',
      generation: 1,
      spec: this.spec,
      status: this.status,
      servers: [...this.servers.values()].map(({ view }) => view),
      cameras: this.cameras,
      backups: this.backups,
      schedule: this.schedule?.(new Date(this.wall)),
      request: this.request,
      now: { monotonic: this.monotonic, wall: new Date(this.wall) },
      memory: this.memory,
      contact: { since: this.contactSince, last: this.monotonic },
      replicas: this.replicas,
    };
  }

  /** One decision, committed. */
  decide(): PoolDecision {
    const decision = decide(this.input());
    this.last = decision;
    this.status = JSON.parse(JSON.stringify(decision.record)) as FailoverPoolStatus;
    this.memory = decision.memory;
    this.events.push(...decision.events);
    const order = decision.createBackup;
    if (order && !this.backups.some(({ name }) => name === order.name))
      this.backups.push({
        name: order.name,
        spec: {
          ...{ poolRef: { name: 'pool' }, reason: order.reason },
          ...(order.reason === 'Failover' ? { epoch: order.epoch } : {}),
        },
        outcome: 'Running',
        createdTime: new Date(this.wall).toISOString(),
        poolEpoch: this.status.epoch,
      });
    return decision;
  }

  /** The projections: server statuses, cameras' bindings, agents' reports, finished Backups. */
  project(): void {
    for (const member of this.servers.values()) {
      const { view } = member;
      const subject = { metadata: { name: view.name, uid: view.uid }, spec: view.spec, status: view.status ?? {} };
      const { role, epoch } = assignmentOf(subject, view.member ? this.status : undefined);
      const state = serverState({
        operatingMode: view.spec.operatingMode,
        holdsRole: role !== '',
        verdict: view.health.verdict,
        brokenForMs: view.health.brokenForMs,
        drained: view.drained,
        previous: view.status,
        stableSeconds: this.spec.failback.stableSeconds,
        now: new Date(this.wall),
      });
      const { state: folder, brokenTime, healthyTime } = state;
      member.view = { ...view, status: { state: folder, brokenTime, healthyTime, servingRole: role, epoch } };
      if (member.agent) this.#agentReports(member, role, epoch);
    }
    if (this.backupsWork) this.backups = this.backups.map((backup) => ({ ...backup, outcome: 'Complete' }));
  }

  #agentReports(member: Member, role: string, epoch: number): void {
    const sinceTime = new Date(this.wall).toISOString();
    const cameras = camerasOfRole(this.cameras, role).map(({ name }) => ({
      name,
      state: 'Recording' as const,
      sinceTime,
      startTime: sinceTime,
    }));
    member.view = { ...member.view, report: { ...member.view.report, role, epoch, mode: 'Record', cameras } };
  }

  advance(ms: number): this {
    this.monotonic += ms;
    this.wall += ms;
    return this;
  }

  /** Decides and projects until nothing changes any more; time stands still. */
  settle(): this {
    for (let round = 0; round < 40; round += 1) {
      const before = JSON.stringify([this.status, [...this.servers.values()], this.backups]);
      this.decide();
      this.project();
      if (JSON.stringify([this.status, [...this.servers.values()], this.backups]) === before) return this;
    }
    throw new Error(`the pool does not come to rest: ${JSON.stringify(this.status, null, 1)}`);
  }

  restartOperator(): this {
    this.memory = new Map();
    return this;
  }

  /** Changes the spec of a server, as a person does. */
  edit(name: string, change: Partial<ServerView['spec']>): this {
    return this.change(name, { spec: { ...this.view(name).spec, ...change } });
  }

  /** Servers that are to record the role by the pool's status, and whose agents say that they record all its cameras. */
  recording(role: string): string[] {
    return [...this.servers.values()]
      .map(({ view }) => view)
      .filter(({ name, uid, spec, status, report, member }) => {
        const subject = { metadata: { name, uid }, spec, status: status ?? {} };
        if (assignmentOf(subject, member ? this.status : undefined).role !== role || report?.role !== role)
          return false;
        const recorded = (report.cameras ?? [])
          .filter(({ state }) => state === 'Recording')
          .map((camera) => camera.name);
        return camerasOfRole(this.cameras, role).every((camera) => recorded.includes(camera.name));
      })
      .map(({ name }) => name);
  }

  holder(role: string): string | undefined {
    return this.status.roles?.find(({ name }) => name === role)?.holder ?? (this.servers.has(role) ? role : undefined);
  }

  happened(reason: string): number {
    return this.events.filter((event) => event.reason === reason).length;
  }
}
