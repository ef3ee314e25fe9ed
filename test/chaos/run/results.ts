import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { run } from '../../cluster/run-command.js';
import type { Line } from './tally.js';

/** What a run of the API tier came to. */
export interface ApiPart {
  readonly seed: number;
  readonly minutes: number;
  /** Cores and memory. */
  readonly machine: string;
  readonly lines: readonly Line[];
  /** Writes of the fault-free runs by workload. */
  readonly workloads: Readonly<Record<string, number>>;
}

/** How it stands with one fault on real nodes: systems that it hit, by where these stood. */
export interface NodesLine {
  readonly fault: string;
  readonly atRest: number;
  readonly takingOver: number;
  readonly backingUp: number;
  /** Hit while the machine stood still: no cases. */
  readonly void: number;
  readonly violations: number;
  /** In the files of a camera, in cases without a violation. Seconds, in tenths. */
  readonly longestGapSeconds: number;
}

/** What a run on real nodes came to. */
export interface NodesPart {
  readonly seed: number;
  readonly minutes: number;
  readonly machine: string;
  readonly systems: number;
  readonly nodes: number;
  /** Share of the processor that the machine's host took for others meanwhile. */
  readonly stolenPercent: number;
  /** Faults that were injected by name; each hit one or more systems. */
  readonly injections: number;
  readonly lines: readonly NodesLine[];
}

/** docs/reliability.json: the last run of each tier, with the commit that it was made on. */
export interface Results {
  readonly api?: ApiPart & { readonly commit: string };
  readonly nodes?: NodesPart & { readonly commit: string };
}

const file = fileURLToPath(new URL('../../../docs/reliability.json', import.meta.url));

/** The results that are kept; none before the first run. */
export async function readResults(): Promise<Results> {
  const text = await readFile(file, 'utf8').catch(() => '{}');
  return JSON.parse(text) as Results;
}

/** Replaces the parts of the tiers that were run, and leaves the other as it was. */
export async function keepResults(results: Results): Promise<Results> {
  const all = { ...(await readResults()), ...results };
  await writeFile(file, `${JSON.stringify(all, undefined, 2)}\n`);
  return all;
}

/** The commit that is checked out; with a plus where files differ from it. */
export async function commitNow(): Promise<string> {
  const commit = (await run('git', ['rev-parse', '--short=12', 'HEAD'])).trim();
  const changes = (await run('git', ['status', '--porcelain', '--', 'src', 'test', 'deploy'])).trim();
  return changes === '' ? commit : `${commit}+`;
}
