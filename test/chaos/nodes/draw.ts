import { randomFrom } from '../run/random.js';
import { kindOf, type NodeCase } from './case.js';
import { disables, type Moment, moments, type NodeFault, nodeFaults, traitsOf } from './faults.js';

/** The shape of a system: its one recorder has so many standbys and so many cameras. */
export interface Layout {
  readonly standbys: number;
  readonly cameras: number;
}

/** Every third system has one standby, the others two; cameras alternate. */
export function layoutOf(system: number): Layout {
  return { standbys: system % 3 === 0 ? 1 : 2, cameras: 1 + (system % 2) };
}

/** What a case's number stands for. */
export interface Draw {
  /** The system that it is aimed at, from 0. */
  readonly system: number;
  /** The fault whose failover is under way when the case's own strikes; undefined at rest. */
  readonly primary: NodeFault | undefined;
  /** How long what is taken away for a while stays away. Milliseconds. */
  readonly pauseMs: number;
}

/** Failovers in whose middle something else happens: the commonest causes, of quite different sorts. */
const primaries: readonly NodeFault[] = ['all-disks', 'freeze-recorder', 'power-cut', 'partition'];
const primariesOfOneSystem = primaries.filter((fault) => traitsOf(fault).scope === 'system');
const SHORTEST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 7_000;

/** All that is left to chance in a case, the same for the same number. */
export function drawOf({ fault, moment, number }: NodeCase, systems: number): Draw {
  const random = randomFrom(number);
  // Faults of one system run beside those of others, which the loss of a whole node would hit as well.
  const choice = traitsOf(fault).scope === 'system' ? primariesOfOneSystem : primaries;
  const primary = choice[Math.floor(random() * choice.length)];
  const pauseMs = Math.round(SHORTEST_PAUSE_MS + random() * (LONGEST_PAUSE_MS - SHORTEST_PAUSE_MS));
  return { system: number % systems, primary: moment === 'at-rest' ? undefined : primary, pauseMs };
}

/** Whether the case can be played there: who loses a second recorder in the middle needs a third one. */
export function fits({ fault, moment }: Pick<NodeCase, 'fault' | 'moment'>, { standbys }: Layout): boolean {
  const mayLoseTwo = disables(fault) || traitsOf(fault).effect === 'restarts';
  return moment === 'at-rest' || !mayLoseTwo || standbys > 1;
}

/** Fault and moment without a number. */
export type CaseKind = Pick<NodeCase, 'fault' | 'moment'>;

/** Every kind of case whose name begins so. */
export function kindsOf(only = ''): CaseKind[] {
  const all = nodeFaults.flatMap((fault) =>
    traitsOf(fault).moments.map((moment: Moment): CaseKind => ({ fault, moment })),
  );
  return all.filter((kind) => `${kindOf(kind)}/`.startsWith(only) || kindOf(kind).startsWith(only));
}

/** Whether all systems have to rest for it, and are all judged. */
export function isExclusive({ fault }: CaseKind): boolean {
  return traitsOf(fault).scope !== 'system';
}

/** For messages: what a name can begin with. */
export const namesBeginWith = `nodes/<${nodeFaults.join('|')}>/<${moments.join('|')}>/<number>`;
