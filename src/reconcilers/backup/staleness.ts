import { type Backup, childNames, type FailoverPool } from '../../crds/index.js';
import { isMoveCause } from '../../failover/causes.js';
import type { Staleness } from './status.js';

/** The first failover or planned move that was committed after this epoch, as far as the pool remembers. */
function movedSince({ status }: FailoverPool, epoch: number) {
  const { current, history = [] } = status ?? {};
  const ran = history.map((entry) => ({ ...entry, server: entry.from, standby: entry.to }));
  return [...ran.reverse(), ...(current === undefined ? [] : [current])].find((move) => move.epoch > epoch);
}

/**
 * Whether roles moved between the beginning of a baseline and its end (rule 13: it does not hold a failover up). Its
 * reader wants to know which state it shows, and where the later one is. `pool`: as it is at the end.
 */
export function staleness(backup: Backup, pool: FailoverPool | undefined): Staleness | undefined {
  const begun = backup.status?.poolEpoch;
  const epoch = pool?.status?.epoch;
  if (pool === undefined || begun === undefined || epoch === undefined || epoch <= begun) return undefined;
  const move = movedSince(pool, begun);
  const what = move && (isMoveCause(move.trigger) ? 'the planned move' : 'the failover');
  const committed =
    move === undefined
      ? `roles of the pool changed (epoch ${epoch})`
      : `${what} of ${move.server} to ${move.standby} (epoch ${move.epoch}) was committed`;
  const later = move === undefined ? 'create another Backup' : `use Backup ${laterName(move, pool)}`;
  return {
    message:
      `${committed} while this baseline was made: its roles are those of epoch ${begun}, and some of its cameras may ` +
      `show the move already. It can be restored; for the state after the move ${later}`,
  };
}

function laterName(
  { epoch, backupName }: { epoch: number; backupName?: string | undefined },
  pool: FailoverPool,
): string {
  return backupName ?? childNames.baseline(pool.metadata.name, epoch);
}
