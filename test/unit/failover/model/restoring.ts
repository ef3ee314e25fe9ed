import { type Baseline, baselineCamera, collectBaseline } from '../../../../src/backup/index.js';
import type { CameraAssignment, FailoverPool, FailoverPoolStatus } from '../../../../src/crds/index.js';
import { planRestore } from '../../../../src/restore/index.js';
import type { Live } from '../../../../src/restore/live.js';
import { finishedStatus, statusWithRoles } from '../../../../src/restore/roles.js';
import { replacePoolStatus } from './api.js';
import type { Fault } from './faults.js';
import { Refused } from './replica.js';
import type { Step } from './steps.js';
import { camera, changeObjects, freshReplica, frozen, NAMESPACE, put, type World, wallOf } from './world.js';

/** A baseline and its name, by which a restore knows its own mark. */
export interface Kept {
  readonly name: string;
  readonly baseline: Baseline;
}

/** The baseline of the pool as it stands in this world. */
export function baselineOf(world: World, name: string): Kept {
  const { pool } = world.objects.pools;
  if (pool === undefined) throw new Error('a world without a pool has no baseline');
  const baseline = collectBaseline({
    operatorVersion: 'model',
    namespace: NAMESPACE,
    pool: JSON.parse(JSON.stringify(pool)) as FailoverPool,
    servers: Object.values(world.objects.servers),
    cameras: Object.values(world.objects.cameras).map((one) => baselineCamera(one as unknown as CameraAssignment)),
  });
  return { name, baseline };
}

/** The cluster is gone, and another one has the operator and the pool's spec: nothing of a status, nothing of a server. */
export function anotherCluster(world: World): World {
  const { pool } = world.objects.pools;
  const none = { servers: {}, cameras: {}, reports: {}, backups: {}, pods: {}, leases: {}, claims: {} };
  const pools = pool === undefined ? {} : { pool: frozen({ metadata: pool.metadata, spec: pool.spec }) };
  const truth = { ...world.truth, heardAt: {}, provedEpoch: {} };
  return { ...changeObjects(world, { ...none, pools }), recorders: {}, leader: freshReplica, truth };
}

function liveOf(world: World): Live {
  const { pools, servers, cameras, backups, leases, reports } = world.objects;
  return {
    namespace: NAMESPACE,
    pool: pools.pool,
    servers: new Map(Object.entries(servers)),
    cameras: new Map(Object.entries(cameras) as unknown as [string, CameraAssignment][]),
    backups: Object.values(backups),
    assignments: [
      ...Object.values(leases).map(({ server, role = '', epoch = 0 }) => ({ server, role, epoch })),
      ...Object.entries(reports).map(([server, { status }]) => ({
        server,
        role: status?.role ?? '',
        epoch: status?.epoch ?? 0,
      })),
    ],
    missingSecrets: [],
    notes: [],
  };
}

function written(world: World, status: FailoverPoolStatus | undefined): World | undefined {
  const { pool } = world.objects.pools;
  if (status === undefined || pool === undefined) return undefined;
  const answer = replacePoolStatus(world, pool, status);
  if ('refused' in answer) throw new Refused(`the API server refuses what a restore writes: ${answer.why}`);
  return answer.world;
}

function serverMade(world: World, { baseline }: Kept): World | undefined {
  const missing = baseline.servers.find(({ name }) => world.objects.servers[name] === undefined);
  if (missing === undefined) return undefined;
  const { name, spec } = missing;
  const version = world.version + 1;
  const metadata = { name, namespace: NAMESPACE, uid: `uid-${name}-${version}`, generation: 1, resourceVersion: '1' };
  return {
    ...changeObjects(world, { servers: put(world.objects.servers, name, frozen({ metadata, spec })) }),
    version,
  };
}

function cameraMade(world: World, { baseline }: Kept): World | undefined {
  const missing = baseline.cameras.find(({ name }) => world.objects.cameras[name] === undefined);
  if (missing === undefined) return undefined;
  const made = camera(missing.name, missing.spec.serverRef.name, missing.spec);
  return changeObjects(world, { cameras: put(world.objects.cameras, missing.name, frozen(made)) });
}

function ended(world: World, kept: Kept): World | undefined {
  const uids = new Map(Object.entries(world.objects.servers).map(([name, { metadata }]) => [name, metadata.uid ?? '']));
  return written(world, finishedStatus(world.objects.pools.pool?.status, uids, kept.name));
}

/** Checks as the command does, and does its first write: the roles; or an object, where the pool knows the roles. */
function begins(kept: Kept): Step {
  return {
    name: `a person restores ${kept.name}`,
    apply: (world) => {
      const live = liveOf(world);
      if (!world.apiAnswers || live.pool === undefined || live.pool.status?.restore?.sha256 === kept.name)
        return undefined;
      const { baseline } = kept;
      const now = wallOf(world);
      if (planRestore({ artifact: { baseline, sha256: kept.name, notes: [] }, live, now }).problems.length > 0)
        return undefined;
      const status = statusWithRoles({ baseline, live, status: live.pool.status, now }, kept.name);
      return written(world, status) ?? serverMade(world, kept) ?? cameraMade(world, kept);
    },
  };
}

/** The next write of a restore that has begun: one server, one camera, or its end. It may never come: the person is gone. */
function goesOn(kept: Kept): Step {
  return {
    name: `the restore of ${kept.name} goes on`,
    apply: (world) =>
      world.apiAnswers && world.objects.pools.pool?.status?.restore?.sha256 === kept.name
        ? (serverMade(world, kept) ?? cameraMade(world, kept) ?? ended(world, kept))
        : undefined,
  };
}

/** A restore: begun at any moment, and gone on with at any moment after that. */
export const restored = (kept: Kept): Fault => ({ fault: begins(kept), repair: goesOn(kept) });
