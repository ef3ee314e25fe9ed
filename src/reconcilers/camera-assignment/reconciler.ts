import {
  type CameraAssignmentSpec,
  type CameraAssignmentStatus,
  cameraAssignments,
  childNames,
  type Reason,
  reasons,
} from '../../crds/index.js';
import { substituteShare } from '../../failover/cameras.js';
import type { ServerHealth } from '../../failover/types.js';
import {
  type ApiClient,
  type Clock,
  type EventRecorder,
  isApiError,
  mergePatch,
  objectRef,
  parseKey,
  type Reconcile,
} from '../../operator/index.js';
import { onSubstitute, type RoleState, resolveRole } from '../roles.js';
import { indexes, type Stores } from '../stores.js';
import { CameraView } from '../views.js';
import { type Binding, bindingOf } from './binding.js';
import { type Evidence, ledgerOf, openSince } from './ledger.js';
import { matchingReport, type Recording, recordingOf } from './recording.js';
import { cameraStatus } from './status.js';

export interface CameraReconcilerOptions {
  readonly client: Pick<ApiClient, 'patchStatus'>;
  readonly stores: Stores;
  readonly healthOf: (serverKey: string) => ServerHealth | undefined;
  readonly events: EventRecorder;
  readonly clock: Clock;
}

/** What a pass decides from. */
interface Gathered {
  readonly camera: CameraView;
  /** Parsed once a pass. */
  readonly previous: CameraAssignmentStatus | undefined;
  readonly role: RoleState;
  readonly leftBehind: Reason | undefined;
  readonly report: Parameters<typeof recordingOf>[0]['report'];
  readonly health: ServerHealth | undefined;
  /** What is known of the recorders that had the camera before. */
  readonly evidenceOf: (server: string) => Evidence;
  readonly now: Date;
}

interface Plan {
  readonly status: CameraAssignmentStatus;
  readonly binding: Binding;
  readonly recording: Recording;
}

/** Without a limit nobody but the camera itself decides, and its siblings need not be looked at. */
function leftBehind(stores: Stores, camera: CameraView, role: RoleState): Reason | undefined {
  const capacity = role.holder?.spec.capacity?.cameras;
  const siblings =
    capacity === undefined ? [camera] : stores.cameras.byIndex(indexes.server, `${role.namespace}/${role.name}`);
  const views = siblings.map(({ metadata, spec }) => ({ name: metadata.name, spec: spec as CameraAssignmentSpec }));
  const { left } = substituteShare(views, capacity);
  return left.find((entry) => entry.camera.name === camera.metadata.name)?.reason;
}

function gather({ stores, healthOf, clock }: CameraReconcilerOptions, key: string): Gathered | undefined {
  const camera = stores.latestCameras.get(key);
  if (!camera || camera.metadata.deletionTimestamp) return undefined;
  const { namespace } = camera.metadata;
  const role = resolveRole(stores, namespace, camera.spec.serverRef.name);
  const holderKey = role.holder && `${namespace}/${role.holder.metadata.name}`;
  return {
    camera,
    previous: camera.status,
    role,
    leftBehind: onSubstitute(role) ? leftBehind(stores, camera, role) : undefined,
    report: role.holder && stores.reports.get(`${namespace}/${childNames.report(role.holder.metadata.name)}`)?.status,
    health: holderKey === undefined ? undefined : healthOf(holderKey),
    evidenceOf: (server) => ({
      report: stores.reports.get(`${namespace}/${childNames.report(server)}`)?.status,
      health: stores.latestServers.get(`${namespace}/${server}`) && healthOf(`${namespace}/${server}`),
    }),
    now: clock.wall(),
  };
}

/** Pure: the status that follows from what was gathered. */
export function planCamera(gathered: Gathered): Plan {
  const { camera, previous, role, report, health, now } = gathered;
  const { name, generation } = camera.metadata;
  const binding = bindingOf({
    spec: camera.spec,
    name,
    previous: previous?.boundTo,
    role,
    leftBehind: gathered.leftBehind,
    now,
  });
  const past = { name, role, previous, boundTo: binding.boundTo, evidenceOf: gathered.evidenceOf };
  const open = openSince(past);
  const recording = recordingOf({ name, spec: camera.spec, binding, role, report, health, previous, openSince: open });
  const word = binding.boundTo && matchingReport(role, role.holder, report);
  const ledger = ledgerOf({ ...past, openSince: open, recorded: recording.status === 'True', report: word });
  const unobserved = binding.bound && camera.spec.source.type === 'Analog';
  const status = cameraStatus({ generation, previous, role, binding, recording, ledger, unobserved, now });
  return { status, binding, recording };
}

async function writeStatus(
  { client, stores }: CameraReconcilerOptions,
  key: string,
  { camera, previous }: Gathered,
  status: CameraAssignmentStatus,
  signal: AbortSignal,
): Promise<void> {
  const patch = mergePatch(previous ?? {}, status);
  if (patch === undefined) return;
  const { uid } = camera.metadata;
  const body = { ...(uid === undefined ? {} : { metadata: { uid } }), status: patch };
  try {
    const written = await client.patchStatus(cameraAssignments, parseKey(key), body, { signal });
    stores.latestCameras.written(key, new CameraView(written));
  } catch (error) {
    // Deleted, or deleted and made again, since it was read: the watch brings the rest.
    if (!isApiError(error, 'notFound')) throw error;
  }
}

/** What a person has to look at, once each time it comes about. */
function announce({ events }: CameraReconcilerOptions, { camera, previous }: Gathered, { binding }: Plan): void {
  const before = previous?.conditions?.find((condition) => condition.type === 'Bound');
  if (!binding.stalled || before?.reason === binding.reason) return;
  events.event({
    regarding: objectRef(cameraAssignments, camera.metadata),
    type: 'Warning',
    reason: binding.reason,
    action: binding.reason === reasons.ServerNotFound ? 'Bind' : 'Transfer',
    note: binding.message,
  });
}

/** Projects the pool's commit and the holder's own report onto one camera (`namespace/name`). */
export function createCameraReconciler(options: CameraReconcilerOptions): Reconcile {
  return async (key, { signal }) => {
    const gathered = gather(options, key);
    if (!gathered) return undefined;
    const plan = planCamera(gathered);
    await writeStatus(options, key, gathered, plan.status, signal);
    announce(options, gathered, plan);
    const { nextCheckInMs } = plan.recording;
    return nextCheckInMs === undefined ? undefined : { requeueAfterMs: nextCheckInMs };
  };
}
