import type { RecordingServerStatus, VolumeState } from '../../crds/index.js';
import { substituteShare } from '../../failover/cameras.js';
import { volumeLost } from '../../failover/health/disks.js';
import { currentReport } from '../../failover/health/report.js';
import { type StateOutcome, serverState } from '../../failover/server/server-state.js';
import { type Condition, setCondition } from '../../operator/index.js';
import { type Assessment, serverConditions } from './conditions.js';
import { type Gathered, isSubstitute } from './gather.js';
import { offersOf, recoveryOf } from './recovery/plan.js';
import type { Fault } from './references.js';

/** How long a repaired server has to be healthy when no pool says so. Seconds. */
const DEFAULT_STABLE_SECONDS = 300;

export interface StatusPlan {
  readonly status: RecordingServerStatus;
  readonly state: StateOutcome;
}

/** Ready for the first time: from now on a failure is a failover (rule 9). */
function isReady({ pod, health, report }: Gathered): boolean {
  const aDisk = report?.volumes?.some(({ state }) => state === 'Healthy' || state === 'Full') === true;
  return (
    pod?.phase === 'Running' &&
    report?.podUID === pod.metadata.uid &&
    aDisk &&
    health.reachable.status === 'True' &&
    health.recordingServiceReady.status === 'True'
  );
}

function stateOf(gathered: Gathered): StateOutcome {
  const { server, health, pool, holdsRole, cordon, now } = gathered;
  return serverState({
    operatingMode: server.spec.operatingMode,
    // Without a pool nobody could take the role, so maintenance does not wait for that.
    holdsRole: holdsRole && !(server.spec.operatingMode === 'Maintenance' && server.spec.poolRef === undefined),
    verdict: health.verdict,
    brokenForMs: health.brokenForMs,
    drained: cordon?.drained,
    previous: server.status,
    stableSeconds: pool?.spec.failback.stableSeconds ?? DEFAULT_STABLE_SECONDS,
    now,
  });
}

function volumeState(gathered: Gathered, name: string): VolumeState {
  const signals = gathered.observation?.signals;
  const report = signals && currentReport(signals);
  const reported = report?.volumes?.find((volume) => volume.name === name)?.state;
  const signal = signals?.volumes.find((volume) => volume.name === name);
  if (reported === undefined && signal && volumeLost(signal, report)) return 'Lost';
  return reported ?? 'Unknown';
}

function volumesOf(gathered: Gathered): NonNullable<RecordingServerStatus['volumes']> {
  return gathered.references.volumes.map(({ volume, claimName, claim }) => ({
    name: volume.name,
    claimName,
    ...(claim?.metadata.uid === undefined ? {} : { claimUID: claim.metadata.uid }),
    ...(claim?.volumeName === undefined ? {} : { volumeName: claim.volumeName }),
    state: volumeState(gathered, volume.name),
  }));
}

/** What the schema of status.cameras takes. A status that is refused would keep the assignment from the agent. */
const MOST_CAMERAS = 4096;

/** Cameras of the role, and those that its present recorder says it records in the present epoch. */
function cameraCounts(gathered: Gathered): NonNullable<RecordingServerStatus['cameras']> {
  const { cameras, assignment, report, pod, server } = gathered;
  const capacity = server.spec.capacity?.cameras;
  const views = cameras.map(({ metadata, spec }) => ({ name: metadata.name, spec }));
  const share = isSubstitute(gathered) ? substituteShare(views, capacity) : undefined;
  const mine = share?.taken ?? views.filter(({ spec }) => spec.source.type === 'IP');
  const leftOut = Math.min(share?.left.length ?? 0, MOST_CAMERAS);
  const counts = { assigned: Math.min(mine.length, MOST_CAMERAS), ...(leftOut > 0 ? { leftOut } : {}) };
  const speaks =
    report?.role === assignment.role && report.epoch === assignment.epoch && report.podUID === pod?.metadata.uid;
  const { verdict, reachable } = gathered.health;
  // The last word of a server that is silent by now says nothing of what it records.
  if (reachable.status === 'False') return { ...counts, recording: 0 };
  if (verdict === 'Unknown' && server.status?.cameras) return { ...counts, recording: server.status.cameras.recording };
  const recording = speaks ? (report.cameras ?? []).filter(({ state }) => state === 'Recording').length : 0;
  return { ...counts, recording };
}

/** For people only: decisions are taken on a monotonic clock. Kept as it was first seen. */
function silentStartTime({ health, server, now }: Gathered): string | undefined {
  const before = server.status?.silentStartTime;
  if (health.verdict === 'Unknown') return before;
  if (health.reachable.status === 'True' || health.silentForMs === 0) return undefined;
  const late = health.reachable.status === 'False' || health.verdict === 'Late' || health.verdict === 'Broken';
  return late ? (before ?? new Date(now.getTime() - health.silentForMs).toISOString()) : undefined;
}

function withTimes(assessment: Assessment): Condition[] {
  const { server, now } = assessment.gathered;
  const before = server.status?.conditions as Condition[] | undefined;
  const { generation } = server.metadata;
  let list: Condition[] = [];
  for (const [type, verdict] of Object.entries(serverConditions(assessment))) {
    if (!verdict) continue;
    const observed = generation === undefined ? {} : { observedGeneration: generation };
    const same = before?.filter((condition) => condition.type === type);
    const message = verdict.message.slice(0, 4096);
    list = [
      ...list,
      ...setCondition(same, { type, status: verdict.status, reason: verdict.reason, message, ...observed }, now),
    ];
  }
  return list;
}

/** Leaves out what is absent: the status writer takes absent fields away. */
function present<T extends object>(fields: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

/**
 * The whole status of a server. `fault` is what only a person can mend; it stops nothing that runs. `outdated`: its pod is
 * made from an older template; undefined when that can't be told.
 */
export function planStatus(gathered: Gathered, fault: Fault | undefined, outdated?: boolean): StatusPlan {
  const { server, pod, assignment, now } = gathered;
  const everReadyTime = server.status?.everReadyTime ?? (isReady(gathered) ? now.toISOString() : undefined);
  const state = stateOf(gathered);
  const stabilising = state.state === 'Broken' && state.healthyTime !== undefined;
  const assessment: Assessment = { gathered, fault, everReady: everReadyTime !== undefined, stabilising, outdated };
  const status = present<RecordingServerStatus>({
    observedGeneration: server.metadata.generation,
    state: state.state,
    servingRole: assignment.role,
    epoch: Math.max(assignment.epoch, server.status?.epoch ?? 0),
    podName: pod?.metadata.name,
    podUID: pod?.metadata.uid,
    nodeName: pod?.nodeName,
    everReadyTime,
    brokenTime: state.brokenTime,
    healthyTime: state.healthyTime,
    silentStartTime: silentStartTime(gathered),
    volumes: volumesOf(gathered),
    cameras: cameraCounts(gathered),
    supersededEpoch: gathered.supersededEpoch,
    recovery: recoveryOf(gathered),
    offers: offersOf(gathered),
    conditions: withTimes(assessment),
  });
  return { status, state };
}
