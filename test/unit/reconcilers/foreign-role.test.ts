import { expect } from 'chai';
import type { FailoverPoolStatus, RecorderReportStatus, Role } from '../../../src/crds/index.js';
import { assignmentOf } from '../../../src/failover/server/assignment.js';
import type { KubeObject } from '../../../src/operator/index.js';
import { gatherPool } from '../../../src/reconcilers/failover-pool/gather.js';
import { planPool } from '../../../src/reconcilers/failover-pool/plan.js';
import { foreignRole } from '../../../src/reconcilers/roles.js';
import { CameraView } from '../../../src/reconcilers/views.js';
import { health } from '../failover/support/pool-world.js';
import { failoverPool } from '../support/builders/failover-pool.js';
import { recordingServer } from '../support/builders/recording-server.js';
import { FakeClock } from '../support/fake-clock.js';
import { memoryStores } from './support/memory-stores.js';

const startTime = '2026-01-02T03:04:05Z';
const heldBy = (holder: string, handedOverTime?: string): FailoverPoolStatus => ({
  epoch: 5,
  roles: [
    {
      name: 'a',
      holder,
      holderUID: `uid-${holder}`,
      epoch: 5,
      startTime,
      ...(handedOverTime === undefined ? {} : { handedOverTime }),
    },
  ],
});

/** Pools `pool` and `other`; s1 took the role of a in `pool` and was then moved to `other`. */
class TwoPools {
  readonly stores = memoryStores();
  readonly s1 = recordingServer('s1')
    .standby()
    .spec({ poolRef: { name: 'other' } })
    .serving('a', 5)
    .build();

  constructor(first: FailoverPoolStatus, other: FailoverPoolStatus = { epoch: 1 }) {
    this.stores.pools.put(failoverPool().status(first).build());
    this.stores.pools.put(failoverPool('other').status(other).build());
    this.stores.servers.put(this.s1);
    this.home('pool');
    this.stores.servers.put(recordingServer('s2').standby().status({ podUID: 'pod-s2' }).serving('a', 6).build());
  }

  home(pool: string): this {
    const home = recordingServer('a').spec({ poolRef: { name: pool } });
    this.stores.servers.put(home.status({ servingRole: '', epoch: 5, podUID: 'pod-a' }).build());
    return this;
  }

  /** A camera of the role. */
  camera(name: string): this {
    const spec = { serverRef: { name: 'a' }, source: { type: 'IP', url: `rtsp://camera.example/${name}` } };
    this.stores.cameras.put(new CameraView({ metadata: { name, namespace: 'ns' }, spec } as KubeObject));
    return this;
  }

  homeReports(role: string, epoch: number, cameras: NonNullable<RecorderReportStatus['cameras']> = []): this {
    const metadata = { name: 'a', namespace: 'ns' };
    this.stores.reports.put({ metadata, status: { podUID: 'pod-a', role, epoch, cameras } });
    this.stores.pods.put({
      metadata: { ...metadata, uid: 'pod-a' },
      server: 'a',
      phase: 'Running',
      ready: true,
      restartCount: 0,
    });
    return this;
  }

  foreign() {
    return foreignRole(this.stores, this.s1, undefined);
  }

  rolesAfterDecision(name: string) {
    return this.decided(name).map((role) => `${role.name} by ${role.holder}`);
  }

  decided(name: string) {
    const pool = this.stores.pools.get(`ns/${name}`);
    if (!pool) throw new Error(`no pool ${name} in this test`);
    const sources = { stores: this.stores, healthOf: () => health('Healthy'), contact: () => undefined };
    const input = gatherPool(sources, pool, new Map(), new FakeClock());
    return planPool(pool, input).decision.record.roles ?? [];
  }
}

describe('a server that moved to another pool while it holds a role', () => {
  it('holds it while its former pool has no other holder', () => {
    expect(new TwoPools(heldBy('s1', startTime)).foreign()).to.equal('Held');
  });

  it('holds it until the other holder has proved recording', () => {
    expect(new TwoPools(heldBy('s2')).foreign()).to.equal('Held');
    expect(new TwoPools(heldBy('s2', startTime)).foreign()).to.equal('HandedOver');
  });

  it('holds it when the former pool is gone', () => {
    const world = new TwoPools(heldBy('s2', startTime));
    world.stores.pools.remove('ns/pool');
    expect(world.foreign()).to.equal('Held');
  });

  it('is not made its holder by a pool without memory, since the home is in another pool', () => {
    expect(new TwoPools(heldBy('s1', startTime), {}).rolesAfterDecision('other')).to.deep.equal([]);
  });
});

describe('a home that moves to another pool while a substitute holds its role', () => {
  it('leaves the role with the substitute until it records it itself', () => {
    const world = new TwoPools(heldBy('s2', startTime)).home('other').homeReports('', 5);
    expect(world.rolesAfterDecision('pool')).to.deep.equal(['a by s2']);
  });

  it('leaves it there while it connects to the cameras: to have read the role is not to record it', () => {
    const gate = { name: 'gate', sinceTime: startTime } as const;
    const world = new TwoPools(heldBy('s2', startTime)).home('other').camera('gate');
    world.homeReports('a', 6, [{ ...gate, state: 'Connecting' }]);
    expect(world.rolesAfterDecision('pool')).to.deep.equal(['a by s2']);
    world.homeReports('a', 6, [{ ...gate, state: 'Recording' }]);
    expect(world.rolesAfterDecision('pool')).to.deep.equal([]);
    world.stores.pools.put(failoverPool().status({ epoch: 5 }).build());
    expect(world.homeReports('a', 6, [{ ...gate, state: 'Waiting' }]).foreign()).to.equal('Held');
    expect(world.homeReports('a', 6, [{ ...gate, state: 'Recording' }]).foreign()).to.equal('HandedOver');
  });

  it('is no reason for the substitute, which follows it, to stop before it has said a word', () => {
    const world = new TwoPools(heldBy('s2', startTime));
    const home = recordingServer('a').spec({ poolRef: { name: 'other' } });
    world.stores.servers.put(home.status({ servingRole: 'a', epoch: 6, podUID: 'pod-a' }).build());
    world.homeReports('a', 1);
    const [role] = world.decided('other');
    expect(role).to.include({ name: 'a', holder: 'a', epoch: 6 });
    const { metadata, spec, status } = recordingServer('s2')
      .standby()
      .spec({ poolRef: { name: 'other' } })
      .build();
    const substitute = { metadata, spec, status: { ...status, servingRole: 'a', epoch: 5 } };
    const assigned = (roles: Role[]) => assignmentOf(substitute, { epoch: 6, roles }).role;
    expect(assigned(world.decided('other'))).to.equal('a');
    expect(assigned(world.homeReports('a', 6).decided('other'))).to.equal('');
  });

  it('takes the role along once it records it, so that the substitute is relieved', () => {
    const world = new TwoPools(heldBy('s2', startTime)).home('other').homeReports('a', 6);
    expect(world.rolesAfterDecision('pool')).to.deep.equal([]);
    world.stores.pools.put(failoverPool().status({ epoch: 5 }).build());
    expect(world.foreign()).to.equal('HandedOver');
  });
});
