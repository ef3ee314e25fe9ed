/** Which role a recorder serves, as decided by the operator. */
export interface Assignment {
  /** Empty when it serves none. */
  readonly role: string;
  /** Grows with every change; 0 when nothing was ever assigned. */
  readonly epoch: number;
  /** The pod that is meant; undefined when the operator does not know one yet. */
  readonly podUID: string | undefined;
}

/** Where an assignment was seen. What the API server says replaces what the volume remembers at the same epoch. */
export type AssignmentOrigin = 'api' | 'volume';

export interface KnownAssignment extends Assignment {
  readonly origin: AssignmentOrigin;
}

/** What the recorder has to do. */
export interface Order {
  readonly mode: 'Idle' | 'Shadow' | 'Record';
  readonly role: string;
  readonly epoch: number;
  /** Another pod of this server is the assigned one: this one must neither record nor send heartbeats. */
  readonly displaced: boolean;
}

/** Takes in a sighting: the highest epoch wins, whatever came first (any sighting may be late or doubled). */
export function learn(known: KnownAssignment | undefined, seen: KnownAssignment): KnownAssignment {
  if (known === undefined || seen.epoch > known.epoch) return seen;
  if (seen.epoch < known.epoch) return known;
  return known.origin === 'api' && seen.origin === 'volume' ? known : seen;
}

/**
 * The order that follows. What only the volume remembers counts once the API server has answered without knowing
 * better, or has had time to (`apiHadItsTurn`): a role may have moved while this pod was down, and for cameras that
 * allow one session a needless connect would throw out the new holder.
 *
 * The pod named by the volume is the one that wrote it, perhaps our predecessor; only the API server's word displaces.
 */
export function decide(known: KnownAssignment | undefined, podUID: string, apiHadItsTurn: boolean): Order {
  const idle: Order = { mode: 'Idle', role: '', epoch: known?.epoch ?? 0, displaced: false };
  if (known === undefined) return idle;
  if (known.origin === 'volume' && !apiHadItsTurn) return { ...idle, epoch: 0 };
  if (known.origin === 'api' && known.podUID !== undefined && known.podUID !== podUID)
    return { ...idle, displaced: true };
  return known.role === '' ? idle : { ...idle, mode: 'Record', role: known.role };
}
