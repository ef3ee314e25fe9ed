/** One real API server for all API tests of a mocha process. */
import { randomBytes } from 'node:crypto';
import { type Cluster, type ClusterOptions, startCluster } from '../cluster/cluster.js';
import { useExistingCluster } from '../cluster/existing-cluster.js';

export { installCrds } from './install-crds.js';

/** Seconds, when the binaries are there; a file that is run by mocha alone may have to build them first. */
const startTimeoutMs = 30 * 60_000;

/** How the first test file of a process that asks for a cluster wants it. */
export type ApiClusterOptions = Pick<ClusterOptions, 'auditLog'>;

let starting: Promise<Cluster> | undefined;
let running: Cluster | undefined;
const namespaces: string[] = [];

function start(options: ApiClusterOptions): Promise<Cluster> {
  const kubeconfig = process.env.UNDERSTUDY_TEST_KUBECONFIG;
  const context = process.env.UNDERSTUDY_TEST_CONTEXT;
  const onProgress = (line: string) => console.error(`  ${line}`);
  if (!kubeconfig && !context) return startCluster({ ...options, onProgress });
  return useExistingCluster({ ...(kubeconfig ? { kubeconfig } : {}), ...(context ? { context } : {}), onProgress });
}

/**
 * Call it in a `describe`. The control plane is started before its first test, once in the process, and stopped after
 * the last test of all. UNDERSTUDY_TEST_KUBECONFIG and UNDERSTUDY_TEST_CONTEXT name a cluster of your own instead.
 */
export function useApiCluster(options: ApiClusterOptions = {}): { readonly cluster: Cluster } {
  before('the API server is ready', async function () {
    this.timeout(startTimeoutMs);
    starting ??= start(options);
    running = await starting;
  });
  return {
    get cluster() {
      if (!running) throw new Error('The API server is not started yet: use it in a test or in a hook.');
      return running;
    },
  };
}

/** A new namespace, empty but for what Kubernetes itself puts there; for one test file or one test. */
export async function testNamespace(prefix = 'test'): Promise<string> {
  if (!running) throw new Error('Call useApiCluster() in the describe, and testNamespace() in a test or in a hook.');
  const name = `${prefix}-${randomBytes(4).toString('hex')}`;
  await running.kubectl(['create', 'namespace', name]);
  namespaces.push(name);
  return name;
}

// Outside of every describe: a hook of the whole run, whichever file was first to import this.
after('the API server is stopped', async function () {
  this.timeout(120_000);
  if (!running) return;
  // A cluster that was started here goes away whole; a user's own must be left as it was.
  if (running.context !== undefined && namespaces.length > 0) {
    await running.kubectl(['delete', 'namespace', '--wait=false', ...namespaces]);
  }
  await running.stop();
  running = undefined;
  starting = undefined;
});
