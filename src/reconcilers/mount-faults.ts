import type { MountFault, ServerHealth } from '../failover/types.js';
import {
  type ApiClient,
  type Clock,
  type KubeObject,
  type Log,
  parseKey,
  redactSecrets,
  resources,
  type Timer,
} from '../operator/index.js';
import type { Stores } from './stores.js';
import type { PodView } from './views.js';

/**
 * When Events are looked at after a suspected server's pod was first seen without a running container: soon, for what
 * fails at once, and once more when the kubelet has given up waiting for a volume, which takes it two minutes.
 * Milliseconds. Never again for the same pod: Events are dear to list, and nothing is decided by them.
 */
const LOOK_AFTER_MS = [10_000, 150_000];
const REQUEST_TIMEOUT_MS = 5_000;
/** As mount programs take them. */
const mountSecrets = /\b(pass\w*|\w*secret\w*|credentials?|key)=[^\s,]+/gi;

const faultReasons: ReadonlyMap<string, MountFault['reason']> = new Map([
  ['FailedMount', 'MountFailed'],
  ['FailedMapVolume', 'MountFailed'],
  ['FailedAttachVolume', 'AttachFailed'],
]);

/** An events.k8s.io/v1 Event; those of kubelet and controllers carry their times in the deprecated fields. */
type PodEvent = KubeObject & {
  reason?: string;
  note?: string;
  eventTime?: string | null;
  deprecatedFirstTimestamp?: string | null;
};

export interface MountFaultsOptions {
  readonly client: Pick<ApiClient, 'list'>;
  readonly stores: Pick<Stores, 'pods'>;
  readonly clock: Clock;
  readonly log: Log;
  /** A fault was found for a server ('namespace/name'). */
  readonly onFound: (key: string) => void;
}

/** Why a volume of a suspected server's pod can't be attached or mounted. */
export interface MountFaults {
  /** What was found for the present pod of a server ('namespace/name'). */
  faultOf(key: string): MountFault | undefined;
  /** To be called at each change of a judgement. */
  review(key: string, health: ServerHealth): void;
  forget(key: string): void;
}

interface Watched {
  readonly podUID: string;
  readonly since: number;
  looks: number;
  timer?: Timer;
  fault?: MountFault;
}

function waitsForVolumes(pod: PodView | undefined): pod is PodView & { nodeName: string } {
  if (pod?.nodeName === undefined || pod.containerRunning === true) return false;
  return pod.phase === 'Pending' || (pod.phase === 'Running' && pod.notStartedSince !== undefined);
}

function isSuspected({ verdict, startOverdue }: ServerHealth): boolean {
  return verdict === 'Late' || verdict === 'Broken' || startOverdue === true;
}

function faultIn(events: readonly PodEvent[]): MountFault | undefined {
  const faults = events.map((event): MountFault | undefined => {
    const reason = faultReasons.get(event.reason ?? '');
    if (reason === undefined) return undefined;
    // Some drivers' messages repeat the options of the mount, and these can hold a password.
    const message = redactSecrets(event.note ?? 'no reason was given').replace(mountSecrets, '$1=[redacted]');
    return {
      reason,
      message: message.slice(0, 256),
      time: event.deprecatedFirstTimestamp ?? event.eventTime ?? undefined,
    };
  });
  // What can't be attached can't be mounted either: the attachment is the cause.
  return faults.find((fault) => fault?.reason === 'AttachFailed') ?? faults.find((fault) => fault !== undefined);
}

export function createMountFaults({ client, stores, clock, log, onFound }: MountFaultsOptions): MountFaults {
  const watched = new Map<string, Watched>();
  /** One list at a time, whatever fails together. */
  let lane: Promise<void> = Promise.resolve();

  const isCurrent = (key: string, entry: Watched): boolean =>
    watched.get(key) === entry &&
    stores.pods.get(key)?.metadata.uid === entry.podUID &&
    waitsForVolumes(stores.pods.get(key));

  const look = async (key: string, entry: Watched): Promise<void> => {
    if (!isCurrent(key, entry)) return;
    const { namespace } = parseKey(key);
    try {
      const { items } = await client.list<PodEvent>(resources.events, {
        namespace,
        fieldSelector: `regarding.uid=${entry.podUID}`,
        timeoutMs: REQUEST_TIMEOUT_MS,
      });
      const fault = faultIn(items);
      if (fault === undefined || !isCurrent(key, entry)) return;
      entry.fault = fault;
      onFound(key);
    } catch (error) {
      // It is evidence for people and nothing waits for it.
      log.warn({ server: key, err: error }, 'Events of a suspected recorder could not be listed');
    }
  };

  const schedule = (key: string, entry: Watched): void => {
    const afterMs = LOOK_AFTER_MS[entry.looks];
    if (afterMs === undefined) return;
    entry.timer = clock.setTimer(entry.since + afterMs - clock.monotonic(), () => {
      entry.looks += 1;
      lane = lane
        .then(() => look(key, entry))
        .then(() => {
          if (entry.fault === undefined && isCurrent(key, entry)) schedule(key, entry);
        });
    });
  };

  const forget = (key: string): void => {
    watched.get(key)?.timer?.cancel();
    watched.delete(key);
  };

  return {
    faultOf(key) {
      const entry = watched.get(key);
      return entry !== undefined && isCurrent(key, entry) ? entry.fault : undefined;
    },
    review(key, health) {
      const pod = stores.pods.get(key);
      const podUID = pod?.metadata.uid;
      if (podUID === undefined || !waitsForVolumes(pod) || !isSuspected(health)) {
        // A judgement that is Unknown for a moment must not bring new lists for the same pod.
        if (watched.get(key)?.podUID !== podUID || health.verdict === 'Healthy') forget(key);
        return;
      }
      if (watched.get(key)?.podUID === podUID) return;
      forget(key);
      const entry: Watched = { podUID, since: clock.monotonic(), looks: 0 };
      watched.set(key, entry);
      schedule(key, entry);
    },
    forget,
  };
}
