/** Who is hit: one recorder of one system, whatever is on one node, or what all systems share. */
export type Scope = 'system' | 'node' | 'control';

/**
 * What a fault does to a recorder that it hits.
 *
 * - fells: it records nothing any more, or nobody can hear that it does; its role has to move.
 * - silences: it goes on recording, but nobody hears it; its role has to move, and nothing may be missing.
 * - restarts: it records again by itself after a moment; its role may move.
 * - degrades: it goes on after a moment, on another disk or with less space; its role must stay.
 * - empties: its role moves by plan, without a gap.
 * - spares: recorders are not touched; nothing may move, and nothing may be missing.
 */
export type Effect = 'fells' | 'silences' | 'restarts' | 'degrades' | 'empties' | 'spares';

/** When a fault strikes: at rest, or in one of the two steps of a failover that another fault has caused. */
export const moments = ['at-rest', 'at-taking-over', 'at-backing-up'] as const;
export type Moment = (typeof moments)[number];

interface Traits {
  readonly scope: Scope;
  readonly effect: Effect;
  readonly moments: readonly Moment[];
  /** Its disks have to be repaired by the maintenance procedure: their pod keeps a dead file system dead. */
  readonly byMaintenance?: true;
  /** What is injected, as the page says it. */
  readonly meaning: string;
}

const whenever: readonly Moment[] = moments;
const restOnly: readonly Moment[] = ['at-rest'];

const catalogue = {
  'power-cut': {
    scope: 'node',
    effect: 'fells',
    moments: whenever,
    meaning: 'a node loses its power: network, unsynced data and all processes at once',
  },
  partition: {
    scope: 'node',
    effect: 'fells',
    moments: whenever,
    meaning: 'the cable of a node is pulled: control plane and cameras are gone for it, and all on it goes on',
  },
  isolation: {
    scope: 'node',
    effect: 'silences',
    moments: whenever,
    meaning: 'a node does not reach the control plane any more; its cameras are still there',
  },
  'kill-kubelet': {
    scope: 'node',
    effect: 'spares',
    moments: whenever,
    meaning: 'the kubelet of a node is killed; its pods go on',
  },
  drain: { scope: 'node', effect: 'empties', moments: restOnly, meaning: '`kubectl drain` of a node, then uncordon' },
  'kill-recorder': {
    scope: 'system',
    effect: 'restarts',
    moments: whenever,
    meaning: 'the process of a recorder is killed; the kubelet starts it again',
  },
  'freeze-recorder': {
    scope: 'system',
    effect: 'fells',
    moments: whenever,
    meaning: 'a recorder and all that it has started are stopped (SIGSTOP), as a hung machine does',
  },
  'all-disks': {
    scope: 'system',
    effect: 'fells',
    moments: whenever,
    byMaintenance: true,
    meaning: 'all disks of a recorder answer EIO, and what was not synced is lost',
  },
  'one-disk': {
    scope: 'system',
    effect: 'degrades',
    moments: whenever,
    byMaintenance: true,
    meaning: 'the disk that a recorder writes to answers EIO; its other one works',
  },
  'read-only': {
    scope: 'system',
    effect: 'fells',
    moments: restOnly,
    byMaintenance: true,
    meaning: 'the kernel makes all disks of a recorder read-only because of an error',
  },
  full: {
    scope: 'system',
    effect: 'degrades',
    moments: restOnly,
    meaning: 'a file of somebody else takes all the space of the disk that a recorder writes to',
  },
  hung: {
    scope: 'system',
    effect: 'fells',
    moments: whenever,
    meaning: 'all disks of a recorder hang: whoever writes waits in the kernel and cannot be killed',
  },
  'kill-leader': {
    scope: 'control',
    effect: 'spares',
    moments: whenever,
    meaning: 'the leading replica of the operator is killed',
  },
  'kill-operators': {
    scope: 'control',
    effect: 'spares',
    moments: whenever,
    meaning: 'both replicas of the operator are killed',
  },
  'restart-api': {
    scope: 'control',
    effect: 'spares',
    moments: whenever,
    meaning: 'the API server is killed, and started again after some seconds',
  },
  'restart-control-plane': {
    scope: 'control',
    effect: 'spares',
    moments: whenever,
    meaning: 'API server and etcd are killed, and started again after some seconds',
  },
  maintenance: {
    scope: 'system',
    effect: 'empties',
    moments: restOnly,
    meaning: '`operatingMode: Maintenance` on the recorder of a role, then Normal',
  },
  request: {
    scope: 'system',
    effect: 'empties',
    moments: restOnly,
    meaning: 'a person asks for a planned move by annotation',
  },
} as const satisfies Readonly<Record<string, Traits>>;

export type NodeFault = keyof typeof catalogue;

/** Every fault of the tier, in the order of the page. */
export const nodeFaults = Object.keys(catalogue) as readonly NodeFault[];

/** What is to be known of a fault. */
export function traitsOf(fault: NodeFault): Traits {
  return catalogue[fault];
}

/** Whether a recorder that it hits can't be given a role, or loses it. */
export function disables(fault: NodeFault): boolean {
  const { effect } = traitsOf(fault);
  return effect === 'fells' || effect === 'silences';
}
