import { KubeConfig } from '@kubernetes/client-node';
import { AGENT_PORT } from './crds/labels.js';
import { createApiClient, createLog, createMetrics, redactSecrets, systemClock } from './operator/index.js';
import { Agent } from './recorder/agent.js';
import { readEnvironment } from './recorder/environment.js';

/** What standbys are compared by (rule 4); the image's build may name another. */
const VERSION = process.env.UNDERSTUDY_VERSION ?? '0.1.0';
const STOP_LIMIT_MS = 12_000;

async function main(): Promise<void> {
  const environment = readEnvironment(process.env, AGENT_PORT);
  const log = createLog({ name: 'recorder', level: logLevel() }).child({ server: environment.server });
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromDefault();
  const metrics = createMetrics();
  const client = createApiClient({ kubeConfig, metrics, log });
  const agent = new Agent({ environment, client, clock: systemClock, log, metrics, version: VERSION });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      log.info({ signal }, 'stopping');
      // A child on a hung disk can't be waited for; whatever is not in its place by then is promoted at the next start.
      setTimeout(() => process.exit(0), STOP_LIMIT_MS).unref();
      agent
        .stop()
        .catch((error: unknown) => log.error({ error: String(error) }, 'stopped untidily'))
        .finally(() => process.exit(0));
    });
  }
  await agent.start();
  log.info({ port: agent.port, pod: environment.podUID }, 'recorder agent started');
}

function logLevel(): 'debug' | 'info' | 'warn' | 'error' {
  const wanted = process.env.UNDERSTUDY_LOG_LEVEL;
  return wanted === 'debug' || wanted === 'warn' || wanted === 'error' ? wanted : 'info';
}

main().catch((error: unknown) => {
  process.stderr.write(`recorder: ${redactSecrets(error instanceof Error ? error.message : String(error))}\n`);
  process.exit(1);
});
