// npm run chaos -- [--tier api|nodes|all] [--for 10m] [--seed N] [--only case] [--parallel N] [--systems N] [--write-docs]
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { runApiTier, sentenceOf } from './api-tier.js';
import { casesOf } from './nodes/tally.js';
import { runNodesTier } from './nodes/tier.js';
import { type ChaosRequest, parseRequest } from './run/arguments.js';
import { reliabilityPage } from './run/reliability-page.js';
import { type ApiPart, commitNow, keepResults, type NodesPart } from './run/results.js';
import { type Line, total } from './run/tally.js';

const page = fileURLToPath(new URL('../../docs/reliability.md', import.meta.url));

async function main(): Promise<number> {
  const request = parseRequest(process.argv.slice(2));
  const { tiers, writeDocs } = request;
  const stop = stopSignals(request);
  // Taken before: a long run must not be told to be of a commit that was made meanwhile.
  const commit = await commitNow();
  const nodes = tiers.includes('nodes') ? await runNodesTier(request, stop) : undefined;
  const api = tiers.includes('api') ? await runApiTier(request, stop) : undefined;
  const sum = total([...(nodes?.lines ?? []).map(lineOf), ...(api?.lines ?? [])]);
  console.log(`\n${sentenceOf(sum)}`);
  if (writeDocs) await writeDocuments(commit, nodes, api);
  return sum.violations > 0 || sum.cases === 0 ? 1 : 0;
}

async function writeDocuments(commit: string, nodes: NodesPart | undefined, api: ApiPart | undefined): Promise<void> {
  const results = await keepResults({
    ...(api === undefined ? {} : { api: { ...api, commit } }),
    ...(nodes === undefined ? {} : { nodes: { ...nodes, commit } }),
  });
  await writeFile(page, reliabilityPage(results));
}

function lineOf(line: NodesPart['lines'][number]): Line {
  return { fault: line.fault, cases: casesOf(line), void: line.void, violations: line.violations };
}

/**
 * When a tier is to end: its time is over, counted from the call on, or somebody pressed Ctrl-C; what runs is finished
 * and counted.
 */
function stopSignals({ forMs }: ChaosRequest): () => AbortSignal {
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => interrupted.abort(new Error(`ended by ${signal}`)));
  return () => AbortSignal.any([AbortSignal.timeout(forMs), interrupted.signal]);
}

// Not by exitCode: after an error other runs may still wait for a cluster that is gone.
try {
  process.exit(await main());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
