/** The command line of the local cluster: npm run cluster -- up | down | status | kubeconfig. */
import { parseArgs } from 'node:util';
import { ensureBinaries } from './binaries.js';
import { startCluster } from './cluster.js';
import { type ClusterState, isStale, listClusterNames, readState, writeState } from './cluster-state.js';
import { useExistingCluster } from './existing-cluster.js';
import { removeUnpackedImages } from './images.js';
import { describeLeftovers, findLeftovers } from './leftovers.js';
import { makeRunFolder } from './paths.js';
import { withClustersLocked } from './reservation.js';
import { tryRun } from './run-command.js';
import { scopeOf, tearDown, tearDownOrphans } from './teardown.js';

const usage = `Usage: npm run cluster -- COMMAND [OPTIONS]
  up          start a cluster that stays until "down"
  down        take it down, and prove that nothing of it is left
  status      list the clusters of this machine
  kubeconfig  print the path of a cluster's kubeconfig: export KUBECONFIG=$(npm run -s cluster -- kubeconfig)
Options
  --name NAME        the cluster's name; "dev" unless given
  --nodes N          up: real nodes, which need root; 0, a control plane alone, unless given
  --image ARCHIVE    up: a Docker archive that every node has from the start; may be given more than once
  --all              down: every cluster but those that a running process still uses
  --kubeconfig FILE, --context NAME
                     up: take this cluster of your own instead of starting one`;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    name: { type: 'string', default: 'dev' },
    nodes: { type: 'string', default: '0' },
    image: { type: 'string', multiple: true, default: [] },
    all: { type: 'boolean', default: false },
    kubeconfig: { type: 'string' },
    context: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

const say = (line: string) => console.error(line);

async function up(): Promise<void> {
  await makeRunFolder();
  if (options.kubeconfig || options.context) return rememberExisting();
  const nodes = Number(options.nodes);
  if (await isUp(options.name, nodes)) return say(`Cluster ${options.name} is up already.`);
  const cluster = await startCluster({ name: options.name, nodes, images: options.image, onProgress: say });
  await cluster.keep();
  say(`Cluster ${options.name} is up. To look around: export KUBECONFIG=${cluster.kubeconfigPath}`);
  say(`To take it down: npm run cluster -- down --name ${options.name}`);
}

/** True if the very same is running. Another one of that name that `up` has started before is taken down first. */
async function isUp(name: string, nodes: number): Promise<boolean> {
  const state = await readState(name);
  if (!state || (await isStale(state))) return false;
  if (state.owner) throw new Error(`Cluster ${name} is in use by process ${state.owner.pid}; choose another --name.`);
  if (!state.external && state.nodes === nodes && (await answers(state))) return true;
  say(`Cluster ${name} is there but not as wanted: starting it anew.`);
  await withClustersLocked(() => tearDown(name), say);
  return false;
}

async function answers(state: ClusterState): Promise<boolean> {
  const binaries = await ensureBinaries(['kubectl'], say);
  const query = ['get', '--raw', '/readyz', '--request-timeout=5s'];
  return (await tryRun(binaries('kubectl'), ['--kubeconfig', state.kubeconfigPath, ...query])) === 'ok';
}

async function rememberExisting(): Promise<void> {
  const existing = {
    ...(options.kubeconfig ? { kubeconfig: options.kubeconfig } : {}),
    ...(options.context ? { context: options.context } : {}),
  };
  const cluster = await useExistingCluster({ ...existing, onProgress: say });
  const server = (
    await cluster.kubectl(['config', 'view', '--minify', '-o', 'jsonpath={.clusters[0].cluster.server}'])
  ).trim();
  const external = { context: cluster.context ?? '', server };
  const { kubeconfigPath } = cluster;
  if ((await readState(options.name)) && !(await readState(options.name))?.external) {
    throw new Error(`There is a local cluster ${options.name}; take it down first, or give another --name.`);
  }
  await writeState({ name: options.name, nodes: 0, ready: true, kubeconfigPath, external });
}

async function down(): Promise<void> {
  await makeRunFolder();
  await withClustersLocked(async () => {
    const names = options.all ? await listClusterNames() : [options.name];
    for (const name of names) {
      const owner = (await readState(name))?.owner;
      if (options.all && owner && !(await isStale(await readState(name)))) {
        say(`Cluster ${name} is left alone: process ${owner.pid} uses it, and takes it down when it ends.`);
      } else await takeDown(name);
    }
    const orphans = options.all ? await tearDownOrphans(say) : 0;
    if (names.length === 0 && orphans === 0) say('There are no clusters, and nothing is left of any.');
    if (options.all && (await listClusterNames()).length === 0) await removeUnpackedImages();
  }, say);
}

async function takeDown(name: string): Promise<void> {
  const before = await findLeftovers(await scopeOf(name));
  say(`Cluster ${name} had: ${describeLeftovers(before)}`);
  const left = await tearDown(name);
  console.log(`Cluster ${name} is down, nothing left: ${describeLeftovers(left)}`);
}

async function status(): Promise<void> {
  const names = await listClusterNames();
  if (names.length === 0) return console.log('There are no clusters. To start one: npm run cluster -- up');
  for (const name of names) console.log(await describe(name));
}

async function describe(name: string): Promise<string> {
  const state = await readState(name);
  if (!state) return `${name}: half removed; it is swept with the next "up" or "down --name ${name}"`;
  if (state.external)
    return `${name}: your own cluster, context "${state.external.context}" at ${state.external.server}`;
  const size = state.nodes === 0 ? 'control plane alone' : `${state.nodes} nodes`;
  const { processes } = await findLeftovers(await scopeOf(name));
  const life = (await isStale(state))
    ? 'its owner has ended; it is swept with the next "up"'
    : `${state.owner ? `ends with process ${state.owner.pid}` : 'stays until "down"'}`;
  const health = !state.ready ? 'starting' : (await answers(state)) ? 'API server ready' : 'API server does not answer';
  return `${name}: ${size}, ${health}, ${processes.length} processes, ${life}\n  KUBECONFIG=${state.kubeconfigPath}`;
}

async function kubeconfig(): Promise<void> {
  const state = await readState(options.name);
  if (!state)
    throw new Error(`There is no cluster ${options.name}. To start it: npm run cluster -- up --name ${options.name}`);
  console.log(state.kubeconfigPath);
}

async function main(): Promise<void> {
  const commands: Readonly<Record<string, () => Promise<void>>> = { up, down, status, kubeconfig };
  const command = commands[positionals[0] ?? ''];
  if (options.help) return console.log(usage);
  if (!command || positionals.length > 1) throw new Error(usage);
  await command();
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
