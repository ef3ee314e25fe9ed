import type { Baseline } from '../backup/index.js';
import {
  API_VERSION,
  type CameraAssignment,
  cameraAssignmentKind,
  cameraAssignments,
  type FailoverPoolStatus,
  failoverPoolKind,
  failoverPools,
  type KindDefinition,
  type KindResource,
  labels,
  type Metadata,
  type RecordingServer,
  recordingServerKind,
  recordingServers,
} from '../crds/index.js';
import { type KubeObject, type ResourceType, resources } from '../operator/index.js';
import type { RestoreArtifact } from './artifact.js';
import { differenceOf, type FieldChange } from './difference.js';
import { namesOf } from './few.js';
import type { Live } from './live.js';
import type { RefusalKind } from './refusal.js';
import { planRoles, type RolePlan } from './roles.js';

/** An object of the baseline, and what is to be done about it. */
export interface PlannedObject {
  readonly type: ResourceType;
  readonly name: string;
  readonly action: 'create' | 'change' | 'same';
  readonly changes: readonly FieldChange[];
  /** Fields that only the cluster has; they stay. */
  readonly kept: readonly string[];
  readonly manifest: RestoredObject;
}

export interface RestoredObject extends KubeObject {
  /** Absent in Secrets. */
  readonly spec?: object;
}

/** Something in the cluster that the restore does not touch. */
export interface LeftObject {
  readonly type: KindResource;
  readonly name: string;
  readonly why: string;
}

/** What stands in the way; found before anything was changed. */
export interface PlanProblem {
  readonly kind: RefusalKind;
  readonly message: string;
}

/** What a restore would do. */
export interface RestorePlan {
  readonly namespace: string;
  /** Name of the pool. */
  readonly pool: string;
  /** Secrets, pool, servers, cameras, in the order in which they are made. */
  readonly objects: readonly PlannedObject[];
  readonly left: readonly LeftObject[];
  readonly roles: readonly RolePlan[];
  /** Epoch of the pool before and after; equal when its status is not written. */
  readonly epoch: { readonly from: number; readonly to: number };
  /** The pool's status has to be written: roles come back, or an interrupted restore is finished. */
  readonly writesStatus: boolean;
  readonly warnings: readonly string[];
  readonly problems: readonly PlanProblem[];
}

/** What a plan is made from. */
export interface PlanSources {
  readonly artifact: Pick<RestoreArtifact, 'baseline' | 'sha256' | 'notes'>;
  readonly live: Live;
  /** Only these cameras, and nothing else; all of the baseline when absent. */
  readonly cameras?: readonly string[] | undefined;
  readonly now: Date;
}

/** Pure: what a restore would create, change and leave, and what stands in its way. */
export function planRestore(sources: PlanSources): RestorePlan {
  const { artifact, live, cameras } = sources;
  const { baseline } = artifact;
  const whole = cameras === undefined;
  const { wanted, elsewhere } = camerasToRestore(sources);
  const objects = [
    ...plannedSecrets(sources),
    ...(whole ? [plannedPool(baseline, live), ...baseline.servers.map((server) => plannedServer(server, live))] : []),
    ...wanted.map((camera) => plannedCamera(camera, live)),
  ];
  const outcome = whole ? planRoles({ baseline, live, status: live.pool?.status, now: sources.now }) : undefined;
  const from = live.pool?.status?.epoch ?? 0;
  const interrupted = live.pool?.status?.restore?.sha256 === artifact.sha256;
  return {
    namespace: live.namespace,
    pool: baseline.pool.name,
    objects,
    left: [...(whole ? notInBaseline(baseline, live) : []), ...elsewhere],
    roles: outcome?.roles ?? [],
    epoch: { from, to: outcome?.epoch ?? from },
    writesStatus: whole && (interrupted || outcome?.changed === true),
    warnings: warningsOf(sources, objects),
    problems: problemsOf(sources),
  };
}

/** True when the cluster is as the baseline says. */
export function nothingToDo({ objects, writesStatus }: RestorePlan): boolean {
  return !writesStatus && objects.every(({ action }) => action === 'same');
}

interface Kept {
  readonly name: string;
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
  readonly spec: object;
}

interface Present {
  readonly metadata: Metadata;
  readonly spec: object;
}

/**
 * Secrets whose contents the baseline holds, and which are missing. One that is there may be newer than the baseline, as a
 * password that was changed since: it stays.
 */
function plannedSecrets({ artifact: { baseline }, live }: PlanSources): PlannedObject[] {
  const missing = new Set(live.missingSecrets);
  const kept = (baseline.secretContents ?? []).filter(({ name }) => missing.has(name));
  return kept.map(({ name, type = 'Opaque', data }) => {
    const metadata = { name, namespace: live.namespace, labels: { [labels.includeInBaselines]: 'true' } };
    const manifest = { apiVersion: 'v1', kind: resources.secrets.kind, metadata, type, data };
    return { type: resources.secrets, name, action: 'create' as const, changes: [], kept: [], manifest };
  });
}

function plannedPool({ pool }: Baseline, live: Live): PlannedObject {
  return planned(failoverPools, failoverPoolKind, { kept: pool, live: live.pool, namespace: live.namespace });
}

function plannedServer(kept: Kept, { servers, namespace }: Live): PlannedObject {
  return planned(recordingServers, recordingServerKind, { kept, live: servers.get(kept.name), namespace });
}

function plannedCamera(kept: Kept, { cameras, namespace }: Live): PlannedObject {
  return planned(cameraAssignments, cameraAssignmentKind, { kept, live: cameras.get(kept.name), namespace });
}

function planned(
  type: KindResource,
  definition: KindDefinition,
  { kept, live, namespace }: { readonly kept: Kept; readonly live: Present | undefined; readonly namespace: string },
): PlannedObject {
  const { name, labels, annotations, spec } = kept;
  const metadata = { name, namespace, ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) };
  const manifest = { apiVersion: API_VERSION, kind: type.kind, metadata, spec };
  if (live === undefined) return { type, name, action: 'create', changes: [], kept: [], manifest };
  const present = { labels: live.metadata.labels, annotations: live.metadata.annotations, spec: live.spec };
  const difference = differenceOf({ labels, annotations, spec }, present, withDefaults(definition, spec));
  return { type, name, action: difference.changes.length > 0 ? 'change' : 'same', ...difference, manifest };
}

/** As the API server would keep it today: a field that is newer than the baseline has its default there. */
function withDefaults(definition: KindDefinition, spec: object): object {
  const parsed = definition.spec?.safeParse(spec);
  return parsed?.success === true ? (parsed.data as object) : spec;
}

interface ChosenCameras {
  readonly wanted: readonly Kept[];
  readonly elsewhere: readonly LeftObject[];
}

/** A camera that was given to a recorder of another pool since then stays there, unless a person names it. */
function camerasToRestore({ artifact: { baseline }, live, cameras }: PlanSources): ChosenCameras {
  if (cameras !== undefined)
    return { wanted: baseline.cameras.filter(({ name }) => cameras.includes(name)), elsewhere: [] };
  const elsewhere = baseline.cameras.flatMap(({ name }): LeftObject[] => {
    const pool = otherPoolOf(baseline, live, live.cameras.get(name));
    return pool === undefined
      ? []
      : [{ type: cameraAssignments, name, why: `belongs to a recorder of pool ${pool} now` }];
  });
  const gone = new Set(elsewhere.map(({ name }) => name));
  return { wanted: baseline.cameras.filter(({ name }) => !gone.has(name)), elsewhere };
}

function otherPoolOf(baseline: Baseline, live: Live, camera: CameraAssignment | undefined): string | undefined {
  const pool = camera && live.servers.get(camera.spec.serverRef.name)?.spec.poolRef?.name;
  return pool === baseline.pool.name ? undefined : pool;
}

function notInBaseline(baseline: Baseline, live: Live): LeftObject[] {
  const why = 'is not in the baseline';
  const isOurs = ({ spec }: RecordingServer): boolean => spec.poolRef?.name === baseline.pool.name;
  const knownServers = new Set(baseline.servers.map(({ name }) => name));
  const ours = [...live.servers.values()].filter(isOurs).map(({ metadata }) => metadata.name);
  const roles = new Set([...knownServers, ...baseline.pool.roles.map(({ name }) => name), ...ours]);
  const knownCameras = new Set(baseline.cameras.map(({ name }) => name));
  const cameras = [...live.cameras.values()].filter(
    ({ metadata, spec }) => !knownCameras.has(metadata.name) && roles.has(spec.serverRef.name),
  );
  return [
    ...ours.filter((name) => !knownServers.has(name)).map((name) => ({ type: recordingServers, name, why })),
    ...cameras.map(({ metadata }) => ({ type: cameraAssignments, name: metadata.name, why })),
  ];
}

/** Changes of these make the operator move roles, or keep it from that. */
const weighty: Readonly<Record<string, string>> = {
  'spec.operatingMode': 'its role moves by that',
  'spec.type': 'roles move by that',
  'spec.poolRef.name': 'it changes its pool',
  'spec.paused': 'failovers stop or begin by that',
};

function warningsOf({ artifact, live, cameras }: PlanSources, objects: readonly PlannedObject[]): string[] {
  const changed = objects.flatMap(({ type, name, changes }) =>
    changes.flatMap(({ path, to }) => {
      const what = weighty[path];
      return what === undefined ? [] : [`${type.kind} ${name}: ${path} becomes ${to}: ${what}`];
    }),
  );
  const made = new Set(objects.filter(({ type }) => type === resources.secrets).map(({ name }) => name));
  const lacking = live.missingSecrets.filter((name) => !made.has(name));
  const missing =
    lacking.length === 0
      ? []
      : [
          `Secrets that are not in namespace ${live.namespace}: ${namesOf(lacking)}; ` +
            'the baseline does not hold their contents: make them, or their cameras are not recorded',
        ];
  const homeless = cameras === undefined ? [] : withoutHome(artifact.baseline, live, cameras);
  return [...artifact.notes, ...live.notes, ...missing, ...homeless, ...changed];
}

function withoutHome(baseline: Baseline, live: Live, cameras: readonly string[]): string[] {
  return baseline.cameras
    .filter(({ name, spec }) => cameras.includes(name) && !live.servers.has(spec.serverRef.name))
    .map(
      ({ name, spec }) =>
        `the home ${spec.serverRef.name} of camera ${name} is not in the cluster: restore without --camera to have it, too`,
    );
}

function problemsOf({ artifact: { baseline, sha256 }, live, cameras = [] }: PlanSources): PlanProblem[] {
  const problems: PlanProblem[] = [];
  const unknown = cameras.filter((name) => !baseline.cameras.some((camera) => camera.name === name));
  if (unknown.length > 0) {
    const message = `the baseline has no camera ${namesOf(unknown)}; it has ${namesOf(baseline.cameras.map(({ name }) => name))}`;
    problems.push({ kind: 'Artifact', message });
  }
  problems.push(...foreignServers(baseline, live), ...otherRestore(live.pool?.status, sha256, baseline.pool.name));
  const running = runningFailover(live.pool?.status, baseline, live);
  if (running !== undefined) problems.push({ kind: 'FailoverRunning', message: running });
  return problems;
}

/** A role is named after its home: taken from another pool, two pools would decide over it. */
function foreignServers(baseline: Baseline, live: Live): PlanProblem[] {
  return baseline.servers.flatMap(({ name }) => {
    const found = live.servers.get(name);
    if (found === undefined || found.spec.poolRef?.name === baseline.pool.name) return [];
    const belongs = found.spec.poolRef === undefined ? 'is not monitored' : `is of pool ${found.spec.poolRef.name}`;
    const message =
      `RecordingServer ${name} ${belongs} in namespace ${live.namespace}, and of pool ${baseline.pool.name} in the baseline; ` +
      'set its spec.poolRef first, or restore into another namespace (--namespace)';
    return [{ kind: 'Cluster' as const, message }];
  });
}

function otherRestore(status: FailoverPoolStatus | undefined, sha256: string, pool: string): PlanProblem[] {
  const mark = status?.restore;
  if (mark === undefined || mark.sha256 === sha256) return [];
  const message =
    `the restore of another baseline (sha256 ${mark.sha256}) runs in pool ${pool} since ${mark.startTime}; run that one ` +
    'again to finish it, or wait ten minutes: then the operator ends it. Without an operator: kubectl patch failoverpool ' +
    `${pool} --subresource=status --type=json -p '[{"op":"remove","path":"/status/restore"}]'`;
  return [{ kind: 'Cluster', message }];
}

/**
 * Rule 13: nothing is restored into a failover. What waits only because its server was deleted is no failover that this
 * would cross, if the baseline brings that server back: it is what that entry waits for.
 */
export function runningFailover(
  status: FailoverPoolStatus | undefined,
  baseline: Baseline,
  live: Live,
): string | undefined {
  const { current, queue = [] } = status ?? {};
  const wait = `wait until it is over (kubectl get failoverpool ${baseline.pool.name} --watch), then run this again`;
  if (current !== undefined) {
    return `the role ${current.role} moves from ${current.server} to ${current.standby} at epoch ${current.epoch} (${current.step}); ${wait}`;
  }
  const comesBack = (server: string): boolean =>
    !live.servers.has(server) && baseline.servers.some(({ name }) => name === server);
  const waiting = queue.filter(({ server, trigger }) => !(trigger === 'ServerDeleted' && comesBack(server)));
  const [first] = waiting;
  if (first === undefined) return undefined;
  const why = first.waitingFor === undefined ? '' : ` (${first.waitingFor})`;
  return `${namesOf(waiting.map(({ server }) => server))} broke and waits for its failover${why}; ${wait}`;
}
