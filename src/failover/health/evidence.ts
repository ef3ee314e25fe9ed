import { type RecorderReportStatus, reasons } from '../../crds/index.js';
import type { Evidence, Fact, Monotonic, NodeSignal, PodSignal, SeenFact, Signals, VolumeSignal } from '../types.js';
import { clusterFault } from './disks.js';
import { currentReport } from './report.js';

/** Room in a judgement and in status. */
export const MOST_EVIDENCE = 16;
const LONGEST_MESSAGE = 256;

/** Fact by name; the name stays the same while the fact holds, whatever its words. */
type Named = readonly [name: string, fact: Fact];

function nodeFacts(node: NodeSignal | undefined, name = ''): Named[] {
  if (node === undefined) return [];
  if (!node.exists) return [['node', { reason: reasons.NodeGone, message: `node ${name} does not exist any more` }]];
  if (node.ready) return [];
  const why = node.readyReason === undefined ? '' : ` (${node.readyReason})`;
  return [
    ['node', { reason: reasons.NodeNotReady, message: `node ${name} is not ready${why}`, time: node.readySince }],
  ];
}

function endOf(pod: PodSignal): Named[] {
  if (pod.phase !== 'Failed' && pod.phase !== 'Succeeded') return [];
  const words = [pod.reason, pod.message].filter((word) => word !== undefined && word !== '').join(': ');
  const evicted = pod.reason === 'Evicted';
  const message = evicted
    ? `its pod was evicted: ${pod.message ?? 'no reason was given'}`
    : `its pod has ended ${words}`;
  const reason = evicted ? reasons.PodEvicted : reasons.PodEnded;
  // The operator makes another pod at once; the reason of the failure must not go with the old one.
  return [['pod-end', { reason, message: message.trim(), time: pod.endedTime, lasting: true }]];
}

function deletionOf(pod: PodSignal, node: NodeSignal | undefined): Named[] {
  if (pod.deletionTimestamp === undefined) return [];
  const lost = node !== undefined && (!node.exists || !node.ready);
  const message = lost
    ? `its pod is being deleted, and node ${pod.nodeName} can't confirm that it has ended`
    : 'its pod is being deleted';
  return [['pod-deletion', { reason: reasons.PodTerminating, message, time: pod.deletionStartTime }]];
}

function startOf(pod: PodSignal): Named[] {
  if (pod.mountFault !== undefined) {
    const { reason, message, time } = pod.mountFault;
    return [['pod-start', { reason: reasons[reason], message, time }]];
  }
  if (pod.unschedulableMessage !== undefined)
    return [['pod-start', { reason: reasons.Unschedulable, message: pod.unschedulableMessage }]];
  if (pod.notStartedSince === undefined || pod.phase === 'Failed' || pod.phase === 'Succeeded') return [];
  const message = `its pod has no sandbox on node ${pod.nodeName} yet: its volumes or its network are not there`;
  return [['pod-start', { reason: reasons.PodNotStarted, message, time: pod.notStartedSince || undefined }]];
}

function podFacts({ pod, node }: Signals): Named[] {
  if (pod === undefined) return [['pod', { reason: reasons.NoPod, message: 'it has no pod' }]];
  return [...endOf(pod), ...deletionOf(pod, node), ...startOf(pod)];
}

/** What the agent's own probe says of a disk. */
function probed(name: string, report: RecorderReportStatus | undefined): Named[] {
  const volume = report?.volumes?.find((candidate) => candidate.name === name);
  if (volume?.state !== 'Lost' && volume?.state !== 'Replaced') return [];
  const reason = volume.state === 'Lost' ? reasons.DiskLost : reasons.VolumeReplaced;
  const message = `disk ${name}: ${volume.message ?? 'no reason was given'}`;
  return [[`disk/${name}`, { reason, message, time: volume.sinceTime }]];
}

function volumeFacts(volume: VolumeSignal, report: RecorderReportStatus | undefined): Named[] {
  const fault = clusterFault(volume, report);
  return [...probed(volume.name, report), ...(fault === undefined ? [] : [[`claim/${volume.name}`, fault] as const])];
}

/** All that is amiss with node, pod, claims and disks right now. None of it is a failure by itself. */
export function factsOf(signals: Signals): ReadonlyMap<string, Fact> {
  const report = currentReport(signals);
  return new Map([
    ...nodeFacts(signals.node, signals.pod?.nodeName),
    ...podFacts(signals),
    ...signals.volumes.flatMap((volume) => volumeFacts(volume, report)),
  ]);
}

/**
 * Folds the present facts into what was seen before. A lasting one is kept until the recorder is heard again; any other
 * goes when it no longer holds, and begins anew when it comes back.
 */
export function foldFacts(
  before: ReadonlyMap<string, SeenFact> | undefined,
  facts: ReadonlyMap<string, Fact>,
  heard: boolean,
  now: Monotonic,
): ReadonlyMap<string, SeenFact> {
  const folded = new Map<string, SeenFact>();
  for (const [name, seen] of before ?? []) if (seen.fact.lasting === true && !heard) folded.set(name, seen);
  for (const [name, fact] of facts) {
    const known = before?.get(name);
    const same = known !== undefined && known.fact.reason === fact.reason;
    folded.set(name, { fact, seenAt: same ? known.seenAt : now });
  }
  return folded;
}

/** The facts as evidence of a judgement. */
export function evidenceOf(facts: ReadonlyMap<string, SeenFact> | undefined, now: Monotonic): Evidence[] {
  return [...(facts ?? new Map<string, SeenFact>()).values()].map(({ fact, seenAt }) => {
    const { lasting: _kept, ...told } = fact;
    return { ...told, message: told.message.slice(0, LONGEST_MESSAGE), ageMs: Math.max(0, now - seenAt) };
  });
}
