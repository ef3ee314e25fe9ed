import { createHash } from 'node:crypto';
import type { CurrentFailover, FailoverPool } from '../../../../src/crds/index.js';
import type { Observation } from '../../../../src/failover/types.js';
import { type ByName, type Objects, type Replica, seenBy, type World, wallOf } from './world.js';

/**
 * When two states are the same: nothing that happens from now on tells them apart. Times become ages, cut off where an
 * older one makes no difference any more; epochs and times of breaking become their rank, because the rules compare
 * them and no more; words for people, versions and what is over (completed history) are left out.
 *
 * The names stay: a tie goes by name, so two servers that differ by name alone are not the same.
 */

/** The longest age that makes a difference, by what it is the age of. Milliseconds. */
const longest = {
  /** Timeout of one whose renewal was not witnessed (11 s), and the time until a fault is shown on cameras (10 s). */
  silence: 22_000,
  disks: 16_000,
  service: 16_000,
  contact: 12_000,
  answer: 4_000,
  stable: 31_000,
  proof: 31_000,
  retry: 61_000,
  baseline: 21_000,
  acknowledge: 6_000,
  start: 11_000,
  storm: 61_000,
  'storm-calm': 6_000,
  'storm-end': 61_000,
  restore: 601_000,
} as const;

/** Any other wait of the pool. Milliseconds. */
const LONGEST_WAIT_MS = 301_000;
/** A server that has been broken for longer is no part of a new storm. Milliseconds. */
const LONG_BROKEN_MS = 300_000;

/** Epochs in their order; 0 and 1 keep their meaning of "never" and "never moved". */
class Ranks {
  readonly #ranks: ReadonlyMap<number, number>;

  constructor(values: readonly (number | undefined)[], first: number) {
    const found = [...new Set(values.filter((value) => value !== undefined && value >= first))] as number[];
    this.#ranks = new Map(found.sort((a, b) => a - b).map((value, index) => [value, index + first]));
  }

  of(value: number | undefined): number | undefined {
    return value === undefined ? undefined : (this.#ranks.get(value) ?? value);
  }
}

function brokenTimes(objects: Objects): number[] {
  return Object.values(objects.pools).flatMap(({ status }) =>
    [...(status?.queue ?? []), ...(status?.current ? [status.current] : [])].flatMap(({ brokenTime }) =>
      brokenTime === undefined ? [] : [Date.parse(brokenTime)],
    ),
  );
}

function epochsOf(world: World, objects: Objects): (number | undefined)[] {
  return [
    ...Object.values(objects.pools).flatMap(({ status }) => [
      status?.epoch,
      status?.current?.epoch,
      ...(status?.roles ?? []).map(({ epoch }) => epoch),
    ]),
    ...Object.values(objects.servers).map(({ status }) => status?.epoch),
    ...Object.values(objects.leases).map(({ epoch }) => epoch),
    ...Object.values(objects.reports).map(({ status }) => status?.epoch),
    ...Object.values(objects.cameras).map(({ status }) => status?.boundTo?.epoch),
    ...Object.values(objects.backups).map(({ spec }) => spec.epoch),
    ...Object.values(world.recorders).flatMap(({ known, remembered }) => [known?.epoch, remembered?.epoch]),
  ];
}

const specs = new WeakMap<object, string>();

function specOf(object: { readonly spec: object }): string {
  const known = specs.get(object.spec);
  if (known !== undefined) return known;
  const text = JSON.stringify(object.spec);
  specs.set(object.spec, text);
  return text;
}

interface Scale {
  readonly world: World;
  readonly epochs: Ranks;
  readonly times: Ranks;
}

const each = <T>(entries: ByName<T>, view: (value: T, name: string) => unknown): unknown[] =>
  Object.keys(entries)
    .sort()
    .map((name) => [name, view(entries[name] as T, name)]);

function age(now: number, since: number | undefined, most: number): number | undefined {
  return since === undefined ? undefined : Math.min(now - since, most);
}

function poolView({ epochs, times, world }: Scale, pool: FailoverPool): unknown {
  const { status } = pool;
  const entry = ({
    role,
    server,
    trigger,
    brokenTime,
  }: Pick<CurrentFailover, 'role' | 'server' | 'trigger' | 'brokenTime'>) => [
    role,
    server,
    trigger,
    brokenTime && times.of(Date.parse(brokenTime)),
  ];
  const { current } = status ?? {};
  const open = new Set([...(status?.queue ?? []), ...(current ? [current] : [])].map(({ brokenTime }) => brokenTime));
  const tried = (status?.history ?? []).filter(
    ({ outcome, brokenTime }) => outcome === 'Superseded' && open.has(brokenTime),
  );
  return [
    specOf(pool),
    pool.metadata.generation,
    epochs.of(status?.epoch),
    status?.hold && [status.hold.releasedTime !== undefined, status.hold.reason],
    status?.restore?.sha256,
    current && [
      entry(current),
      current.standby,
      epochs.of(current.epoch),
      current.step,
      current.acknowledgedTime !== undefined,
    ],
    current && [current.boundTime !== undefined, current.failingBefore, current.unproved],
    (status?.queue ?? []).map((queued) => [entry(queued), queued.waitingFor?.split(':')[0]]),
    (status?.roles ?? []).map((role) => {
      const proved = (world.truth.provedEpoch[role.name] ?? 0) >= role.epoch;
      const { name, holder, holderUID, previousHolder, homeUID, handedOverTime } = role;
      return [
        name,
        holder,
        holderUID,
        previousHolder,
        homeUID,
        epochs.of(role.epoch),
        handedOverTime !== undefined,
        proved,
      ];
    }),
    tried.map(({ role, to, brokenTime }) => [role, to, brokenTime && times.of(Date.parse(brokenTime))]),
  ];
}

function objectsView(scale: Scale, objects: Objects): unknown {
  const { epochs, world } = scale;
  const wall = wallOf(world).getTime();
  return [
    each(objects.pools, (pool) => poolView(scale, pool)),
    each(objects.servers, (server) => {
      const { metadata, status } = server;
      const brokenFor = status?.brokenTime === undefined ? undefined : wall - Date.parse(status.brokenTime);
      const healthy = status?.healthyTime === undefined ? undefined : wall - Date.parse(status.healthyTime);
      return [
        [metadata.uid, specOf(server), status?.state, status?.servingRole, epochs.of(status?.epoch), status?.podUID],
        [
          brokenFor !== undefined,
          (brokenFor ?? 0) > LONG_BROKEN_MS,
          healthy === undefined ? undefined : Math.min(healthy, longest.stable),
        ],
        status?.everReadyTime !== undefined,
      ];
    }),
    each(objects.leases, ({ metadata, role, epoch, assignedPodUID, leaseDurationSeconds, holderIdentity }) => [
      ...[metadata.uid, role, epochs.of(epoch), assignedPodUID, leaseDurationSeconds, holderIdentity],
    ]),
    each(objects.reports, ({ status }) => [
      [status?.role, epochs.of(status?.epoch), status?.podUID, status?.recordingService?.state],
      status?.volumes?.map(({ state }) => state),
      status?.cameras?.map(({ name, state }) => [name, state]),
    ]),
    each(objects.cameras, (camera) => [
      specOf(camera),
      [camera.status?.boundTo?.role, camera.status?.boundTo?.server, epochs.of(camera.status?.boundTo?.epoch)],
      camera.status?.conditions?.find(({ type }) => type === 'Recording')?.reason,
    ]),
    Object.values(objects.backups).map(({ spec, status }) => [epochs.of(spec.epoch), status !== undefined]),
    each(objects.pods, ({ metadata }) => metadata.uid),
  ];
}

function observationView({ world }: Scale, name: string, observation: Observation): unknown {
  const { now } = world;
  const { renewal, leaseSeenAt, disksLostAt, serviceFailedAt, containerFailedAt, everReady } = observation;
  const { serviceStartingAt, neverReadyAt } = observation;
  return [
    everReady,
    age(now, leaseSeenAt, longest.silence),
    renewal && [age(now, renewal.seenAt, longest.silence), renewal.leaseDurationSeconds, renewal.witnessed],
    renewal?.renewTime === world.objects.leases[name]?.renewTime,
    age(now, disksLostAt, longest.disks),
    age(now, serviceFailedAt, longest.service),
    age(now, containerFailedAt, longest.service),
    age(now, serviceStartingAt, longest.start),
    age(now, neverReadyAt, longest.start),
  ];
}

function replicaView(scale: Scale, { observations, contact, memories, unseen }: Replica): unknown {
  const { now } = scale.world;
  const waits = each(memories, (memory) =>
    [...memory]
      .map(([name, start]) => {
        const [kind = '', ...rest] = name.split('/');
        const most = kind in longest ? longest[kind as keyof typeof longest] : LONGEST_WAIT_MS;
        // A hold and a restore are known by their time, and there is one at most.
        const parts = kind.startsWith('storm') || kind === 'restore' ? [] : rest;
        const ranked = parts.map((part) => (/^\d+$/.test(part) ? scale.epochs.of(Number(part)) : part));
        return [kind, ...ranked, age(now, start, kind === 'found' ? longest.proof : most)].join('/');
      })
      .sort(),
  );
  return [
    each(observations, (observation, name) => observationView(scale, name, observation)),
    age(now, contact?.since, longest.contact),
    age(now, contact?.last, longest.answer),
    each(unseen, ({ renewTime, readAt }, name) => [
      renewTime === scale.world.objects.leases[name]?.renewTime,
      age(now, readAt, longest.contact),
    ]),
    waits,
  ];
}

/** The state with everything left out that makes no difference to what can happen, as a short key. */
export function canonical(world: World): string {
  const seen = world.stale && seenBy(world, world.stale);
  const all = [...epochsOf(world, world.objects), ...(seen ? epochsOf(world, seen) : [])];
  const times = new Ranks([...brokenTimes(world.objects), ...(seen ? brokenTimes(seen) : [])], 0);
  const scale: Scale = { world, epochs: new Ranks(all, 2), times };
  const { now } = world;
  const view = [
    world.apiAnswers,
    world.wallSkewMs,
    objectsView(scale, world.objects),
    each(world.recorders, (recorder) => {
      const { known, remembered, ...rest } = recorder;
      const ranked = [known, remembered].map((it) => it && [it.role, scale.epochs.of(it.epoch), it.podUID, it.origin]);
      return [Object.values(rest), ranked];
    }),
    replicaView(scale, world.leader),
    world.leader.view && objectsView(scale, seenBy(world, world.leader)),
    seen && world.stale && [objectsView(scale, seen), replicaView(scale, world.stale)],
    each(world.truth.heardAt, (at) => age(now, at, longest.silence)),
  ];
  return createHash('md5').update(JSON.stringify(view)).digest('base64');
}
