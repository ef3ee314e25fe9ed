import { expect } from 'chai';
import { type FaultCase, nameOf, parseName } from '../../chaos/cases/case.js';
import { casesOf, inOrder } from '../../chaos/cases/plan.js';
import { differences } from '../../chaos/oracle/differences.js';
import { countDifferences, countWrites, specWrites } from '../../chaos/oracle/write-counts.js';
import type { WriteRecord } from '../../chaos/proxy/fault-proxy.js';
import { parseRequest } from '../../chaos/run/arguments.js';
import { runJobs } from '../../chaos/run/pool.js';
import { randomFrom } from '../../chaos/run/random.js';
import { StallWatch } from '../../chaos/run/stalls.js';
import { tally, total } from '../../chaos/run/tally.js';

const result = (name: string, more: object = {}) => ({
  name,
  workload: 'w',
  fault: 'cut',
  reached: true,
  violations: [] as string[],
  warnings: [],
  seconds: 1,
  ...more,
});

function write(
  verb: string,
  resource: string,
  name: string,
  more: { status?: number; body?: object } = {},
): WriteRecord {
  const body = Buffer.from(JSON.stringify(more.body ?? {}));
  const request = { replica: 'r1', method: '', url: '', verb, resource, namespace: 'here', name, body };
  const { status = 200 } = more;
  return {
    replica: 'r1',
    identity: `${verb} ${resource} ${name}`,
    occurrence: 0,
    request,
    time: 0,
    status,
  } as WriteRecord;
}

describe('the differences of two end states', () => {
  const state = (entries: Record<string, unknown>) => new Map(Object.entries(entries));
  const pod = { status: { conditions: [{ type: 'Ready', status: 'True' }], phase: 'Running' } };

  it('are none between equal ones', () => {
    expect(differences(state({ 'Pod/a': pod }), state({ 'Pod/a': structuredClone(pod) }))).to.deep.equal([]);
  });

  it('name what is missing and what should not be', () => {
    expect(differences(state({ 'Pod/a': pod }), state({ 'Pod/b': pod }))).to.deep.equal([
      'Pod/a is missing',
      'Pod/b is there and should not be',
    ]);
  });

  it('name the field, and a condition by its type', () => {
    const other = { status: { conditions: [{ type: 'Ready', status: 'False' }] } };
    expect(differences(state({ 'Pod/a': pod }), state({ 'Pod/a': other }))).to.deep.equal([
      'Pod/a.status.conditions.Ready.status: expected "True", found "False"',
      'Pod/a.status.phase: expected "Running", found nothing',
    ]);
  });
});

describe('the counts of writes', () => {
  const made = write('create', 'pods', 'a', { status: 201 });

  it('hold what was applied: creates, those by server-side apply included, and deletes', () => {
    const applied = write('patch', 'services', 'a', { status: 201 });
    const counts = countWrites([made, applied, write('delete', 'pods', 'a'), write('patch', 'pods', 'a')]);
    expect([...counts]).to.deep.equal([
      ['create pods a', 1],
      ['create services a', 1],
      ['delete pods a', 1],
    ]);
  });

  it('leave out what was refused, Events, and the Lease of the operator', () => {
    const refused = write('create', 'pods', 'b', { status: 409 });
    const event = write('create', 'events', 'e', { status: 201 });
    const lease = write('create', 'leases', 'understudy-operator', { status: 201 });
    expect([...countWrites([refused, event, lease])]).to.deep.equal([]);
  });

  it('leave out what a server owned that the workload has deleted, but not the Service of its role', () => {
    const again = write('create', 'rolebindings', 'understudy-recorder-a', { status: 201 });
    const service = write('create', 'services', 'a', { status: 201 });
    const other = write('create', 'pods', 'b', { status: 201 });
    const counts = countWrites([made, again, service, other], new Set(['a']));
    expect([...counts.keys()]).to.deep.equal(['create services a', 'create pods b']);
  });

  it('differ when an object was made twice', () => {
    expect(countDifferences(countWrites([made]), countWrites([made, made]))).to.deep.equal([
      'create pods a: expected 1 times, found 2 times',
    ]);
  });

  it('show a write to a spec of ours, and none to a status, a Backup or a child', () => {
    const spec = { body: { spec: {} } };
    const wrong = [write('patch', 'recordingservers', 'a', spec), write('create', 'failoverpools', 'p', spec)];
    const right = [
      write('patch', 'recordingservers/status', 'a', { body: { status: {} } }),
      write('create', 'backups', 'b', spec),
      write('patch', 'leases', 'a', spec),
    ];
    expect(specWrites([...wrong, ...right])).to.have.length(2);
  });
});

describe('the cases of a workload', () => {
  const writes = [
    { identity: 'create pods alpha', occurrence: 0 },
    { identity: 'update failoverpools/status site', occurrence: 3 },
  ];
  const changedKinds = new Set(['leases', 'pods', 'recorderreports', 'recordingservers', 'failoverpools']);
  const all = casesOf({ name: 'first-failover' }, { writes, changedKinds });

  it('have names that are read back', () => {
    expect(all.length).to.be.above(50);
    for (const one of all) expect(parseName(nameOf(one)), nameOf(one)).to.deep.equal(one);
    expect(new Set(all.map(nameOf)).size).to.equal(all.length);
  });

  for (const wrong of ['', 'first-failover', 'first-failover/nonsense/x/0', 'first-failover/cut/x', 'w/lag'])
    it(`have no such name as '${wrong}'`, () => expect(parseName(wrong)).to.equal(undefined));

  it('come in the same order with the same seed, and each fault once before any comes again', () => {
    const order = (seed: number) => inOrder(all, randomFrom(seed)).map(nameOf);
    expect(order(1)).to.deep.equal(order(1));
    expect(order(1)).not.to.deep.equal(order(2));
    expect(order(1).toSorted()).to.deep.equal(all.map(nameOf).toSorted());
    const faults = inOrder(all, randomFrom(1)).map(({ fault }: FaultCase) => fault);
    const different = new Set(faults).size;
    expect(new Set(faults.slice(0, different)).size).to.equal(different);
  });
});

describe('a run', () => {
  it('counts cases, violations, and what says nothing', () => {
    const lines = tally(
      [
        result('a'),
        result('b', { violations: ['wrong'] }),
        result('c', { reached: false }),
        result('d', { violations: ['wrong'], disturbed: true }),
      ],
      ['cut'],
    );
    expect(lines).to.deep.equal([{ fault: 'cut', cases: 2, void: 2, violations: 1 }]);
    expect(total([...lines, ...lines])).to.deep.equal({ cases: 4, void: 4, violations: 2 });
  });

  it('begins nothing after it was told to stop, and finishes what runs', async () => {
    const stop = new AbortController();
    const stalls = new StallWatch();
    const seen: string[] = [];
    const job = (name: string) => ({
      name,
      run: async () => {
        if (name === 'b') stop.abort();
        return result(name);
      },
    });
    const onResult = ({ name }: { name: string }) => seen.push(name);
    await runJobs(['a', 'b', 'c'].map(job), { parallel: 1, stop: stop.signal, stalls, onResult });
    stalls.close();
    expect(seen).to.deep.equal(['a', 'b']);
  });

  it('takes its options, and tells what it does not know', () => {
    const size = { parallel: 12, systems: 3 };
    const defaults = { tiers: ['api'], forMs: 600_000, seed: 1, only: undefined, ...size, writeDocs: false };
    expect(parseRequest([])).to.deep.equal(defaults);
    const all = ['--for', '90s', '--seed', '7', '--only', 'x', '--parallel', '3', '--systems', '2', '--write-docs'];
    expect(parseRequest(all)).to.deep.equal({
      ...{ tiers: ['api'], forMs: 90_000, seed: 7, only: 'x', parallel: 3, systems: 2, writeDocs: true },
    });
    expect(parseRequest(['--tier', 'all']).tiers).to.deep.equal(['api', 'nodes']);
    expect(parseRequest(['--only', 'nodes/hung/at-rest/1']).tiers).to.deep.equal(['nodes']);
    const wrongSizes = [['--tier', 'x'], ['--systems', '99'], ['--tier']];
    for (const wrong of wrongSizes) expect(() => parseRequest(wrong), wrong.join(' ')).to.throw(wrong[0]);
    for (const wrong of [['--for', '10'], ['--seed', 'x'], ['--parallel', '0'], ['--only'], ['--nonsense', '1']])
      expect(() => parseRequest(wrong), wrong.join(' ')).to.throw(wrong[0]);
  });
});
