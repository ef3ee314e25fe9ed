/** A control plane of its own beside the one of `useApiCluster`: what is restored where nothing is left. */
import { type Cluster, startCluster } from '../cluster/cluster.js';
import { installCrds } from './install-crds.js';

/** Seconds, when the binaries are there; a file that is run by mocha alone may have to build them first. */
const startTimeoutMs = 30 * 60_000;

/** Call it in a `describe`: started before its first test with our CRDs and nothing else, and gone after its last. */
export function useSecondCluster(): { readonly cluster: Cluster } {
  let running: Cluster | undefined;
  before('the second API server is ready', async function () {
    this.timeout(startTimeoutMs);
    running = await startCluster({ onProgress: (line) => console.error(`  ${line}`) });
    await installCrds(running);
  });
  after('the second API server is stopped', async function () {
    this.timeout(120_000);
    await running?.stop();
  });
  return {
    get cluster() {
      if (!running) throw new Error('The second API server is not started yet: use it in a test or in a hook.');
      return running;
    },
  };
}
