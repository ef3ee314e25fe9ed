import { binds, decides, projects } from './replica.js';
import type { Step } from './steps.js';
import {
  bootedRecorder,
  changeObjects,
  changeRecorder,
  freshReplica,
  frozen,
  put,
  type Recorder,
  seenBy,
  type World,
} from './world.js';

/** A disturbance and what undoes it: `repair` is offered as long as it would change something. */
export interface Fault {
  readonly fault: Step;
  readonly repair?: Step;
}

function ifRecorder(server: string, change: (recorder: Recorder) => Partial<Recorder> | undefined) {
  return (world: World): World | undefined => {
    const recorder = world.recorders[server];
    const changed = recorder && change(recorder);
    return changed === undefined ? undefined : changeRecorder(world, server, changed);
  };
}

/** It starts again with what its volume remembers; only a disk that works remembers anything. */
function rebooted(recorder: Recorder, podUID: string): Recorder {
  const { remembered, diskWorks, listed, server } = recorder;
  const known = diskWorks && remembered !== undefined ? { ...remembered, origin: 'volume' as const } : undefined;
  return { ...bootedRecorder(server, podUID), known, remembered, listed };
}

export const powerCut = (server: string): Fault => ({
  fault: {
    name: `power cut of ${server}`,
    apply: ifRecorder(server, ({ alive }) => (alive ? { alive: false, running: [] } : undefined)),
  },
  repair: {
    name: `${server} has power again`,
    apply: ifRecorder(server, (recorder) => (recorder.alive ? undefined : rebooted(recorder, recorder.podUID))),
  },
});

export const cutOff = (server: string): Fault => ({
  fault: {
    name: `${server} is cut off from the API server and goes on recording`,
    apply: ifRecorder(server, ({ alive, connected }) => (alive && connected ? { connected: false } : undefined)),
  },
  repair: {
    name: `${server} reaches the API server again`,
    apply: ifRecorder(server, ({ alive, connected }) =>
      alive && !connected ? { connected: true, owesHeartbeat: true } : undefined,
    ),
  },
});

export const disksDie = (server: string): Fault => ({
  fault: {
    name: `all disks of ${server} die`,
    apply: ifRecorder(server, ({ alive, diskWorks }) =>
      alive && diskWorks ? { diskWorks: false, running: [] } : undefined,
    ),
  },
  repair: {
    name: `the disks of ${server} work again`,
    apply: ifRecorder(server, ({ alive, diskWorks }) => (alive && !diskWorks ? { diskWorks: true } : undefined)),
  },
});

export const serviceFails = (server: string): Fault => ({
  fault: {
    name: `the recording service of ${server} fails`,
    apply: ifRecorder(server, ({ alive, serviceWorks }) =>
      alive && serviceWorks ? { serviceWorks: false, running: [] } : undefined,
    ),
  },
  repair: {
    name: `the recording service of ${server} works again`,
    apply: ifRecorder(server, ({ alive, serviceWorks }) =>
      alive && !serviceWorks ? { serviceWorks: true } : undefined,
    ),
  },
});

/** Its pod is gone and another stands in its place, on the same disks. */
export const podReplaced = (server: string): Fault => ({
  fault: {
    name: `the pod of ${server} is replaced`,
    apply: (world) => {
      const [pod, recorder] = [world.objects.pods[server], world.recorders[server]];
      if (pod === undefined || recorder === undefined) return undefined;
      const uid = `pod-${server}-${world.version}`;
      const version = world.version + 1;
      const pods = put(world.objects.pods, server, frozen({ ...pod, metadata: { ...pod.metadata, uid } }));
      const recorders = put(world.recorders, server, { ...rebooted(recorder, uid), diskWorks: recorder.diskWorks });
      return { ...changeObjects(world, { pods }), recorders, version };
    },
  },
});

export const operatorDies: Fault = {
  fault: {
    name: 'the operator dies; another starts with an empty memory',
    apply: (world) => ({ ...world, leader: freshReplica }),
  },
};

export const operatorDiesAfterCommit: Fault = {
  fault: {
    name: 'the operator decides over pool, commits, and dies',
    apply: (world) => decides(world, 'pool', 'leader', true),
  },
};

export const poolStatusLost: Fault = {
  fault: {
    name: 'the status of the pool is lost',
    apply: (world) => {
      const { pool } = world.objects.pools;
      if (pool?.status === undefined) return undefined;
      const { status: _lost, ...rest } = pool;
      const version = world.version + 1;
      const metadata = { ...pool.metadata, resourceVersion: String(version) };
      return {
        ...changeObjects(world, { pools: put(world.objects.pools, 'pool', frozen({ ...rest, metadata })) }),
        version,
      };
    },
  },
};

export const serverStatusLost = (server: string): Fault => ({
  fault: {
    name: `the status of ${server} is lost`,
    apply: (world) => {
      const known = world.objects.servers[server];
      if (known?.status === undefined) return undefined;
      const { status: _lost, ...rest } = known;
      return changeObjects(world, { servers: put(world.objects.servers, server, frozen(rest)) });
    },
  },
});

export const leaseDeleted = (server: string): Fault => ({
  fault: {
    name: `the Lease of ${server} is deleted`,
    apply: (world) =>
      world.objects.leases[server] === undefined
        ? undefined
        : changeObjects(world, { leases: put(world.objects.leases, server, undefined) }),
  },
});

export const apiOutage: Fault = {
  fault: {
    name: 'the API server stops answering',
    apply: (world) => (world.apiAnswers ? { ...world, apiAnswers: false } : undefined),
  },
  repair: {
    name: 'the API server answers again',
    apply: (world) => (world.apiAnswers ? undefined : { ...world, apiAnswers: true }),
  },
};

export const wallJumps = (days: number): Fault => ({
  fault: {
    name: `the wall clock of the operator jumps by ${days} days`,
    apply: (world) => ({ ...world, wallSkewMs: world.wallSkewMs + days * 86_400_000 }),
  },
});

/** The leader is stopped, and a replica that has watched all along leads; what the first one does later is late. */
export const leaderStalls: Fault = {
  fault: {
    name: 'the leader is stopped and another leads',
    apply: (world) => {
      if (world.stale !== undefined || !world.apiAnswers) return undefined;
      const { leader } = world;
      return { ...world, stale: { ...leader, view: seenBy(world, leader) }, leader: { ...leader, memories: {} } };
    },
  },
};

/** What the recorders write reaches the leader no more, or some of it; what it writes itself it knows. */
export const watchHangs = (...kinds: ('reports' | 'leases' | 'backups')[]): Fault => ({
  fault: {
    name: `the leader's watch of ${kinds.join(' and ')} hangs`,
    apply: ({ leader, ...world }) => {
      if (leader.view !== undefined) return undefined;
      const view = Object.fromEntries(kinds.map((kind) => [kind, world.objects[kind]]));
      return { ...world, leader: { ...leader, view } };
    },
  },
  repair: {
    name: "the leader's watches go on",
    apply: ({ leader: { view, ...leader }, ...world }) => (view === undefined ? undefined : { ...world, leader }),
  },
});

/** The late writes of the one that led before; each can come at any moment, and only once. */
export function lateWrites(world: World): Step[] {
  if (world.stale === undefined) return [];
  const { view } = world.stale;
  const once = (name: string, write: (now: World) => World | undefined): Step => ({
    name: `the leader that was stopped ${name}`,
    apply: (now) => {
      const { stale: _gone, ...rest } = write(now) ?? now;
      return rest;
    },
  });
  return [
    once('commits what it had decided', (now) => decides(now, 'pool', 'stale')),
    ...Object.keys(view?.servers ?? {}).map((server) =>
      once(`projects ${server} as it had seen it`, (now) => projects(now, server, 'stale')),
    ),
    once('binds the cameras as it had seen them', (now) => binds(now, 'stale')),
  ];
}
