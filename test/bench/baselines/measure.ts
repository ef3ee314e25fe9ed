import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeBaseline } from '../../../src/backup/index.js';
import { type Backup, backups } from '../../../src/crds/index.js';
import { type KubeClient, type KubeObject, silentLog, systemClock } from '../../../src/operator/index.js';
import { createBackupReconciler } from '../../../src/reconcilers/backup/index.js';
import { clientOf } from '../../api/support/made-system.js';
import { restoreOn } from '../../api/support/restore-command.js';
import type { Cluster } from '../../cluster/cluster.js';
import { memoryStores } from '../../unit/reconcilers/support/memory-stores.js';
import { baselineOf, manualBackup } from './system.js';

/** What it took to restore a pool of one size into an empty namespace, and to make its baseline. */
export interface BaselineTimes {
  readonly cameras: number;
  readonly servers: number;
  /** JSON before compression. Bytes. */
  readonly plainBytes: number;
  /** As it is kept. Bytes. */
  readonly keptBytes: number;
  /** Secrets that hold it. */
  readonly parts: number;
  readonly backupSeconds: number;
  /** Plan, rehearsal of every write, and the writes. */
  readonly restoreSeconds: number;
  /** A second restore that finds nothing to do. */
  readonly comparedSeconds: number;
  /** Peak of the process that did both, MiB: its driver and the loader of TypeScript among it. */
  readonly peakMebibytes: number;
}

/** On an API server alone, without an operator: what others write at that time would be measured, too. */
export async function measureBaselines(cluster: Cluster, cameras: number): Promise<BaselineTimes> {
  const namespace = `bench-${cameras}`;
  const folder = await mkdtemp(join(tmpdir(), 'understudy-bench-'));
  const client = clientOf(cluster);
  try {
    await cluster.kubectl(['create', 'namespace', namespace]);
    const baseline = baselineOf(cameras, namespace);
    const encoded = await encodeBaseline(baseline);
    const file = join(folder, 'baseline.json');
    await writeFile(file, encoded.json);
    const restoreSeconds = await restored(cluster, file);
    const comparedSeconds = await restored(cluster, file);
    const made = await backedUp(client, namespace);
    return {
      cameras,
      servers: baseline.servers.length,
      plainBytes: encoded.json.length,
      keptBytes: made.artifact.bytes,
      parts: made.artifact.parts,
      backupSeconds: made.seconds,
      restoreSeconds,
      comparedSeconds,
      peakMebibytes: Math.round(process.resourceUsage().maxRSS / 1024),
    };
  } finally {
    await client.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function restored(cluster: Cluster, file: string): Promise<number> {
  const start = performance.now();
  const { code, err } = await restoreOn(cluster, '--file', file, '--apply');
  if (code !== 0) throw new Error(`the restore of ${file} ended with exit code ${code}: ${err.slice(-2000)}`);
  return (performance.now() - start) / 1000;
}

async function backedUp(client: KubeClient, namespace: string) {
  const name = 'measured';
  await client.create(backups, manualBackup(namespace, name) as KubeObject);
  const stores = memoryStores();
  const events = { event: () => undefined };
  const reconcile = createBackupReconciler({ client, stores, events, clock: systemClock, version: '0.1.0' });
  const start = performance.now();
  await reconcile(`${namespace}/${name}`, { signal: new AbortController().signal, log: silentLog });
  const seconds = (performance.now() - start) / 1000;
  const { status }: Backup = await client.get(backups, { namespace, name });
  const { artifact } = status ?? {};
  if (artifact === undefined) throw new Error(`no baseline was made: ${JSON.stringify(status?.conditions)}`);
  return { seconds, artifact };
}
