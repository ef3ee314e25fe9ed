import type { CameraAssignmentSpec, CameraAssignmentStatus } from '../crds/index.js';
import { GROUP, labels } from '../crds/index.js';
import type { KubeObject, ObjectMeta, OwnerReference } from '../operator/index.js';
import { type PodClaim, podClaimsOf } from './recording-server/objects/pod-claims.js';

/** Fields that every view carries. Labels and annotations are cut down to ours: foreign ones can be large. */
export interface View {
  readonly metadata: ObjectMeta & { namespace: string };
}

/** A view of a cluster-scoped object. */
export interface ClusterView {
  readonly metadata: ObjectMeta;
}

/** The recorder's pod. */
export interface PodView extends View {
  readonly server: string;
  readonly phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';
  readonly nodeName?: string;
  readonly podIP?: string;
  /** Condition Ready of the pod, as its kubelet (or the node controller) last said. */
  readonly ready: boolean;
  /** The scheduler's words while it finds no place. */
  readonly unschedulable?: string;
  /** Why the recorder's container does not run: CrashLoopBackOff, ImagePullBackOff ... */
  readonly waiting?: { readonly reason: string; readonly message?: string };
  /** How the container's last run ended. */
  readonly lastExit?: { readonly reason: string; readonly exitCode: number };
  readonly restartCount: number;
  readonly servingRole?: string;
  readonly recordingRole?: string;
  readonly templateHash?: string;
  /** status.reason and status.message, such as Evicted and why. */
  readonly reason?: string;
  readonly message?: string;
  /** When its container ended, or a disruption was announced. */
  readonly endedTime?: string;
  /** When its deletion was asked for. */
  readonly deletionStartTime?: string;
  /** The container runs, as its kubelet last said. */
  readonly containerRunning?: boolean;
  /** Since when condition PodReadyToStartContainers is False. */
  readonly notStartedSince?: string;
  /** The claims that the pod was made with, by name of the volume. */
  readonly claims?: Readonly<Record<string, PodClaim>>;
}

/** The recorder's Lease. */
export interface LeaseView extends View {
  readonly server: string;
  /** uid of the pod that renews it. */
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  /** As the agent wrote it, by its own clock. Only ever compared for equality with the one before. */
  readonly renewTime?: string;
  readonly role?: string;
  readonly epoch?: number;
  readonly assignedPodUID?: string;
}

export interface NodeView extends ClusterView {
  readonly hostname: string;
  readonly ready: 'True' | 'False' | 'Unknown';
  readonly readyReason?: string;
  /** lastTransitionTime of condition Ready. */
  readonly readySince?: string;
  readonly unschedulable: boolean;
  readonly zone?: string;
}

export interface ClaimView extends View {
  readonly phase: 'Pending' | 'Bound' | 'Lost' | 'Unknown';
  readonly volumeName?: string;
  readonly storageClassName?: string;
}

export interface PersistentVolumeView extends ClusterView {
  readonly phase: string;
  /** When it came into its phase. */
  readonly phaseSince?: string;
  readonly claim?: { readonly namespace: string; readonly name: string; readonly uid?: string };
  /** Host names that a local volume is tied to; absent when it can be used anywhere. */
  readonly hostnames?: readonly string[];
}

/** A child of which only existence, owner and the hash of what we last applied matter. */
export interface ChildView extends View {
  readonly server?: string;
  readonly pool?: string;
  readonly appliedHash?: string;
}

/** Hash of what we last applied; compared instead of the live object, which admission may have rewritten. */
export const APPLIED_HASH = `${GROUP}/applied-hash`;

type Raw = KubeObject & { spec?: Record<string, unknown>; status?: Record<string, unknown> };

function ours(entries: Record<string, string> | undefined): Record<string, string> | undefined {
  if (!entries) return undefined;
  const kept = Object.entries(entries).filter(([key]) => key.startsWith(GROUP) || key === labels.managedBy);
  return kept.length > 0 ? Object.fromEntries(kept) : undefined;
}

function ownersOf(references: OwnerReference[] | undefined): OwnerReference[] | undefined {
  return references && references.length > 0 ? references : undefined;
}

/** Leaves out absent fields: an explicit undefined costs memory in every one of thousands of views. */
function compact<T extends object>(value: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as T;
}

/** The metadata that reconcilers use. Foreign labels and annotations, managedFields and finalizers are dropped. */
export function projectMetadata(raw: KubeObject): ObjectMeta & { namespace: string } {
  const { metadata } = raw;
  return compact<ObjectMeta & { namespace: string }>({
    name: metadata.name,
    namespace: metadata.namespace ?? '',
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
    generation: metadata.generation,
    creationTimestamp: metadata.creationTimestamp,
    deletionTimestamp: metadata.deletionTimestamp,
    labels: ours(metadata.labels),
    annotations: ours(metadata.annotations),
    ownerReferences: ownersOf(metadata.ownerReferences),
  });
}

/** An object of one of our own kinds: spec and status whole, metadata cut down. */
export function projectResource<T>(raw: KubeObject): T {
  const { spec, status } = raw as Raw;
  return compact<{ metadata: ObjectMeta; spec: unknown; status: unknown }>({
    metadata: projectMetadata(raw),
    spec,
    status,
  }) as T;
}

const labelOf = (raw: KubeObject, label: string): string | undefined => raw.metadata.labels?.[label];

interface RawPodStatus {
  phase?: PodView['phase'];
  reason?: string;
  message?: string;
  podIP?: string;
  conditions?: { type: string; status: string; reason?: string; message?: string; lastTransitionTime?: string }[];
  containerStatuses?: {
    restartCount?: number;
    state?: {
      waiting?: { reason?: string; message?: string };
      running?: object;
      terminated?: { finishedAt?: string };
    };
    lastState?: { terminated?: { reason?: string; exitCode?: number } };
  }[];
}

/** deletionTimestamp is when the pod should be gone; its deletion was asked for a grace period before. */
function deletionStart({ metadata }: KubeObject): string | undefined {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = metadata as ObjectMeta & {
    deletionGracePeriodSeconds?: number;
  };
  if (deletionTimestamp === undefined) return undefined;
  const end = Date.parse(deletionTimestamp);
  return Number.isFinite(end) ? new Date(end - deletionGracePeriodSeconds * 1000).toISOString() : undefined;
}

/** When it ended: by its container, else by the disruption that was announced for it. */
function endedTime(status: RawPodStatus): string | undefined {
  if (status.phase !== 'Failed' && status.phase !== 'Succeeded') return undefined;
  const disrupted = status.conditions?.find(({ type, status: is }) => type === 'DisruptionTarget' && is === 'True');
  return status.containerStatuses?.[0]?.state?.terminated?.finishedAt ?? disrupted?.lastTransitionTime;
}

export function projectPod(raw: KubeObject): PodView {
  const { spec, status: rawStatus } = raw as Raw;
  const status = (rawStatus ?? {}) as RawPodStatus;
  const condition = (type: string) => status.conditions?.find((entry) => entry.type === type);
  const container = status.containerStatuses?.[0];
  const scheduled = condition('PodScheduled');
  const notStarted = condition('PodReadyToStartContainers');
  const waiting = container?.state?.waiting;
  const terminated = container?.lastState?.terminated;
  return compact<PodView>({
    metadata: projectMetadata(raw),
    server: labelOf(raw, labels.server) ?? '',
    phase: status.phase ?? 'Pending',
    nodeName: spec?.nodeName as string | undefined,
    podIP: status.podIP,
    ready: condition('Ready')?.status === 'True',
    unschedulable:
      scheduled?.status === 'False' ? (scheduled.message ?? scheduled.reason ?? 'no reason given') : undefined,
    waiting: waiting ? compact({ reason: waiting.reason ?? 'Waiting', message: waiting.message }) : undefined,
    lastExit: terminated ? { reason: terminated.reason ?? 'Error', exitCode: terminated.exitCode ?? -1 } : undefined,
    restartCount: container?.restartCount ?? 0,
    servingRole: labelOf(raw, labels.servingRole),
    recordingRole: labelOf(raw, labels.recordingRole),
    templateHash: raw.metadata.annotations?.[labels.templateHash],
    reason: status.reason,
    message: status.message,
    endedTime: endedTime(status),
    deletionStartTime: deletionStart(raw),
    containerRunning: container === undefined ? undefined : container.state?.running !== undefined,
    notStartedSince: notStarted?.status === 'False' ? (notStarted.lastTransitionTime ?? '') : undefined,
    claims: podClaimsOf(spec),
  });
}

export function projectLease(raw: KubeObject): LeaseView {
  const spec = ((raw as Raw).spec ?? {}) as {
    holderIdentity?: string;
    leaseDurationSeconds?: number;
    renewTime?: string;
  };
  const annotations = raw.metadata.annotations ?? {};
  const epoch = Number(annotations[labels.leaseEpoch]);
  return compact<LeaseView>({
    metadata: projectMetadata(raw),
    server: labelOf(raw, labels.server) ?? '',
    holderIdentity: spec.holderIdentity || undefined,
    leaseDurationSeconds: spec.leaseDurationSeconds,
    renewTime: spec.renewTime,
    role: annotations[labels.leaseServingRole],
    epoch: Number.isSafeInteger(epoch) && annotations[labels.leaseEpoch] ? epoch : undefined,
    assignedPodUID: annotations[labels.leaseAssignedPodUid],
  });
}

export function projectNode(raw: KubeObject): NodeView {
  const { spec, status, metadata } = raw as Raw;
  const conditions = (status?.conditions ?? []) as {
    type: string;
    status: NodeView['ready'];
    reason?: string;
    lastTransitionTime?: string;
  }[];
  const ready = conditions.find((entry) => entry.type === 'Ready');
  return compact<NodeView>({
    // No resourceVersion and no annotations: a Node changes every few seconds, and none of that matters here.
    metadata: compact<ObjectMeta>({
      name: metadata.name,
      uid: metadata.uid,
      deletionTimestamp: metadata.deletionTimestamp,
    }),
    hostname: labelOf(raw, 'kubernetes.io/hostname') ?? metadata.name,
    ready: ready?.status ?? 'Unknown',
    readyReason: ready?.reason,
    readySince: ready?.lastTransitionTime,
    unschedulable: spec?.unschedulable === true,
    zone: labelOf(raw, 'topology.kubernetes.io/zone'),
  });
}

export function projectClaim(raw: KubeObject): ClaimView {
  const { spec, status } = raw as Raw;
  return compact<ClaimView>({
    metadata: projectMetadata(raw),
    phase: (status?.phase as ClaimView['phase'] | undefined) ?? 'Pending',
    volumeName: (spec?.volumeName as string | undefined) || undefined,
    storageClassName: spec?.storageClassName as string | undefined,
  });
}

interface RawPersistentVolumeSpec {
  claimRef?: { namespace: string; name: string; uid?: string };
  nodeAffinity?: {
    required?: { nodeSelectorTerms?: { matchExpressions?: { key: string; operator: string; values?: string[] }[] }[] };
  };
}

function hostnamesOf(spec: RawPersistentVolumeSpec): string[] | undefined {
  const terms = spec.nodeAffinity?.required?.nodeSelectorTerms ?? [];
  const expressions = terms.flatMap((term) => term.matchExpressions ?? []);
  const names = expressions
    .filter((expression) => expression.key === 'kubernetes.io/hostname' && expression.operator === 'In')
    .flatMap((expression) => expression.values ?? []);
  return names.length > 0 ? names : undefined;
}

export function projectPersistentVolume(raw: KubeObject): PersistentVolumeView {
  const { spec: rawSpec, status, metadata } = raw as Raw;
  const spec = (rawSpec ?? {}) as RawPersistentVolumeSpec;
  return compact<PersistentVolumeView>({
    metadata: compact<ObjectMeta>({
      name: metadata.name,
      uid: metadata.uid,
      deletionTimestamp: metadata.deletionTimestamp,
    }),
    phase: (status?.phase as string | undefined) ?? 'Unknown',
    phaseSince: status?.lastPhaseTransitionTime as string | undefined,
    claim: spec.claimRef
      ? compact({ namespace: spec.claimRef.namespace, name: spec.claimRef.name, uid: spec.claimRef.uid })
      : undefined,
    hostnames: hostnamesOf(spec),
  });
}

export function projectChild(raw: KubeObject): ChildView {
  return compact<ChildView>({
    metadata: projectMetadata(raw),
    server: labelOf(raw, labels.server),
    pool: labelOf(raw, labels.pool),
    appliedHash: raw.metadata.annotations?.[APPLIED_HASH],
  });
}

/** What is kept of a camera's spec: never its address. */
export interface CameraViewSpec {
  readonly serverRef: { readonly name: string };
  readonly source: Pick<CameraAssignmentSpec['source'], 'type' | 'maxSessions' | 'credentialsSecretRef'>;
  readonly priority: CameraAssignmentSpec['priority'];
}

/**
 * A camera as it is held in memory: 64,000 of them have to fit. Status is kept as text and parsed when it is read,
 * which takes a fourth of the memory of the parsed form; conditions are read seldom and one server at a time.
 */
export class CameraView implements View {
  readonly metadata: ObjectMeta & { namespace: string };
  readonly spec: CameraViewSpec;
  readonly #status: string | undefined;

  constructor(raw: KubeObject) {
    const { spec, status } = raw as KubeObject & { spec: CameraAssignmentSpec; status?: CameraAssignmentStatus };
    const { name, namespace = '', uid, resourceVersion, generation, deletionTimestamp } = raw.metadata;
    this.metadata = compact({ name, namespace, uid, resourceVersion, generation, deletionTimestamp });
    const { type, maxSessions, credentialsSecretRef } = spec.source;
    this.spec = {
      serverRef: spec.serverRef,
      source: compact<CameraViewSpec['source']>({ type, maxSessions, credentialsSecretRef }),
      priority: spec.priority,
    };
    this.#status = status === undefined ? undefined : JSON.stringify(status);
  }

  /** A fresh copy at each reading. */
  get status(): CameraAssignmentStatus | undefined {
    return this.#status === undefined ? undefined : (JSON.parse(this.#status) as CameraAssignmentStatus);
  }
}
