import { type RecordingServer, reasons, recordingServers } from '../../crds/index.js';
import {
  type ApiClient,
  type Clock,
  type EventRecorder,
  isApiError,
  objectRef,
  type Reconcile,
  type Result,
  resources,
} from '../../operator/index.js';
import type { Observations } from '../observations.js';
import type { Stores } from '../stores.js';
import { applyChild, applyClaim, applyLease, applyPod, type Outcome, type Writer, writeServerStatus } from './apply.js';
import { missingClaims, wantedChildren } from './children-plan.js';
import { justBecame } from './conditions.js';
import { type Gathered, type GatherOptions, gather } from './gather.js';
import { planLease } from './lease-plan.js';
import { type PodDefaults, planPod, podOutdated } from './pod-plan.js';
import { claimFault, type Fault, referenceFault } from './references.js';
import { planStatus, type StatusPlan } from './status.js';

/** How soon to look again when something of an earlier owner is in the way. Its deletion wakes us before that. */
const IN_THE_WAY_MS = 5_000;

export interface ServerReconcilerOptions {
  readonly client: ApiClient;
  readonly stores: Stores;
  readonly observations: Pick<Observations, 'healthOf' | 'get'>;
  /** Condition Protected of a server. */
  readonly protectionOf: GatherOptions['protectionOf'];
  /** Conditions Compatible and StandbyReady of a server without a role. */
  readonly standbyOf?: GatherOptions['standbyOf'];
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly podDefaults: PodDefaults;
}

/** Something that is wrong in a reference keeps a server from starting; what runs already is never torn down for it. */
function mayRun({ server, pod }: Gathered, fault: Fault | undefined): boolean {
  return fault === undefined || pod !== undefined || server.status?.everReadyTime !== undefined;
}

/** A pool that was deleted freezes what is: its servers go on, restarts included. Not on another server's disks. */
function mayStart({ references }: Gathered): boolean {
  return claimFault(references) === undefined;
}

function announce({ events }: ServerReconcilerOptions, { server }: Gathered, { status, state }: StatusPlan): void {
  const regarding = objectRef(recordingServers, server.metadata);
  const before = server.status?.conditions;
  const say = (type: 'Normal' | 'Warning', reason: string, action: string, note: string): void =>
    events.event({ regarding, type, reason, action, note });
  const condition = (type: string) => status.conditions?.find((entry) => entry.type === type);
  if (state.repaired)
    say('Normal', reasons.RepairedToStandby, 'ReturnToPool', 'Healthy again and stable: it stands by');
  if (justBecame('PluginsCarriedOver', reasons.ReinstallByHand, before, status.conditions)) {
    say('Warning', reasons.ReinstallByHand, 'TakeOver', condition('PluginsCarriedOver')?.message ?? '');
  }
  const stalled = condition('Stalled');
  const known = before?.find((entry) => entry.type === 'Stalled');
  if (stalled?.status === 'True' && known?.reason !== stalled.reason) {
    say('Warning', stalled.reason, 'Reconcile', stalled.message);
  }
}

function soonest(...times: (number | undefined)[]): Result | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : { requeueAfterMs: Math.min(...known) };
}

/**
 * All writes but status, at the same time: a takeover waits for the slowest of them, not for their sum. RoleBindings
 * come after their Roles, because the API server reads the Role to see whether the operator may grant it.
 */
async function applyObjects(
  writer: Writer,
  gathered: Gathered,
  { podDefaults, starts }: { readonly podDefaults: PodDefaults; readonly starts: boolean },
): Promise<Outcome[]> {
  const children = wantedChildren(gathered, writer.stores);
  const bindings = children.filter(({ type }) => type === resources.roleBindings);
  const others = children.filter(({ type }) => type !== resources.roleBindings);
  const first = await Promise.all([
    applyLease(writer, gathered, planLease(gathered)),
    applyPod(writer, gathered, planPod(gathered, podDefaults, starts)),
    ...(starts ? missingClaims(gathered) : []).map((claim) => applyClaim(writer, claim)),
    ...others.map((child) => applyChild(writer, child)),
  ]);
  return [...first, ...(await Promise.all(bindings.map((child) => applyChild(writer, child))))];
}

/**
 * Brings one server (`namespace/name`) to where it should be: its objects, the projection of its role, its status.
 * Status goes out together with Lease and pod label, so that after the pool's commit the agent hears of its role by
 * whichever way is fastest.
 */
export function createServerReconciler(options: ServerReconcilerOptions): Reconcile {
  const { client, stores, observations, clock } = options;
  const gatherOptions: GatherOptions = {
    stores,
    healthOf: observations.healthOf,
    observationOf: observations.get,
    protectionOf: options.protectionOf,
    standbyOf: options.standbyOf,
    now: () => clock.wall(),
  };
  /** What stood in the way when the objects were last written, by uid of the server: known before they are again. */
  const lastFaults = new Map<string, { readonly uid: string | undefined; readonly fault: Fault }>();

  const rememberedFault = (key: string, server: RecordingServer): Fault | undefined => {
    const known = lastFaults.get(key);
    return known?.uid === server.metadata.uid ? known?.fault : undefined;
  };

  const pass: Reconcile = async (key, { signal }) => {
    const gathered = gather(gatherOptions, key);
    if (!gathered) {
      lastFaults.delete(key);
      return undefined;
    }
    const { server } = gathered;
    const writer: Writer = { client, stores, signal };
    const wrongReference = referenceFault(gathered.references);
    if (!mayRun(gathered, wrongReference)) {
      const plan = planStatus(gathered, wrongReference);
      await writeServerStatus(writer, key, server, plan.status);
      announce(options, gathered, plan);
      return soonest(plan.state.nextCheckInMs);
    }
    const expected = wrongReference ?? rememberedFault(key, server);
    const outdated = podOutdated(gathered, options.podDefaults);
    const first = planStatus(gathered, expected, outdated);
    const [written, outcomes] = await Promise.all([
      writeServerStatus(writer, key, server, first.status),
      applyObjects(writer, gathered, { podDefaults: options.podDefaults, starts: mayStart(gathered) }),
    ]);
    const inTheWay = outcomes.find(({ fault }) => fault !== undefined)?.fault;
    if (inTheWay) lastFaults.set(key, { uid: server.metadata.uid, fault: inTheWay });
    else lastFaults.delete(key);
    const found = wrongReference ?? inTheWay;
    const last = found?.message === expected?.message ? first : planStatus(gathered, found, outdated);
    await writeServerStatus(writer, key, written, last.status);
    announce(options, gathered, last);
    const failed = outcomes.find(({ error }) => error !== undefined);
    if (failed) throw failed.error;
    const again = outcomes.some((outcome) => outcome.again) ? IN_THE_WAY_MS : undefined;
    return soonest(last.state.nextCheckInMs, again);
  };

  return async (key, context) => {
    try {
      return await pass(key, context);
    } catch (error) {
      // The server was deleted, or deleted and made again, while we worked: the watch brings the rest.
      if (isApiError(error, 'notFound') && !stores.servers.get(key)) return undefined;
      throw error;
    }
  };
}
