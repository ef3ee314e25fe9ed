import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../cluster/run-command.js';

/** The shell commands of a page, by the headings above them. */
export interface Runbook {
  readonly headings: readonly string[];
  /** Runs the commands below a heading as they stand there, `before` in the same shell; stops at the first that fails. */
  follow(heading: string, before: string, environment: NodeJS.ProcessEnv): Promise<string>;
  /** The commands below a heading. */
  commands(heading: string): string;
}

export async function readRunbook(page: string): Promise<Runbook> {
  const text = await readFile(join(import.meta.dirname, '../../../docs', page), 'utf8');
  const found = new Map<string, string[]>();
  let heading = '';
  for (const [, title, code] of text.matchAll(/^#+ (.+)$|^```sh\n([\s\S]*?)^```$/gm)) {
    if (title !== undefined) heading = title;
    else found.set(heading, [...(found.get(heading) ?? []), code ?? '']);
  }
  const commands = (wanted: string): string => {
    const blocks = found.get(wanted);
    if (blocks === undefined) throw new Error(`${page} has no commands below "${wanted}"`);
    return blocks.join('');
  };
  return {
    headings: [...found.keys()],
    commands,
    follow: (wanted, before, env) =>
      run('bash', ['-euo', 'pipefail', '-c', `${before}\n${commands(wanted)}`], { env, timeoutMs: 180_000 }),
  };
}
