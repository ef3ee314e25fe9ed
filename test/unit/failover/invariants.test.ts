import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import type { FailoverPoolStatus } from '../../../src/crds/index.js';
import { isMoveCause } from '../../../src/failover/causes.js';
import { decide } from '../../../src/failover/decide.js';
import { heldRoles, isHolder } from '../../../src/failover/roles.js';
import { assignmentOf } from '../../../src/failover/server/assignment.js';
import type { PoolInput } from '../../../src/failover/types.js';
import { camera } from '../support/builders/camera.js';
import { recordingServer } from '../support/builders/recording-server.js';
import { health, PoolWorld } from './support/pool-world.js';

const names = ['a', 'b', 'c', 's1', 's2', 's3'] as const;
const builderOf = (name: string, uid: string) => {
  const builder = recordingServer(name).uid(uid);
  if (name === 's3') builder.mounts('/elsewhere');
  return name.startsWith('s') ? builder.standby() : builder;
};

function world(): PoolWorld {
  const pool = new PoolWorld();
  for (const name of names) pool.add(builderOf(name, `uid-${name}`));
  pool.cameras = ['a', 'b', 'c'].flatMap((server) => [camera(`${server}-1`).of(server).build()]);
  pool.project();
  return pool.settle();
}

type Step = (pool: PoolWorld) => void;
const serverArb = fc.constantFrom(...names);
const triggerArb = fc.constantFrom('Unreachable' as const, 'AllDisksLost' as const, 'RecordingServiceFailed' as const);
const present =
  (name: string, step: Step): Step =>
  (pool) => {
    if (pool.servers.has(name)) step(pool);
  };

let uids = 0;
function fresh(prefix: string): string {
  uids += 1;
  return `${prefix}-${uids}`;
}

/** What can happen to a pool, in any order. */
const stepArb: fc.Arbitrary<[string, Step]> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(serverArb, triggerArb, fc.nat(5000))
      .map(([name, trigger, ms]): [string, Step] => [
        `${name} breaks (${trigger})`,
        present(name, (pool) => pool.breaks(name, trigger, ms)),
      ]),
  },
  {
    weight: 5,
    arbitrary: serverArb.map((name): [string, Step] => [
      `${name} recovers`,
      present(name, (pool) => pool.recovers(name)),
    ]),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(serverArb, fc.constantFrom('Late' as const, 'Unknown' as const))
      .map(([name, verdict]): [string, Step] => [
        `${name} is ${verdict}`,
        present(name, (pool) => pool.change(name, { health: health(verdict) })),
      ]),
  },
  {
    weight: 2,
    arbitrary: serverArb.map((name): [string, Step] => [
      `agent of ${name} is deaf`,
      present(name, (pool) => pool.silenceAgent(name)),
    ]),
  },
  {
    weight: 2,
    arbitrary: serverArb.map((name): [string, Step] => [
      `pod of ${name} is another`,
      present(name, (pool) => pool.change(name, { podUID: fresh('pod') })),
    ]),
  },
  {
    weight: 1,
    arbitrary: serverArb.map((name): [string, Step] => [
      `${name} is deleted`,
      (pool) => void pool.servers.delete(name),
    ]),
  },
  {
    weight: 1,
    arbitrary: serverArb.map((name): [string, Step] => [
      `${name} is made again`,
      (pool) => pool.add(builderOf(name, fresh('again'))),
    ]),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(serverArb, fc.constantFrom('pool', 'other'))
      .map(([name, pool]): [string, Step] => [
        `${name} moves to the pool ${pool}`,
        present(name, (world) => movesTo(world, name, pool)),
      ]),
  },
  {
    weight: 1,
    arbitrary: fc.boolean().map((paused): [string, Step] => [
      `paused: ${paused}`,
      (pool) => {
        pool.spec = { ...pool.spec, paused };
      },
    ]),
  },
  {
    weight: 1,
    arbitrary: fc.boolean().map((works): [string, Step] => [
      `backups work: ${works}`,
      (pool) => {
        pool.backupsWork = works;
      },
    ]),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(serverArb, fc.constantFrom('Normal' as const, 'Maintenance' as const))
      .map(([name, operatingMode]): [string, Step] => [
        `${name} in operating mode ${operatingMode}`,
        present(name, (pool) => pool.edit(name, { operatingMode })),
      ]),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(serverArb, fc.boolean())
      .map(([name, cordoned]): [string, Step] => [
        `node of ${name} cordoned: ${cordoned}`,
        present(name, (pool) => pool.change(name, { cordonedNode: cordoned ? `node-${name}` : undefined })),
      ]),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(serverArb, fc.boolean())
      .map(([name, outdated]): [string, Step] => [
        `${name} outdated: ${outdated}`,
        present(name, (pool) => pool.edit(name, { updateStrategy: 'Switchover' }).change(name, { outdated })),
      ]),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        fc.constantFrom('a', 'b', 'c', 'z'),
        fc.constantFrom('switchover', 'failback', 'release-hold'),
        fc.option(serverArb),
      )
      .map(([role, verb, to]): [string, Step] => [
        `request ${verb} ${role} ${to}`,
        (pool) => {
          const command = verb === 'release-hold' ? verb : `${verb} ${role}${to === null ? '' : ` to ${to}`}`;
          pool.request = `${fresh('request')} ${command}`;
        },
      ]),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom('None' as const, 'Automatic' as const, 'Manual' as const).map((mode): [string, Step] => [
      `failback ${mode}`,
      (pool) => {
        pool.spec = { ...pool.spec, failback: { mode, stableSeconds: 30 } };
      },
    ]),
  },
  { weight: 2, arbitrary: fc.constant<[string, Step]>(['operator restarts', (pool) => pool.restartOperator()]) },
  {
    weight: 1,
    arbitrary: fc.constant<[string, Step]>([
      'pool is applied again',
      (pool) => {
        pool.status = {};
        pool.restartOperator();
      },
    ]),
  },
  {
    weight: 1,
    arbitrary: fc.constant<[string, Step]>([
      'the API server was away',
      (pool) => {
        pool.contactSince = pool.monotonic;
      },
    ]),
  },
  {
    weight: 1,
    arbitrary: fc.boolean().map((asked): [string, Step] => [
      `release of a hold asked for: ${asked}`,
      (pool) => {
        pool.request = asked ? `release-${pool.monotonic} release-hold` : undefined;
      },
    ]),
  },
  { weight: 4, arbitrary: fc.nat(70_000).map((ms): [string, Step] => [`${ms} ms pass`, (pool) => pool.advance(ms)]) },
  { weight: 8, arbitrary: fc.constant<[string, Step]>(['projections are written', (pool) => pool.project()]) },
);

const byName = (status: FailoverPoolStatus) => new Map((status.roles ?? []).map((role) => [role.name, role]));

function oneHolderARole(input: PoolInput): void {
  const roles = heldRoles(input);
  expect(new Set(roles.map(({ name }) => name)).size).to.equal(roles.length);
  for (const server of input.servers)
    expect(
      roles.filter((role) => isHolder(role, server)).map(({ name }) => name),
      server.name,
    ).to.have.length.at.most(1);
}

function epochsOnlyGrow(before: FailoverPoolStatus, after: FailoverPoolStatus): void {
  expect(after.epoch ?? 0).to.be.at.least(before.epoch ?? 0);
  const old = byName(before);
  for (const [name, role] of byName(after)) expect(role.epoch, name).to.be.at.least(old.get(name)?.epoch ?? 0);
  for (const role of after.roles ?? []) expect(role.epoch).to.be.at.most(after.epoch ?? 0);
}

function isSilent({ servers }: PoolInput, { server, trigger }: { server: string; trigger: string }): boolean {
  const seen = servers.find(({ name }) => name === server)?.health.trigger ?? 'Unreachable';
  return trigger === 'Unreachable' && seen === 'Unreachable';
}

function onlyFitStandbysTakeOver(input: PoolInput, after: FailoverPoolStatus): void {
  const { current } = after;
  if (current === undefined || current.epoch === input.status.current?.epoch) return;
  expect(input.spec.paused, 'paused').to.equal(false);
  const underHold = after.hold !== undefined && after.hold.releasedTime === undefined;
  expect(underHold && isSilent(input, current), 'held by a storm').to.equal(false);
  if (isMoveCause(current.trigger)) expect(after.queue, 'failures go first').to.equal(undefined);
  const standby = input.servers.find(({ name }) => name === current.standby);
  expect(standby?.health.verdict).to.equal('Healthy');
  expect(standby).to.include({ member: true, deleting: false });
  expect(standby?.name).to.not.equal('s3');
  // By the roles after the decision: a pool without memory adopts holders before it moves a role.
  const roles = heldRoles({ ...input, status: after });
  const busyWith = roles.filter((role) => standby && isHolder(role, standby) && role.name !== current.role);
  expect(busyWith).to.deep.equal([]);
  const broken = input.servers.find(({ name }) => name === current.server);
  const failedBefore = after.history?.some(({ outcome, role }) => outcome === 'Superseded' && role === current.role);
  const role = heldRoles(input).find(({ name }) => name === current.role);
  if (isMoveCause(current.trigger)) {
    expect(['Healthy', 'NeverReady'], 'it goes on').to.include(broken?.health.verdict);
    expect(standby?.cordonedNode, 'no plan leads to a cordoned node').to.equal(undefined);
    return;
  }
  const gone = broken?.member !== true || role === undefined || !isHolder(role, broken);
  expect(gone || failedBefore === true || broken?.health.verdict === 'Broken', 'evidence').to.equal(true);
}

function queueInOrder({ queue = [] }: FailoverPoolStatus): void {
  const times = queue.map(({ brokenTime }) => Date.parse(brokenTime));
  expect(times).to.deep.equal([...times].sort((a, b) => a - b));
  expect(new Set(queue.map(({ server }) => server)).size).to.equal(queue.length);
  expect(new Set(queue.map(({ role }) => role)).size).to.equal(queue.length);
}

/** A hold that is not released has time left: counted from its start, or from when the API server came back. */
function holdsEnd({ spec, now, memory, contact }: PoolInput, { hold }: FailoverPoolStatus): void {
  if (hold === undefined || hold.releasedTime !== undefined) return;
  const start = Math.max(memory.get(`storm/${hold.startTime}`) ?? now.monotonic, contact?.since ?? 0);
  expect(now.monotonic, 'a hold ends by itself').to.be.below(start + spec.storm.holdSeconds * 1000);
}

function previousHoldersGoOn(input: PoolInput, after: FailoverPoolStatus): void {
  if (after.epoch === undefined) return;
  for (const { name, uid, spec, status } of input.servers) {
    const role = after.roles?.find((entry) => entry.name === status?.servingRole && entry.handedOverTime === undefined);
    if (role === undefined || status === undefined || isHolder(role, { name, uid })) continue;
    if (after.roles?.some((entry) => isHolder(entry, { name, uid }))) continue;
    expect(assignmentOf({ metadata: { name, uid }, spec, status }, after).role, name).to.equal(status.servingRole);
  }
}

/** Law 6: what a healthy server records goes on being recorded, unless a failure of its holder is being dealt with. */
function plannedMovesLoseNothing(pool: PoolWorld, before: FailoverPoolStatus, recorded: Map<string, string[]>): void {
  const failures = [before.current, pool.status.current].filter(
    (current) => current !== undefined && !isMoveCause(current.trigger),
  );
  const queued = [...(before.queue ?? []), ...(pool.status.queue ?? [])].map(({ role }) => role);
  const broken = new Set([...failures.map((current) => current?.role), ...queued]);
  for (const [role, servers] of recorded) {
    if (servers.length === 0 || broken.has(role) || before.epoch === undefined) continue;
    expect(healthyRecorders(pool, role), `${role} was recorded by ${servers}`).to.not.deep.equal([]);
  }
}

function healthyRecorders(pool: PoolWorld, role: string): string[] {
  return pool.recording(role).filter((name) => pool.view(name).health.verdict === 'Healthy');
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !(value instanceof Map) && !(value instanceof Date)) {
    Object.values(value).forEach(freeze);
    Object.freeze(value);
  }
  return value;
}

function decideAndCheck(pool: PoolWorld, orders: Map<string, number>): void {
  const input = freeze(structuredClone(pool.input()));
  const decision = decide(input);
  expect(decide(input), 'the same input gives the same decision').to.deep.equal(decision);
  const recorded = new Map(['a', 'b', 'c'].map((role) => [role, healthyRecorders(pool, role)]));
  pool.decide();
  plannedMovesLoseNothing(pool, input.status, recorded);
  oneHolderARole({ ...input, status: pool.status });
  epochsOnlyGrow(input.status, pool.status);
  onlyFitStandbysTakeOver(input, pool.status);
  queueInOrder(pool.status);
  holdsEnd(input, pool.status);
  previousHoldersGoOn(input, pool.status);
  const { createBackup } = decision;
  if (createBackup?.reason === 'Failover') {
    expect(orders.get(createBackup.name) ?? createBackup.epoch).to.equal(createBackup.epoch);
    orders.set(createBackup.name, createBackup.epoch);
  }
}

function movesTo(pool: PoolWorld, name: string, poolName: string): void {
  const { spec } = pool.view(name);
  pool.change(name, { spec: { ...spec, poolRef: { name: poolName } }, member: poolName === 'pool' });
}

/** All faults end: every server is there, healthy and heard. */
function mendAll(pool: PoolWorld): void {
  pool.spec = { ...pool.spec, paused: false };
  pool.backupsWork = true;
  pool.request = undefined;
  for (const name of names) {
    if (!pool.servers.has(name)) pool.add(builderOf(name, fresh('mended')));
    movesTo(pool, name, 'pool');
    pool.edit(name, { operatingMode: 'Normal' }).change(name, { cordonedNode: undefined, outdated: false });
    pool.recovers(name).report(name, { podUID: pool.view(name).podUID });
  }
  for (let round = 0; round < 12; round += 1) {
    pool.project();
    pool.settle().advance(70_000);
  }
  pool.advance(400_000).settle();
}

describe('invariants of a pool, whatever happens in whatever order', () => {
  it('hold after every decision, and the pool comes to rest when the faults end', function () {
    this.timeout(120_000);
    fc.assert(
      fc.property(fc.array(stepArb, { minLength: 1, maxLength: 40 }), (steps) => {
        const pool = world();
        const orders = new Map<string, number>();
        for (const [, step] of steps) {
          step(pool);
          decideAndCheck(pool, orders);
          pool.advance(200);
        }
        mendAll(pool);
        expect(pool.status.current, 'nothing runs').to.equal(undefined);
        expect(pool.status.queue, 'nobody waits').to.equal(undefined);
        for (const role of heldRoles(pool.input())) {
          const holder = pool.servers.get(role.holder)?.view;
          expect(holder?.health.verdict, role.name).to.equal('Healthy');
          expect(holder?.status?.servingRole, `${role.name} is recorded`).to.equal(role.name);
        }
        for (const name of ['a', 'b', 'c']) expect(pool.holder(name), name).to.be.a('string');
        const quiet = JSON.stringify(pool.status);
        pool.advance(3_600_000).decide();
        expect(JSON.stringify(pool.status), 'quiet when nothing happens').to.equal(quiet);
      }),
      { numRuns: 300 },
    );
  });
});
