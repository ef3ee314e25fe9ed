import { type RecorderReportStatus, reasons, type Trigger } from '../../crds/index.js';
import type {
  ApiContact,
  CamerasLost,
  Evidence,
  HealthSettings,
  Monotonic,
  Observation,
  ServerHealth,
  Verdict,
} from '../types.js';
import { camerasReachable, reachChangesInMs } from './camera-reach.js';
import { inContact, OUT_OF_CONTACT_CHECK_MS } from './contact.js';
import { allDisksLostByCluster } from './disks.js';
import { evidenceOf, MOST_EVIDENCE } from './evidence.js';
import { clockSynced, reachable, recordingServiceReady, storageHealthy, unseen } from './health-conditions.js';
import { currentReport } from './report.js';
import { type Silence, silenceOf } from './silence.js';

/** What a rule needs to know of one server at one moment. */
interface Case {
  readonly observation: Observation;
  readonly settings: HealthSettings;
  readonly now: Monotonic;
  readonly contact: ApiContact;
  readonly silence: Silence;
}

/** A fault that one of the triggers sees. */
interface Fault {
  readonly trigger: Trigger;
  /** Milliseconds until it is a failure; 0 or less: it is one, for so long already. */
  readonly dueInMs: number;
  /** Says what was seen; without running figures. */
  readonly evidence: Evidence;
}

function dueInMs(since: Monotonic, graceSeconds: number, { now, contact }: Case): number {
  return Math.max(since, contact.since) + graceSeconds * 1000 - now;
}

/**
 * Rule 9a: no heartbeat for longer than the timeout, or than an announced restart may take. Node and kubelet are not
 * asked: a fresh Lease is alive, and a silent one is silent.
 */
function unreachable({ observation, silence }: Case): Fault | undefined {
  const { leaseSeenAt, renewal } = observation;
  if (leaseSeenAt === undefined || silence.fresh) return undefined;
  const seen = renewal === undefined ? 'no heartbeat has ever come' : `no heartbeat since ${renewal.renewTime}`;
  return {
    trigger: 'Unreachable',
    dueInMs: Math.max(silence.timeoutMs - silence.silentForMs, silence.awaitedForMs),
    evidence: {
      reason: reasons.Unreachable,
      message: `${seen}; the timeout is ${silence.timeoutMs / 1000} s`,
      time: renewal?.renewTime,
      ageMs: silence.silentForMs,
    },
  };
}

/** When the last of the disks was lost, by the recorder's own clock. */
function lastLossTime(report: RecorderReportStatus | undefined): string | undefined {
  const lost = (report?.volumes ?? []).filter(({ state }) => state === 'Lost' || state === 'Replaced');
  const times = lost.map(({ sinceTime }) => sinceTime);
  return times.sort((a, b) => Date.parse(a) - Date.parse(b)).at(-1);
}

/** Rule 9b: every material disk lost. A report counts while its writer is heard; the cluster's word always does. */
function disksLost(facts: Case): Fault | undefined {
  const { observation, settings, silence, now } = facts;
  const { disksLostAt, signals } = observation;
  if (disksLostAt === undefined) return undefined;
  if (!silence.fresh && !allDisksLostByCluster(signals)) return undefined;
  const names = signals.volumes.map((volume) => volume.name).join(', ');
  return {
    trigger: 'AllDisksLost',
    dueInMs: dueInMs(disksLostAt, settings.storageGraceSeconds, facts),
    evidence: {
      reason: reasons.AllDisksLost,
      message: `every disk is lost (${names}); the grace is ${settings.storageGraceSeconds} s`.slice(0, 256),
      time: lastLossTime(currentReport(signals)),
      ageMs: now - disksLostAt,
    },
  };
}

/** Rule 9c, first half: the agent says that its recording service can't initialise or write for local reasons. */
function serviceFailed(facts: Case): Fault | undefined {
  const { observation, settings, silence, now } = facts;
  if (observation.serviceFailedAt === undefined || !silence.fresh) return undefined;
  const service = currentReport(observation.signals)?.recordingService;
  return {
    trigger: 'RecordingServiceFailed',
    dueInMs: dueInMs(observation.serviceFailedAt, settings.recordingServiceGraceSeconds, facts),
    evidence: {
      reason: reasons.RecordingServiceFailed,
      message: `the recording service failed: ${service?.message ?? 'no reason was given'}`.slice(0, 256),
      time: service?.sinceTime,
      ageMs: now - observation.serviceFailedAt,
    },
  };
}

/** Rule 9c too: a service that is starting for ever never initialises. Its clock is its own: starts are slow. */
function serviceStarting(facts: Case): Fault | undefined {
  const { observation, settings, silence, now } = facts;
  if (observation.serviceStartingAt === undefined || !silence.fresh) return undefined;
  const service = currentReport(observation.signals)?.recordingService;
  const said = service === undefined ? 'it renews its Lease, and has reported nothing' : 'the recording service starts';
  return {
    trigger: 'RecordingServiceFailed',
    dueInMs: dueInMs(observation.serviceStartingAt, settings.startGraceSeconds, facts),
    evidence: {
      reason: reasons.Starting,
      message: `${said}; startGraceSeconds is ${settings.startGraceSeconds}`,
      time: service?.sinceTime,
      ageMs: now - observation.serviceStartingAt,
    },
  };
}

/** Rule 9c, second half: the container can't run. Not believed while heartbeats come: then it runs (law 7). */
function containerFailed(facts: Case): Fault | undefined {
  const { observation, settings, silence, now } = facts;
  if (observation.containerFailedAt === undefined) return undefined;
  const graceMs = dueInMs(observation.containerFailedAt, settings.recordingServiceGraceSeconds, facts);
  const reason = observation.signals.pod?.waitingReason ?? 'it restarts again and again';
  const message = observation.signals.pod?.waitingMessage ?? '';
  return {
    trigger: 'RecordingServiceFailed',
    dueInMs: silence.fresh ? Math.max(graceMs, silence.lateAfterMs - silence.silentForMs) : graceMs,
    evidence: {
      reason: reasons.ContainerCannotStart,
      message: `the recorder's container can't run: ${reason} ${message}`.trim().slice(0, 256),
      ageMs: now - observation.containerFailedAt,
    },
  };
}

/** All cameras out of reach, although the recorder itself works. A report counts while its writer is heard. */
function camerasLost(facts: Case): { readonly dueInMs: number; readonly lost: CamerasLost } | undefined {
  const { observation, settings, silence } = facts;
  const { lostAt, total = 0 } = observation.cameraReach ?? {};
  if (settings.camerasGraceSeconds === undefined || lostAt === undefined || !silence.fresh) return undefined;
  const inMs = dueInMs(lostAt, settings.camerasGraceSeconds, facts);
  const evidence = `none of its ${total} cameras is reached; the grace is ${settings.camerasGraceSeconds} s`;
  return { dueInMs: inMs, lost: { forMs: Math.max(0, -inMs), evidence } };
}

/** Rule 9: all that is amiss, the one that is or was due first at the head. */
function faultsOf(facts: Case): Fault[] {
  return [unreachable, disksLost, serviceFailed, serviceStarting, containerFailed]
    .map((rule) => rule(facts))
    .filter((fault) => fault !== undefined)
    .sort((a, b) => a.dueInMs - b.dueInMs);
}

function verdictOf({ observation, silence }: Case, faults: readonly Fault[]): Verdict {
  if (!observation.everReady) return 'NeverReady';
  const first = faults[0];
  if (first !== undefined && first.dueInMs <= 0) return 'Broken';
  if (silence.fresh && faults.length === 0) return serviceRuns(observation) ? 'Healthy' : 'Late';
  return silence.fresh || silence.late ? 'Late' : 'Unknown';
}

/** Healthy means more than a heartbeat: the present pod has said that it can record. */
function serviceRuns(observation: Observation): boolean {
  return currentReport(observation.signals)?.recordingService?.state === 'Ready';
}

/** When a first start takes too long; 0 or less: it has. Milliseconds; undefined: it has been ready, or is not to start. */
function startDueInMs(facts: Case): number | undefined {
  const { neverReadyAt } = facts.observation;
  return neverReadyAt === undefined ? undefined : dueInMs(neverReadyAt, facts.settings.startGraceSeconds, facts);
}

/**
 * Silent without a cause that can be seen. A container that can't run, disks that are gone and an announced stop explain
 * their silence, and say nothing about the network.
 */
function suspected({ observation, silence }: Case, due: readonly Fault[]): boolean {
  if (!observation.everReady || observation.containerFailedAt !== undefined || silence.awaitedForMs > 0) return false;
  const trigger = due[0]?.trigger;
  return trigger === undefined ? silence.late : trigger === 'Unreachable';
}

/** The silence of one that was never ready is no failure, but condition Reachable tells of it. Milliseconds. */
function silenceShownInMs({ observation, silence }: Case): number[] {
  const { lateAfterMs, timeoutMs, silentForMs } = silence;
  return observation.leaseSeenAt === undefined ? [] : [lateAfterMs - silentForMs, timeoutMs - silentForMs];
}

/**
 * When the judgement would change by itself: a fault becomes due, a heartbeat late, a start or a restart too long. One
 * that is broken is looked at, too: it may fall silent besides.
 */
function nextCheckInMs(facts: Case, faults: readonly Fault[], verdict: Verdict): number | undefined {
  const { silence, observation, now } = facts;
  // Without a Lease no silence is counted, and none will be late.
  const lateInMs = observation.leaseSeenAt === undefined ? undefined : silence.lateAfterMs - silence.silentForMs;
  const waits =
    verdict === 'NeverReady'
      ? [startDueInMs(facts), ...silenceShownInMs(facts)]
      : [
          ...faults.map((fault) => fault.dueInMs),
          lateInMs,
          silence.awaitedForMs,
          camerasLost(facts)?.dueInMs,
          reachChangesInMs(observation.cameraReach, now),
        ];
  const due = waits.filter((ms) => ms !== undefined).filter((ms) => ms > 0);
  return due.length === 0 ? undefined : Math.ceil(Math.min(...due));
}

/** The trigger's own evidence first, then all else that is amiss. */
function allEvidence(facts: Case, faults: readonly Fault[], verdict: Verdict): Evidence[] {
  if (verdict === 'Healthy') return [];
  const { observation, now } = facts;
  const { announcement } = observation;
  const announced: Evidence[] =
    announcement === undefined
      ? []
      : [
          {
            reason: reasons.Restarting,
            message: `it announced that it stops${announcement.planned ? '' : ', while it was failing'}`,
            time: announcement.sinceTime,
            ageMs: now - announcement.seenAt,
          },
        ];
  const own = faults.map((fault) => fault.evidence);
  return [...own, ...announced, ...evidenceOf(observation.facts, now)].slice(0, MOST_EVIDENCE);
}

function notJudged(observation: Observation | undefined, why: string): ServerHealth {
  return {
    verdict: 'Unknown',
    evidence: [{ reason: reasons.NotYetObserved, message: why, ageMs: 0 }],
    lastSeenTime: observation?.renewal?.renewTime,
    silentForMs: 0,
    suspected: false,
    brokenForMs: 0,
    reachable: unseen(why),
    storageHealthy: unseen(why),
    recordingServiceReady: unseen(why),
    clockSynced: unseen(why),
    camerasReachable: unseen(why),
    nextCheckInMs: OUT_OF_CONTACT_CHECK_MS,
  };
}

/**
 * Rule 9: judges a server by what this replica has seen of it. Pure; times in milliseconds on this replica's monotonic
 * clock. Without an observation, or out of contact with the API server, the verdict is Unknown.
 */
export function judge(
  observation: Observation | undefined,
  settings: HealthSettings,
  now: Monotonic,
  contact: ApiContact | undefined,
): ServerHealth {
  if (observation === undefined) return notJudged(observation, 'nothing has been seen of it yet');
  if (!inContact(contact, now))
    return notJudged(observation, 'the API server does not answer, so silence means nothing');
  const silence = silenceOf(observation, settings, now, contact);
  const facts: Case = { observation, settings, now, contact, silence };
  const faults = faultsOf(facts);
  const verdict = verdictOf(facts, faults);
  const due = verdict === 'Broken' ? faults.filter((fault) => fault.dueInMs <= 0) : [];
  const withoutCameras = verdict === 'Healthy' ? camerasLost(facts) : undefined;
  return {
    verdict,
    trigger: due[0]?.trigger,
    evidence: allEvidence(facts, due.length > 0 ? due : faults, verdict),
    lastSeenTime: observation.renewal?.renewTime,
    silentForMs: silence.silentForMs,
    suspected: suspected(facts, due),
    brokenForMs: Math.max(0, -(due[0]?.dueInMs ?? 0)),
    reachable: reachable(observation, silence),
    storageHealthy: storageHealthy(observation),
    recordingServiceReady: recordingServiceReady(observation),
    clockSynced: clockSynced(observation),
    startOverdue: (startDueInMs(facts) ?? 1) <= 0,
    camerasReachable: camerasReachable(observation.cameraReach, currentReport(observation.signals), now),
    ...(withoutCameras !== undefined && withoutCameras.dueInMs <= 0 ? { camerasLost: withoutCameras.lost } : {}),
    nextCheckInMs: nextCheckInMs(facts, faults, verdict),
  };
}
