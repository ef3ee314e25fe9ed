import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Baseline, decodeBaseline, encodeBaseline } from '../../../src/backup/index.js';
import {
  backups,
  cameraAssignments,
  failoverPools,
  type KindResource,
  type RecordingServer,
  reasons,
  recordingServers,
} from '../../../src/crds/index.js';
import { type KubeObject, resources } from '../../../src/operator/index.js';
import { installCrds, testNamespace, useApiCluster } from '../../support/api-cluster.js';
import { useSecondCluster } from '../../support/second-cluster.js';
import { FakeRecorder } from '../support/fake-recorder.js';
import { clientOf, MadeSystem } from '../support/made-system.js';
import { type OperatorUnderTest, quiet, startOperator, until } from '../support/operator-under-test.js';
import { restoreOn } from '../support/restore-command.js';

const homes = Array.from({ length: 25 }, (_, i) => `home-${String(i).padStart(2, '0')}`);
const camerasOf = (home: string): string[] => Array.from({ length: 200 }, (_, i) => `${home}-cam-${i}`);
const broken = 'home-00';
const longMs = 240_000;

describe('a system of 5,000 cameras whose cluster is gone', function () {
  this.timeout(600_000);
  const api = useApiCluster();
  const second = useSecondCluster();
  const recorders: FakeRecorder[] = [];
  let origin: MadeSystem;
  let restored: MadeSystem;
  let firstOperator: OperatorUnderTest | undefined;
  let secondOperator: OperatorUnderTest | undefined;
  let folder: string;
  let original: Baseline;
  let bindings: Record<string, string>;

  const recorder = (system: MadeSystem, name: string, cameras: readonly string[]): FakeRecorder => {
    const started = new FakeRecorder(system.client, system.namespace, name, cameras).start();
    recorders.push(started);
    return started;
  };
  const isReady = async (system: MadeSystem, name: string): Promise<true | undefined> => {
    const { status } = await system.read<RecordingServer & KubeObject>(recordingServers, name);
    return status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') || undefined;
  };
  /** `moved`: how many of the broken recorder's cameras are with its substitute. */
  const allBound = (system: MadeSystem, moved: number) =>
    until(
      'every camera is bound',
      async () => {
        const found = await system.bindings();
        const substituted = camerasOf(broken).filter((name) => found[name] === `${broken} by spare at 2`).length;
        const bound = Object.keys(found).length;
        if (bound === homes.length * 200 && substituted === moved) return found;
        const { epoch, roles = [] } = (await system.poolStatus('site')) ?? {};
        const held = roles.map(({ name, holder }) => `${name} by ${holder}`).join(', ');
        throw new Error(`${bound} are bound, ${substituted} of them by spare; the pool is at epoch ${epoch}: ${held}`);
      },
      longMs,
    );

  before('a recorder breaks, and its baseline is exported', async () => {
    await installCrds(api.cluster);
    const namespace = await testNamespace('origin');
    folder = await mkdtemp(join(tmpdir(), 'understudy-round-trip-'));
    origin = new MadeSystem(clientOf(api.cluster), namespace);
    restored = new MadeSystem(clientOf(second.cluster), namespace);
    firstOperator = await startOperator(api.cluster.kubeconfigPath, namespace);
    await breakOne(origin);
    bindings = await allBound(origin, 200);
    const file = join(folder, 'baseline.json.gz');
    const exported = await restoreOn(api.cluster, 'export', '--backup', `${namespace}/site-2`, '--output', file);
    expect(exported.code, exported.err).to.equal(0);
    original = await exportedBaseline(origin, 'site-2');
    await second.cluster.kubectl(['create', 'namespace', namespace]);
    // The harder case: an operator that decides while the restore writes.
    secondOperator = await startOperator(second.cluster.kubeconfigPath, namespace);
  });

  after(async () => {
    await Promise.all(recorders.map((one) => one.cutPower()));
    await firstOperator?.stop();
    await secondOperator?.stop();
    await origin?.client.close();
    await restored?.client.close();
    if (folder) await rm(folder, { recursive: true });
  });

  /** home-00 breaks, and the spare records its 200 cameras at epoch 2. */
  async function breakOne(system: MadeSystem): Promise<void> {
    // Long enough for a machine that is busy otherwise: the recorders of this test renew in its own process.
    await system.pool('site', { failoverTimeoutSeconds: 30, backup: { deadlineSeconds: 300 } });
    for (const home of homes) await system.server(home, 'site');
    for (const name of ['spare', 'spare-2']) await system.server(name, 'site', 'Failover');
    for (const home of homes) await system.cameras(home, camerasOf(home));
    const own = camerasOf(broken);
    const [first] = [broken, 'spare', 'spare-2'].map((name) => recorder(system, name, own));
    for (const name of [broken, 'spare', 'spare-2']) {
      await until(`${name} is ready`, () => isReady(system, name), longMs);
    }
    await allBound(system, 0);
    await first?.cutPower();
    await until(
      'the failover and its baseline are complete',
      async () => ((await system.poolStatus('site'))?.history?.[0]?.outcome === 'Completed' ? true : undefined),
      longMs,
    );
  }

  async function exportedBaseline(system: MadeSystem, name: string): Promise<Baseline> {
    const file = join(folder, `${name}.json`);
    const cluster = system === origin ? api.cluster : second.cluster;
    const { code, err } = await restoreOn(
      cluster,
      'export',
      '--backup',
      `${system.namespace}/${name}`,
      '--output',
      file,
    );
    expect(code, err).to.equal(0);
    return decodeBaseline(await readFile(file));
  }

  /** The server raises it with each change of a spec; of a status the operator may have something to say at any time. */
  const generations = async (type: KindResource): Promise<string[]> =>
    (await restored.all(type)).map(({ metadata }) => `${metadata.name} ${metadata.generation}`).sort();

  it('comes back by one command, and every camera is bound to the same holder at the same epoch', async () => {
    const file = join(folder, 'baseline.json.gz');
    const { code, out, err } = await restoreOn(second.cluster, '--file', file, '--apply');
    expect(code, err).to.equal(0);
    expect(out).to.contain(`role      ${broken} -> spare at epoch 2`);
    expect(await allBound(restored, 200)).to.deep.equal(bindings);
    expect(bindings[`${broken}-cam-7`]).to.equal(`${broken} by spare at 2`);
  });

  it('has had no failover by that, and its pool goes on above the epoch that it had', async () => {
    await quiet(secondOperator as OperatorUnderTest);
    const status = await restored.poolStatus('site');
    expect(status).to.include({ epoch: 3 });
    expect([status?.current, status?.queue, status?.history, status?.restore]).to.deep.equal(Array(4).fill(undefined));
    const events = await restored.client.list<KubeObject & { reason?: string }>(resources.events, {
      namespace: restored.namespace,
    });
    const failovers: string[] = [reasons.ServerBroken, reasons.TakeoverCommitted, reasons.RestoreUnfinished];
    expect(events.items.filter(({ reason }) => failovers.includes(reason ?? ''))).to.deep.equal([]);
    expect(await restored.all(backups)).to.deep.equal([]);
  });

  it('makes the same baseline again, but for the epoch of the pool and the start of bindings that never moved', async () => {
    await restored.backUp('again', 'site');
    const again = await exportedBaseline(restored, 'again');
    expect(again.pool.epoch).to.equal(original.pool.epoch + 1);
    const cameras = again.cameras.map((camera, i) => {
      const before = original.cameras[i];
      if (camera.boundTo === undefined || before?.boundTo === undefined) return camera;
      const hasMoved = original.pool.roles.some(({ name }) => name === camera.boundTo?.role);
      if (hasMoved) return camera;
      return { ...camera, boundTo: { ...camera.boundTo, startTime: before.boundTo.startTime } };
    });
    // The broken home heard of its lost role while the first baseline was being made: before or after, both are true.
    const homeOf = original.servers.find(({ name }) => name === broken);
    const servers = again.servers.map((server) =>
      server.name === broken && homeOf?.assignment ? { ...server, assignment: homeOf.assignment } : server,
    );
    const levelled = { ...again, pool: { ...again.pool, epoch: original.pool.epoch }, servers, cameras };
    expect((await encodeBaseline(levelled)).sha256).to.equal((await encodeBaseline(original)).sha256);
  });

  it('has nothing to do the second time, and not one spec is written', async () => {
    const kinds = [failoverPools, recordingServers, cameraAssignments];
    const before = await Promise.all(kinds.map(generations));
    const { code, out } = await restoreOn(second.cluster, '--file', join(folder, 'baseline.json.gz'), '--apply');
    expect(code).to.equal(0);
    expect(out).to.contain('nothing to do: 0 to create, 0 to change, 5028 the same, 0 left');
    expect(await Promise.all(kinds.map(generations))).to.deep.equal(before);
  });

  it('keeps the roles where they are when its recorders start, the repaired home among them', async () => {
    for (const name of [broken, 'spare', 'spare-2']) recorder(restored, name, camerasOf(broken));
    for (const name of ['spare', broken]) await until(`${name} is ready`, () => isReady(restored, name), longMs);
    await quiet(secondOperator as OperatorUnderTest);
    const status = await restored.poolStatus('site');
    expect(status?.roles?.find(({ name }) => name === broken)).to.include({ holder: 'spare', epoch: 2 });
    expect([status?.current, status?.history]).to.deep.equal([undefined, undefined]);
    expect(await restored.bindings()).to.deep.equal(bindings);
  });
});
