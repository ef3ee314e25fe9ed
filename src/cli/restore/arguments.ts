import { parseArgs } from 'node:util';

export const usage = `npm run restore -- --backup [NAMESPACE/]NAME [options]     a baseline in this cluster
npm run restore -- --file PATH [options]                    an exported baseline, or an object of a bucket
npm run restore -- export --backup [NAMESPACE/]NAME --output PATH

Shows what would be created, changed and left, and changes nothing without --apply or a typed yes.
Objects are never deleted. Run again after an interruption: it goes on where it ended.

  --namespace NAME     restore into this namespace; the baseline's own unless given
  --camera NAME        only this camera; may be given several times
  --apply              carry the plan out without asking
  --force-conflicts    take fields over that another manager, such as GitOps, owns with another value
  --pool NAME          refuse a baseline of another pool
  --key-file PATH      with --file: the key of an encrypted baseline, 32 bytes or their base64
  --sha256 HEX         refuse a baseline with another checksum (Backup.status.artifact.sha256)
  --all                show every line of the plan
  --output PATH        export: where to write; a name that ends in .gz is compressed, and PATH.sha256 stands beside it
  --with-secrets       export: write the contents of Secrets, too, readable by whoever has the file
  --kubeconfig PATH    unless KUBECONFIG or ~/.kube/config is meant
  --context NAME       of the kubeconfig

Exit codes: 0 done, or nothing to do, or plan shown; 1 not finished (run again); 2 wrong command line; and with nothing
changed: 3 the baseline can't be used; 4 the cluster would refuse it; 5 a failover runs.`;

/** A Backup by its name; the namespace of the context when none was given. */
export interface BackupName {
  readonly namespace?: string;
  readonly name: string;
}

export interface Connection {
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
}

export interface RestoreCommand extends Connection {
  readonly command: 'restore';
  readonly source: { readonly backup: BackupName } | { readonly file: string; readonly keyFile?: string | undefined };
  readonly namespace?: string | undefined;
  readonly cameras?: readonly string[] | undefined;
  readonly apply: boolean;
  readonly forceConflicts: boolean;
  readonly pool?: string | undefined;
  readonly sha256?: string | undefined;
  readonly all: boolean;
}

export interface ExportCommand extends Connection {
  readonly command: 'export';
  readonly backup: BackupName;
  readonly output: string;
  readonly withSecrets: boolean;
}

/** The command line is wrong; the message says what to write instead. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const options = {
  backup: { type: 'string' },
  file: { type: 'string' },
  'key-file': { type: 'string' },
  output: { type: 'string' },
  'with-secrets': { type: 'boolean' },
  namespace: { type: 'string', short: 'n' },
  camera: { type: 'string', multiple: true },
  apply: { type: 'boolean' },
  'force-conflicts': { type: 'boolean' },
  pool: { type: 'string' },
  sha256: { type: 'string' },
  all: { type: 'boolean' },
  kubeconfig: { type: 'string' },
  context: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

type Values = ReturnType<typeof parse>['values'];

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** Reads the command line. Throws UsageError. */
export function parseCommand(argv: readonly string[]): RestoreCommand | ExportCommand | { readonly command: 'help' } {
  const { values, positionals } = parse(argv);
  if (values.help === true || argv.length === 0) return { command: 'help' };
  const [word = 'restore', ...rest] = positionals;
  if (rest.length > 0 || !['restore', 'export'].includes(word)) {
    throw new UsageError(`'${positionals.join(' ')}' is not understood; the only word that may stand alone is export`);
  }
  return word === 'export' ? exportCommand(values) : restoreCommand(values);
}

function exportCommand(values: Values): ExportCommand {
  const { backup, output, kubeconfig, context, 'with-secrets': withSecrets = false, ...others } = values;
  const wrong = Object.keys(others);
  if (wrong.length > 0) throw new UsageError(`export does not take ${wrong.map((name) => `--${name}`).join(', ')}`);
  if (backup === undefined || output === undefined) throw new UsageError('export needs --backup and --output');
  return { command: 'export', backup: backupName(backup), output, withSecrets, kubeconfig, context };
}

function restoreCommand(values: Values): RestoreCommand {
  for (const name of ['output', 'with-secrets'] as const)
    if (values[name] !== undefined) throw new UsageError(`--${name} belongs to export`);
  const { sha256 } = values;
  if (sha256 !== undefined && !/^[0-9a-fA-F]{64}$/.test(sha256)) {
    throw new UsageError('--sha256 takes the 64 hexadecimal digits of Backup.status.artifact.sha256');
  }
  return {
    command: 'restore',
    source: sourceOf(values),
    namespace: values.namespace,
    cameras: values.camera,
    apply: values.apply ?? false,
    forceConflicts: values['force-conflicts'] ?? false,
    pool: values.pool,
    sha256,
    all: values.all ?? false,
    kubeconfig: values.kubeconfig,
    context: values.context,
  };
}

function sourceOf({ backup, file, 'key-file': keyFile }: Values): RestoreCommand['source'] {
  if (keyFile !== undefined && file === undefined)
    throw new UsageError('--key-file belongs to --file; the key of a Backup is read from the Secret that it names');
  if ((backup === undefined) === (file === undefined)) throw new UsageError('give one of --backup and --file');
  return file === undefined ? { backup: backupName(backup ?? '') } : { file, keyFile };
}

function backupName(text: string): BackupName {
  const match = /^(?:([^/]+)\/)?([^/]+)$/.exec(text);
  if (!match?.[2]) throw new UsageError(`--backup takes NAME or NAMESPACE/NAME, not '${text}'`);
  return { ...(match[1] === undefined ? {} : { namespace: match[1] }), name: match[2] };
}
