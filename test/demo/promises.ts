import type { Backup, FailoverPool } from '../../src/crds/index.js';
import type { Chronicle } from '../scenario/chronicle.js';
import { isTrue } from '../scenario/summary.js';
import type { CameraResult } from './results.js';

/** Something that the demo promised, and whether it was kept. */
export interface Promised {
  readonly text: string;
  readonly kept: boolean;
  /** What was found: figures, or what is wrong. */
  readonly finding: string;
}

/** Longest time that the queue may add to the second recorder's own, in seconds. */
export const QUEUE_ADDS_SECONDS = 5;

/** Every camera has exactly one gap, the one of its recorder's fault, and that is within its bound. */
export function gapPromises(results: readonly CameraResult[], first: string, second: string): Promised[] {
  const within = (role: string, text: string): Promised => {
    const cameras = results.filter((result) => result.role === role);
    const late = cameras.filter((result) => result.gapSeconds === undefined || result.gapSeconds > result.boundSeconds);
    const longest = Math.max(...cameras.map((result) => result.gapSeconds ?? Number.POSITIVE_INFINITY));
    const finding =
      late.length === 0 ? `longest ${longest.toFixed(2)} s` : `too long: ${late.map(describeGap).join('; ')}`;
    return { text, kept: cameras.length > 0 && late.length === 0, finding };
  };
  const restless = results.filter((result) => result.otherHoles.length > 0);
  return [
    within(first, `power cut: each camera of ${first} misses at most 8 s + its connect time + its key frame interval`),
    within(
      second,
      `dead disks: each camera of ${second} misses at most ${QUEUE_ADDS_SECONDS} s more than that for the queue`,
    ),
    {
      text: 'no camera was interrupted while its own recorder was well: each has one gap and no other',
      kept: restless.length === 0,
      finding: restless.length === 0 ? 'none was' : restless.map(describeHoles).join('; '),
    },
  ];
}

function describeGap({ camera, gapSeconds, boundSeconds }: CameraResult): string {
  return `${camera} ${gapSeconds === undefined ? 'was not taken over' : `${gapSeconds.toFixed(2)} s > ${boundSeconds.toFixed(2)} s`}`;
}

function describeHoles({ camera, otherHoles }: CameraResult): string {
  const stretches = otherHoles.map(
    (hole) => `${hole.seconds.toFixed(2)} s from ${new Date(hole.startMs).toISOString()}`,
  );
  return `${camera} ${stretches.join(', ')}`;
}

/** The queue was used, in order, and cost no more than it may. */
export function queuePromises(chronicle: Chronicle, pool: FailoverPool, first: string, second: string): Promised[] {
  const versions = chronicle.history('pools', pool.metadata.name).map(({ object }) => object.status);
  const queued = versions.some(
    (status) => status?.current?.server === first && (status.queue ?? []).some(({ server }) => server === second),
  );
  const [one, two] = [entryOf(pool, first), entryOf(pool, second)];
  const inOrder =
    one !== undefined && two !== undefined && one.epoch < two.epoch && endOf(one) <= Date.parse(two.committedTime);
  const waited = two && (Date.parse(two.committedTime) - Date.parse(two.brokenTime ?? two.committedTime)) / 1000;
  return [
    {
      text: `${second} was queued while ${first} was being replaced`,
      kept: queued,
      finding: queued ? 'seen in the status of the pool' : 'no version of the status of the pool shows it',
    },
    {
      text: 'one takeover at a time, in the order of the queue',
      kept: inOrder,
      finding: inOrder ? `${first} (epoch ${one.epoch}), then ${second} (epoch ${two.epoch})` : orderFinding(pool),
    },
    {
      text: `the queue adds at most ${QUEUE_ADDS_SECONDS} s to the takeover of ${second}`,
      kept: waited !== undefined && waited <= QUEUE_ADDS_SECONDS,
      finding: waited === undefined ? 'it was not taken over' : `${waited.toFixed(2)} s`,
    },
  ];
}

/** The history entry of the failover of a server. */
export function entryOf(pool: FailoverPool, server: string) {
  return pool.status?.history?.find((entry) => entry.from === server);
}

type Entry = NonNullable<ReturnType<typeof entryOf>>;

function endOf(entry: Entry): number {
  return Date.parse(entry.backedUpTime ?? entry.recordingTime ?? '');
}

function orderFinding(pool: FailoverPool): string {
  const entries = (pool.status?.history ?? []).map(
    ({ from, to, epoch, committedTime }) => `${from} -> ${to} epoch ${epoch} at ${committedTime}`,
  );
  return `history, newest first: ${entries.join('; ') || 'empty'}`;
}

/** One baseline for each takeover, complete, made in their order. */
export function baselinePromise(chronicle: Chronicle, pool: FailoverPool): Promised {
  const history = [...(pool.status?.history ?? [])].sort((a, b) => a.epoch - b.epoch);
  const made = chronicle
    .all('backups')
    .filter((backup) => backup.spec.reason === 'Failover')
    .sort((a, b) => (a.spec.epoch ?? 0) - (b.spec.epoch ?? 0));
  const completions = made.map((backup) => Date.parse(backup.status?.completionTime ?? ''));
  const inOrder = completions.every((time, index) => index === 0 || (completions[index - 1] ?? 0) <= time);
  const matching =
    made.length === history.length && made.every((backup, index) => backup.spec.epoch === history[index]?.epoch);
  return {
    text: 'one new baseline after each takeover, complete and in their order',
    kept: history.length > 0 && matching && inOrder && made.every(isWhole),
    finding: made.map(describeBaseline).join('; ') || 'no baseline was made',
  };
}

function isWhole(backup: Backup): boolean {
  return isTrue(backup, 'Complete') && (backup.status?.artifact?.bytes ?? 0) > 0;
}

function describeBaseline(backup: Backup): string {
  const { artifact } = backup.status ?? {};
  const content = artifact
    ? `${artifact.servers} servers, ${artifact.cameras} cameras, ${artifact.bytes} bytes`
    : 'nothing';
  return `${backup.metadata.name} ${isWhole(backup) ? 'complete' : 'NOT complete'} (${content})`;
}

/** The repaired server stands by, and the substitute keeps the role. */
export function repairPromise(chronicle: Chronicle, pool: FailoverPool, repaired: string): Promised {
  const state = chronicle.find('servers', repaired)?.status?.state;
  const holder = pool.status?.roles?.find((role) => role.name === repaired)?.holder;
  return {
    text: `${repaired} is repaired and becomes a standby; its substitute keeps the role`,
    kept: state === 'Standby' && holder !== undefined && holder !== repaired,
    finding: `${repaired} is ${state ?? 'unknown'}, role ${repaired} is held by ${holder ?? 'nobody'}`,
  };
}

/** No epoch was ever seen to fall, on any object. */
export function epochPromise(chronicle: Chronicle): Promised {
  const falls: string[] = [];
  let versions = 0;
  for (const kind of ['servers', 'pools', 'reports'] as const) {
    for (const { metadata } of chronicle.all(kind)) {
      let highest = 0;
      for (const { object } of chronicle.history(kind, metadata.name)) {
        const epoch = object.status?.epoch ?? highest;
        versions += 1;
        if (epoch < highest) falls.push(`${kind} ${metadata.name}: ${highest} -> ${epoch}`);
        highest = Math.max(highest, epoch);
      }
    }
  }
  const finding = falls.length === 0 ? `${versions} versions of the objects looked at` : falls.join('; ');
  return { text: 'epochs only grow', kept: versions > 0 && falls.length === 0, finding };
}
