import { foldContact } from '../failover/health/contact.js';
import { judge } from '../failover/health/health.js';
import { observe } from '../failover/health/observation.js';
import { healthSettings } from '../failover/settings.js';
import type { ApiContact, HealthSettings, MountFault, Observation, ServerHealth } from '../failover/types.js';
import { type Clock, deepEqual, type Timer } from '../operator/index.js';
import { signalsOf } from './signals.js';
import { indexes, type Stores, type Watches } from './stores.js';
import type { LeaseView } from './views.js';

/** How often the API server's last answer is looked at. Milliseconds; well below what counts as an outage. */
const CONTACT_SAMPLE_MS = 500;

export interface ObservationsOptions {
  readonly watches: Pick<Watches, 'stores' | 'on'>;
  readonly clock: Clock;
  /** Why a volume of a server ('namespace/name') can't be mounted, if that is known. */
  readonly mountFaultOf?: (key: string) => MountFault | undefined;
  /** Monotonic milliseconds of the API server's last answer. */
  readonly lastServerContact: () => number | undefined;
  /**
   * The judgement of a server ('namespace/name') is another one now, whether by a signal or by time alone.
   * Must only enqueue.
   */
  readonly onVerdict: (key: string, health: ServerHealth) => void;
  /** The API server answers again after an outage. Must only enqueue. */
  readonly onContactAgain: () => void;
}

/**
 * What this replica has seen of every server. Every replica keeps it (law 7), so that a new leader has seen for itself.
 */
export interface Observations {
  /** The judgement as of now. Unknown for a server that has not been seen. */
  healthOf(key: string): ServerHealth;
  get(key: string): Observation | undefined;
  /** Something beside the watched objects has changed for a server ('namespace/name'). */
  refresh(key: string): void;
  /** How this replica stands with the API server; undefined before its first answer. */
  contact(): ApiContact | undefined;
  /** Starts to watch the clock and the contact with the API server. */
  start(): void;
  stop(): void;
}

interface Entry {
  observation: Observation;
  /** Of the last judgement that was told. */
  signature: string;
  healthy: boolean;
  check?: { readonly at: number; readonly timer: Timer };
}

/** What listeners care about; running figures are left out. */
function signatureOf(health: ServerHealth): string {
  const { verdict, trigger, reachable, storageHealthy, recordingServiceReady, clockSynced, startOverdue } = health;
  const conditions = [reachable, storageHealthy, recordingServiceReady, clockSynced];
  const cameras = [health.camerasReachable, health.camerasLost?.evidence];
  const evidence = health.evidence.map(({ reason, message }) => [reason, message]);
  return JSON.stringify([verdict, trigger, conditions, startOverdue === true, evidence, cameras]);
}

/** A heartbeat and nothing else: no reconciler has to see it. */
export function isRenewal(next: LeaseView | undefined, previous: LeaseView | undefined): boolean {
  return (
    next !== undefined &&
    previous !== undefined &&
    next.metadata.uid === previous.metadata.uid &&
    next.holderIdentity === previous.holderIdentity &&
    next.leaseDurationSeconds === previous.leaseDurationSeconds &&
    deepEqual(next.metadata.annotations, previous.metadata.annotations) &&
    next.renewTime !== previous.renewTime
  );
}

export function createObservations(options: ObservationsOptions): Observations {
  const { watches, clock, lastServerContact, onVerdict, onContactAgain } = options;
  const { stores } = watches;
  const entries = new Map<string, Entry>();
  let contact: ApiContact | undefined;
  let sampler: Timer | undefined;
  let running = false;

  const sampleContact = (): ApiContact | undefined => {
    const before = contact;
    contact = foldContact(contact, lastServerContact());
    if (before !== undefined && contact?.since !== before.since) onContactAgain();
    return contact;
  };

  const judged = (key: string): ServerHealth => {
    const observation = entries.get(key)?.observation;
    return judge(observation, settingsOf(stores, key), clock.monotonic(), sampleContact());
  };

  /** One timer a server, never moved back: a heartbeat costs no timer, an early check costs one judgement. */
  const scheduleCheck = (key: string, entry: Entry, inMs: number | undefined): void => {
    if (inMs === undefined || !running) return;
    const at = clock.monotonic() + inMs;
    if (entry.check && entry.check.at <= at) return;
    entry.check?.timer.cancel();
    const timer = clock.setTimer(inMs, () => {
      delete entry.check;
      if (entries.get(key) === entry) review(key, entry);
    });
    entry.check = { at, timer };
  };

  const review = (key: string, entry: Entry): void => {
    const health = judged(key);
    entry.healthy = health.verdict === 'Healthy';
    scheduleCheck(key, entry, health.nextCheckInMs);
    const signature = signatureOf(health);
    if (signature === entry.signature) return;
    entry.signature = signature;
    onVerdict(key, health);
  };

  const forget = (key: string): void => {
    entries.get(key)?.check?.timer.cancel();
    entries.delete(key);
  };

  const fold = (key: string): Entry | undefined => {
    const server = stores.servers.get(key);
    if (!server) return undefined;
    const known = entries.get(key);
    const observation = observe(
      known?.observation,
      signalsOf(stores, server, options.mountFaultOf?.(key)),
      clock.monotonic(),
    );
    if (known) {
      known.observation = observation;
      return known;
    }
    const entry: Entry = { observation, signature: '', healthy: false };
    entries.set(key, entry);
    return entry;
  };

  const refresh = (key: string): void => {
    const entry = fold(key);
    if (entry) review(key, entry);
  };

  watches.on('servers', (key, next) => (next ? refresh(key) : forget(key)));
  watches.on('pools', (key, next, previous) => {
    if (deepEqual(next?.spec, previous?.spec)) return;
    for (const { metadata } of stores.servers.byIndex(indexes.pool, key))
      refresh(`${metadata.namespace}/${metadata.name}`);
  });
  watches.on('leases', (_key, next, previous) => {
    const lease = next ?? previous;
    if (!lease) return;
    const server = `${lease.metadata.namespace}/${lease.server}`;
    const entry = fold(server);
    // The heartbeat of a healthy server costs nothing but the fold: there are thousands of them.
    if (entry && !(entry.healthy && isRenewal(next, previous))) review(server, entry);
  });
  watches.on('reports', refresh);
  watches.on('pods', (key) => refresh(key));
  watches.on('nodes', (name, next, previous) => {
    // Nodes report every few minutes without a change that matters.
    if (deepEqual(next, previous)) return;
    for (const pod of stores.pods.byIndex(indexes.node, name)) refresh(`${pod.metadata.namespace}/${pod.server}`);
  });
  const refreshClaim = (claim: string): void => {
    for (const { metadata } of stores.servers.byIndex(indexes.claim, claim))
      refresh(`${metadata.namespace}/${metadata.name}`);
  };
  watches.on('claims', refreshClaim);
  watches.on('persistentVolumes', (_name, next, previous) => {
    const claim = (next ?? previous)?.claim;
    if (claim) refreshClaim(`${claim.namespace}/${claim.name}`);
  });

  const sample = (): void => {
    sampleContact();
    sampler = clock.setTimer(CONTACT_SAMPLE_MS, sample);
  };
  return {
    healthOf: judged,
    refresh,
    get: (key) => entries.get(key)?.observation,
    contact: sampleContact,
    start() {
      if (running) return;
      running = true;
      sample();
      for (const [key, entry] of entries) review(key, entry);
    },
    stop() {
      running = false;
      sampler?.cancel();
      for (const entry of entries.values()) {
        entry.check?.timer.cancel();
        delete entry.check;
      }
    },
  };
}

/** The times by which a server is judged: its own, else its pool's, else the defaults. */
export function settingsOf(stores: Stores, key: string): HealthSettings {
  const server = stores.latestServers.get(key);
  if (!server) return healthSettings({});
  const pool =
    server.spec.poolRef && stores.latestPools.get(`${server.metadata.namespace}/${server.spec.poolRef.name}`);
  return healthSettings(server.spec, pool?.spec);
}
