import { expect } from 'chai';
import { describe, it } from 'mocha';
import { rolesInQuestion } from '../../../src/failover/decide.js';
import { heldRoles } from '../../../src/failover/roles.js';
import { camera } from '../support/builders/camera.js';
import { recordingServer } from '../support/builders/recording-server.js';
import { PoolWorld } from './support/pool-world.js';

/** a is dead, and s1 records its role; s2 stands by. */
function world(): PoolWorld {
  const pool = new PoolWorld().add('a').add(recordingServer('s1').standby(1)).add(recordingServer('s2').standby(2));
  pool.cameras = [camera('a-1').build(), camera('a-2').build()];
  pool.project();
  return pool.settle().breaks('a').settle();
}

const becomesStandard = (pool: PoolWorld) => void pool.edit('s1', { type: 'Standard' });
const camerasNameIt = (pool: PoolWorld) => {
  pool.cameras = ['a-1', 'a-2'].map((name) => camera(name).of('s1').build());
};
const homeIsDeleted = (pool: PoolWorld) => void pool.servers.delete('a');

/** All orders in which the three edits of one change in Git can arrive. */
function ordersOf<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item) => ordersOf(items.filter((other) => other !== item)).map((rest) => [item, ...rest]));
}

const edits = { becomesStandard, camerasNameIt, homeIsDeleted };

describe('a substitute that is adopted for good in Git', () => {
  for (const order of ordersOf(Object.entries(edits)))
    it(`ends under its own name: ${order.map(([name]) => name).join(', ')}`, () => {
      const pool = world();
      for (const [, edit] of order) {
        edit(pool);
        pool.settle();
      }
      expect(pool.view('s1').status).to.include({ servingRole: 's1', state: 'Active' });
      expect(pool.status.roles?.map(({ name, holder }) => `${name} ${holder}`)).to.deep.equal(['s1 s1']);
      expect(pool.recording('s1')).to.deep.equal(['s1']);
      expect(pool.happened('SubstituteAdopted')).to.equal(1);
      expect(pool.status.history, 'nothing else has moved').to.have.length(1);
      expect(pool.breaks('s1').settle().holder('s1'), 'it is protected like any other').to.equal('s2');
    });

  it('keeps the old role, and only that, until no camera names it', () => {
    const pool = world();
    becomesStandard(pool);
    pool.cameras = [camera('a-1').build(), camera('a-2').of('s1').build()];
    pool.settle();
    expect(pool.view('s1').status).to.include({ servingRole: 'a' });
    expect(heldRoles(pool.input()).map(({ name, holder }) => `${name} ${holder}`)).to.deep.equal(['a s1']);
  });

  it('has the new epoch above the old one, so that no projection is refused', () => {
    const pool = world();
    const before = pool.view('s1').status?.epoch ?? 0;
    for (const edit of Object.values(edits)) edit(pool);
    pool.settle();
    expect(pool.view('s1').status?.epoch).to.be.greaterThan(before);
  });

  it('gives the old name, which no camera bears any more, back to a home that is still there', () => {
    const pool = world().recovers('a').settle();
    becomesStandard(pool);
    camerasNameIt(pool);
    pool.settle().settle();
    expect([pool.holder('a'), pool.holder('s1')]).to.deep.equal(['a', 's1']);
    expect([pool.view('a').status?.servingRole, pool.view('s1').status?.servingRole]).to.deep.equal(['a', 's1']);
  });

  it('waits a minute for the deletion of a broken home, and goes on recording all the while', () => {
    const pool = world();
    becomesStandard(pool);
    camerasNameIt(pool);
    pool.settle();
    expect(pool.view('s1').status?.servingRole).to.equal('a');
    expect(pool.last?.requeueAfterMs).to.equal(60_000);
    pool.advance(60_000).settle();
    expect(pool.view('s1').status?.servingRole).to.equal('s1');
  });

  it('is no repaired server that stands in while another has its own role', () => {
    const pool = new PoolWorld().add('a').add('b').add(recordingServer('s1').standby());
    pool.cameras = [camera('b-1').of('b').build()];
    pool.project();
    pool.settle().breaks('a').settle().recovers('a').settle().breaks('s1').settle().breaks('b').settle();
    const before = JSON.stringify(pool.status.roles);
    pool.settle();
    expect(JSON.stringify(pool.status.roles)).to.equal(before);
    expect(pool.happened('SubstituteAdopted')).to.equal(0);
  });

  it('of which home and cameras are gone stands by again, after five minutes', () => {
    const pool = world();
    pool.cameras = [];
    homeIsDeleted(pool);
    pool.settle().advance(299_999).settle();
    expect(pool.view('s1').status?.servingRole).to.equal('a');
    pool.advance(1).settle();
    expect(pool.view('s1').status).to.include({ servingRole: '', state: 'Standby' });
    expect(pool.status.roles).to.deep.equal([]);
    expect(pool.happened('RoleEnded')).to.equal(1);
    const quiet = JSON.stringify(pool.status);
    pool.advance(3_600_000).restartOperator().decide();
    expect(JSON.stringify(pool.status)).to.equal(quiet);
  });

  it('is looked at with its cameras, which a quiet pool does not read', () => {
    const pool = world();
    expect(rolesInQuestion(pool.input())).to.deep.equal([]);
    becomesStandard(pool);
    expect(rolesInQuestion(pool.input())).to.have.members(['a', 's1']);
  });
});
