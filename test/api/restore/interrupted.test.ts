import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { type Baseline, baselineCamera, encodeBaseline } from '../../../src/backup/index.js';
import { cameraAssignments } from '../../../src/crds/index.js';
import { installCrds, testNamespace, useApiCluster } from '../../support/api-cluster.js';
import { camera } from '../../unit/backup/support/system.js';
import { baseline } from '../../unit/restore/support/baselines.js';
import { clientOf, MadeSystem } from '../support/made-system.js';
import { type OperatorUnderTest, quiet, startOperator, until } from '../support/operator-under-test.js';
import { restoreOn } from '../support/restore-command.js';

const root = resolve(import.meta.dirname, '../../..');
const count = 2_000;

describe('a restore whose process is killed in the middle', function () {
  this.timeout(240_000);
  const api = useApiCluster();
  let folder: string;
  let file: string;
  let system: MadeSystem;
  let operator: OperatorUnderTest | undefined;
  let running: ChildProcess | undefined;

  before(async () => {
    await installCrds(api.cluster);
    folder = await mkdtemp(join(tmpdir(), 'understudy-interrupted-'));
    file = join(folder, 'baseline.json');
    const cameras = Array.from({ length: count }, (_, i) =>
      baselineCamera(camera(`cam-${String(i).padStart(4, '0')}`)),
    );
    const made: Baseline = { ...baseline(), cameras };
    await writeFile(file, (await encodeBaseline(made)).json);
    system = new MadeSystem(clientOf(api.cluster), await testNamespace('interrupted'));
    operator = await startOperator(api.cluster.kubeconfigPath, system.namespace);
  });
  after(async () => {
    running?.kill('SIGKILL');
    await operator?.stop();
    await system?.client.close();
    await rm(folder, { recursive: true });
  });

  it('leaves a pool that decides nothing, and is finished by the next one', async () => {
    const args = ['--file', file, '--namespace', system.namespace, '--apply'];
    const where = ['--kubeconfig', api.cluster.kubeconfigPath];
    const child = spawn(process.execPath, ['--import', 'tsx', 'scripts/restore.ts', ...args, ...where], {
      cwd: root,
      stdio: 'ignore',
    });
    running = child;
    const made = async () => (await system.all(cameraAssignments)).length;
    await until('some cameras are there', async () => ((await made()) > 50 ? true : undefined), 120_000);
    child.kill('SIGKILL');
    expect(await made()).to.be.lessThan(count);
    await quiet(operator as OperatorUnderTest);
    const halted = await system.poolStatus('north');
    expect(halted?.restore).to.not.equal(undefined);
    expect([halted?.current, halted?.queue]).to.deep.equal([undefined, undefined]);
    expect(halted?.conditions?.find(({ type }) => type === 'Ready')).to.include({
      status: 'False',
      reason: 'Restoring',
    });

    const { code, err } = await restoreOn(api.cluster, ...args);
    expect(code, err).to.equal(0);
    expect(await made()).to.equal(count);
    await quiet(operator as OperatorUnderTest);
    const finished = await system.poolStatus('north');
    expect(finished).to.include({ epoch: 4 });
    expect([finished?.restore, finished?.current, finished?.history]).to.deep.equal([undefined, undefined, undefined]);
    expect(finished?.roles?.[0]).to.include({ name: 'recorder-a', holder: 'standby-a', epoch: 3 });
    expect(new Set(Object.values(await system.bindings()))).to.deep.equal(new Set(['recorder-a by standby-a at 3']));
  });
});
