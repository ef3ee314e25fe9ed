// `npm run restore`: the terminal of the command in src/cli/restore, which the kubectl plugin takes over as it is.
import { createInterface } from 'node:readline/promises';
import { runRestore } from '../src/cli/restore/command.js';

async function confirm(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return (await terminal.question(question)).trim() === 'yes';
  } finally {
    terminal.close();
  }
}

process.exitCode = await runRestore(process.argv.slice(2), {
  out: (text) => console.log(text),
  err: (text) => console.error(text),
  confirm: process.stdin.isTTY && process.stdout.isTTY ? confirm : undefined,
});
