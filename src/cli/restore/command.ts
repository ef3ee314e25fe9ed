import { isApiError, redactSecrets } from '../../operator/index.js';
import {
  applyRestore,
  checkWrites,
  demandNoProblems,
  nothingToDo,
  planRestore,
  planText,
  type RefusalKind,
  RestoreRefused,
  type RestoreSource,
  RestoreUnfinished,
  readFromBackup,
  readFromFile,
  readLive,
} from '../../restore/index.js';
import { type ExportCommand, parseCommand, type RestoreCommand, UsageError, usage } from './arguments.js';
import { type Connected, connect } from './connection.js';
import { writeExport } from './export.js';

/** Where a command speaks, and who answers it. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** Asks a person; absent when there is none. */
  confirm?: ((question: string) => Promise<boolean>) | undefined;
}

/** What a script reads. */
export const exitCodes = { done: 0, unfinished: 1, usage: 2 } as const;
const refusalCodes: Readonly<Record<RefusalKind, number>> = { Artifact: 3, Cluster: 4, FailoverRunning: 5 };

/** Carries a command line out and says how it ended. Never throws. */
export async function runRestore(argv: readonly string[], terminal: Terminal, open = connect): Promise<number> {
  try {
    const command = parseCommand(argv);
    if (command.command === 'help') {
      terminal.out(usage);
      return exitCodes.done;
    }
    const connected = open(command);
    try {
      return command.command === 'export'
        ? await runExport(command, connected, terminal)
        : await restore(command, connected, terminal);
    } finally {
      await connected.client.close();
    }
  } catch (error) {
    return failed(error, terminal);
  }
}

async function runExport(command: ExportCommand, connected: Connected, terminal: Terminal): Promise<number> {
  const source = await readFromBackup(connected, { namespace: connected.namespace, ...command.backup });
  const { bytes, sha256, leftOut } = await writeExport(command.output, source.artifact.baseline, command);
  terminal.out(`${source.from}\nwritten to ${command.output}: ${bytes} bytes, sha256 ${sha256}`);
  if (leftOut > 0) terminal.out(`without the contents of ${leftOut} Secrets; --with-secrets writes them, readable`);
  return exitCodes.done;
}

async function restore(command: RestoreCommand, connected: Connected, terminal: Terminal): Promise<number> {
  const { client, server } = connected;
  const { artifact, from } = await read(command, connected);
  const { baseline } = artifact;
  const namespace = command.namespace ?? baseline.namespace;
  const secrets = secretsOf(command, baseline);
  const live = await readLive(client, { namespace, pool: baseline.pool.name, secrets });
  const plan = planRestore({ artifact, live, cameras: command.cameras, now: new Date() });
  terminal.out(planText(plan, { artifact, from, server, all: command.all }));
  demandNoProblems(plan);
  if (nothingToDo(plan)) return exitCodes.done;
  const { forceConflicts } = command;
  const onProgress = (text: string) => terminal.err(text);
  await checkWrites(client, plan, { forceConflicts, onProgress });
  if (!(await mayApply(command, terminal))) return exitCodes.done;
  await applyRestore(plan, { client, artifact, live, forceConflicts, onProgress, now: () => new Date() });
  terminal.out(`restored. Look: kubectl -n ${namespace} get failoverpools,recordingservers,cameraassignments`);
  return exitCodes.done;
}

function read(command: RestoreCommand, connected: Connected): Promise<RestoreSource> {
  const { source, sha256, pool } = command;
  const expected = { sha256, pool };
  return 'file' in source
    ? readFromFile(source.file, expected, source.keyFile)
    : readFromBackup(connected, { namespace: connected.namespace, ...source.backup }, expected);
}

/** Of one camera only its own login is asked for. */
function secretsOf({ cameras }: RestoreCommand, baseline: RestoreSource['artifact']['baseline']): readonly string[] {
  if (cameras === undefined) return baseline.secrets;
  return baseline.cameras
    .filter(({ name }) => cameras.includes(name))
    .flatMap(({ spec }) => spec.source.credentialsSecretRef?.name ?? []);
}

async function mayApply({ apply }: RestoreCommand, { out, confirm }: Terminal): Promise<boolean> {
  if (apply) return true;
  const agreed = confirm !== undefined && (await confirm('Carry this out? Type yes: '));
  if (!agreed) out('nothing was changed; --apply carries it out');
  return agreed;
}

function failed(error: unknown, { err }: Terminal): number {
  if (error instanceof UsageError) {
    err(`${error.message}\n\n${usage}`);
    return exitCodes.usage;
  }
  if (error instanceof RestoreRefused) {
    err(
      redactSecrets(
        `refused, and nothing was restored:\n${error.problems.map((problem) => `- ${problem}`).join('\n')}`,
      ),
    );
    return refusalCodes[error.kind];
  }
  const text = error instanceof Error ? error.message : String(error);
  const mend =
    isApiError(error) || error instanceof RestoreUnfinished
      ? 'run the same command again: it goes on where it ended'
      : 'this is a fault of the program; the same command may be run again';
  err(redactSecrets(`not finished: ${text}\n${mend}`));
  return exitCodes.unfinished;
}
