/**
 * Looks at one volume, in a child. Arguments: mount path, expected identity (one line of JSON; empty: only read it),
 * nonce, and 'claim' to write the identity first.
 *
 * What it prints: `mounted=` the mount's line of mountinfo, `identity=` the marker found, `space=` statfs, `probed=`
 * the nonce once it was written, synced and read back. Its last words on stderr are the verdict's.
 *
 * The order matters: nothing is written before the mount and the marker are what they should be, or an unmounted disk
 * would fill the root file system. The probe file keeps its blocks (conv=notrunc), so that a full disk is no dead disk.
 * Only fsync tells that a thin disk has lost its store; only a direct read tells that the disk, not the cache, answers.
 */
export const PROBE_SCRIPT = `
m=$1 expected=$2 nonce=$3 mode=$4
d=$m/.understudy
echo "mounted=$(grep -F " $m " /proc/self/mountinfo | tail -n 1)"
if [ "$mode" = claim ]; then
  mkdir -p "$d/staging" && printf '%s\\n' "$expected" >"$d/identity.new" && sync "$d/identity.new" &&
    mv -f "$d/identity.new" "$d/identity.json" && sync "$d" || exit 1
fi
if [ -e "$d/identity.json" ]; then
  found=$(cat "$d/identity.json") || exit 1
else
  found=
  ls -A "$m" >/dev/null || exit 1
fi
echo "identity=$found"
[ -n "$expected" ] && [ "$found" = "$expected" ] || exit 0
printf '%-4095s\\n' "$nonce" | dd of="$d/probe" bs=4096 count=1 iflag=fullblock conv=notrunc,fsync status=none || exit 1
if ! got=$(dd if="$d/probe" bs=4096 count=1 iflag=direct status=none 2>&1); then
  case $got in
    *'Invalid argument'*) got=$(dd if="$d/probe" bs=4096 count=1 status=none) || exit 1 ;;
    *) echo "$got" >&2; exit 1 ;;
  esac
fi
case $got in
  "$nonce "*) ;;
  *) echo 'Input/output error: the probe file reads back other bytes than were written' >&2; exit 1 ;;
esac
stat -f -c 'space=%S %b %a %c %d %T' "$m" || exit 1
echo "probed=$nonce"
`;

/** What a probe found. */
export interface ProbeOutput {
  /** Whether something is mounted at the path. */
  readonly mounted: boolean;
  /** Device numbers of the mount, as in 8:1. */
  readonly device: string | undefined;
  readonly fileSystem: string | undefined;
  /** The marker's text; empty when there is none. */
  readonly identity: string;
  readonly space: Space | undefined;
  /** The nonce that was read back from the disk. */
  readonly probed: string | undefined;
}

/** Space as statfs tells it, in bytes and inodes. */
export interface Space {
  readonly sizeBytes: number;
  readonly availableBytes: number;
  /** 0 where the file system does not count inodes. */
  readonly inodes: number;
  readonly freeInodes: number;
}

/** Reads the lines that the probe printed. */
export function parseProbe(stdout: string): ProbeOutput {
  const fields = new Map<string, string>();
  for (const line of stdout.split('\n')) {
    const equals = line.indexOf('=');
    if (equals > 0) fields.set(line.slice(0, equals), line.slice(equals + 1));
  }
  const mount = (fields.get('mounted') ?? '').split(' ');
  const separator = mount.indexOf('-');
  return {
    mounted: mount.length > 5,
    device: mount[2],
    fileSystem: separator < 0 ? undefined : mount[separator + 1],
    identity: fields.get('identity') ?? '',
    space: parseSpace(fields.get('space')),
    probed: fields.get('probed'),
  };
}

function parseSpace(text: string | undefined): Space | undefined {
  if (text === undefined) return undefined;
  const [blockSize = 0, blocks = 0, available = 0, inodes = 0, freeInodes = 0] = text.split(' ').map(Number);
  return { sizeBytes: blockSize * blocks, availableBytes: blockSize * available, inodes, freeInodes };
}
