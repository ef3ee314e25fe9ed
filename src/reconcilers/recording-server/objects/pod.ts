import type { V1Container, V1EnvVar, V1PodSpec, V1ResourceRequirements, V1Toleration } from '@kubernetes/client-node';
import { AGENT_PORT, childNames, labels, type RecordingServer, RUN_AS } from '../../../crds/index.js';
import type { KubeObject } from '../../../operator/index.js';
import { hashOf } from '../../hash.js';
import { childMetadata } from './metadata.js';
import { volumesVariable } from './pod-claims.js';

export type PodObject = KubeObject & { spec: V1PodSpec };

/** A volume of the server with the claim that was found for it. */
export interface MountedVolume {
  readonly name: string;
  readonly mountPath: string;
  readonly claimName: string;
  readonly claimUID: string;
}

export interface PodInput {
  readonly server: RecordingServer;
  readonly volumes: readonly MountedVolume[];
  /** Used when the pod template names none. */
  readonly defaultImage: string;
  readonly defaultImagePullPolicy: 'Always' | 'IfNotPresent' | 'Never';
  /** Role that the pod serves from the start; '' for none. */
  readonly servingRole: string;
  /** Role that it records, from its assignment to the handover; '' for none. */
  readonly recordingRole?: string | undefined;
}

/** Long enough for open segments to be closed, short enough for a drain. */
const TERMINATION_GRACE_SECONDS = 15;
/** Scratch space of the recording engine; footage never goes there. */
const SCRATCH_SIZE = '256Mi';
const SCRATCH = 'tmp';

/** Claims get a prefix so that no volume of a server can collide with the scratch space. */
const podVolumeName = (volume: MountedVolume): string => `volume-${volume.name}`;

function environment({ server, volumes }: PodInput): V1EnvVar[] {
  const { name, namespace, uid } = server.metadata;
  const field = (fieldPath: string) => ({ fieldRef: { apiVersion: 'v1', fieldPath } });
  return [
    { name: 'UNDERSTUDY_SERVER', value: name },
    { name: 'UNDERSTUDY_NAMESPACE', value: namespace ?? '' },
    { name: 'UNDERSTUDY_SERVER_UID', value: uid ?? '' },
    { name: 'UNDERSTUDY_POD_NAME', valueFrom: field('metadata.name') },
    { name: 'UNDERSTUDY_POD_UID', valueFrom: field('metadata.uid') },
    volumesVariable(volumes),
    { name: 'UNDERSTUDY_ENGINE', value: server.spec.recorder.engine },
    { name: 'UNDERSTUDY_ENGINE_OPTIONS', value: JSON.stringify(server.spec.recorder.options ?? {}) },
  ];
}

function probe(path: string, periodSeconds: number, failureThreshold: number) {
  return { httpGet: { path, port: AGENT_PORT, scheme: 'HTTP' }, periodSeconds, failureThreshold, timeoutSeconds: 5 };
}

function container(input: PodInput): V1Container {
  const template = input.server.spec.podTemplate;
  return {
    name: 'recorder',
    image: template?.image ?? input.defaultImage,
    imagePullPolicy: template?.imagePullPolicy ?? input.defaultImagePullPolicy,
    command: ['node', '/app/recorder.js'],
    env: environment(input),
    ports: [{ name: 'agent', containerPort: AGENT_PORT, protocol: 'TCP' }],
    // A recorder without requests would be the first to be evicted under pressure.
    resources: (template?.resources ?? { requests: { cpu: '100m', memory: '128Mi' } }) as V1ResourceRequirements,
    // Liveness asks only whether the event loop turns: neither a dead disk nor a silent API server is cured by a restart.
    livenessProbe: probe('/healthz', 10, 6),
    // Until the kubelet has seen it ready, a drain may evict a recorder that records already: so it looks often, and is
    // slow to change its mind.
    readinessProbe: probe('/readyz', 1, 15),
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    volumeMounts: [
      ...input.volumes.map((volume) => ({ name: podVolumeName(volume), mountPath: volume.mountPath })),
      { name: SCRATCH, mountPath: '/tmp' },
    ],
  };
}

/**
 * Without limit, so that Kubernetes neither kills a recorder that still records behind a broken network, nor replaces
 * the pod of a node that comes back: a repaired node restarts the same pod.
 */
function tolerations(server: RecordingServer): V1Toleration[] {
  const always = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'].map((key) => ({
    key,
    operator: 'Exists',
    effect: 'NoExecute',
  }));
  return [...always, ...((server.spec.podTemplate?.tolerations ?? []) as V1Toleration[])];
}

/** Two servers of a pool on one node would fail together. */
function affinity(server: RecordingServer): Pick<V1PodSpec, 'affinity'> {
  if (!server.spec.poolRef) return {};
  const labelSelector = { matchLabels: { [labels.pool]: server.spec.poolRef.name } };
  return {
    affinity: {
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector, topologyKey: 'kubernetes.io/hostname' }],
      },
    },
  };
}

function podSpec(input: PodInput): V1PodSpec {
  const { server, volumes } = input;
  const template = server.spec.podTemplate;
  return {
    ...affinity(server),
    automountServiceAccountToken: true,
    containers: [container(input)],
    enableServiceLinks: false,
    restartPolicy: 'Always',
    securityContext: {
      runAsNonRoot: true,
      runAsUser: template?.securityContext?.runAsUser ?? RUN_AS,
      runAsGroup: template?.securityContext?.runAsGroup ?? RUN_AS,
      fsGroup: template?.securityContext?.fsGroup ?? RUN_AS,
      // A disk full of footage would else be walked file by file before each start.
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
    },
    serviceAccountName: childNames.access(server.metadata.name),
    terminationGracePeriodSeconds: TERMINATION_GRACE_SECONDS,
    tolerations: tolerations(server),
    volumes: [
      ...volumes.map((volume) => ({
        name: podVolumeName(volume),
        persistentVolumeClaim: { claimName: volume.claimName },
      })),
      { name: SCRATCH, emptyDir: { sizeLimit: SCRATCH_SIZE } },
    ],
    ...(template?.nodeSelector ? { nodeSelector: template.nodeSelector } : {}),
    ...(template?.imagePullSecrets ? { imagePullSecrets: template.imagePullSecrets } : {}),
    ...(template?.priorityClassName ? { priorityClassName: template.priorityClassName } : {}),
    ...(template?.runtimeClassName ? { runtimeClassName: template.runtimeClassName } : {}),
    ...(template?.hostNetwork ? { hostNetwork: true } : {}),
    // On the host's network the default would bypass the cluster's DNS, and the API server's name would not resolve.
    ...dnsPolicy(template),
  };
}

function dnsPolicy(template: RecordingServer['spec']['podTemplate']): Pick<V1PodSpec, 'dnsPolicy'> {
  if (template?.dnsPolicy) return { dnsPolicy: template.dnsPolicy };
  return template?.hostNetwork ? { dnsPolicy: 'ClusterFirstWithHostNet' } : {};
}

/**
 * The recorder's pod: a bare one (docs/adr/0003). Its template hash covers all but the serving role, which changes over
 * its life.
 */
export function buildPod(input: PodInput): PodObject {
  const { server } = input;
  const metadata = childMetadata(server, childNames.pod(server.metadata.name));
  const template = server.spec.podTemplate;
  const podLabels = { ...template?.labels, ...metadata.labels };
  const spec = podSpec(input);
  const templateHash = hashOf({ labels: podLabels, annotations: template?.annotations ?? {}, spec });
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...metadata,
      labels: {
        ...podLabels,
        ...(input.servingRole === '' ? {} : { [labels.servingRole]: input.servingRole }),
        ...(input.recordingRole ? { [labels.recordingRole]: input.recordingRole } : {}),
      },
      annotations: { ...template?.annotations, [labels.templateHash]: templateHash },
    },
    spec,
  };
}
