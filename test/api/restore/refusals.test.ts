import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { stringify } from 'yaml';
import { type Baseline, encodeBaseline } from '../../../src/backup/index.js';
import {
  type CameraAssignment,
  cameraAssignments,
  type FailoverPool,
  failoverPools,
  recordingServers,
} from '../../../src/crds/index.js';
import { isApiError, type KubeObject } from '../../../src/operator/index.js';
import { installCrds, testNamespace, useApiCluster } from '../../support/api-cluster.js';
import { useSecondCluster } from '../../support/second-cluster.js';
import { baseline } from '../../unit/restore/support/baselines.js';
import { clientOf, MadeSystem } from '../support/made-system.js';
import { until } from '../support/operator-under-test.js';
import { restoreOn } from '../support/restore-command.js';

const kinds = [failoverPools, recordingServers, cameraAssignments];

/** No operator runs here: what is seen is the restore's own doing, and what the API server says to it. */
describe('a restore that a real API server would not take', function () {
  this.timeout(120_000);
  const api = useApiCluster();
  const older = useSecondCluster();
  let folder: string;
  const systems: MadeSystem[] = [];

  before(async () => {
    await installCrds(api.cluster);
    folder = await mkdtemp(join(tmpdir(), 'understudy-refusals-'));
  });
  after(async () => {
    await Promise.all(systems.map(({ client }) => client.close()));
    await rm(folder, { recursive: true });
  });

  async function fresh(): Promise<MadeSystem> {
    const system = new MadeSystem(clientOf(api.cluster), await testNamespace('restore'));
    systems.push(system);
    return system;
  }
  let files = 0;
  async function fileOf(change: (made: Baseline) => Baseline = (made) => made): Promise<string> {
    const file = join(folder, `baseline-${++files}.json`);
    const { json } = await encodeBaseline(change(JSON.parse(JSON.stringify(baseline())) as Baseline));
    await writeFile(file, json);
    return file;
  }
  const restore = async ({ namespace }: MadeSystem, file: string, ...more: string[]) =>
    restoreOn(api.cluster, '--file', file, '--namespace', namespace, '--apply', ...more);
  const everything = async (system: MadeSystem): Promise<string[]> => {
    const found = await Promise.all(
      kinds.map(async (type) =>
        (await system.all(type)).map(({ metadata }) => `${type.kind} ${metadata.name} ${metadata.resourceVersion}`),
      ),
    );
    return found.flat();
  };

  it('changes nothing when one camera of many breaks a rule of the schema', async () => {
    const system = await fresh();
    const file = await fileOf((made) => ({
      ...made,
      cameras: made.cameras.map((camera) =>
        camera.name === 'gate'
          ? { ...camera, spec: { ...camera.spec, source: { ...camera.spec.source, url: 'rtsp://me:geheim@x/1' } } }
          : camera,
      ),
    }));
    const { code, err } = await restore(system, file);
    expect(code).to.equal(4);
    expect(err).to.contain('CameraAssignment gate').and.contain('must not hold a user or password');
    expect(err).not.to.contain('geheim');
    expect(await everything(system)).to.deep.equal([]);
  });

  it('changes nothing when a field is unknown, and names it', async () => {
    const system = await fresh();
    const file = await fileOf((made) => ({
      ...made,
      pool: { ...made.pool, spec: { ...made.pool.spec, tomorrow: true } as typeof made.pool.spec },
    }));
    const { code, err } = await restore(system, file);
    expect(code).to.equal(4);
    expect(err)
      .to.contain('FailoverPool north')
      .and.contain('.spec.tomorrow')
      .and.contain('bring them up to the version');
    expect(await everything(system)).to.deep.equal([]);
  });

  it('changes nothing where the CRDs are older than the baseline', async () => {
    const { cluster } = older;
    const path = '/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/priority';
    const patch = JSON.stringify([{ op: 'remove', path }]);
    await cluster.kubectl(['patch', 'crd', 'cameraassignments.understudy.dev', '--type=json', '-p', patch]);
    await cluster.kubectl(['create', 'namespace', 'older']);
    const system = new MadeSystem(clientOf(cluster), 'older');
    systems.push(system);
    const probe = { metadata: { name: 'probe', namespace: 'older' }, spec: { ...baseline().cameras[0]?.spec } };
    await until('the older schema is in force', () =>
      system.client.apply(cameraAssignments, probe as KubeObject, { dryRun: true }).then(
        () => undefined,
        (error: unknown) => isApiError(error) || undefined,
      ),
    );
    const { code, err } = await restoreOn(cluster, '--file', await fileOf(), '--namespace', 'older', '--apply');
    expect(code).to.equal(4);
    expect(err).to.contain('.spec.priority').and.contain('the CRDs of this cluster do not know the field');
    expect(await everything(system)).to.deep.equal([]);
  });

  it('says how to make a namespace that is not there', async () => {
    const args = ['--file', await fileOf(), '--namespace', 'nowhere-at-all', '--apply'];
    const { code, err } = await restoreOn(api.cluster, ...args);
    expect(code).to.equal(4);
    expect(err).to.contain('kubectl create namespace nowhere-at-all');
  });

  it('shows what belongs to Git, and takes it over only when it is told to', async () => {
    const system = await fresh();
    const file = await fileOf();
    expect(await restore(system, file)).to.include({ code: 0 });
    const { namespace } = system;
    const ofGit = { metadata: { name: 'north', namespace }, spec: { paused: true, failoverTimeoutSeconds: 60 } };
    await system.client.apply(failoverPools, ofGit, { fieldManager: 'argocd-controller', force: true });
    const before = await everything(system);
    const refused = await restore(system, file);
    expect(refused.code).to.equal(4);
    expect(refused.out).to.contain('change    FailoverPool north: spec.paused: true -> false');
    expect(refused.err).to.contain('argocd-controller').and.contain('--force-conflicts');
    expect(await everything(system)).to.deep.equal(before);
    expect(await restore(system, file, '--force-conflicts')).to.include({ code: 0 });
    const { spec } = await system.read<FailoverPool & KubeObject>(failoverPools, 'north');
    expect(spec).to.include({ paused: false, failoverTimeoutSeconds: 5 });
  });

  it('names every permission that an account lacks', async () => {
    const system = await fresh();
    const { namespace } = system;
    const kubectl = (...args: string[]) => api.cluster.kubectl(['--namespace', namespace, ...args]);
    await kubectl('create', 'serviceaccount', 'reader');
    await kubectl(
      'create',
      'role',
      'reader',
      '--verb=get,list',
      '--resource=failoverpools.understudy.dev,recordingservers.understudy.dev,cameraassignments.understudy.dev,backups.understudy.dev,recorderreports.understudy.dev,secrets,leases.coordination.k8s.io',
    );
    await kubectl('create', 'rolebinding', 'reader', '--role=reader', `--serviceaccount=${namespace}:reader`);
    const token = (await kubectl('create', 'token', 'reader')).trim();
    const kubeconfigPath = join(folder, 'reader.kubeconfig');
    await writeFile(kubeconfigPath, await withToken(token), { mode: 0o600 });
    const reader = { kubeconfigPath, context: undefined };
    const args = ['--file', await fileOf(), '--namespace', namespace, '--apply'];
    const { code, err } = await until('the role is in force', async () => {
      const ended = await restoreOn(reader, ...args);
      return ended.err.includes('may not be read') ? undefined : ended;
    });
    expect(code).to.equal(4);
    expect(err).to.contain(`you may not create recordingservers in namespace ${namespace}`);
    expect(err).to.contain(`you may not update failoverpools/status in namespace ${namespace}`);
    expect(await everything(system)).to.deep.equal([]);
  });

  async function withToken(token: string): Promise<string> {
    const view = JSON.parse(await api.cluster.kubectl(['config', 'view', '--raw', '--minify', '-o', 'json'])) as {
      readonly clusters: readonly { readonly cluster: object }[];
    };
    return stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'reader',
      clusters: [{ name: 'c', cluster: view.clusters[0]?.cluster }],
      users: [{ name: 'reader', user: { token } }],
      contexts: [{ name: 'reader', context: { cluster: 'c', user: 'reader' } }],
    });
  }

  describe('in a failover', () => {
    const committedTime = '2026-11-23T03:00:00Z';
    const move = { role: 'recorder-b', server: 'recorder-b', standby: 'standby-b', epoch: 9, committedTime };
    const waits = { server: 'recorder-b', role: 'recorder-b', trigger: 'AllDisksLost', brokenTime: committedTime };
    const phases = [
      { phase: 'TakingOver', status: { epoch: 9, current: { ...move, step: 'TakingOver', trigger: 'Unreachable' } } },
      { phase: 'BackingUp', status: { epoch: 9, current: { ...move, step: 'BackingUp', trigger: 'Unreachable' } } },
      { phase: 'queued', status: { epoch: 9, queue: [waits] } },
    ] as const;
    for (const { phase, status } of phases) {
      it(`is refused while it is ${phase}, and changes nothing`, async () => {
        const system = await fresh();
        const file = await fileOf();
        await restore(system, file);
        await system.client.patchStatus(failoverPools, { namespace: system.namespace, name: 'north' }, { status });
        await system.client.delete(cameraAssignments, { namespace: system.namespace, name: 'door' });
        const before = await everything(system);
        const { code, err } = await restore(system, file);
        expect(code).to.equal(5);
        expect(err).to.contain('recorder-b');
        expect(await everything(system)).to.deep.equal(before);
      });
    }
  });

  it('restores one camera that was deleted, and touches nothing else', async () => {
    const system = await fresh();
    const file = await fileOf();
    await restore(system, file);
    await system.client.delete(cameraAssignments, { namespace: system.namespace, name: 'door' });
    const before = await everything(system);
    const { code, err } = await restore(system, file, '--camera', 'door');
    expect(code, err).to.equal(0);
    const door = await system.read<CameraAssignment & KubeObject>(cameraAssignments, 'door');
    expect(door.spec).to.deep.equal(baseline().cameras.find(({ name }) => name === 'door')?.spec);
    const made = `CameraAssignment door ${door.metadata.resourceVersion}`;
    expect((await everything(system)).filter((line) => line !== made)).to.deep.equal(before);
  });
});
