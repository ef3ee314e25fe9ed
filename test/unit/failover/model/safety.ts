import type {
  CurrentFailover,
  FailoverPool,
  FailoverPoolStatus,
  QueueEntry,
  Role,
} from '../../../../src/crds/index.js';
import { reasons } from '../../../../src/crds/index.js';
import { camerasOfRole, substituteShare } from '../../../../src/failover/cameras.js';
import { isMoveCause } from '../../../../src/failover/causes.js';
import { heldRoles, isHolder } from '../../../../src/failover/roles.js';
import { healthSettings } from '../../../../src/failover/settings.js';
import { able, orderOf } from './recorder.js';
import { healths, poolInput } from './replica.js';
import { viewOfCamera } from './seen.js';
import { recordersOf } from './truth.js';
import type { Recorder, World } from './world.js';

/** How long the proof of a takeover is waited for. Milliseconds. */
const PROOF_MS = 30_000;

/** One step that was taken. */
export interface Taken {
  readonly before: World;
  readonly after: World;
}

/** What must hold after every step: the sentence that it breaks, or undefined. */
type Invariant = (taken: Taken) => string | undefined;

/** A rule about each pool whose status a step has changed. */
function ofPools(
  judge: (pool: FailoverPool, before: FailoverPoolStatus, taken: Taken) => string | undefined,
): Invariant {
  return (taken) => {
    for (const [name, pool] of Object.entries(taken.after.objects.pools)) {
      const known = taken.before.objects.pools[name];
      if (known === undefined || known.status === pool.status) continue;
      const broken = judge(pool, known.status ?? {}, taken);
      if (broken !== undefined) return broken;
    }
    return undefined;
  };
}

/** The takeover that this step has committed, if it has. */
function newTakeover(pool: FailoverPool, before: FailoverPoolStatus): CurrentFailover | undefined {
  const current = pool.status?.current;
  const fresh = current !== undefined && !before.history?.some(({ epoch }) => epoch === current.epoch);
  return fresh && current.epoch !== before.current?.epoch && before.epoch !== undefined ? current : undefined;
}

const oneHolderARole = ofPools((pool, _before, { after }) => {
  const input = poolInput(after, pool.metadata.name);
  if (input === undefined) return undefined;
  const roles = heldRoles(input);
  if (new Set(roles.map(({ name }) => name)).size !== roles.length) return 'a role stands twice in the pool';
  for (const server of input.servers) {
    const held = roles.filter((role) => isHolder(role, server)).map(({ name }) => name);
    if (held.length > 1) return `${server.name} holds ${held.join(' and ')}`;
  }
  return undefined;
});

const epochsOnlyGrow = ofPools(({ status }, before) => {
  if (status?.epoch === undefined) return undefined;
  if (status.epoch < (before.epoch ?? 0)) return 'the epoch of the pool falls';
  const old = new Map((before.roles ?? []).map((role) => [role.name, role]));
  const fallen = (role: Role) => role.epoch < (old.get(role.name)?.epoch ?? 0) || role.epoch > (status.epoch ?? 0);
  const wrong = status.roles?.find(fallen);
  if (wrong !== undefined) return `the role ${wrong.name} is at epoch ${wrong.epoch}, which is older or not decided`;
  const changed = status.roles?.find(
    (role) =>
      old.has(role.name) && role.holder !== old.get(role.name)?.holder && role.epoch === old.get(role.name)?.epoch,
  );
  return changed && `the role ${changed.name} has another holder at the same epoch`;
});

const onlyFitStandbysTakeOver = ofPools((pool, before, taken) => {
  const current = newTakeover(pool, before);
  const input = poolInput(taken.before, pool.metadata.name);
  if (current === undefined || input === undefined) return undefined;
  const standby = input.servers.find(({ name }) => name === current.standby);
  if (standby === undefined) return `${current.standby} takes over and is not there`;
  if (standby.health.verdict !== 'Healthy') return `${standby.name} takes over and is ${standby.health.verdict}`;
  if (!standby.member || standby.deleting) return `${standby.name} takes over and is not of the pool`;
  if (standby.spec.operatingMode !== 'Normal') return `${standby.name} takes over in maintenance`;
  const home = input.servers.find(({ name }) => name === current.role);
  const paths = (server: typeof standby) => server.spec.volumes.map(({ mountPath }) => mountPath).join();
  if (home !== undefined && paths(home) !== paths(standby)) return `${standby.name} takes over and mounts other paths`;
  const roles = heldRoles({ ...input, status: pool.status ?? {} });
  const busy = roles.find((role) => isHolder(role, standby) && role.name !== current.role);
  return busy && `${standby.name} takes over ${current.role} and holds ${busy.name}`;
});

/** Nobody who is heard is replaced for silence, whatever the operator has missed. */
const silenceIsReal = ofPools((pool, before, { before: world }) => {
  const current = newTakeover(pool, before);
  if (current?.trigger !== 'Unreachable') return undefined;
  const spec = world.objects.servers[current.server]?.spec;
  const holder = before.roles?.find(({ name }) => name === current.role)?.holder ?? current.role;
  const heardAt = world.truth.heardAt[current.server];
  if (spec === undefined || heardAt === undefined || holder !== current.server) return undefined;
  // It was queued for silence, and is broken by something else by now.
  if (healths(world)(current.server).trigger !== 'Unreachable') return undefined;
  const silentMs = world.now - heardAt;
  const { timeoutSeconds } = healthSettings(spec, pool.spec);
  return silentMs < timeoutSeconds * 1000
    ? `${current.server} is replaced as Unreachable, and its last heartbeat is ${silentMs} ms old`
    : undefined;
});

const nothingMovesUnderHold = ofPools((pool, before) => {
  if (!pool.spec.paused) return undefined;
  const current = newTakeover(pool, before);
  if (current !== undefined) return `${current.standby} takes over while the pool is paused`;
  // A planned move may be undone: the previous holder has never stopped.
  if (before.current !== undefined && isMoveCause(before.current.trigger)) return undefined;
  const kept = before.current?.step !== 'TakingOver' || pool.status?.current !== undefined;
  return kept || !pool.status?.roles?.some(({ name }) => name === before.current?.role)
    ? undefined
    : 'a takeover is given up while the pool is paused';
});

/** A planned move never goes before a broken server that could be served, and takes the role from a healthy holder. */
const plannedMovesWait = ofPools((pool, before, { before: world }) => {
  const current = newTakeover(pool, before);
  if (current === undefined || !isMoveCause(current.trigger)) return undefined;
  if (before.current !== undefined && before.current.step === 'TakingOver')
    return `${current.role} is moved by plan while another takeover runs`;
  const { verdict } = healths(world)(current.server);
  return verdict === 'Broken' ? `${current.role} is moved by plan from ${current.server}, which is broken` : undefined;
});

/** In a storm nobody is replaced for silence; disks and services are no part of it. */
const stormsHold = ofPools((pool, before, { before: world }) => {
  const current = newTakeover(pool, before);
  const { hold } = pool.status ?? {};
  if (current?.trigger !== 'Unreachable' || hold === undefined || hold.releasedTime !== undefined) return undefined;
  const silent = world.recorders[current.server];
  const holder = before.roles?.find(({ name }) => name === current.role)?.holder ?? current.role;
  if (silent === undefined || holder !== current.server || !able(silent)) return undefined;
  return `${current.standby} takes over from ${current.server}, which is silent, while a storm holds failovers`;
});

/** Half a system is decided upon by nobody: what the restore has written stands until it has ended, or is too old. */
const restoresAreLeftAlone = ofPools((pool, before) => {
  const now = pool.status;
  if (before.restore === undefined || now?.restore?.sha256 !== before.restore.sha256) return undefined;
  const decided = (['epoch', 'roles', 'current', 'queue'] as const).find(
    (field) => JSON.stringify(now[field]) !== JSON.stringify(before[field]),
  );
  return decided && `the ${decided} of the pool changes while a restore runs`;
});

const mayBePassed = [reasons.NoStandby, reasons.NoCompatibleStandby, reasons.NotYetObserved, reasons.StormHold];

const queueInOrder = ofPools((pool, before) => {
  const queue = pool.status?.queue ?? [];
  const times = queue.map(({ brokenTime }) => Date.parse(brokenTime));
  if (times.some((time, index) => index > 0 && time < (times[index - 1] ?? 0))) return 'the queue is out of order';
  if (new Set(queue.map(({ role }) => role)).size !== queue.length) return 'a role is queued twice';
  const current = newTakeover(pool, before);
  if (current === undefined) return undefined;
  const passed = (entry: QueueEntry) =>
    Date.parse(entry.brokenTime) < Date.parse(current.brokenTime ?? current.committedTime);
  const waits = (entry: QueueEntry) => mayBePassed.some((reason) => entry.waitingFor?.startsWith(`${reason}:`));
  const wrong = queue.find((entry) => passed(entry) && !waits(entry));
  return wrong && `${current.server} is served before ${wrong.server}, which waits for ${wrong.waitingFor}`;
});

const oneBackupAFailover: Invariant = ({ after }) => {
  const epochs = Object.values(after.objects.backups).map(({ spec }) => spec.epoch ?? 0);
  if (new Set(epochs).size !== epochs.length) return 'a failover has two Backups';
  const unknown = epochs.find((epoch) => !after.truth.takeovers.includes(epoch));
  return unknown === undefined ? undefined : `the Backup of epoch ${unknown} belongs to no failover`;
};

/** A person has asked for it: the camera, its home, or the server was changed or taken away. */
function askedFor(world: World, recorder: Recorder, role: string, camera: string): boolean {
  const spec = world.objects.cameras[camera]?.spec;
  const server = world.objects.servers[recorder.server];
  if (spec === undefined || spec.serverRef.name !== role || server === undefined) return true;
  if (role === recorder.server) return server.spec.type === 'Failover';
  const views = Object.values(world.objects.cameras).map(viewOfCamera);
  const cameras = camerasOfRole(
    views.map(({ metadata, spec: viewed }) => ({ name: metadata.name, spec: viewed })),
    role,
  );
  return substituteShare(cameras, server.spec.capacity?.cameras).left.some(({ camera: left }) => left.name === camera);
}

/**
 * Another holder has proved that it records the role, or the bounded wait for its proof has ended. That one may be dead
 * by now: who was cut off all the while and comes back after its handover stops at once, and the next one records.
 */
function handedOver(world: World, recorder: Recorder, role: string): boolean {
  const since = orderOf(recorder).epoch;
  if ((world.truth.provedEpoch[role] ?? 0) > since && !holds(world, recorder, role)) return true;
  return Object.values(world.objects.pools).some(({ status }) => {
    const entry = status?.roles?.find(({ name }) => name === role);
    if (entry?.handedOverTime === undefined || isHolder(entry, { name: recorder.server, uid: uidOf(world, recorder) }))
      return false;
    return Date.parse(entry.handedOverTime) - Date.parse(entry.startTime) >= PROOF_MS;
  });
}

function holds(world: World, recorder: Recorder, role: string): boolean {
  const self = { name: recorder.server, uid: uidOf(world, recorder) };
  return Object.values(world.objects.pools).some(({ status }) =>
    status?.roles?.some((entry) => entry.name === role && isHolder(entry, self)),
  );
}

function uidOf(world: World, recorder: Recorder): string {
  return world.objects.servers[recorder.server]?.metadata.uid ?? '';
}

function inMaintenance(world: World, { server }: Recorder): boolean {
  return world.objects.servers[server]?.spec.operatingMode === 'Maintenance';
}

/** Law 6: no recording stops by a decision unless its new holder has proved it, or a person has asked for it. */
const overlapBeforeGap: Invariant = ({ before, after }) => {
  for (const recorder of Object.values(before.recorders)) {
    const next = after.recorders[recorder.server];
    if (next === undefined || next.podUID !== recorder.podUID || !able(recorder) || !able(next)) continue;
    // The API server names another pod of this server: the one that is meant records, or is about to.
    if (orderOf(next).displaced) continue;
    const { role } = orderOf(recorder);
    for (const camera of recorder.running) {
      if (next.running.includes(camera) || recordersOf(after, camera).length > 0) continue;
      if (
        inMaintenance(after, recorder) ||
        askedFor(after, recorder, role, camera) ||
        handedOver(after, recorder, role)
      )
        continue;
      return `${recorder.server} stops recording ${camera}, and nobody else has proved that it records it`;
    }
  }
  return undefined;
};

/** Maintenance takes a pod away only when what it still records is recorded elsewhere. */
const podsGoIdle: Invariant = ({ before, after }) => {
  for (const recorder of Object.values(before.recorders)) {
    const { server, running } = recorder;
    const taken = before.objects.pods[server] !== undefined && after.objects.pods[server] === undefined;
    if (!taken || after.objects.servers[server] === undefined) continue;
    const { role } = orderOf(recorder);
    const elsewhere = (camera: string): boolean =>
      recordersOf(after, camera).length > 0 || askedFor(after, recorder, role, camera);
    const lost = handedOver(after, recorder, role) ? undefined : running.find((camera) => !elsewhere(camera));
    // Without a pool there is nobody to move the role to, so the mode alone counts.
    if (lost !== undefined && after.objects.servers[server].spec.poolRef !== undefined)
      return `the operator takes away the pod of ${server}, which alone records ${lost}`;
  }
  return undefined;
};

/** What only people write is the same object as before, unless a person has changed it. */
const specsUntouched: Invariant = ({ before, after }) => {
  for (const kind of ['servers', 'pools', 'cameras'] as const)
    for (const [name, object] of Object.entries(after.objects[kind])) {
      const known = before.objects[kind][name];
      if (known === undefined || known.metadata.generation !== object.metadata.generation) continue;
      if (known.metadata.uid === object.metadata.uid && known.spec !== object.spec)
        return `the spec of ${name} was written`;
    }
  return undefined;
};

/** All that must hold after every step. A new kind of move adds its own. */
export const invariants: Readonly<Record<string, Invariant>> = {
  'one holder a role': oneHolderARole,
  'epochs only grow': epochsOnlyGrow,
  'only fit standbys take over': onlyFitStandbysTakeOver,
  'silence is real': silenceIsReal,
  'nothing moves under hold': nothingMovesUnderHold,
  'planned moves wait': plannedMovesWait,
  'a storm holds': stormsHold,
  'a restore is left alone': restoresAreLeftAlone,
  'the queue is in order': queueInOrder,
  'at most one Backup a failover': oneBackupAFailover,
  'overlap before gap': overlapBeforeGap,
  'pods that record stay': podsGoIdle,
  'specs are untouched': specsUntouched,
};

/** The first invariant that the step breaks, in words. */
export function violationOf(taken: Taken): string | undefined {
  for (const [name, holds] of Object.entries(invariants)) {
    const broken = holds(taken);
    if (broken !== undefined) return `${name}: ${broken}`;
  }
  return undefined;
}
