import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { expect } from 'chai';
import { cameraAssignments, failoverPools, type RecordingServer, recordingServers } from '../../../src/crds/index.js';
import type { KubeObject } from '../../../src/operator/index.js';
import { ensureBinaries } from '../../cluster/binaries.js';
import { type Cluster, startCluster } from '../../cluster/cluster.js';
import { run } from '../../cluster/run-command.js';
import { installCrds, testNamespace, useApiCluster } from '../../support/api-cluster.js';
import { backupPageCommands } from '../../support/page-commands.js';
import { clientOf, MadeSystem } from '../support/made-system.js';
import { type OperatorUnderTest, quiet, startOperator, until } from '../support/operator-under-test.js';

const root = resolve(import.meta.dirname, '../../..');
const cameras = ['door', 'gate', 'yard'];

/** The page's commands in their order, each block behind a line that names it. */
function commands(): string[] {
  return backupPageCommands().map(({ line, text }) => `echo "### docs/backup.md:${line}"\n${text}`);
}

describe('the page for whoever is on call (docs/backup.md)', function () {
  this.timeout(600_000);
  const api = useApiCluster();
  let elsewhere: Cluster | undefined;
  let folder: string;
  let namespace: string;
  let first: MadeSystem;
  let second: MadeSystem;
  const operators: OperatorUnderTest[] = [];

  before(async () => {
    // New, and without CRDs: the page installs them.
    elsewhere = await startCluster({ onProgress: (line) => console.error(`  ${line}`) });
    folder = await mkdtemp(join(tmpdir(), 'understudy-runbook-'));
    await installCrds(api.cluster);
    namespace = await testNamespace('runbook');
    first = new MadeSystem(clientOf(api.cluster), namespace);
    second = new MadeSystem(clientOf(elsewhere), namespace);
    await createSystem();
    operators.push(await startOperator(api.cluster.kubeconfigPath, namespace));
    await first.backUp('north-by-hand', 'north');
    await quiet(operators[0] as OperatorUnderTest);
  });
  after(async () => {
    for (const operator of operators) await operator.stop();
    await first?.client.close();
    await second?.client.close();
    await elsewhere?.stop();
    if (folder) await rm(folder, { recursive: true });
  });

  /** standby-a stands in for recorder-a, which is broken, since epoch 3. */
  async function createSystem(): Promise<void> {
    await first.pool('north');
    const at = '2026-11-22T10:00:00Z';
    const role = { name: 'recorder-a', holder: 'standby-a', previousHolder: 'recorder-a', epoch: 3, startTime: at };
    const status = { epoch: 3, roles: [{ ...role, handedOverTime: at, cause: 'Unreachable' }] };
    // Servers first: an operator that sees a role without its holder takes the holder for a deleted one.
    for (const name of ['recorder-a', 'recorder-b']) await first.server(name, 'north');
    for (const name of ['standby-a', 'standby-b']) await first.server(name, 'north', 'Failover');
    await first.client.patchStatus(failoverPools, { namespace, name: 'north' }, { status });
    await first.cameras('recorder-a', cameras);
    await api.cluster.kubectl([
      ...['--namespace', namespace, 'create', 'secret', 'generic', 'cameras'],
      ...['--from-literal=username=viewer', '--from-literal=password=test'],
    ]);
  }

  /** The operator of the new cluster comes when its CRDs are there, as an SRE would install it at that point. */
  async function installOperatorElsewhere(cluster: Cluster, ended: AbortSignal): Promise<void> {
    await until(
      'the page has installed the CRDs',
      async () => (ended.aborted || (await second.client.list(failoverPools, { namespace })) ? true : undefined),
      540_000,
    );
    if (ended.aborted) return;
    await cluster.kubectl(['wait', '--for=condition=Established', '--timeout=60s', '-f', join(root, 'deploy/crds')]);
    operators.push(await startOperator(cluster.kubeconfigPath, namespace));
  }

  it('says commands that work, one after the other, up to the same holders in a new cluster', async () => {
    const cluster = elsewhere as Cluster;
    const binaries = await ensureBinaries(['kubectl'], () => undefined);
    await symlink(binaries('kubectl'), join(folder, 'kubectl'));
    const script = join(folder, 'page.sh');
    const [names = '', ...rest] = commands();
    expect(names).to.contain('NAMESPACE=site').and.contain('COPIES="$HOME/baselines"');
    const own = names.replace('NAMESPACE=site', `NAMESPACE=${namespace}`).replace('$HOME/baselines', folder);
    await writeFile(script, ['set -euo pipefail', own, ...rest].join('\n'));
    const env = {
      ...process.env,
      PATH: `${folder}${delimiter}${process.env.PATH}`,
      KUBECONFIG: api.cluster.kubeconfigPath,
      NEW_KUBECONFIG: cluster.kubeconfigPath,
      CAMERA_PASSWORD: 'test',
    };
    const ended = new AbortController();
    const page = run('bash', [script], { env, cwd: root, timeoutMs: 540_000 }).finally(() => ended.abort());
    const [output] = await Promise.all([page, installOperatorElsewhere(cluster, ended.signal)]);
    expect(output).to.contain('newest complete baseline: north-by-hand');
    expect(output).to.contain('create    CameraAssignment door');
    expect(output).to.contain('recorder-a is recorded by standby-a at epoch 3');
    expect(await second.bindings()).to.deep.equal(await first.bindings());
    expect(Object.values(await second.bindings())).to.deep.equal(cameras.map(() => 'recorder-a by standby-a at 3'));
    const standby = await second.read<RecordingServer & KubeObject>(recordingServers, 'standby-a');
    expect(standby.status?.servingRole).to.equal('recorder-a');
    expect(await second.all(cameraAssignments)).to.have.length(cameras.length);
  });
});
