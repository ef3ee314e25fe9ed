import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { failoverPools } from '../../src/crds/index.js';
import { resources } from '../../src/operator/resources.js';
import { type AuditedWrite, openAudit } from '../scenario/audit.js';
import { containerProcess } from '../scenario/container-process.js';
import { failoverDone, isRecordedBy } from '../scenario/failover.js';
import { heard } from '../scenario/heartbeats.js';
import { firstFrameMs } from '../scenario/measure.js';
import { OPERATOR_NAMESPACE } from '../scenario/operator.js';
import { poolManifest } from '../scenario/plan.js';
import { HANG_MS, openScene, type Scene } from '../scenario/scene.js';
import { settled } from '../scenario/settled.js';
import { isTrue } from '../scenario/summary.js';

const QUIET_MS = 60_000;
const OUTAGE_MS = 20_000;

describe('a system in which nothing is broken', () => {
  let scene: Scene;
  const pool = () => scene.chronicle.find('pools', scene.pool);
  const key = (name: string) => ({ namespace: scene.namespace, name });

  before(async () => {
    scene = await openScene({
      name: 'calm',
      servers: [
        { name: 'recorder', type: 'Standard', on: 'free' },
        { name: 'standby', type: 'Failover', on: 'leader' },
      ],
      homes: ['recorder', 'recorder'],
    });
  });

  after(() => scene?.close());

  it('writes nothing but Leases for a minute, as the audit log of the API server shows', async () => {
    await settled(scene.chronicle);
    const path = scene.ground.cluster.auditLogPath;
    if (path === undefined) throw new Error('the cluster has no audit log');
    const audit = await openAudit(path);
    const sinceMs = Date.now();
    await pause(QUIET_MS);
    const all = await audit.writes();
    // Kubelets, the scheduler and the controllers write on their own account; the rest of the namespace is ours.
    const ours = all.filter(({ user }) => isOurs(user, scene.namespace));
    const leases = ours.filter(({ resource }) => resource === 'leases');
    expect(leases.length, 'Leases are renewed').to.be.greaterThan(0);
    const others = ours.filter(({ resource }) => resource !== 'leases').map(described);
    const turns = turnsOfHeartbeats(sinceMs);
    if (turns === 0) expect(others, changesSince(scene, sinceMs)).to.deep.equal([]);
    // Both the server and its pool say so.
    expect(others.length, changesSince(scene, sinceMs)).to.be.at.most(2 * turns);
    console.log(
      `      ${leases.length} renewals of Leases by us; ${all.length - ours.length} writes by Kubernetes itself; ` +
        `${turns} of a heartbeat that was late for the machine's sake, or came again`,
    );
  });

  /** How often a heartbeat that was late came to be told, or its end: that is news, and is written once each. */
  const turnsOfHeartbeats = (sinceMs: number): number =>
    scene.system.plan.servers.flatMap(({ name }) => {
      const versions = scene.chronicle.history('servers', name);
      return versions.filter(({ atMs, object }, index) => {
        const before = versions[index - 1]?.object;
        return atMs >= sinceMs && before !== undefined && isTrue(before, 'Reachable') !== isTrue(object, 'Reachable');
      });
    }).length;

  it('goes on recording while the API server is away for 20 s, and fails nothing over afterwards', async () => {
    const sinceMs = Date.now();
    await scene.ground.cluster.controlPlane.stopApiServer();
    await pause(OUTAGE_MS);
    await scene.ground.cluster.controlPlane.startApiServer();
    await scene.ground.operator.ready();
    // Every recorder is heard again: only then could a wrong judgement still come.
    for (const { name } of scene.system.plan.servers) await heard(scene, name, 2, HANG_MS);
    await settled(scene.chronicle);
    for (const camera of scene.cameras()) expect((await scene.measure(camera, sinceMs)).holes).to.deep.equal([]);
    expect(pool()?.status?.history ?? []).to.deep.equal([]);
    expect(pool()?.status?.queue ?? []).to.deep.equal([]);
  });

  it('goes on with the same epoch when the process of a recorder is killed', async () => {
    const before = scene.chronicle.find('servers', 'recorder')?.status;
    const sinceMs = Date.now();
    const pod = await scene.api.get<{ metadata: { uid: string } }>(resources.pods, key('recorder'));
    process.kill(await containerProcess(pod.metadata.uid), 'SIGKILL');
    const again = () => {
      const cameras = scene.chronicle.find('reports', 'recorder')?.status?.cameras ?? [];
      return (
        cameras.length === scene.cameras().length &&
        cameras.every(({ state, startTime }) => state === 'Recording' && Date.parse(startTime ?? '') > sinceMs)
      );
    };
    await scene.chronicle.until('the restarted recorder records its cameras', again, HANG_MS);
    await settled(scene.chronicle);
    const after = scene.chronicle.find('servers', 'recorder')?.status;
    expect(after).to.include({
      epoch: before?.epoch,
      podUID: before?.podUID,
      servingRole: 'recorder',
      state: 'Active',
    });
    expect(pool()?.status?.history ?? []).to.deep.equal([]);
    for (const camera of scene.cameras()) {
      const { holes } = await scene.measure(camera, sinceMs - 5_000);
      console.log(`      ${camera}: ${holes.map(({ seconds }) => seconds.toFixed(2)).join(', ')} s without pictures`);
    }
  });

  it('loses no picture and no epoch when the pool is deleted and applied again while a standby holds the role', async () => {
    await Promise.all(scene.system.disksOf('recorder').map(({ disk }) => disk.shutdown()));
    const entry = await failoverDone(scene, 'recorder');
    await settled(scene.chronicle);
    const sinceMs = Date.now();
    const epochBefore = pool()?.status?.epoch ?? 0;
    await scene.api.remove(failoverPools, key(scene.pool));
    await scene.chronicle.until('the pool is gone', () => pool() === undefined, HANG_MS);
    await settled(scene.chronicle);
    await scene.api.apply(failoverPools, poolManifest(scene.system.plan));
    const adopted = () =>
      pool()?.status?.roles?.find(({ name, holder }) => name === 'recorder' && holder === 'standby');
    const role = await scene.chronicle.until('the new pool knows who holds the role', adopted, HANG_MS);
    await settled(scene.chronicle);
    expect(pool()?.status?.epoch).to.be.at.least(epochBefore);
    expect(role.epoch).to.be.at.least(entry.epoch);
    expect(pool()?.status?.history ?? [], 'nothing was failed over again').to.deep.equal([]);
    for (const camera of scene.cameras()) {
      expect(isRecordedBy(scene, camera, 'standby')).to.equal(true);
      const measurement = await scene.measure(camera, sinceMs, ['recorder']);
      expect(measurement.holes).to.deep.equal([]);
      expect(new Set(measurement.frames.map(({ writer }) => writer)).size, 'one writer went on').to.equal(1);
      expect(firstFrameMs(measurement, 'standby', entry.epoch)).to.not.equal(undefined);
    }
  });
});

/** What was written, for the message of a minute that was not quiet. */
function changesSince({ chronicle, system }: Scene, sinceMs: number): string {
  const seen = system.plan.servers.flatMap(({ name }) => chronicle.history('servers', name));
  return seen
    .filter(({ atMs }) => atMs >= sinceMs)
    .map(({ object: { metadata, status } }) => `${metadata.name}: ${JSON.stringify(status)}`)
    .join('\n');
}

function isOurs(user: string, namespace: string): boolean {
  return (
    user.startsWith(`system:serviceaccount:${OPERATOR_NAMESPACE}:`) ||
    user.startsWith(`system:serviceaccount:${namespace}:understudy-recorder-`)
  );
}

function described({ user, verb, resource, name }: AuditedWrite): string {
  return `${user} ${verb} ${resource} ${name}`;
}
