import { expect } from 'chai';
import fc from 'fast-check';
import type { BaselineRole } from '../../../src/backup/index.js';
import type { FailoverPoolStatus, RecordingServer, Role } from '../../../src/crds/index.js';
import type { Live } from '../../../src/restore/live.js';
import { finishedStatus, type RoleSources, statusWithRoles } from '../../../src/restore/roles.js';
import { camera, server } from '../backup/support/system.js';
import { at, baseline, byName, emptyLive, now } from './support/baselines.js';

const kept = baseline();
const homes = ['recorder-a', 'recorder-b'];
const all = [...homes, 'standby-a', 'standby-b'];
const epoch = fc.integer({ min: 1, max: 6 });

/** Roles of the two homes, no server with two of them. */
const holders = fc.shuffledSubarray(all, { minLength: 2, maxLength: 2 });
const rolesOf = (withUid: boolean): fc.Arbitrary<Role[]> =>
  fc
    .tuple(
      holders,
      fc.array(epoch, { minLength: 2, maxLength: 2 }),
      fc.subarray(homes),
      fc.constantFrom('uid', 'gone', ''),
    )
    .map(([chosen, epochs, known, uid]) =>
      known.map((name) => {
        const i = homes.indexOf(name);
        const holder = chosen[i] ?? name;
        const role: Role = { name, holder, epoch: epochs[i] ?? 1, startTime: at, handedOverTime: at };
        return withUid && uid !== '' ? { ...role, holderUID: `${uid}-${holder}` } : role;
      }),
    );

const liveServer = (name: string): fc.Arbitrary<RecordingServer> =>
  fc
    .record({ role: fc.constantFrom('', ...homes), seen: epoch, ready: fc.boolean(), silent: fc.boolean() })
    .map((given) => {
      const made = server(name, homes.includes(name) ? 'Standard' : 'Failover');
      const { status: _fixture, ...bare } = { ...made, metadata: { ...made.metadata, uid: `uid-${name}` } };
      if (given.silent) return bare;
      const everReadyTime = given.ready ? { everReadyTime: at } : {};
      return { ...bare, status: { servingRole: given.role, epoch: given.seen, ...everReadyTime } };
    });

const live: fc.Arbitrary<Live> = fc
  .record({
    servers: fc.subarray(all).chain((names) => fc.tuple(...names.map(liveServer))),
    bound: fc.option(epoch, { nil: undefined }),
  })
  .map(({ servers, bound }) =>
    emptyLive({
      servers: byName(...servers),
      cameras: byName(...(bound === undefined ? [] : [camera('door', bound)])),
    }),
  );

const status: fc.Arbitrary<FailoverPoolStatus | undefined> = fc.option(
  fc
    .tuple(rolesOf(true), epoch)
    .map(([roles, own]) => ({ epoch: Math.max(own, ...roles.map((role) => role.epoch)), roles })),
  { nil: undefined },
);

const sources: fc.Arbitrary<RoleSources> = fc
  .record({ roles: rolesOf(false), own: epoch, live, status })
  .map((given) => {
    const roles = given.roles as readonly BaselineRole[];
    const pool = { ...kept.pool, roles, epoch: Math.max(given.own, ...roles.map((role) => role.epoch)) };
    return { baseline: { ...kept, pool }, live: given.live, status: given.status, now };
  });

const holdsFor = (property: (given: RoleSources, after: FailoverPoolStatus) => void): void =>
  fc.assert(
    fc.property(sources, (given) => {
      const after = statusWithRoles(given, 'abc');
      if (after !== undefined) property(given, after);
    }),
    { numRuns: 300 },
  );

describe('whatever baseline is restored onto whatever is there', () => {
  it('no epoch goes back: not of the pool, not of a role, not of a camera that is bound to it', () => {
    holdsFor(({ baseline: made, live: known, status: before }, after) => {
      expect(after.epoch).to.be.greaterThan(made.pool.epoch);
      expect(after.epoch).to.be.at.least((before?.epoch ?? 0) + 1);
      for (const role of after.roles ?? []) {
        expect(role.epoch).to.be.at.most(after.epoch ?? 0);
        expect(role.epoch).to.be.at.least(before?.roles?.find(({ name }) => name === role.name)?.epoch ?? 0);
        if (before?.roles?.includes(role)) continue;
        const bound = known.cameras.get('door')?.status?.boundTo;
        if (bound?.role === role.name && before !== undefined) expect(role.epoch).to.be.at.least(bound.epoch);
      }
    });
  });

  it('no server is given two roles', () => {
    holdsFor(({ live: known }, after) => {
      const present = (after.roles ?? []).filter(
        ({ holder, holderUID }) => holderUID === undefined || known.servers.get(holder)?.metadata.uid === holderUID,
      );
      const names = present.map(({ holder }) => holder);
      expect(new Set(names).size, JSON.stringify(after.roles)).to.equal(names.length);
    });
  });

  it('nobody who is there loses a role by it, and no role of the pool is forgotten', () => {
    holdsFor(({ live: known, status: before }, after) => {
      for (const role of before?.roles ?? []) {
        const same = after.roles?.find(({ name }) => name === role.name);
        expect(same).not.to.equal(undefined);
        const uid = known.servers.get(role.holder)?.metadata.uid;
        const isThere = uid !== undefined && (role.holderUID === undefined || role.holderUID === uid);
        if (isThere) expect(same?.holder).to.equal(role.holder);
      }
    });
  });

  it('it is written once: what was written is as it should be, before and after the servers are made', () => {
    holdsFor((given, after) => {
      expect(statusWithRoles({ ...given, status: after }, 'abc')).to.equal(undefined);
      const uids = new Map(all.map((name) => [name, given.live.servers.get(name)?.metadata.uid ?? `uid-${name}`]));
      const servers = byName(...all.map((name) => given.live.servers.get(name) ?? made(name)));
      const finished = finishedStatus(after, uids, 'abc');
      expect(statusWithRoles({ ...given, live: { ...given.live, servers }, status: finished }, 'abc')).to.equal(
        undefined,
      );
    });
  });
});

function made(name: string): RecordingServer {
  const { status: _none, ...bare } = server(name, homes.includes(name) ? 'Standard' : 'Failover');
  return { ...bare, metadata: { ...bare.metadata, uid: `uid-${name}` } };
}
