import type { Reachability, RecorderReportStatus, ReportedCamera, ReportedVolume } from '../../crds/recorder-report.js';
import type { Order } from '../assignment/assignment.js';
import type { LeftOut } from '../cameras/camera-task.js';
import type { VolumeMonitor } from '../disks/volume-monitor.js';
import type { RecordingService } from '../watchdog/recording-service.js';

/** All that a report is made of. */
export interface ReportInput {
  readonly order: Order;
  readonly podUID: string;
  readonly version: string;
  readonly service: Pick<RecordingService, 'state' | 'since' | 'message' | 'version'>;
  readonly volumes: readonly VolumeMonitor[];
  readonly cameras: readonly ReportedCamera[];
  readonly leftOut: readonly LeftOut[];
  /** When the cameras were left out. */
  readonly orderTime: Date;
  readonly clockOffsetSeconds: number | undefined;
  /** What a standby found when it probed its pool's cameras. */
  readonly reachability?: Reachability | undefined;
}

const MOST_CAMERAS = 1024;

/** The recorder's own word about itself. The same input gives the same words, so that nothing new is no write. */
export function reportStatus(input: ReportInput): RecorderReportStatus {
  const { order, service } = input;
  const left = input.leftOut.map((camera) => leftOutCamera(camera, input.orderTime));
  const cameras = [...input.cameras, ...left].sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    role: order.role,
    epoch: order.epoch,
    mode: order.mode,
    podUID: input.podUID,
    version: input.version,
    ...(service.version === undefined ? {} : { engine: service.version }),
    ...(input.clockOffsetSeconds === undefined ? {} : { clockOffsetSeconds: input.clockOffsetSeconds }),
    recordingService: {
      state: service.state,
      sinceTime: service.since.toISOString(),
      ...(service.message === undefined ? {} : { message: service.message.slice(0, 512) }),
    },
    volumes: input.volumes.map(reportedVolume),
    cameras: cameras.slice(0, MOST_CAMERAS),
    ...(input.reachability === undefined ? {} : { reachability: input.reachability }),
  };
}

function reportedVolume(volume: VolumeMonitor): ReportedVolume {
  const { marker, fileSystem, freePercent, space } = volume;
  return {
    name: volume.name,
    mountPath: volume.mount.mountPath,
    state: volume.state,
    sinceTime: volume.since.toISOString(),
    ...(volume.message === '' ? {} : { message: volume.message.slice(0, 512) }),
    ...(marker === undefined ? {} : { claimUID: marker.claimUID, serverUID: marker.serverUID }),
    ...(fileSystem === undefined ? {} : { fileSystem }),
    ...(freePercent === undefined ? {} : { freePercent }),
    ...(space === undefined ? {} : { sizeBytes: space.sizeBytes }),
    ...(volume.writeRate === undefined ? {} : { writeMegabytesPerSecond: volume.writeRate }),
  };
}

function leftOutCamera({ name, reason }: LeftOut, since: Date): ReportedCamera {
  return { name, state: 'Stopped', sinceTime: since.toISOString(), error: reason };
}
