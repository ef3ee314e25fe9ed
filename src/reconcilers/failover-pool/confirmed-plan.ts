import type { FailoverPool, RecorderReportStatus } from '../../crds/index.js';
import type { PoolDecision, PoolInput } from '../../failover/types.js';
import { type PoolPlan, planPool } from './plan.js';

export type Confirm = (server: string) => Promise<boolean>;
/** The report of a server, uncached; undefined when there is none. */
export type ReadReport = (server: string) => Promise<RecorderReportStatus | undefined>;
type Reports = ReadonlyMap<string, RecorderReportStatus | undefined>;

const nothingToConfirm: Pick<PoolDecision, 'confirmSilence' | 'confirmReports'> = {
  confirmSilence: [],
  confirmReports: [],
};

async function notSilent(servers: readonly string[], confirm: Confirm): Promise<string[]> {
  const answers = await Promise.all(servers.map(async (server) => ({ server, silent: await confirm(server) })));
  return answers.filter(({ silent }) => !silent).map(({ server }) => server);
}

/** The input without the verdict on servers whose silence is in doubt, and with reports that the watch has not brought. */
function doubting(input: PoolInput, doubted: ReadonlySet<string>, reports: Reports): PoolInput {
  const servers = input.servers.map((server) => {
    const { trigger: _doubted, ...health } = server.health;
    const told = reports.has(server.name) ? { ...server, report: reports.get(server.name) } : server;
    return doubted.has(server.name)
      ? { ...told, health: { ...health, verdict: 'Late' as const, suspected: false } }
      : told;
  });
  return { ...input, servers };
}

/**
 * Plans until all that the plan relies on is confirmed (law 7). A server whose Lease tells otherwise counts as late; it
 * must not hold up the failovers of the others. Ends: no server is doubted twice, no report read twice.
 */
export async function planConfirmed(
  pool: FailoverPool,
  input: PoolInput,
  confirm: Confirm,
  readReport: ReadReport,
): Promise<{ readonly plan: PoolPlan; readonly inDoubt: boolean }> {
  const doubted = new Set<string>();
  const reports = new Map<string, RecorderReportStatus | undefined>();
  for (;;) {
    const plan = planPool(pool, doubting(input, doubted, reports));
    const { confirmSilence, confirmReports } = plan.status === undefined ? nothingToConfirm : plan.decision;
    const renewing = (await notSilent(confirmSilence, confirm)).filter((server) => !doubted.has(server));
    const unread = confirmReports.filter((server) => !reports.has(server));
    const read = await Promise.all(unread.map(async (server) => [server, await readReport(server)] as const));
    if (renewing.length === 0 && read.length === 0) return { plan, inDoubt: doubted.size > 0 };
    for (const server of renewing) doubted.add(server);
    for (const [server, report] of read) reports.set(server, report);
  }
}
