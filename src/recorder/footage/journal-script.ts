/**
 * Obeys commands on stdin, one a line, fields separated by tabs: `folder PATH`, `mark PATH`, `move FROM TO`,
 * `drop PATH`, `write PATH TEXT`. Argument: mount path; all other paths are relative to it.
 */
const OBEY = `
cd "$1" || exit 1
failed=0
tab=$(printf '\\t')
while IFS="$tab" read -r verb a b; do
  case $verb in
    folder) mkdir -p "$a" || failed=1 ;;
    mark) : >"$a" || failed=1 ;;
    move) mv -n "$a" "$b" || failed=1 ;;
    drop) rm -rf "$a" || failed=1 ;;
    write) printf '%s\\n' "$b" >"$a.new" && sync "$a.new" && mv -f "$a.new" "$a" || failed=1 ;;
  esac
done
`;

/** Obeys, and nothing more: for what a takeover waits for. */
export const OBEY_SCRIPT = `${OBEY}exit $failed\n`;

/**
 * Keeps the open segments of one volume safe, in a child: obeys, lists what is staged (so that the caller knows which
 * segments have grown and which are closed), and then syncs all of it. The list is printed before the sync begins, so
 * every segment that is closed in the list is whole on the disk when the script ends: the caller may move it in the
 * next round. Up to a second of a closed segment would stay unsynced otherwise.
 */
export const JOURNAL_SCRIPT = `${OBEY}
find .understudy/staging -mindepth 3 -maxdepth 3 -type f -printf '%P\\t%s\\t%T@\\n' \\
  \\( -name '*.ts' -o -name '*.mkv' \\) -size +0 -exec sync -d {} + || failed=1
echo done
exit $failed
`;

/** Commands of the journal. */
export type JournalCommand =
  | { verb: 'folder'; path: string }
  | { verb: 'mark'; path: string }
  | { verb: 'move'; from: string; to: string }
  | { verb: 'drop'; path: string }
  | { verb: 'write'; path: string; text: string };

/** The commands as the script reads them. */
export function formatCommands(commands: readonly JournalCommand[]): string {
  return commands.map((command) => `${fieldsOf(command).map(checkedField).join('\t')}\n`).join('');
}

function fieldsOf(command: JournalCommand): string[] {
  if (command.verb === 'move') return ['move', command.from, command.to];
  if (command.verb === 'write') return ['write', command.path, command.text];
  return [command.verb, command.path];
}

// A tab or a line end would become a command of its own; a backslash is safe because the script reads with -r.
function checkedField(field: string): string {
  if (/[\t\n\0]/.test(field)) throw new Error(`a journal field holds a control character: ${JSON.stringify(field)}`);
  return field;
}

/** A file found in staging. */
export interface StagedFile {
  readonly camera: string;
  readonly writer: string;
  readonly name: string;
  readonly bytes: number;
  /** Modification time in milliseconds since 1970. */
  readonly modifiedMs: number;
}

/** Reads the list; undefined when it was cut short, because then closed and open segments can't be told apart. */
export function parseListing(stdout: string): StagedFile[] | undefined {
  const lines = stdout.split('\n').filter((line) => line !== '');
  if (lines.at(-1) !== 'done') return undefined;
  return lines.slice(0, -1).map(parseLine);
}

function parseLine(line: string): StagedFile {
  const [path = '', bytes, modified] = line.split('\t');
  const [camera = '', writer = '', name = ''] = path.split('/');
  return { camera, writer, name, bytes: Number(bytes), modifiedMs: Number(modified) * 1000 };
}
