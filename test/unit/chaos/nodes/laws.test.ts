import { expect } from 'chai';
import type { Backup, CameraAssignment, FailoverPool, RecordingServer } from '../../../../src/crds/index.js';
import type { Evidence } from '../../../chaos/nodes/evidence.js';
import { since } from '../../../chaos/nodes/evidence.js';
import type { Hit } from '../../../chaos/nodes/hits.js';
import { lawViolations, newEntries } from '../../../chaos/nodes/laws.js';
import type { Sighting } from '../../../scenario/chronicle.js';
import { failoverPool } from '../../support/builders/failover-pool.js';
import { recordingServer } from '../../support/builders/recording-server.js';

const START = Date.parse('2026-01-02T03:00:00Z');
const at = (seconds: number): string => new Date(START + seconds * 1000).toISOString();

/** Versions of one object, a second apart, the first from before the case. */
function versions<T>(...objects: T[]): Sighting<T>[] {
  return objects.map((object, index) => ({ atMs: START - 500 + index * 1000, type: 'MODIFIED', object }));
}

const entry = (epoch: number, change: object = {}) => ({
  ...{ epoch, role: 'recorder', from: 'recorder', to: 'standby', trigger: 'Unreachable' as const },
  ...{ outcome: 'Completed' as const, committedTime: at(6), backupName: `site-${epoch}` },
  ...change,
});
const role = (holder: string, epoch: number) => ({ name: 'recorder', holder, epoch, startTime: at(6) });
const before = () =>
  failoverPool('site')
    .status({ epoch: 3, roles: [role('recorder', 3)], history: [entry(3)] })
    .build();
const after = () =>
  failoverPool('site')
    .status({ epoch: 4, roles: [role('standby', 4)], history: [entry(4), entry(3)] })
    .build();

function backup(epoch: number, complete = true, uid = `uid-${epoch}`): Backup {
  const conditions = [{ type: 'Complete', status: complete ? 'True' : 'False', reason: 'x', message: '' }];
  return {
    metadata: { name: `site-${epoch}`, uid, creationTimestamp: at(7) },
    status: { conditions },
  } as unknown as Backup;
}

function evidence(change: Partial<Evidence> = {}): Evidence {
  return {
    startMs: START,
    endMs: START + 60_000,
    role: 'recorder',
    pools: new Map([['site', versions<FailoverPool>(before(), after())]]),
    servers: new Map(),
    cameras: new Map(),
    reports: new Map(),
    backups: new Map([['site-4', versions(backup(4))]]),
    hits: [],
    edits: new Map(),
    ...change,
  };
}

const servers = (...all: RecordingServer[][]): Evidence['servers'] =>
  new Map(all.map((own) => [own[0]?.metadata.name ?? '', versions(...own)]));
const serving = (name: string, epoch: number) => recordingServer(name).serving('recorder', epoch).build();

describe('the laws in every version of every object', () => {
  it('hold in a failover as it should be', () => {
    const seen = evidence({ servers: servers([serving('recorder', 3)], [serving('standby', 4)]) });
    expect(lawViolations(seen)).to.deep.equal([]);
    expect(newEntries(seen).map(({ epoch }) => epoch)).to.deep.equal([4]);
  });

  it('are broken by two holders of one role in one epoch, whoever says so', () => {
    const [line, ...more] = lawViolations(evidence({ servers: servers([serving('recorder', 4)]) }));
    expect(line).to.match(/^the role recorder has two holders in epoch 4: .*recorder.*standby|standby.*recorder/);
    expect(more).to.deep.equal([]);
  });

  it('are broken by an epoch that falls', () => {
    const falling = [serving('standby', 4), recordingServer('standby').status({ epoch: 2 }).build()];
    expect(lawViolations(evidence({ servers: servers(falling) })).join()).to.match(/server standby fell from 4 to 2/);
    const bound = (epoch: number) =>
      ({
        metadata: { name: 'gate', generation: 1 },
        status: { boundTo: { role: 'recorder', server: `s${epoch}`, epoch, startTime: at(0) } },
      }) as unknown as CameraAssignment;
    const cameras = new Map([['gate', versions(bound(9), bound(8))]]);
    expect(lawViolations(evidence({ cameras })).join()).to.match(/camera gate fell from 9 to 8/);
  });

  it('are broken by a role for a server that had been out for long', () => {
    const hit: Hit = {
      ...{ fault: 'all-disks', server: 'standby', onHolder: false, moment: 'at-rest', operatorLost: 'none' },
      atMs: START - 10_000,
    };
    expect(lawViolations(evidence({ hits: [hit] })).join()).to.match(/standby was given the role in epoch 4/);
    expect(lawViolations(evidence({ hits: [{ ...hit, atMs: START }] }))).to.deep.equal([]);
  });

  it('are broken by a failover without its baseline, by a second one, and by one of no failover', () => {
    const wrong = (backups: Evidence['backups']) => lawViolations(evidence({ backups })).join();
    expect(wrong(new Map())).to.match(/epoch 4 has no complete baseline/);
    expect(wrong(new Map([['site-4', versions(backup(4, false))]]))).to.match(/epoch 4 has no complete baseline/);
    const twice = versions(backup(4), backup(4, true, 'another'));
    expect(wrong(new Map([['site-4', twice]]))).to.match(/site-4 was made more than once/);
    const two = new Map([4, 5].map((epoch) => [`site-${epoch}`, versions(backup(epoch))] as const));
    expect(wrong(two)).to.match(/site-5 belongs to no failover/);
    const late = failoverPool('site')
      .status({ epoch: 4, history: [entry(4, { outcome: 'BaselineLate' })] })
      .build();
    const pools = new Map([['site', versions<FailoverPool>(before(), late)]]);
    expect(lawViolations(evidence({ pools })).join()).to.match(/epoch 4 ended with BaselineLate/);
    const hit: Hit = {
      ...{ fault: 'kill-leader', server: undefined, onHolder: false, moment: 'at-rest' },
      ...{ operatorLost: 'leader', atMs: START },
    };
    expect(lawViolations(evidence({ pools, hits: [hit] }))).to.deep.equal([]);
  });

  it('are broken by a change of a spec that is not ours', () => {
    const changed = recordingServer('standby').build();
    changed.metadata.generation = 2;
    const seen = { servers: servers([recordingServer('standby').build(), changed]) };
    expect(lawViolations(evidence(seen)).join()).to.match(/spec of server standby was changed 1 times, 0 times by us/);
    expect(lawViolations(evidence({ ...seen, edits: new Map([['server/standby', 1]]) }))).to.deep.equal([]);
  });

  it('are looked for from the version that stood when the case began', () => {
    const all = versions('a', 'b', 'c', 'd').map((each, index) => ({ ...each, atMs: index * 1000 }));
    expect(since(all, 1_500).map(({ object }) => object)).to.deep.equal(['b', 'c', 'd']);
    expect(since(all, 0).map(({ object }) => object)).to.deep.equal(['a', 'b', 'c', 'd']);
  });
});
