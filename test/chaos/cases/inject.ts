import { leaderLease } from '../operator/replica.js';
import type { Supervisor } from '../operator/supervisor.js';
import type { FaultProxy } from '../proxy/fault-proxy.js';
import type { Fault, WatchFault } from '../proxy/faults.js';
import { type ApiRequest, identityOf } from '../proxy/request.js';
import { allKinds, type FaultCase, type WatchFaultName, type WriteFault } from './case.js';

/** How long a successor that was given old lists acts on them. Milliseconds. */
const staleMs = 1_200;

/** A fault at work. */
export interface Armed {
  /** The fault has struck. */
  hit(): boolean;
  /** The workload is over: what the fault has kept back until now comes. */
  release?(): Promise<void>;
  /** Laws that are judged at the very end. */
  judge?(): string[];
}

interface Scene {
  readonly proxy: FaultProxy;
  readonly supervisor: Supervisor;
}

type WriteCase = Extract<FaultCase, { readonly write: string }>;

function answer(status: number, reason: string, retryAfterSeconds?: number): Fault {
  return { kind: 'answer', status, reason, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) };
}

/** The fault of the write, and what happens in the moment when it hits. */
const strikes: Readonly<Record<Exclude<WriteFault, `leader-${string}`>, (scene: Scene) => Strike>> = {
  'crash-before': ({ supervisor }) => ({ fault: { kind: 'cutBefore' }, onHit: () => supervisor.crash() }),
  'crash-after': ({ supervisor }) => ({ fault: { kind: 'cutAfter' }, onHit: () => supervisor.crash() }),
  'crash-stale': (scene) => ({ fault: { kind: 'cutAfter' }, onHit: () => crashIntoThePast(scene) }),
  cut: () => ({ fault: { kind: 'cutBefore' } }),
  'applied-cut': () => ({ fault: { kind: 'cutAfter' } }),
  'applied-timeout': () => ({ fault: { kind: 'hangAfter' } }),
  timeout: () => ({ fault: { kind: 'hangBefore' } }),
  conflict: () => ({ fault: answer(409, 'Conflict') }),
  'too-many-requests': () => ({ fault: answer(429, 'TooManyRequests', 1) }),
  'server-error': () => ({ fault: answer(500, 'InternalError') }),
  'watches-expire': ({ proxy }) => ({ fault: { kind: 'pass' }, onHit: () => proxy.expireWatches() }),
  'watches-cut': ({ proxy }) => ({ fault: { kind: 'pass' }, onHit: () => proxy.cutWatches() }),
};

interface Strike {
  readonly fault: Fault;
  readonly onHit?: () => unknown;
}

function crashIntoThePast({ supervisor, proxy }: Scene): void {
  supervisor.crash(() => {
    proxy.serveStaleLists(undefined);
    proxy.injectIntoWatches({ resource: undefined, fault: { kind: 'lag', ms: staleMs } });
    setTimeout(() => proxy.heal(), staleMs);
  });
}

function matcherOf({ write }: WriteCase): (request: ApiRequest) => boolean {
  return (request) => identityOf(request) === write;
}

/** Arms a fault of one write, before the operator starts. */
export function armWriteFault(one: WriteCase, scene: Scene): Armed {
  if (one.fault === 'leader-frozen' || one.fault === 'leader-late-write') return armFrozenLeader(one, scene);
  const { fault, onHit } = strikes[one.fault](scene);
  const hit = scene.proxy.inject({
    matches: matcherOf(one),
    fault,
    skip: one.occurrence,
    ...(onHit === undefined ? {} : { onHit }),
  });
  return { hit };
}

/** Law 2: of a leader that stood still beyond its Lease, nothing new reaches the API server. */
function armFrozenLeader(one: WriteCase, { proxy, supervisor }: Scene): Armed {
  const late = Promise.withResolvers<void>();
  let frozen: string | undefined;
  let thawedTime = Number.POSITIVE_INFINITY;
  const freeze = ({ replica }: ApiRequest): void => {
    frozen = replica;
    proxy.freeze(replica);
    supervisor.all.find(({ name }) => name === replica)?.freeze();
  };
  const fault: Fault = one.fault === 'leader-frozen' ? { kind: 'pass' } : { kind: 'detain', until: late.promise };
  const hit = proxy.inject({ matches: matcherOf(one), fault, skip: one.occurrence, onHit: freeze });
  return {
    hit,
    async release() {
      if (frozen === undefined) return;
      thawedTime = performance.now();
      late.resolve();
      proxy.thaw(frozen);
      supervisor.all.find(({ name }) => name === frozen)?.thaw();
    },
    judge: () =>
      proxy.writes
        .filter(({ replica, time, request }) => replica === frozen && time > thawedTime && request.name !== leaderLease)
        .map(({ identity }) => `law 2: a leader that had been replaced wrote: ${identity}`),
  };
}

const faultOfWatches: Readonly<Record<Exclude<WatchFaultName, 'expire'>, WatchFault>> = {
  lag: { kind: 'lag', ms: 700 },
  coalesce: { kind: 'coalesce', ms: 700 },
  lose: { kind: 'lose', count: 4 },
  mute: { kind: 'mute' },
};

/** Lets the watches of a kind suffer, once the system is ready. */
export function armWatchFault(fault: WatchFaultName, kind: string, proxy: FaultProxy): void {
  const resource = kind === allKinds ? undefined : kind;
  if (fault === 'expire') proxy.expireWatches(resource);
  else proxy.injectIntoWatches({ resource, fault: faultOfWatches[fault] });
  // What has fallen silent stays so; the next watch of the kind speaks again, as after a reconnect.
  if (fault === 'mute') proxy.heal();
}
