import { expect } from 'chai';
import type { FailoverPoolStatus, RecordingServer, Role } from '../../../src/crds/index.js';
import type { Live } from '../../../src/restore/live.js';
import { finishedStatus, planRoles, statusWithRoles } from '../../../src/restore/roles.js';
import { backup, camera, server } from '../backup/support/system.js';
import { alive, at, baseline, byName, emptyLive, now } from './support/baselines.js';
import { serving } from './support/memory-cluster.js';

const kept: Role = {
  name: 'recorder-a',
  holder: 'standby-a',
  previousHolder: 'recorder-a',
  epoch: 3,
  startTime: at,
  handedOverTime: at,
};

const live = (servers: RecordingServer[], more: Partial<Live> = {}) =>
  emptyLive({ servers: byName(...servers), ...more });
const plan = (known: Live, status?: FailoverPoolStatus) =>
  planRoles({ baseline: baseline(), live: known, status, now });
const idle = (name: string, type: 'Standard' | 'Failover' = 'Standard') => {
  const { status: _none, ...made } = server(name, type);
  return alive(made);
};

interface Case {
  readonly sentence: string;
  readonly live: Live;
  readonly status?: FailoverPoolStatus;
  /** '-' when the status is not written. */
  readonly becomes: string;
}

/** Who holds recorder-a afterwards, at which epoch, and the epoch of the pool. By the baseline: standby-a 3 of 3. */
const cases: readonly Case[] = [
  {
    sentence: 'comes back at its own epoch into an empty namespace, and the pool goes on above it',
    live: emptyLive(),
    becomes: 'restore standby-a 3 of 4',
  },
  {
    sentence: 'comes back when the operator has given the new pool a memory already',
    live: emptyLive(),
    status: { epoch: 1 },
    becomes: 'restore standby-a 3 of 4',
  },
  {
    sentence: 'comes back although its home was made again, and has never been ready',
    live: live([{ ...idle('recorder-a'), status: { servingRole: 'recorder-a', epoch: 1 } }]),
    status: { epoch: 1 },
    becomes: 'restore standby-a 3 of 4',
  },
  {
    sentence: 'stays as it is when the pool says the same',
    live: live([idle('standby-a', 'Failover')]),
    status: { epoch: 3, roles: [{ ...kept, holderUID: 'uid-standby-a' }] },
    becomes: '-',
  },
  {
    sentence: 'stays as it is after an interruption, when its holder is still to be made',
    live: emptyLive(),
    status: { epoch: 4, roles: [kept] },
    becomes: '-',
  },
  {
    sentence: 'is a new decision for a namesake of its holder, which was deleted',
    live: emptyLive(),
    status: { epoch: 5, roles: [{ ...kept, epoch: 5, holderUID: 'uid-of-the-deleted' }] },
    becomes: 'restore standby-a 6 of 6',
  },
  {
    sentence: 'is left with whoever holds it now',
    live: live([idle('standby-a', 'Failover'), idle('standby-b', 'Failover')]),
    status: { epoch: 5, roles: [{ ...kept, holder: 'standby-b', holderUID: 'uid-standby-b', epoch: 5 }] },
    becomes: 'left standby-a',
  },
  {
    sentence: 'comes back when whoever held it since then was deleted',
    live: live([idle('standby-a', 'Failover')]),
    status: { epoch: 5, roles: [{ ...kept, holder: 'standby-b', holderUID: 'uid-of-the-deleted', epoch: 5 }] },
    becomes: 'restore standby-a 6 of 6',
  },
  {
    sentence: 'is left at home when the home is ready and serves it',
    live: live([alive(serving(server('recorder-a'), 'recorder-a', 1))]),
    status: { epoch: 3 },
    becomes: 'left standby-a',
  },
  {
    sentence: 'is left when its holder has another role by now: never two',
    live: live([idle('standby-a', 'Failover')]),
    status: { epoch: 5, roles: [{ ...kept, name: 'recorder-b', epoch: 5, holderUID: 'uid-standby-a' }] },
    becomes: 'left standby-a',
  },
  {
    sentence: 'is a new decision when one of its cameras was bound at a later epoch',
    live: emptyLive({ cameras: byName(camera('door', 7)) }),
    becomes: 'restore standby-a 8 of 8',
  },
  {
    sentence: 'is a new decision when its holder shows a later epoch by its Lease',
    live: emptyLive({ assignments: [{ server: 'standby-a', role: 'recorder-a', epoch: 9 }] }),
    becomes: 'restore standby-a 10 of 10',
  },
  {
    sentence: 'keeps its epoch under a later one of another role, and the pool goes on above both',
    live: emptyLive({ assignments: [{ server: 'recorder-b', role: 'recorder-b', epoch: 9 }] }),
    becomes: 'restore standby-a 3 of 10',
  },
  {
    sentence: 'goes on above the epoch of a Backup that is still there',
    live: emptyLive({ backups: [backup({ epoch: 6 }, 'north-6')] }),
    becomes: 'restore standby-a 3 of 7',
  },
  {
    sentence: 'is taken over as found when the pool was deleted and its holder goes on, at a later epoch',
    live: live([alive(serving(server('standby-b', 'Failover'), 'recorder-a', 6))]),
    becomes: 'restore standby-b 6 of 7',
  },
  {
    sentence: 'is taken over as found from the very holder of the baseline',
    live: live([alive(serving(server('standby-a', 'Failover'), 'recorder-a', 3))]),
    becomes: 'restore standby-a 3 of 4',
  },
];

describe('a role that a substitute holds by the baseline', () => {
  for (const { sentence, live: known, status, becomes } of cases) {
    it(sentence, () => {
      const { roles, changed, epoch } = plan(known, status);
      const role = roles.find(({ name }) => name === 'recorder-a');
      const entry = role?.entry;
      const found = entry ? `restore ${entry.holder} ${entry.epoch} of ${epoch}` : `${role?.action} ${role?.holder}`;
      expect(changed ? found : found.replace(/^same .*/, '-')).to.equal(becomes);
    });
  }

  it('says how to move it, overlapping, where it is left', () => {
    const status = { epoch: 5, roles: [{ ...kept, holder: 'standby-b', epoch: 5 }] };
    const [role] = plan(live([idle('standby-b', 'Failover')]), status).roles;
    expect(role?.why).to.contain('standby-b holds it since epoch 5');
    expect(role?.why).to.contain(
      "kubectl annotate fop north understudy.dev/request='ID switchover recorder-a to standby-a'",
    );
  });

  it('is left when its holder is nowhere, since its home is the better guess', () => {
    const made = baseline();
    const without = { ...made, servers: made.servers.filter(({ name }) => name !== 'standby-a') };
    const [role] = planRoles({ baseline: without, live: emptyLive(), status: undefined, now }).roles;
    expect(role).to.include({ action: 'left' });
    expect(role?.why).to.contain('neither in the cluster nor in the baseline');
  });
});

describe('the status that brings the roles back', () => {
  const sources = (status?: FailoverPoolStatus, known = emptyLive()) => ({
    baseline: baseline(),
    live: known,
    status,
    now,
  });

  it('has the roles without uids, the next epoch, and the mark of the restore', () => {
    expect(statusWithRoles(sources(), 'abc')).to.deep.equal({
      epoch: 4,
      roles: [kept],
      restore: { sha256: 'abc', startTime: now.toISOString() },
    });
  });

  it('keeps what else the pool says, roles that the baseline does not know among it', () => {
    const other: Role = {
      name: 'recorder-c',
      holder: 'standby-b',
      epoch: 2,
      startTime: at,
      holderUID: 'uid-standby-b',
    };
    const known = live([idle('standby-b', 'Failover')]);
    const status = statusWithRoles(sources({ epoch: 2, roles: [other], lastRequest: request }, known), 'abc');
    expect(status?.roles).to.deep.equal([other, kept]);
    expect(status?.lastRequest).to.deep.equal(request);
  });

  it('adopts every role that goes on away from home when the pool had no memory, or it would fall back to its home', () => {
    const known = live([alive(serving(server('standby-b', 'Failover'), 'recorder-b', 5))]);
    const status = statusWithRoles(sources(undefined, known), 'abc');
    expect(status?.roles?.map(({ name, holder, epoch, holderUID }) => [name, holder, epoch, holderUID])).to.deep.equal([
      ['recorder-b', 'standby-b', 5, 'uid-standby-b'],
      ['recorder-a', 'standby-a', 3, undefined],
    ]);
  });

  it('is not written twice', () => {
    const first = statusWithRoles(sources(), 'abc');
    expect(statusWithRoles(sources(first), 'abc')).to.equal(undefined);
  });

  it('ends with the uids of the holders, and without the mark', () => {
    const uids = new Map([
      ['standby-a', 'u1'],
      ['recorder-a', 'u2'],
    ]);
    const end = finishedStatus(statusWithRoles(sources(), 'abc'), uids, 'abc');
    expect(end).to.deep.equal({ epoch: 4, roles: [{ ...kept, holderUID: 'u1', homeUID: 'u2' }] });
    expect(finishedStatus(end, uids, 'abc')).to.equal(undefined);
  });

  it('is not ended for another restore', () => {
    expect(finishedStatus(statusWithRoles(sources(), 'abc'), new Map(), 'def')).to.equal(undefined);
  });
});

const request = {
  id: 'r1',
  command: 'failback recorder-c',
  outcome: 'Done' as const,
  message: 'done',
  time: at,
};
