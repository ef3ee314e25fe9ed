import { labels, type Reason, reasons } from '../../crds/index.js';
import { isMoveCause } from '../../failover/causes.js';
import type { ConditionVerdict } from '../../failover/types.js';
import type { Condition } from '../../operator/index.js';
import { type Gathered, isSubstitute } from './gather.js';
import { podMustGo } from './pod-plan.js';
import type { Fault } from './references.js';

const yes = (reason: Reason, message = ''): ConditionVerdict => ({ status: 'True', reason, message });
const no = (reason: Reason, message = ''): ConditionVerdict => ({ status: 'False', reason, message });

/** What the conditions are worked out from, besides what was gathered. */
export interface Assessment {
  readonly gathered: Gathered;
  readonly fault: Fault | undefined;
  readonly everReady: boolean;
  /** It was broken, is healthy again and holds no role. */
  readonly stabilising: boolean;
  /** Its pod is made from an older template; undefined when that can't be told. */
  readonly outdated?: boolean | undefined;
}

function previous({ gathered }: Assessment, type: string): ConditionVerdict | undefined {
  const before = gathered.server.status?.conditions?.find((condition) => condition.type === type);
  return before && { status: before.status, reason: before.reason as Reason, message: before.message };
}

/**
 * A replica that has just started, or lost the API server for a moment, has not judged yet. What was true before stands
 * until then: thousands of conditions that go to Unknown and back tell nobody anything.
 */
function orBefore(assessment: Assessment, type: string, verdict: ConditionVerdict): ConditionVerdict {
  const judged = assessment.gathered.health.verdict !== 'Unknown';
  return judged ? verdict : (previous(assessment, type) ?? verdict);
}

/** What the pool says of it; until its pool has been decided over, what was said before. */
function protectedBy(assessment: Assessment): ConditionVerdict {
  const { protection } = assessment.gathered;
  if (protection.status === 'Unknown') return previous(assessment, 'Protected') ?? protection;
  return orBefore(assessment, 'Protected', protection);
}

/** Why a server that was never ready is not ready yet. */
function starting({ gathered }: Assessment): ConditionVerdict {
  const { pod, references, health } = gathered;
  if (pod?.unschedulable !== undefined) return no(reasons.Unschedulable, pod.unschedulable);
  const { recordingServiceReady: service, storageHealthy } = health;
  if (service.reason === reasons.ContainerCannotStart) return service;
  if (service.status === 'False') return service;
  if (storageHealthy.status === 'False' && storageHealthy.reason !== reasons.SomeDisksLost) return storageHealthy;
  const pending = references.volumes.filter(({ claim }) => claim !== undefined && claim.phase !== 'Bound');
  if (pod?.nodeName === undefined && pending.length > 0) {
    const names = pending.map(({ claimName }) => claimName).join(', ');
    return no(reasons.ClaimPending, `Waiting for claims to be bound: ${names}`);
  }
  return no(reasons.Starting, pod ? 'The recorder starts' : 'The pod is being made');
}

/**
 * A first start that takes longer than startGraceSeconds: never a failover (rule 9), but it waits for a person. Said
 * until it is ready, also by an operator that has just started and counts anew.
 */
function overdue(assessment: Assessment): ConditionVerdict | undefined {
  const { gathered, everReady } = assessment;
  if (everReady || gathered.server.spec.operatingMode === 'Maintenance') return undefined;
  const said = previous(assessment, 'Stalled');
  const before = said?.status === 'True' && said.reason === reasons.NeverReady;
  if (gathered.health.startOverdue !== true && !before) return undefined;
  const { reason, message } = starting(assessment);
  const seen = gathered.health.evidence.map((entry) => entry.message).filter((text) => text !== message);
  const all = [`${reason}: ${message}`, ...(gathered.health.verdict === 'Unknown' ? [] : seen)];
  return yes(
    reasons.NeverReady,
    `Not ready within startGraceSeconds (${gathered.settings.startGraceSeconds}): ${all.join('; ')}`,
  );
}

function takesOver({ gathered }: Assessment): boolean {
  const current = gathered.pool?.status?.current;
  return current?.step === 'TakingOver' && current.standby === gathered.server.metadata.name;
}

/** What a home that stands by says of its own role. */
function wayHome({ server, pool, ownRole }: Gathered): string {
  const holder = ownRole?.holder?.metadata.name;
  if (holder === undefined || holder === server.metadata.name || !pool) return '';
  const pending = pool.spec.failback.mode === 'None' ? '' : `; see MovesPending of pool ${pool.metadata.name}`;
  return ` while ${holder} records its role${pending}`;
}

function recordsRole(assessment: Assessment): ConditionVerdict {
  const { gathered } = assessment;
  const { role, holdsRole, assignment } = gathered;
  if (assignment.role === '') {
    if (assessment.stabilising) return no(reasons.Stabilising, 'Healthy again; a standby once it has stayed so');
    return yes(reasons.StandingBy, `Healthy; it stands by${wayHome(gathered)}`);
  }
  const current = gathered.pool?.status?.current;
  // By plan: it records, and only stops once another has proved that it does.
  if (!holdsRole && current?.server === gathered.server.metadata.name && isMoveCause(current.trigger))
    return yes(reasons.Moving, `Records ${assignment.role} until ${current.standby} has proved that it does`);
  if (!holdsRole) {
    const holder = role?.holder?.metadata.name ?? role?.role?.holder;
    return no(reasons.ReplacedBySubstitute, `${holder} takes over ${assignment.role}; it records until the handover`);
  }
  if (takesOver(assessment)) return yes(reasons.TakingOver, `Takes over ${assignment.role}`);
  return yes(reasons.Recording, `Records ${assignment.role}`);
}

function ready(assessment: Assessment): ConditionVerdict {
  const { gathered, fault, everReady } = assessment;
  const { health, ownRole, server } = gathered;
  if (fault) return no(fault.reason, fault.message);
  if (podMustGo(gathered)) return no(reasons.InMaintenance, 'spec.operatingMode is Maintenance');
  // A drain took its pod: no failure, and nothing that a repair would mend.
  if (gathered.cordon?.drained && health.verdict !== 'Healthy' && gathered.assignment.role === '')
    return no(reasons.NodeCordoned, `Its pod waits for node ${gathered.cordon.node}, which is cordoned`);
  if (health.verdict === 'Broken') {
    const holder = ownRole?.holder?.metadata.name;
    const moved = holder !== undefined && holder !== server.metadata.name;
    const heir = moved ? `; ${holder} records ${ownRole?.name}` : '';
    return no(
      health.trigger ?? reasons.Unreachable,
      `${health.evidence.map(({ message }) => message).join('; ')}${heir}`,
    );
  }
  if (!everReady) return starting(assessment);
  if (health.verdict === 'Healthy') return recordsRole(assessment);
  // Late: not healthy, and not broken before its time has passed.
  return previous(assessment, 'Ready') ?? starting(assessment);
}

/** Reconciling only while it starts or takes over (kstatus). */
function reconciling(assessment: Assessment, readiness: ConditionVerdict): ConditionVerdict {
  const busy: readonly Reason[] = [
    reasons.Starting,
    reasons.ClaimPending,
    reasons.Unschedulable,
    reasons.Stabilising,
    reasons.TakingOver,
  ];
  if (assessment.fault || overdue(assessment) || !busy.includes(readiness.reason)) return no(reasons.AsExpected);
  return yes(readiness.reason, readiness.message);
}

function acknowledged({ gathered }: Assessment): boolean {
  return gathered.server.metadata.annotations?.[labels.pluginsReinstalled] === String(gathered.assignment.epoch);
}

/** Rule 3. */
function pluginsCarriedOver(assessment: Assessment): ConditionVerdict {
  const { gathered } = assessment;
  const { role, server, assignment } = gathered;
  if (!isSubstitute(gathered)) return yes(reasons.NoPlugins, "It records no other server's role");
  // The home was scrapped: what it had is known from before only.
  if (!role?.home) {
    const before = previous(assessment, 'PluginsCarriedOver');
    if (before?.status === 'False' && acknowledged(assessment)) return yes(reasons.AsExpected, 'Reinstalled by hand');
    return before ?? yes(reasons.NoPlugins);
  }
  const names = (role.home.spec.plugins ?? []).map((plugin) => plugin.name);
  if (names.length === 0) return yes(reasons.NoPlugins, `${role.name} names no plugins`);
  if (acknowledged(assessment)) return yes(reasons.AsExpected, `Reinstalled by hand: ${names.join(', ')}`);
  const command = `kubectl annotate rsrv ${server.metadata.name} ${labels.pluginsReinstalled}=${assignment.epoch} --overwrite`;
  return no(reasons.ReinstallByHand, `Reinstall on this server: ${names.join(', ')}; then say so: ${command}`);
}

/** Whether a change of its template has reached its pod. */
function upToDate(assessment: Assessment): ConditionVerdict | undefined {
  const { outdated, gathered } = assessment;
  if (outdated === undefined) return previous(assessment, 'UpToDate');
  if (!outdated) return yes(reasons.AsExpected);
  const { updateStrategy, poolRef } = gathered.server.spec;
  const how =
    updateStrategy === 'Switchover' && poolRef
      ? `replaced once its role has moved: see MovesPending of pool ${poolRef.name}`
      : 'replaced when it is next made (updateStrategy OnDelete)';
  return no(reasons.TemplateOutdated, `Its pod is made from an older template and is ${how}`);
}

function safeToRepair({ gathered }: Assessment): ConditionVerdict | undefined {
  if (gathered.server.spec.operatingMode !== 'Maintenance') return undefined;
  if (!podMustGo(gathered)) {
    return no(
      reasons.HoldsRole,
      `It still records ${gathered.assignment.role}; its pod stays until the role has moved: see MovesPending of its pool`,
    );
  }
  if (gathered.pod) return no(reasons.PodStillRunning, 'Its pod has not ended yet');
  return yes(reasons.PodGone, 'Its pod is gone; disks and node may be worked on');
}

/** The standing conditions of a standby (rule 4 and readiness); those of a server in maintenance mean nothing. */
function standbyConditions(assessment: Assessment): Record<string, ConditionVerdict> {
  const { standby } = assessment.gathered;
  if (standby === undefined || podMustGo(assessment.gathered)) return {};
  return {
    Compatible: orBefore(assessment, 'Compatible', standby.compatible),
    StandbyReady: orBefore(assessment, 'StandbyReady', standby.ready),
  };
}

/** All conditions of a server but their times. Undefined: the condition does not apply and is left out. */
export function serverConditions(assessment: Assessment): Record<string, ConditionVerdict | undefined> {
  const { gathered, fault } = assessment;
  const { health } = gathered;
  const readiness = ready(assessment);
  const wasStalled = previous(assessment, 'Stalled')?.status === 'True';
  const steady = health.verdict === 'Unknown' && !fault && !wasStalled && !podMustGo(gathered);
  const shown = steady ? (previous(assessment, 'Ready') ?? readiness) : readiness;
  return {
    CamerasReachable: orBefore(assessment, 'CamerasReachable', health.camerasReachable),
    ClockSynced: orBefore(assessment, 'ClockSynced', health.clockSynced),
    PluginsCarriedOver: pluginsCarriedOver(assessment),
    Protected: protectedBy(assessment),
    Reachable: orBefore(assessment, 'Reachable', health.reachable),
    Ready: shown,
    Reconciling: reconciling(assessment, shown),
    RecordingServiceReady: orBefore(assessment, 'RecordingServiceReady', health.recordingServiceReady),
    SafeToRepair: safeToRepair(assessment),
    Stalled: fault ? yes(fault.reason, fault.message) : (overdue(assessment) ?? no(reasons.AsExpected)),
    StorageHealthy: orBefore(assessment, 'StorageHealthy', health.storageHealthy),
    UpToDate: upToDate(assessment),
    ...standbyConditions(assessment),
  };
}

/** True when the two lists say that the condition has just come to this reason. */
export function justBecame(
  type: string,
  reason: Reason,
  before: readonly Pick<Condition, 'type' | 'reason'>[] | undefined,
  after: readonly Pick<Condition, 'type' | 'reason'>[] | undefined,
): boolean {
  const has = (list: typeof before) => list?.some((entry) => entry.type === type && entry.reason === reason) === true;
  return has(after) && !has(before);
}
