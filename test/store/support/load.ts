// Run by load.test.ts in a process of its own: makes the baseline of a large pool, and prints what it took as JSON. Its
// API server is a generator of pages: 64,000 real objects would take longer to create than the test may.
import { createSecretEngine } from '../../../src/backup/index.js';
import { type Backup, backups, type CameraAssignment, failoverPools } from '../../../src/crds/index.js';
import { type KubeObject, type Page, silentLog, systemClock } from '../../../src/operator/index.js';
import { createBackupReconciler } from '../../../src/reconcilers/backup/index.js';
import { CameraView } from '../../../src/reconcilers/views.js';
import { memoryApi } from '../../unit/backup/support/memory-api.js';
import { backup, camera, namespace, pool, server } from '../../unit/backup/support/system.js';
import { memoryStores } from '../../unit/reconcilers/support/memory-stores.js';

const cameras = Number(process.argv[2]);
const perServer = cameras % 64 === 0 ? 64 : 50;
/** Turns of the event loop beyond this are told one by one. Milliseconds. */
const longTurnMs = 20;
const servers = cameras / perServer;
const api = memoryApi();

/** As the API server sends them: with managedFields, conditions and all. */
function page(role: string, start: number, count: number): string {
  const items = Array.from({ length: count }, (_, i) => {
    const made = camera(`${role}-${String(start + i).padStart(4, '0')}`, 3, role);
    const lastTransitionTime = '2026-11-22T10:00:00Z';
    const conditions = ['Ready', 'Bound', 'Recording', 'OnSubstitute'].map((type) => {
      return { type, status: 'True', reason: 'Recording', message: 'recorded by its holder', lastTransitionTime };
    });
    const fields = { 'f:spec': { 'f:source': { 'f:url': {}, 'f:transport': {} }, 'f:recording': {} } };
    const managedFields = [1, 2, 3].map((n) => ({ manager: `manager-${n}`, operation: 'Apply', fieldsV1: fields }));
    return { ...made, metadata: { ...made.metadata, managedFields }, status: { ...made.status, conditions } };
  });
  return JSON.stringify({ items });
}

async function* listPages(
  _type: unknown,
  options: { fieldSelector?: string | undefined; limit?: number | undefined } = {},
): AsyncGenerator<Page<KubeObject>, void> {
  const role = options.fieldSelector?.split('=')[1] ?? '';
  const limit = options.limit ?? 500;
  for (let start = 0; start < perServer; start += limit) {
    const text = page(role, start, Math.min(limit, perServer - start));
    await new Promise((resolve) => setImmediate(resolve));
    yield { ...(JSON.parse(text) as { items: KubeObject[] }), resourceVersion: '1' };
  }
}

const { status, ...bare } = pool();
api.put(failoverPools, { ...bare, status: { ...status, roles: [] } });
const listed = Array.from({ length: servers }, (_, i) => server(`recorder-${i}`));
const list = () => Promise.resolve({ items: listed as never[], resourceVersion: '1' });
const made = api.put(backups, backup());
const engine = createSecretEngine({ client: api });
const stores = memoryStores();
/** What the operator knows of the cameras all the time takes its share of the memory. */
for (let server = 0; server < servers; server++) {
  const { items } = JSON.parse(page(`recorder-${server}`, 0, perServer)) as { items: CameraAssignment[] };
  for (const item of items) stores.cameras.put(new CameraView(item));
}
const reconcile = createBackupReconciler({
  ...{ client: { ...api, list, listPages }, stores, clock: systemClock, version: '0.1.0' },
  events: { event: () => undefined },
  engines: [engine],
});
const baseRss = process.memoryUsage.rss();
/** Longest turn of the event loop in CPU time of its own thread: on a busy machine a clock would measure the others. */
const longTurnsMs: number[] = [];
let longestTurnMicros = 0;
let turns = 0;
let before = process.threadCpuUsage();
let next = setImmediate(turn);
function turn(): void {
  const now = process.threadCpuUsage();
  const micros = now.user - before.user + now.system - before.system;
  if (micros > longTurnMs * 1000) longTurnsMs.push(Math.round(micros / 1000));
  longestTurnMicros = Math.max(longestTurnMicros, micros);
  before = now;
  turns += 1;
  next = setImmediate(turn);
}
const start = performance.now();
await reconcile(`${namespace}/${made.metadata.name}`, { signal: new AbortController().signal, log: silentLog });
const seconds = (performance.now() - start) / 1000;
clearImmediate(next);
const after: Backup = await api.get(backups, { namespace, name: made.metadata.name });
const mebibytes = (bytes: number): number => Math.round(bytes / 1024 / 1024);
process.stdout.write(
  `${JSON.stringify({
    artifact: after.status?.artifact,
    conditions: after.status?.conditions?.filter(({ type }) => type === 'Complete'),
    baseMebibytes: mebibytes(baseRss),
    maxMebibytes: mebibytes(process.resourceUsage().maxRSS * 1024),
    seconds: Number(seconds.toFixed(1)),
    cpuSeconds: Number((process.cpuUsage().user / 1e6).toFixed(1)),
    longestTurnMs: Math.round(longestTurnMicros / 1000),
    longTurnsMs,
    turns,
  })}\n`,
);
