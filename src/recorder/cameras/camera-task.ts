import type { CameraAssignment } from '../../crds/camera-assignment.js';
import type { Credentials, EngineSource } from '../engine/engine.js';

/** What has to be recorded: the part of a CameraAssignment that the agent uses, and keeps for its next start. */
export interface CameraTask {
  readonly name: string;
  readonly type: 'IP' | 'Analog';
  readonly url: string;
  readonly secretName: string | undefined;
  readonly transport: 'TCP' | 'UDP';
  readonly connectTimeoutSeconds: number;
  readonly audio: boolean;
  readonly segmentSeconds: number;
  readonly retentionSeconds: number;
  readonly priority: 'High' | 'Normal' | 'Low' | 'Never';
  /** Sessions that the camera allows at once; undefined when nobody said. */
  readonly maxSessions?: number | undefined;
}

const RANKS: Record<CameraTask['priority'], number> = { High: 0, Normal: 1, Low: 2, Never: 3 };

/** Who connects first: lower goes first. */
export function rankOf(task: CameraTask): number {
  return RANKS[task.priority];
}

export function taskOf(camera: CameraAssignment): CameraTask {
  const { source, recording, priority } = camera.spec;
  return {
    name: camera.metadata.name,
    type: source.type,
    url: source.url ?? '',
    secretName: source.credentialsSecretRef?.name,
    transport: source.transport,
    connectTimeoutSeconds: source.connectTimeoutSeconds,
    audio: source.audio,
    segmentSeconds: recording.segmentSeconds,
    retentionSeconds: recording.retentionSeconds,
    priority,
    ...(source.maxSessions === undefined ? {} : { maxSessions: source.maxSessions }),
  };
}

/** What the engine has to know to record it. */
export function engineSource(task: CameraTask, credentials: Credentials | undefined): EngineSource {
  return {
    camera: task.name,
    url: task.url,
    credentials,
    transport: task.transport,
    connectTimeoutSeconds: task.connectTimeoutSeconds,
    audio: task.audio,
    segmentSeconds: task.segmentSeconds,
  };
}

/** A camera that is not recorded here, and why. */
export interface LeftOut {
  readonly name: string;
  readonly reason: 'AnalogNotTransferable' | 'PriorityNever' | 'CapacityExceeded';
}

/**
 * Cameras that a superseded recorder lets go before the handover: those that allow one session only, which the new
 * holder needs to prove its recording. All others go on (law 6).
 */
export function releasedCameras(tasks: readonly CameraTask[], superseded: boolean): ReadonlySet<string> {
  if (!superseded) return new Set();
  return new Set(tasks.filter(({ maxSessions }) => maxSessions === 1).map(({ name }) => name));
}

export interface Selection {
  readonly recorded: readonly CameraTask[];
  readonly leftOut: readonly LeftOut[];
}

/**
 * Decides which cameras of a role this server records. Analogue cameras hang on a capture card, which no engine here
 * reads (rule 5). A substitute leaves out what must not be transferred, and, when its capacity is smaller than the
 * role, the cameras of lowest priority (rule 4); a home server records all of its own.
 */
export function selectCameras(
  tasks: readonly CameraTask[],
  substitute: boolean,
  capacity: number | undefined,
): Selection {
  const recorded: CameraTask[] = [];
  const leftOut: LeftOut[] = [];
  const byRank = [...tasks].sort((a, b) => rankOf(a) - rankOf(b) || (a.name < b.name ? -1 : 1));
  for (const task of byRank) {
    const full = substitute && capacity !== undefined && recorded.length >= capacity;
    if (task.type === 'Analog') leftOut.push({ name: task.name, reason: 'AnalogNotTransferable' });
    else if (substitute && task.priority === 'Never') leftOut.push({ name: task.name, reason: 'PriorityNever' });
    else if (full) leftOut.push({ name: task.name, reason: 'CapacityExceeded' });
    else recorded.push(task);
  }
  return { recorded, leftOut };
}
