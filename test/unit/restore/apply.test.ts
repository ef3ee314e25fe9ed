import { expect } from 'chai';
import {
  type CameraAssignment,
  cameraAssignments,
  type FailoverPool,
  failoverPools,
  type RecordingServer,
  recordingServers,
} from '../../../src/crds/index.js';
import { assignmentOf } from '../../../src/failover/server/assignment.js';
import { ApiError } from '../../../src/operator/index.js';
import {
  applyRestore,
  checkWrites,
  demandNoProblems,
  nothingToDo,
  planRestore,
  type RestoreArtifact,
  RestoreRefused,
  RestoreUnfinished,
  readLive,
} from '../../../src/restore/index.js';
import { artifactOf, baseline, now } from './support/baselines.js';
import { type Fault, MemoryCluster } from './support/memory-cluster.js';

const key = { namespace: 'site', name: 'north' };

/** What the command does, without its terminal. */
async function restore(
  cluster: MemoryCluster,
  artifact: RestoreArtifact,
  forceConflicts = false,
  clock = () => now,
): Promise<void> {
  const { pool, secrets } = artifact.baseline;
  const live = await readLive(cluster, { namespace: 'site', pool: pool.name, secrets });
  const plan = planRestore({ artifact, live, now });
  demandNoProblems(plan);
  if (nothingToDo(plan)) return;
  await checkWrites(cluster, plan, { forceConflicts });
  const pause = async () => undefined;
  await applyRestore(plan, { client: cluster, artifact, live, forceConflicts, pause, now: () => clock() });
}

async function refusalOf(attempt: Promise<unknown>): Promise<RestoreRefused> {
  try {
    await attempt;
  } catch (error) {
    if (error instanceof RestoreRefused) return error;
    throw error;
  }
  throw new Error('it was expected to be refused');
}

/** What counts of the outcome: specs, roles and epochs; uids differ from run to run. */
function outcome(cluster: MemoryCluster): unknown {
  const specs = [recordingServers, cameraAssignments, failoverPools].flatMap((type) =>
    cluster
      .all<RecordingServer | CameraAssignment | FailoverPool>(type)
      .map(({ metadata, spec }) => [type.plural, metadata.name, spec] as const)
      .sort(([, one], [, other]) => (one < other ? -1 : 1)),
  );
  const { epoch, roles, restore: mark } = cluster.poolStatus(key) ?? {};
  const holders = roles?.map(({ name, holder, holderUID, homeUID, ...role }) => {
    const uidOf = (server: string) =>
      cluster.find<RecordingServer>(recordingServers, { ...key, name: server })?.metadata.uid;
    return { name, holder, ...role, sameHolder: holderUID === uidOf(holder), sameHome: homeUID === uidOf(name) };
  });
  return { specs, epoch, holders, mark };
}

describe('a restore', () => {
  it('brings the roles back before any server is there, and ends by its last write', async () => {
    const cluster = new MemoryCluster('site');
    await restore(cluster, await artifactOf(baseline()));
    const { writes } = cluster;
    expect(writes.slice(0, 2)).to.deep.equal(['apply failoverpools north', 'status failoverpools north']);
    expect(writes.slice(2, 6).every((write) => write.startsWith('apply recordingservers'))).to.equal(true);
    expect(writes.slice(6, 9).every((write) => write.startsWith('apply cameraassignments'))).to.equal(true);
    expect(writes.slice(9)).to.deep.equal(['status failoverpools north']);
    const { epoch, roles, restore: mark } = cluster.poolStatus(key) ?? {};
    expect([epoch, mark]).to.deep.equal([4, undefined]);
    expect(roles?.[0]).to.include({ name: 'recorder-a', holder: 'standby-a', epoch: 3 });
    expect(roles?.[0]?.holderUID).to.contain('standby-a');
  });

  it('gives every server the role that it had from the moment that it is made', async () => {
    const cluster = new MemoryCluster('site');
    const seen = new Map<string, Set<string>>();
    cluster.meanwhile = () => {
      for (const { metadata, spec } of cluster.all<RecordingServer>(recordingServers)) {
        // As the operator projects it: from the pool's status alone, since a server that was just made has none.
        const { role, epoch } = assignmentOf({ metadata, spec }, cluster.poolStatus(key));
        seen.set(metadata.name, (seen.get(metadata.name) ?? new Set()).add(`${role}/${epoch}`));
      }
    };
    await restore(cluster, await artifactOf(baseline()));
    expect(Object.fromEntries([...seen].map(([name, all]) => [name, [...all]]))).to.deep.equal({
      'recorder-a': ['/3'],
      'recorder-b': ['recorder-b/1'],
      'standby-a': ['recorder-a/3'],
      'standby-b': ['/1'],
    });
  });

  it('rehearses every write before the first', async () => {
    const cluster = new MemoryCluster('site');
    let rehearsed = 0;
    cluster.meanwhile = () => {
      rehearsed ||= cluster.dryRuns.length;
    };
    await restore(cluster, await artifactOf(baseline()));
    expect(rehearsed).to.equal(8);
  });

  it('writes nothing the second time', async () => {
    const cluster = new MemoryCluster('site');
    const artifact = await artifactOf(baseline());
    await restore(cluster, artifact);
    cluster.writes.length = 0;
    await restore(cluster, artifact);
    expect(cluster.writes).to.deep.equal([]);
  });

  it('ends the same when it dies before or after any of its writes, and is run again', async () => {
    const artifact = await artifactOf(baseline());
    const clean = new MemoryCluster('site');
    await restore(clean, artifact);
    for (const when of ['before', 'after'] as const) {
      for (let write = 1; write <= clean.writes.length; write++) {
        const cluster = new MemoryCluster('site');
        const fault: Fault = { write, when };
        cluster.fault = fault;
        const error = await restore(cluster, artifact).catch((thrown: unknown) => thrown);
        expect(error, `${when} write ${write}`).to.be.instanceOf(ApiError);
        cluster.mend();
        await restore(cluster, artifact);
        expect(outcome(cluster), `${when} write ${write}`).to.deep.equal(outcome(clean));
      }
    }
  });

  it('writes its roles upon what the operator has made of the pool meanwhile', async () => {
    const cluster = new MemoryCluster('site');
    let steps = 0;
    cluster.meanwhile = () => {
      // The operator gives a new pool its memory, between the restore's first and second write.
      if (steps++ > 0) return;
      cluster.setPoolStatus(key, { epoch: 1, counts: { active: 0, standby: 0, broken: 0, maintenance: 0 } });
    };
    await restore(cluster, await artifactOf(baseline()));
    const status = cluster.poolStatus(key);
    expect(status?.counts).to.deep.equal({ active: 0, standby: 0, broken: 0, maintenance: 0 });
    expect(status?.roles?.[0]).to.include({ holder: 'standby-a', epoch: 3 });
  });

  it('makes no server before the operator has read the roles', async () => {
    const cluster = new MemoryCluster('site');
    const { get } = cluster;
    let polls = 0;
    const condition = { type: 'Ready', status: 'False' as const, message: '', lastTransitionTime: '' };
    cluster.get = async (type, where) => {
      const restoring = type.plural === failoverPools.plural && cluster.poolStatus(key)?.restore !== undefined;
      if (restoring && cluster.writes.length === 2 && ++polls === 7) {
        cluster.setPoolStatus(key, { ...cluster.poolStatus(key), conditions: [{ ...condition, reason: 'Restoring' }] });
      }
      return (await get.call(cluster, type, where)) as never;
    };
    await restore(cluster, await artifactOf(baseline()));
    expect(polls).to.equal(7);
    expect(cluster.writes).to.have.length(10);
  });

  it('says that it is still at work when it takes long', async () => {
    const cluster = new MemoryCluster('site');
    let minutes = 0;
    const renewals = new Set<string | undefined>();
    cluster.meanwhile = () => renewals.add(cluster.poolStatus(key)?.restore?.renewTime);
    const clock = () => new Date(now.getTime() + minutes++ * 60_000);
    await restore(cluster, await artifactOf(baseline()), false, clock);
    expect(renewals.size).to.be.greaterThan(2);
    expect(cluster.poolStatus(key)?.restore).to.equal(undefined);
  });

  it('says that it has to be run again when the operator has ended it in the middle', async () => {
    const cluster = new MemoryCluster('site');
    const artifact = await artifactOf(baseline());
    cluster.meanwhile = () => {
      if (cluster.writes.length !== 5) return;
      const { restore: _tooOld, roles: _forgotten, ...status } = cluster.poolStatus(key) ?? {};
      cluster.setPoolStatus(key, status);
    };
    const error = await restore(cluster, artifact).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(RestoreUnfinished);
    await restore(cluster, artifact);
    expect(cluster.poolStatus(key)?.roles?.[0]).to.include({ name: 'recorder-a', holder: 'standby-a' });
  });

  it('reads the pool again when somebody writes it in the same moment', async () => {
    const cluster = new MemoryCluster('site');
    const { get } = cluster;
    let reads = 0;
    cluster.get = async (type, where) => {
      const found = await get.call(cluster, type, where);
      if (type.plural === failoverPools.plural && ++reads === 1) cluster.setPoolStatus(key, { epoch: 2 });
      return found as never;
    };
    await restore(cluster, await artifactOf(baseline()));
    expect(cluster.poolStatus(key)?.epoch).to.equal(4);
  });

  it('stops where a failover has begun since the plan, before any role is written', async () => {
    const cluster = new MemoryCluster('site');
    cluster.meanwhile = () => {
      const [server, role, standby] = ['recorder-z', 'recorder-z', 'standby-z'];
      const move = { epoch: 2, step: 'TakingOver' as const, trigger: 'Unreachable' as const, committedTime: '' };
      cluster.setPoolStatus(key, { epoch: 2, current: { server, role, standby, ...move } });
    };
    const refusal = await refusalOf(restore(cluster, await artifactOf(baseline())));
    expect(refusal.kind).to.equal('FailoverRunning');
    expect(refusal.message).to.contain('a failover began meanwhile').and.contain('the spec of pool north was written');
    expect(cluster.writes).to.deep.equal(['apply failoverpools north']);
  });

  it('changes nothing when a failover begins while it rehearses', async () => {
    const cluster = new MemoryCluster('site');
    const artifact = await artifactOf(baseline());
    await restore(cluster, artifact);
    cluster.remove(cameraAssignments, { namespace: 'site', name: 'door' });
    cluster.writes.length = 0;
    const { apply } = cluster;
    cluster.apply = async (type, object, options) => {
      const [server, role, standby] = ['recorder-b', 'recorder-b', 'standby-b'];
      const move = { epoch: 9, step: 'TakingOver' as const, trigger: 'Unreachable' as const, committedTime: '' };
      const status = cluster.poolStatus(key);
      cluster.setPoolStatus(key, { ...status, epoch: 9, current: { server, role, standby, ...move } });
      return apply.call(cluster, type, object, options) as never;
    };
    const refusal = await refusalOf(restore(cluster, artifact));
    expect(refusal.kind).to.equal('FailoverRunning');
    expect(cluster.writes).to.deep.equal([]);
  });

  describe('that the cluster would not take', () => {
    const refusals: readonly (readonly [string, (cluster: MemoryCluster) => void, RegExp])[] = [
      [
        'for want of a permission',
        (cluster) => cluster.denied.add('update failoverpools/status').add('create cameraassignments'),
        /you may not create cameraassignments.*\n.*you may not update failoverpools\/status in namespace site; grant it/,
      ],
      [
        'because a rule of its schema refuses one object',
        (cluster) =>
          cluster.refusals.set(
            'door',
            new ApiError('invalid', 'spec.source.url must not hold a user', { status: 422 }),
          ),
        /CameraAssignment door: spec\.source\.url must not hold a user; the cluster's rules for CameraAssignment/,
      ],
      [
        'because its CRDs are older',
        (cluster) =>
          cluster.refusals.set(
            'recorder-b',
            new ApiError('transient', 'HTTP 500: .spec.fresh: field not declared in schema', { status: 500 }),
          ),
        /RecordingServer recorder-b: .*\.spec\.fresh: field not declared in schema; the CRDs of this cluster do not know/,
      ],
      [
        'because Git owns a field with another value',
        (cluster) =>
          cluster.refusals.set(
            'north',
            new ApiError('conflict', 'Apply failed with 1 conflict: conflict with "argocd-controller": .spec.paused'),
          ),
        /FailoverPool north: .*conflict with "argocd-controller".*--force-conflicts/,
      ],
    ];
    for (const [why, prepare, words] of refusals) {
      it(`is refused ${why}, and nothing is changed`, async () => {
        const cluster = new MemoryCluster('site');
        prepare(cluster);
        const refusal = await refusalOf(restore(cluster, await artifactOf(baseline())));
        expect(refusal.kind).to.equal('Cluster');
        expect(refusal.message).to.match(words);
        expect(cluster.writes).to.deep.equal([]);
      });
    }

    it('takes over what others own only when it is told to', async () => {
      const cluster = new MemoryCluster('site');
      cluster.refusals.set('north', new ApiError('conflict', 'Apply failed with 1 conflict'));
      await restore(cluster, await artifactOf(baseline()), true);
      expect(cluster.find(failoverPools, key)).not.to.equal(undefined);
    });

    it('is refused without its namespace, and says how to make it', async () => {
      const refusal = await refusalOf(restore(new MemoryCluster(), await artifactOf(baseline())));
      expect(refusal.message).to.equal('there is no namespace site; make it first: kubectl create namespace site');
    });

    it('is refused without the CRDs', async () => {
      const cluster = new MemoryCluster('site');
      cluster.list = async () => {
        throw new ApiError('notFound', 'the server could not find the requested resource', { status: 404 });
      };
      const refusal = await refusalOf(restore(cluster, await artifactOf(baseline())));
      expect(refusal.message).to.contain('install the CRDs first: kubectl apply --server-side -f deploy/crds');
    });
  });

  it('names the Secrets that are not there', async () => {
    const cluster = new MemoryCluster('site');
    cluster.put('secrets', { metadata: { namespace: 'site', name: 'login-door' } });
    const live = await readLive(cluster, { namespace: 'site', pool: 'north', secrets: baseline().secrets });
    expect(live.missingSecrets).to.deep.equal(['login-gate', 'login-yard', 'pull']);
  });
});
