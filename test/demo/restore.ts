import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runRestore } from '../../src/cli/restore/command.js';
import { type CameraAssignment, cameraAssignments, type FailoverPool, failoverPools } from '../../src/crds/index.js';
import { quiet, startOperator, until } from '../api/support/operator-under-test.js';
import { type Cluster, startCluster } from '../cluster/cluster.js';
import { openApi } from '../scenario/api.js';
import { isTrue } from '../scenario/summary.js';
import { installCrds } from '../support/install-crds.js';
import type { Promised } from './promises.js';
import { restoredTable, restorePromise, sideBySide } from './restored.js';
import type { Screen } from './screen.js';
import { NAMESPACE, POOL, type Stage } from './setup.js';

type Undo = (name: string, step: () => Promise<void>) => void;

/**
 * As if this cluster were gone: the last baseline goes into a file, and that into a control plane in which there is
 * nothing but the CRDs and a running operator.
 */
export async function restoreElsewhere(stage: Stage, screen: Screen, undo: Undo): Promise<Promised> {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-demo-'));
  undo('the exported baseline', () => rm(folder, { recursive: true, force: true }));
  const backup = lastBaseline(stage);
  const file = join(folder, `${backup}.json.gz`);
  screen.say(`RESTORE: the baseline ${backup} goes into a file, and that into an empty second control plane.`);
  await command(screen, ['export', '--backup', `${NAMESPACE}/${backup}`, '--output', file], stage.cluster);
  screen.note(`${(await stat(file)).size} bytes are all that is carried over`);
  const elsewhere = await emptyControlPlane(stage, screen, undo);
  try {
    return await restoreInto(elsewhere, { stage, screen, file });
  } finally {
    await elsewhere.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function restoreInto(
  elsewhere: Cluster,
  { stage, screen, file }: { readonly stage: Stage; readonly screen: Screen; readonly file: string },
): Promise<Promised> {
  const operator = await startOperator(elsewhere.kubeconfigPath, NAMESPACE);
  const api = openApi(elsewhere.kubeconfigPath);
  try {
    await command(screen, ['--file', file, '--apply'], elsewhere);
    const here = stage.system.chronicle.all('cameras');
    const there = await until('every restored camera is bound', async () => {
      const found = await api.list<CameraAssignment>(cameraAssignments, NAMESPACE);
      const bound = found.filter(({ status }) => status?.boundTo !== undefined);
      return bound.length >= here.length ? found : undefined;
    });
    // What a restore could set off by mistake would come after it.
    await quiet(operator);
    const pool = await api.find<FailoverPool>(failoverPools, { namespace: NAMESPACE, name: POOL });
    const cameras = sideBySide(here, there);
    screen.plain(restoredTable(cameras));
    return restorePromise(cameras, pool);
  } finally {
    await operator.stop();
    await api.close();
  }
}

function lastBaseline({ system }: Stage): string {
  const made = system.chronicle.all('backups').filter((backup) => isTrue(backup, 'Complete'));
  const last = made.sort((one, other) => (one.spec.epoch ?? 0) - (other.spec.epoch ?? 0)).at(-1);
  if (last === undefined) throw new Error('no baseline is complete, so nothing can be restored');
  return last.metadata.name;
}

async function emptyControlPlane({ cluster }: Stage, screen: Screen, undo: Undo): Promise<Cluster> {
  const elsewhere = await startCluster({ name: `${cluster.name}-restored`, onProgress: screen.note });
  undo('the second control plane', () => elsewhere.stop());
  await installCrds(elsewhere);
  await elsewhere.kubectl(['create', 'namespace', NAMESPACE]);
  return elsewhere;
}

/** The very command that a person types. */
async function command(screen: Screen, argv: readonly string[], { kubeconfigPath }: Cluster): Promise<void> {
  const out = (text: string) => screen.plain(text.replaceAll(/^/gm, '  '));
  screen.note(`npm run restore -- ${argv.join(' ')}`);
  const code = await runRestore([...argv, '--kubeconfig', kubeconfigPath], { out, err: out });
  if (code !== 0) throw new Error(`the restore ended with exit code ${code}`);
}
