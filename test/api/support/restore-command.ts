import { runRestore } from '../../../src/cli/restore/command.js';
import type { Cluster } from '../../cluster/cluster.js';

/** How the command ended, and what it said. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `npm run restore -- ...` in this process, on a cluster, with nobody at the terminal. */
export async function restoreOn(
  { kubeconfigPath, context }: Pick<Cluster, 'kubeconfigPath' | 'context'>,
  ...argv: readonly string[]
): Promise<Ended> {
  const out: string[] = [];
  const err: string[] = [];
  const where = ['--kubeconfig', kubeconfigPath, ...(context === undefined ? [] : ['--context', context])];
  const terminal = { out: (text: string) => out.push(text), err: (text: string) => err.push(text) };
  const code = await runRestore([...argv, ...where], terminal);
  return { code, out: out.join('\n'), err: err.join('\n') };
}
