import type { Chronicle } from '../scenario/chronicle.js';
import type { Hole } from '../scenario/frames.js';
import { type CameraMeasurement, connectSeconds, firstFrameMs } from '../scenario/measure.js';

/** A fault of the demo: who was broken, when, and who took over. */
export interface Fault {
  readonly role: string;
  readonly what: string;
  /** Wall clock, milliseconds. */
  readonly atMs: number;
  readonly substitute: string;
  readonly epoch: number;
  /** What the timeout, the judgement and the queue may take, in seconds, besides the camera's own times. */
  readonly allowedSeconds: number;
}

/** A camera's row of the table. */
export interface CameraResult {
  readonly camera: string;
  readonly role: string;
  readonly substitute: string;
  /** From the last picture before the fault to the first one of the substitute; undefined when there is none. */
  readonly gapSeconds: number | undefined;
  readonly boundSeconds: number;
  readonly connectSeconds: number | undefined;
  readonly keyFrameSeconds: number;
  /** How long before the fault the last picture was written that survived it, in seconds. */
  readonly lostTailSeconds: number | undefined;
  readonly otherHoles: readonly Hole[];
}

/** Puts together what the disks and the reports say about one camera. */
export function resultOf(measurement: CameraMeasurement, fault: Fault, chronicle: Chronicle): CameraResult {
  const { camera, role, keyFrameSeconds, holes } = measurement;
  const connect = connectSeconds(chronicle, fault.substitute, fault.epoch, camera);
  const first = firstFrameMs(measurement, fault.substitute, fault.epoch);
  const gap = holes.find((hole) => hole.after.timeMs === first);
  const lastBefore = measurement.frames.findLast((frame) => first !== undefined && frame.timeMs < first);
  // Two recorders at once leave no hole: then the gap is what is between their pictures.
  const gapSeconds =
    first === undefined || !lastBefore ? undefined : (gap?.seconds ?? (first - lastBefore.timeMs) / 1000);
  return {
    camera,
    role,
    substitute: fault.substitute,
    gapSeconds,
    boundSeconds: fault.allowedSeconds + (connect ?? 0) + keyFrameSeconds,
    connectSeconds: connect,
    keyFrameSeconds,
    lostTailSeconds: lastBefore && Math.max(0, (fault.atMs - lastBefore.timeMs) / 1000),
    otherHoles: holes.filter((hole) => hole !== gap),
  };
}
