/**
 * A small world in which the real pure functions are tried against every order of events.
 *
 * What is real: `planPool` (with `decide` and all its policies), the gathering of pool and server, `planStatus`,
 * `planLease`, `podMustGo`, `planCamera`, `assignmentOf`, `observe`, `judge`, `foldContact`, and of the agent `learn`,
 * `decide` and `selectCameras`. What is modelled: the API server (`api.ts`: versions, epochs that must not fall), the
 * recorders as small automata (`recorder.ts`), time, and what people and fate do (`faults.ts`, `edits.ts`).
 *
 *   world.ts       the state: plain data, frozen, never changed in place
 *   stage.ts       the state that everything starts from: all at work and at rest
 *   api.ts         what the API server does with a write
 *   seen.ts        the stores of the reconcilers over the state
 *   recorder.ts    the agent as an automaton that keeps law 6
 *   replica.ts     a replica of the operator: gathers, plans and writes with the real functions
 *   time.ts        the virtual clocks, heartbeats and observations
 *   steps.ts       one thing that can happen; `faults.ts` and `edits.ts` hold the disturbances
 *   restoring.ts   a person restores a baseline: the real plan of `src/restore`, one write after the other
 *   truth.ts       what really happens, to judge the decisions by
 *   safety.ts      what must hold after every step
 *   rest.ts        what must hold when the faults have stopped: the fair schedule, the end, the quiet after it
 *   canonical.ts   when two states are the same (ages instead of times, ranks instead of epochs)
 *   walk.ts        every order of steps up to a number of disturbances, each state once
 *   schedules.ts   what a random schedule is made of
 *
 * A new kind of move, trigger or command: one more entry in `faults.ts` or `edits.ts` for what sets it off (its name is
 * what a failing schedule prints), and in a walk of `walk.test.ts` or the lists of `schedules.ts`; one more function in
 * the list of `safety.ts` for what it must never do; and, if the world comes to rest in another way through it, one more
 * in the list of `rest.ts`. What is new in status and matters to decisions goes into the key of `canonical.ts`, a new
 * wait with its longest age; else states that differ are taken for one, and a walk looks at less than it says.
 *
 * Left out: cameras that fail by themselves or allow one session only, nodes, claims and pods that Kubernetes loses, and
 * watches that bring the objects of one kind in pieces. The tiers with a real API server and real nodes have these.
 */
import type {
  Backup,
  CameraAssignmentSpec,
  CameraAssignmentStatus,
  FailoverPool,
  RecorderReport,
  RecordingServer,
} from '../../../../src/crds/index.js';
import type { ApiContact, Monotonic, Observation, PoolMemory } from '../../../../src/failover/types.js';
import type { ClaimView, LeaseView, PodView } from '../../../../src/reconcilers/views.js';
import type { KnownAssignment } from '../../../../src/recorder/assignment/assignment.js';
import { failoverPool } from '../../support/builders/failover-pool.js';
import { type RecordingServerBuilder, recordingServer } from '../../support/builders/recording-server.js';

export const NAMESPACE = 'ns';
/** The wall clock at monotonic zero. */
export const EPOCH_OF_WALL = Date.parse('2026-01-02T03:00:00.000Z');

export type ByName<T> = Readonly<Record<string, T>>;

/** The part of a camera that the rules look at. */
export interface Camera {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly uid: string; generation: number };
  readonly spec: Pick<CameraAssignmentSpec, 'serverRef' | 'source' | 'priority'>;
  readonly status?: CameraAssignmentStatus;
}

/** What the API server holds. By name; an object is replaced, never changed. */
export interface Objects {
  readonly pools: ByName<FailoverPool>;
  readonly servers: ByName<RecordingServer>;
  readonly cameras: ByName<Camera>;
  readonly reports: ByName<RecorderReport>;
  readonly backups: ByName<Backup>;
  readonly pods: ByName<PodView>;
  readonly leases: ByName<LeaseView>;
  readonly claims: ByName<ClaimView>;
}

/** A recorder as it really is, whatever the API server says of it. */
export interface Recorder {
  readonly server: string;
  readonly podUID: string;
  readonly alive: boolean;
  /** It reaches the API server. */
  readonly connected: boolean;
  readonly diskWorks: boolean;
  readonly serviceWorks: boolean;
  /** What it knows of its assignment, and what its volume remembers of it. */
  readonly known?: KnownAssignment | undefined;
  readonly remembered?: KnownAssignment | undefined;
  readonly apiHadItsTurn: boolean;
  /** Role whose cameras it has listed, and those that it records of it by the last list. */
  readonly listed: { readonly role: string; readonly recorded: readonly string[]; readonly leftOut: readonly string[] };
  /** Cameras whose pictures reach its disk. The truth that everything else is measured by. */
  readonly running: readonly string[];
  /** It has not sent a heartbeat since it came up or back. */
  readonly owesHeartbeat: boolean;
}

/** One process of the operator. */
export interface Replica {
  /** Kinds that it sees as they were, because a watch of it hangs or it was stopped; all others as they are. */
  readonly view?: Partial<Objects> | undefined;
  readonly observations: ByName<Observation>;
  readonly contact: ApiContact | undefined;
  readonly memories: ByName<PoolMemory>;
  /** Renewals that an uncached read has shown and the watch has not, by server, and when they were first read. */
  readonly unseen: ByName<{ readonly renewTime: string | undefined; readonly readAt: Monotonic }>;
}

/** What really happened, kept to judge the decisions by. No rule sees it. */
export interface Truth {
  /** Monotonic time of the last heartbeat that the API server took, by server. */
  readonly heardAt: ByName<Monotonic>;
  /** Highest epoch of a role at which its holder really recorded all that it was to record. */
  readonly provedEpoch: ByName<number>;
  /** Epochs of takeovers that were committed. */
  readonly takeovers: readonly number[];
}

export interface World {
  readonly now: Monotonic;
  /** The operator's wall clock minus the true one. Milliseconds. */
  readonly wallSkewMs: number;
  readonly apiAnswers: boolean;
  /** The last resourceVersion given. */
  readonly version: number;
  readonly objects: Objects;
  readonly recorders: ByName<Recorder>;
  readonly leader: Replica;
  /** A replica that was stopped while it led, and goes on with what it saw then. */
  readonly stale?: Replica | undefined;
  readonly truth: Truth;
}

export function wallOf(world: World): Date {
  return new Date(EPOCH_OF_WALL + world.now + world.wallSkewMs);
}

/** Immutable update of one entry; undefined takes it away. */
export function put<T>(entries: ByName<T>, name: string, value: T | undefined): ByName<T> {
  if (entries[name] === value) return entries;
  const { [name]: _old, ...others } = entries;
  return value === undefined ? others : { ...others, [name]: value };
}

export function changeObjects(world: World, change: Partial<Objects>): World {
  return { ...world, objects: { ...world.objects, ...change } };
}

export function changeRecorder(world: World, name: string, change: Partial<Recorder>): World {
  const recorder = world.recorders[name];
  return recorder === undefined
    ? world
    : { ...world, recorders: put(world.recorders, name, { ...recorder, ...change }) };
}

/** What a replica sees. */
export function seenBy(world: World, { view }: Replica): Objects {
  return view === undefined ? world.objects : { ...world.objects, ...view };
}

/** Everything that a decision is made from is frozen: a rule that changes its input, or a spec, throws. */
export function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) frozen(inner);
  return Object.freeze(value);
}

export const freshReplica: Replica = { observations: {}, contact: undefined, memories: {}, unseen: {} };

/** A recorder that has just been switched on. */
export function bootedRecorder(server: string, podUID: string): Recorder {
  return {
    server,
    podUID,
    alive: true,
    connected: true,
    diskWorks: true,
    serviceWorks: true,
    apiHadItsTurn: false,
    listed: { role: '', recorded: [], leftOut: [] },
    running: [],
    owesHeartbeat: true,
  };
}

export function camera(name: string, home: string, change: Partial<Camera['spec']> = {}): Camera {
  const source: Camera['spec']['source'] = {
    type: 'IP',
    url: `rtsp://camera.example/${name}`,
    transport: 'TCP',
    connectTimeoutSeconds: 5,
    audio: false,
  };
  const spec: Camera['spec'] = { serverRef: { name: home }, source, priority: 'Normal', ...change };
  return { metadata: { name, namespace: NAMESPACE, uid: `uid-${name}`, generation: 1 }, spec };
}

function byName<T extends { readonly metadata: { readonly name: string } }>(objects: readonly T[]): ByName<T> {
  return Object.fromEntries(objects.map((object) => [object.metadata.name, object]));
}

export interface Cast {
  readonly servers: readonly RecordingServerBuilder[];
  readonly cameras: readonly Camera[];
}

/** Two servers, two standbys, three cameras. */
export const smallCast: Cast = {
  servers: [
    recordingServer('a'),
    recordingServer('b'),
    recordingServer('s').standby(1),
    recordingServer('t').standby(2),
  ],
  cameras: [camera('a-1', 'a'), camera('a-2', 'a', { priority: 'Low' }), camera('b-1', 'b')],
};

/** Objects as a person has just applied them; `rest.ts` brings them to work. */
export function worldOf(cast: Cast = smallCast): World {
  // Short, so that the times at which something happens are few.
  const times = { recordingServiceGraceSeconds: 5, startGraceSeconds: 6 };
  const pool = failoverPool('pool').spec({ ...times, failback: { mode: 'None', stableSeconds: 30 } });
  const objects: Objects = {
    pools: byName([pool.build()]),
    servers: byName(cast.servers.map((builder) => builder.build())),
    cameras: byName(cast.cameras),
    reports: {},
    backups: {},
    pods: {},
    leases: {},
    claims: {},
  };
  return {
    now: 1_000_000,
    wallSkewMs: 0,
    apiAnswers: true,
    version: 100,
    objects: frozen(objects),
    recorders: {},
    leader: freshReplica,
    truth: { heardAt: {}, provedEpoch: {}, takeovers: [] },
  };
}
