import { type Backup, childNames, type FailoverPool, FIELD_MANAGER, labels } from '../../../../src/crds/index.js';
import { substituteShare } from '../../../../src/failover/cameras.js';
import { judge } from '../../../../src/failover/health/health.js';
import type { PoolDecision, PoolInput, ServerHealth } from '../../../../src/failover/types.js';
import { planCamera } from '../../../../src/reconcilers/camera-assignment/reconciler.js';
import { gatherPool } from '../../../../src/reconcilers/failover-pool/gather.js';
import { planPool } from '../../../../src/reconcilers/failover-pool/plan.js';
import { settingsOf } from '../../../../src/reconcilers/observations.js';
import { gather } from '../../../../src/reconcilers/recording-server/gather.js';
import { planLease } from '../../../../src/reconcilers/recording-server/lease-plan.js';
import { ownedBy } from '../../../../src/reconcilers/recording-server/objects/metadata.js';
import { podMustGo } from '../../../../src/reconcilers/recording-server/pod-plan.js';
import { planStatus } from '../../../../src/reconcilers/recording-server/status.js';
import { onSubstitute, resolveRole } from '../../../../src/reconcilers/roles.js';
import { indexes, type Stores } from '../../../../src/reconcilers/stores.js';
import { type Answer, patchCameraStatus, patchServerStatus, replacePoolStatus } from './api.js';
import { storesOf } from './seen.js';
import {
  bootedRecorder,
  changeObjects,
  freshReplica,
  frozen,
  NAMESPACE,
  put,
  type Replica,
  seenBy,
  type World,
  wallOf,
} from './world.js';

/** The leader, or the one that led before and goes on with what it saw. */
export type Who = 'leader' | 'stale';

/** The real rules asked for something that the API server has to refuse: found as a violation, not passed over. */
export class Refused extends Error {}

interface Eyes {
  readonly replica: Replica;
  readonly stores: Stores;
  readonly now: number;
  readonly wall: Date;
}

function eyesOf(world: World, who: Who): Eyes | undefined {
  const replica = world[who];
  if (replica === undefined || (who === 'leader' && !world.apiAnswers)) return undefined;
  // What the stopped one does late was worked out when it was stopped.
  const now = who === 'stale' ? (replica.contact?.last ?? world.now) : world.now;
  const wall = new Date(wallOf(world).getTime() - world.now + now);
  return { replica, stores: storesOf(seenBy(world, replica)), now, wall };
}

function healthIn({ replica, stores, now }: Eyes): (key: string) => ServerHealth {
  return (key) => {
    const name = key.slice(NAMESPACE.length + 1);
    return judge(replica.observations[name], settingsOf(stores, key), now, replica.contact);
  };
}

/** How the leader judges every server now. */
export function healths(world: World): (server: string) => ServerHealth {
  const eyes: Eyes = {
    replica: world.leader,
    stores: storesOf(seenBy(world, world.leader)),
    now: world.now,
    wall: wallOf(world),
  };
  const healthOf = healthIn(eyes);
  return (server) => healthOf(`${NAMESPACE}/${server}`);
}

function accepted(who: Who, answer: Answer, world: World): World | undefined {
  if ('world' in answer) return answer.world === world ? undefined : answer.world;
  if (who === 'leader') throw new Refused(`the API server refuses what the rules ask for: ${answer.why}`);
  return undefined;
}

export function poolInput(world: World, poolName: string, who: Who = 'leader'): PoolInput | undefined {
  const eyes = eyesOf(world, who);
  const pool = eyes?.stores.latestPools.get(`${NAMESPACE}/${poolName}`);
  if (eyes === undefined || pool === undefined) return undefined;
  const clock = { monotonic: () => eyes.now, wall: () => eyes.wall };
  const memory = eyes.replica.memories[poolName] ?? new Map();
  const contact = () => eyes.replica.contact;
  return gatherPool({ stores: eyes.stores, healthOf: healthIn(eyes), contact }, pool, memory, clock);
}

/**
 * Law 7: before it relies on a silence, the leader reads the Lease uncached, as `confirmation.ts` does. True when it
 * shows the renewal that was judged, or one that is older than the timeout since it was first read.
 */
function confirms(world: World, replica: Replica, server: string): { silent: boolean; replica: Replica } {
  const lease = world.objects.leases[server];
  if (lease === undefined) return { silent: false, replica };
  const { renewTime } = lease;
  const { unseen } = replica;
  if (renewTime === replica.observations[server]?.renewal?.renewTime)
    return { silent: true, replica: { ...replica, unseen: put(unseen, server, undefined) } };
  const known = unseen[server];
  if (known === undefined || known.renewTime !== renewTime)
    return { silent: false, replica: { ...replica, unseen: put(unseen, server, { renewTime, readAt: world.now }) } };
  return { silent: world.now - known.readAt >= timeoutMs(world, server), replica };
}

/** Milliseconds of silence that are a failure of this server. */
export function timeoutMs(world: World, server: string): number {
  return settingsOf(storesOf(world.objects), `${NAMESPACE}/${server}`).timeoutSeconds * 1000;
}

/** Plans until every silence that the plan relies on is confirmed; one that is not makes its server late. */
function planConfirmed(world: World, first: Replica, pool: FailoverPool, input: PoolInput) {
  const doubted = new Set<string>();
  let replica = first;
  for (;;) {
    const servers = input.servers.map((server) =>
      doubted.has(server.name)
        ? { ...server, health: { ...server.health, verdict: 'Late' as const, trigger: undefined, suspected: false } }
        : server,
    );
    const plan = planPool(pool, { ...input, servers });
    const before = doubted.size;
    for (const server of plan.status === undefined ? [] : plan.decision.confirmSilence) {
      const answer = confirms(world, replica, server);
      replica = answer.replica;
      if (!answer.silent) doubted.add(server);
    }
    if (doubted.size === before) return { plan, replica };
  }
}

function withBackup(world: World, pool: FailoverPool, order: PoolDecision['createBackup']): World {
  if (order?.reason !== 'Failover' || world.objects.backups[order.name] !== undefined) return world;
  const backup: Backup = {
    metadata: { name: order.name, namespace: NAMESPACE },
    spec: { poolRef: { name: pool.metadata.name }, reason: 'Failover', epoch: order.epoch },
  };
  return changeObjects(world, { backups: put(world.objects.backups, order.name, frozen(backup)) });
}

/** One pass over a pool. `dies`: the operator dies right after the commit, before anything that follows from it. */
export function decides(world: World, poolName: string, who: Who = 'leader', dies = false): World | undefined {
  const input = poolInput(world, poolName, who);
  const before = world[who];
  const pool = before && seenBy(world, before).pools[poolName];
  if (input === undefined || before === undefined || pool === undefined) return undefined;
  const { plan, replica } = planConfirmed(world, before, pool, input);
  const { decision, status } = plan;
  let next = world;
  if (status !== undefined) {
    const committed = accepted(who, replacePoolStatus(world, pool, status), world);
    if (committed === undefined) return undefined;
    next = committed;
    const { current } = status;
    if (current !== undefined && !world.truth.takeovers.includes(current.epoch))
      next = { ...next, truth: { ...next.truth, takeovers: [...next.truth.takeovers, current.epoch] } };
  }
  if (dies) return status === undefined ? undefined : { ...next, leader: freshReplica };
  next = withBackup(next, pool, decision.createBackup);
  if (who === 'stale') return next === world ? undefined : next;
  const memories = put(replica.memories, poolName, sameMemory(replica.memories[poolName], decision.memory));
  const same = memories === before.memories && replica.unseen === before.unseen;
  return next === world && same ? undefined : { ...next, leader: { ...replica, memories } };
}

function sameMemory(before: PoolDecision['memory'] | undefined, after: PoolDecision['memory']): PoolDecision['memory'] {
  const same = before?.size === after.size && [...after].every(([name, start]) => before.get(name) === start);
  return same && before !== undefined ? before : after;
}

function withPodAndClaims(world: World, server: string): World {
  const { servers, pods, claims } = world.objects;
  const subject = servers[server];
  if (subject === undefined || pods[server] !== undefined) return world;
  const uid = `pod-${server}-${world.version}`;
  const metadata = { namespace: NAMESPACE, labels: { [labels.managedBy]: FIELD_MANAGER } };
  const made = subject.spec.volumes.map(({ name }) => ({
    metadata: { ...metadata, name: childNames.claim(name, server), uid: `claim-${server}` },
    phase: 'Bound' as const,
  }));
  const pod = {
    metadata: { ...metadata, name: server, uid, ownerReferences: [ownedBy(subject)] },
    server,
    phase: 'Running' as const,
    nodeName: `node-${server}`,
    ready: true,
    restartCount: 0,
  };
  const bound = made.reduce(
    (all, claim) => put(all, claim.metadata.name, claims[claim.metadata.name] ?? claim),
    claims,
  );
  const changed = changeObjects(world, { pods: put(pods, server, pod), claims: bound });
  return { ...changed, recorders: put(world.recorders, server, bootedRecorder(server, uid)) };
}

function withLease(world: World, server: string, plan: ReturnType<typeof planLease>): World {
  if (plan.kind === 'none') return world;
  const { leases, servers } = world.objects;
  const subject = servers[server];
  if (subject === undefined) return world;
  const live = leases[server];
  const owned = { namespace: NAMESPACE, ownerReferences: [ownedBy(subject)] };
  const version = world.version + 1;
  const wanted = plan.kind === 'create' ? plan.lease : (plan.patch as Pick<typeof plan, never> & LeasePatch);
  const annotations = wanted.metadata.annotations ?? {};
  const name = childNames.lease(server);
  const metadata = {
    uid: `lease-${server}-${version}`,
    ...owned,
    ...live?.metadata,
    name,
    annotations,
    resourceVersion: String(version),
  };
  const lease = {
    ...live,
    metadata,
    server,
    leaseDurationSeconds: wanted.spec.leaseDurationSeconds,
    role: annotations[labels.leaseServingRole] ?? '',
    epoch: Number(annotations[labels.leaseEpoch]),
  };
  return { ...changeObjects(world, { leases: put(leases, server, frozen(lease)) }), version };
}

interface LeasePatch {
  readonly metadata: { readonly annotations?: Record<string, string> };
  readonly spec: { readonly leaseDurationSeconds: number };
}

function serverSeen(eyes: Eyes, server: string) {
  const { stores } = eyes;
  const healthOf = healthIn(eyes);
  return gather(
    {
      stores,
      healthOf,
      observationOf: (key) => eyes.replica.observations[key.slice(NAMESPACE.length + 1)],
      // For people only, and worked out by the same `chooseStandby`: no part of the model.
      protectionOf: () => ({ status: 'Unknown', reason: 'NotYetObserved', message: '' }),
      now: () => eyes.wall,
    },
    `${NAMESPACE}/${server}`,
  );
}

/** One pass over a server: its objects, its Lease and its status. */
export function projects(world: World, server: string, who: Who = 'leader'): World | undefined {
  const eyes = eyesOf(world, who);
  const gathered = eyes && serverSeen(eyes, server);
  if (gathered === undefined) return undefined;
  const { name, uid } = gathered.server.metadata;
  const { status } = planStatus(gathered, undefined);
  const answer = patchServerStatus(world, { name, uid }, gathered.server.status, status);
  const written = accepted(who, answer, world) ?? world;
  const leased = withLease(written, server, planLease(gathered));
  if (who === 'stale') return leased === world ? undefined : leased;
  const next = podMustGo(gathered) ? withoutPod(leased, server) : withPodAndClaims(leased, server);
  return next === world ? undefined : next;
}

/** Milliseconds until the state of a server changes by time alone. */
export function serversDueMs(world: World): number[] {
  const eyes = eyesOf(world, 'leader');
  if (eyes === undefined) return [];
  return Object.keys(world.objects.servers)
    .map((server) => serverSeen(eyes, server))
    .map((gathered) => gathered && planStatus(gathered, undefined).state.nextCheckInMs)
    .filter((ms) => ms !== undefined);
}

/** The pod ends; so does its recorder. */
export function withoutPod(world: World, server: string): World {
  if (world.objects.pods[server] === undefined) return world;
  const gone = changeObjects(world, { pods: put(world.objects.pods, server, undefined) });
  return { ...gone, recorders: put(world.recorders, server, undefined) };
}

function leftBehindBy(stores: Stores, name: string, role: ReturnType<typeof resolveRole>) {
  const siblings = stores.cameras.byIndex(indexes.server, `${NAMESPACE}/${role.name}`);
  const views = siblings.map(({ metadata, spec }) => ({ name: metadata.name, spec }));
  const { left } = substituteShare(views, role.holder?.spec.capacity?.cameras);
  return left.find(({ camera }) => camera.name === name)?.reason;
}

function cameraPlan(eyes: Eyes, name: string) {
  const { stores } = eyes;
  const camera = stores.latestCameras.get(`${NAMESPACE}/${name}`);
  if (camera === undefined) return undefined;
  const role = resolveRole(stores, NAMESPACE, camera.spec.serverRef.name);
  const holder = role.holder?.metadata.name;
  const plan = planCamera({
    camera,
    previous: camera.status,
    role,
    leftBehind: onSubstitute(role) ? leftBehindBy(stores, name, role) : undefined,
    report: holder === undefined ? undefined : stores.reports.get(`${NAMESPACE}/${holder}`)?.status,
    health: holder === undefined ? undefined : healthIn(eyes)(`${NAMESPACE}/${holder}`),
    evidenceOf: (server) => ({
      report: stores.reports.get(`${NAMESPACE}/${server}`)?.status,
      health: stores.latestServers.get(`${NAMESPACE}/${server}`) && healthIn(eyes)(`${NAMESPACE}/${server}`),
    }),
    now: eyes.wall,
  });
  return { camera, plan };
}

/** A pass over every camera. */
export function binds(world: World, who: Who = 'leader'): World | undefined {
  const eyes = eyesOf(world, who);
  if (eyes === undefined) return undefined;
  let next = world;
  for (const name of Object.keys(seenBy(world, eyes.replica).cameras)) {
    const planned = cameraPlan(eyes, name);
    if (planned === undefined) continue;
    const answer = patchCameraStatus(next, name, planned.camera.status, planned.plan.status);
    next = accepted(who, answer, next) ?? next;
  }
  return next === world ? undefined : next;
}

/** Milliseconds until a camera's status changes by time alone. */
export function camerasDueMs(world: World): number[] {
  const eyes = eyesOf(world, 'leader');
  if (eyes === undefined) return [];
  return Object.keys(world.objects.cameras)
    .map((name) => cameraPlan(eyes, name)?.plan.recording.nextCheckInMs)
    .filter((ms) => ms !== undefined);
}

/** The baseline of the failover is written and read back. */
export function completesBackup(
  world: World,
  name: string,
  outcome: 'Complete' | 'Failed' = 'Complete',
): World | undefined {
  const backup = world.objects.backups[name];
  if (backup === undefined || backup.status !== undefined) return undefined;
  const lastTransitionTime = wallOf(world).toISOString();
  const condition = { type: outcome, status: 'True' as const, reason: outcome, message: '', lastTransitionTime };
  const done = { ...backup, status: { conditions: [condition] } };
  return changeObjects(world, { backups: put(world.objects.backups, name, frozen(done)) });
}
