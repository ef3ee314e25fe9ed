import { setTimeout as pause } from 'node:timers/promises';
import { resources } from '../../../src/operator/resources.js';
import { waitUntil } from '../../cluster/wait-until.js';
import type { Api } from '../api.js';
import { operatorProcesses } from '../container-process.js';
import { LEADER_LEASE, OPERATOR_NAMESPACE, type Operator } from '../operator.js';

/**
 * The operator's replicas with their processes, always up to date: some moments of a failover are over before a leader
 * and its process could be looked up.
 */
export interface OperatorSight {
  /** Kills at once who leads at this moment, or whoever runs. False when nobody was hit. */
  shoot(target: 'leader' | 'all'): boolean;
  /** Waits until somebody leads who has not been shot. */
  newLeader(): Promise<void>;
  /** Stops looking. */
  close(): void;
}

interface LeaderLease {
  readonly metadata: { readonly name: string };
  readonly spec?: { readonly holderIdentity?: string };
}

const LOOK_EVERY_MS = 1_000;
/** A dead leader's Lease must expire, and a kubelet may keep a replica waiting. */
const ELECTION_MS = 180_000;

/** Resolves when the leader's process is known. */
export async function watchOperator(api: Api, operator: Operator): Promise<OperatorSight> {
  const ended = new AbortController();
  const shot = new Set<string>();
  let holder = '';
  let processes = new Map<string, number>();
  api.observe<LeaderLease>(resources.leases, OPERATOR_NAMESPACE, ended.signal, ({ object }) => {
    if (object.metadata.name === LEADER_LEASE) holder = object.spec?.holderIdentity ?? '';
  });
  const look = async () => {
    const replicas = await operator.replicas();
    const found = await operatorProcesses(replicas.map(({ podUID }) => podUID));
    const podOf = (uid: string) => replicas.find(({ podUID }) => podUID === uid)?.pod ?? '';
    processes = new Map(found.map(({ podUID, pid }) => [podOf(podUID), pid]));
  };
  void keepLooking(look, ended.signal);
  const leads = () => holder !== '' && !shot.has(holder) && processes.has(podIn(holder));
  const newLeader = async () => {
    await waitUntil('a replica of the operator leads', leads, { timeoutMs: ELECTION_MS });
  };
  await newLeader();
  return {
    newLeader,
    shoot: (target) => {
      if (target === 'leader' && !leads()) return false;
      const pids = target === 'all' ? [...processes.values()] : [processes.get(podIn(holder))];
      shot.add(holder);
      return pids.map(killed).every((hit) => hit) && pids.length > 0;
    },
    close: () => ended.abort(),
  };
}

/** The election's identities begin with the name of their pod. */
function podIn(holder: string): string {
  return holder.replace(/_[^_]*$/, '');
}

async function keepLooking(look: () => Promise<void>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    // The API server may be away for a moment: what was seen last holds until then.
    await look().catch(() => undefined);
    await pause(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

function killed(pid: number | undefined): boolean {
  if (pid === undefined) return false;
  try {
    process.kill(pid, 'SIGKILL');
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}
