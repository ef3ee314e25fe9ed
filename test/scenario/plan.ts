import type { CameraAssignmentSpec, FailoverPoolSpec, RecordingServerSpec } from '../../src/crds/index.js';

/** A server of a scenario and the node that it is pinned to. */
export interface PlannedServer {
  readonly name: string;
  readonly type: RecordingServerSpec['type'];
  readonly node: string;
  /** Material volumes a, b, ... each on a disk of its own. Default 1. */
  readonly disks?: number;
  readonly standbyOrder?: number;
  readonly options?: Record<string, string>;
  /** Processor time that the node keeps for it, as in 100m. Without, it comes after every pod that asked for some. */
  readonly processor?: string;
}

/** A camera of a scenario: its object's name is also its name in the footage. */
export interface PlannedCamera {
  readonly name: string;
  readonly home: string;
  /** Address of the simulated camera. */
  readonly url: string;
}

/** What a person would write for a recording system. */
export interface SystemPlan {
  readonly namespace: string;
  readonly pool: { readonly name: string; readonly spec: PoolSettings };
  readonly servers: readonly PlannedServer[];
  readonly cameras: readonly PlannedCamera[];
}

/** Pool settings as a person writes them: what is left out takes the API server's default. */
export type PoolSettings = DeepPartial<FailoverPoolSpec>;
type DeepPartial<T> = { [K in keyof T]?: T[K] extends object ? DeepPartial<T[K]> : T[K] };

const SEGMENT_SECONDS = 5;

/** Name of the nth material volume of a server: a, b, ... */
export function volumeName(index: number): string {
  return String.fromCharCode('a'.charCodeAt(0) + index);
}

export function namespaceManifest(name: string) {
  const level = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: level } };
}

export function poolManifest(plan: SystemPlan) {
  return {
    apiVersion: 'understudy.dev/v1alpha1',
    kind: 'FailoverPool',
    metadata: { name: plan.pool.name, namespace: plan.namespace },
    spec: plan.pool.spec,
  };
}

export function serverManifest(plan: SystemPlan, server: PlannedServer, storageClassName: string, storage: string) {
  const volumes = Array.from({ length: server.disks ?? 1 }, (_, index) => ({
    name: volumeName(index),
    mountPath: `/footage/${volumeName(index)}`,
    claimTemplate: { storageClassName, storage },
  }));
  return {
    apiVersion: 'understudy.dev/v1alpha1',
    kind: 'RecordingServer',
    metadata: { name: server.name, namespace: plan.namespace },
    spec: {
      type: server.type,
      poolRef: { name: plan.pool.name },
      ...(server.standbyOrder === undefined ? {} : { standbyOrder: server.standbyOrder }),
      volumes,
      ...(server.options === undefined ? {} : { recorder: { engine: 'ffmpeg', options: server.options } }),
      podTemplate: {
        nodeSelector: { 'kubernetes.io/hostname': server.node },
        ...(server.processor === undefined ? {} : { resources: { requests: { cpu: server.processor } } }),
      },
    },
  };
}

export function cameraManifest(plan: SystemPlan, camera: PlannedCamera) {
  const recording: Partial<CameraAssignmentSpec['recording']> = { segmentSeconds: SEGMENT_SECONDS };
  return {
    apiVersion: 'understudy.dev/v1alpha1',
    kind: 'CameraAssignment',
    metadata: { name: camera.name, namespace: plan.namespace },
    spec: { serverRef: { name: camera.home }, source: { type: 'IP', url: camera.url }, recording },
  };
}
