import type { RecorderReport, RecorderReportStatus, ReportedCamera } from '../../../../src/crds/index.js';
import { labels } from '../../../../src/crds/index.js';
import { deepEqual } from '../../../../src/operator/index.js';
import { type Assignment, decide, learn, type Order } from '../../../../src/recorder/assignment/assignment.js';
import { type CameraTask, selectCameras } from '../../../../src/recorder/cameras/camera-task.js';
import {
  type Camera,
  changeObjects,
  changeRecorder,
  EPOCH_OF_WALL,
  frozen,
  NAMESPACE,
  put,
  type Recorder,
  type World,
  wallOf,
} from './world.js';

/** By which way an assignment reaches the agent: the watch of its server, or the answer to its renewal. */
export type Way = 'status' | 'Lease';

export function orderOf(recorder: Recorder): Order {
  return decide(recorder.known, recorder.podUID, recorder.apiHadItsTurn);
}

/** The engine can write. */
export function able({ alive, diskWorks, serviceWorks }: Recorder): boolean {
  return alive && diskWorks && serviceWorks;
}

/** It can speak with the API server. */
export function inTouch(world: World, recorder: Recorder): boolean {
  return recorder.alive && recorder.connected && world.apiAnswers;
}

/** What it is to record by all that it knows. */
export function wanted(recorder: Recorder): readonly string[] {
  const { mode, role } = orderOf(recorder);
  return mode === 'Record' && recorder.listed.role === role ? recorder.listed.recorded : [];
}

function taskOf({ metadata, spec }: Camera): CameraTask {
  const { type, transport, connectTimeoutSeconds, audio, url = '' } = spec.source;
  const footage = { segmentSeconds: 10, retentionSeconds: 86_400, secretName: undefined };
  return {
    name: metadata.name,
    type,
    url,
    transport,
    connectTimeoutSeconds,
    audio,
    priority: spec.priority,
    ...footage,
  };
}

/** Lists the cameras of the role that it has been given, and drops the recordings that are not among them. */
function withCameras(world: World, recorder: Recorder): Recorder {
  const { mode, role } = orderOf(recorder);
  if (mode !== 'Record') return recorder.running.length === 0 ? recorder : { ...recorder, running: [] };
  const tasks = Object.values(world.objects.cameras).filter(({ spec }) => spec.serverRef.name === role);
  const capacity = world.objects.servers[recorder.server]?.spec.capacity?.cameras;
  const { recorded, leftOut } = selectCameras(tasks.map(taskOf), role !== recorder.server, capacity);
  const names = recorded.map(({ name }) => name);
  const listed = { role, recorded: names, leftOut: leftOut.map(({ name }) => name) };
  const running = recorder.running.filter((name) => names.includes(name));
  if (deepEqual(listed, recorder.listed) && running.length === recorder.running.length) return recorder;
  return { ...recorder, listed, running };
}

function sighted(world: World, server: string, way: Way): Assignment | undefined {
  if (way === 'status') {
    const { servingRole = '', epoch, podUID } = world.objects.servers[server]?.status ?? {};
    return epoch === undefined ? undefined : { role: servingRole, epoch, podUID };
  }
  const annotations = world.objects.leases[server]?.metadata.annotations ?? {};
  const epoch = annotations[labels.leaseEpoch];
  if (epoch === undefined) return undefined;
  const podUID = annotations[labels.leaseAssignedPodUid];
  return { role: annotations[labels.leaseServingRole] ?? '', epoch: Number(epoch), podUID: podUID || undefined };
}

/** It reads its assignment; what it is told to stop, it stops now. Law 6 is judged here. */
export function reads(world: World, server: string, ways: readonly Way[]): World | undefined {
  const recorder = world.recorders[server];
  if (recorder === undefined || !inTouch(world, recorder)) return undefined;
  let next: Recorder = recorder.apiHadItsTurn ? recorder : { ...recorder, apiHadItsTurn: true };
  for (const way of ways) {
    const seen = sighted(world, server, way);
    const known = seen === undefined ? next.known : learn(next.known, { ...seen, origin: 'api' });
    if (!deepEqual(known, next.known)) next = { ...next, known };
  }
  next = withCameras(world, next);
  if (next.diskWorks && next.known?.origin === 'api' && !deepEqual(next.remembered, next.known))
    next = { ...next, remembered: next.known };
  return next === recorder ? undefined : { ...world, recorders: put(world.recorders, server, next) };
}

/** Its cameras connect, and their pictures reach the disk. */
export function starts(world: World, server: string): World | undefined {
  const recorder = world.recorders[server];
  if (recorder === undefined || !able(recorder)) return undefined;
  const all = wanted(recorder);
  return deepEqual(all, recorder.running) ? undefined : changeRecorder(world, server, { running: all });
}

function reportedCameras(world: World, recorder: Recorder, before: RecorderReportStatus | undefined): ReportedCamera[] {
  const now = wallOf(world).toISOString();
  const entry = (name: string, state: ReportedCamera['state']): ReportedCamera => {
    const known = before?.cameras?.find((camera) => camera.name === name && camera.state === state);
    return known ?? { name, state, sinceTime: now, ...(state === 'Recording' ? { startTime: now } : {}) };
  };
  // A camera whose disk is dead is reported as failed, too: the agent has tried.
  const idle = able(recorder) ? 'Connecting' : 'Failed';
  const recorded = wanted(recorder).map((name) => entry(name, recorder.running.includes(name) ? 'Recording' : idle));
  const left = orderOf(recorder).mode === 'Record' ? recorder.listed.leftOut.map((name) => entry(name, 'Stopped')) : [];
  return [...recorded, ...left].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function reportStatus(world: World, recorder: Recorder): RecorderReportStatus {
  const before = world.objects.reports[recorder.server]?.status;
  const spec = world.objects.servers[recorder.server]?.spec;
  const now = wallOf(world).toISOString();
  const { role, epoch, mode } = orderOf(recorder);
  const disk = recorder.diskWorks ? 'Healthy' : 'Lost';
  const service = recorder.serviceWorks ? 'Ready' : 'Failed';
  const volumes = (spec?.volumes ?? []).map(({ name, mountPath }) => {
    const same = before?.volumes?.find((volume) => volume.name === name && volume.state === disk);
    return same ?? ({ name, mountPath, state: disk, sinceTime: now, fileSystem: 'ext4' } as const);
  });
  const since = before?.recordingService?.state === service ? before.recordingService.sinceTime : now;
  return {
    role,
    epoch: Math.max(epoch, before?.epoch ?? 0),
    mode,
    podUID: recorder.podUID,
    version: '1.2.3',
    recordingService: { state: service, sinceTime: since },
    volumes,
    cameras: reportedCameras(world, recorder, before),
  };
}

/** It writes what has changed of itself into its report. */
export function reports(world: World, server: string): World | undefined {
  const recorder = world.recorders[server];
  if (recorder === undefined || !inTouch(world, recorder) || !recorder.apiHadItsTurn) return undefined;
  if (orderOf(recorder).displaced || world.objects.servers[server] === undefined) return undefined;
  const status = reportStatus(world, recorder);
  if (deepEqual(status, world.objects.reports[server]?.status)) return undefined;
  const report: RecorderReport = { metadata: { name: server, namespace: NAMESPACE }, status };
  return changeObjects(world, { reports: put(world.objects.reports, server, frozen(report)) });
}

/** It renews its Lease; not when another pod is the one that is meant. */
export function renews(world: World, server: string): World | undefined {
  const recorder = world.recorders[server];
  const lease = world.objects.leases[server];
  if (recorder === undefined || lease === undefined || !inTouch(world, recorder)) return undefined;
  if (orderOf(recorder).displaced) return undefined;
  const renewed = {
    ...lease,
    renewTime: new Date(EPOCH_OF_WALL + world.now).toISOString(),
    holderIdentity: recorder.podUID,
  };
  const heard = changeObjects(world, { leases: put(world.objects.leases, server, frozen(renewed)) });
  const truth = { ...world.truth, heardAt: put(world.truth.heardAt, server, world.now) };
  return changeRecorder({ ...heard, truth }, server, { owesHeartbeat: false });
}
