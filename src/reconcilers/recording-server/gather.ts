import { childNames, type FailoverPool, type RecorderReportStatus, type RecordingServer } from '../../crds/index.js';
import { assignmentOf, foundAssignment } from '../../failover/server/assignment.js';
import type { StandbyVerdicts } from '../../failover/standby/standby-readiness.js';
import type { ConditionVerdict, HealthSettings, Observation, ServerHealth } from '../../failover/types.js';
import { type Cordon, cordonOf } from '../cordon.js';
import { settingsOf } from '../observations.js';
import { foreignRole, onSubstitute, ownRoleElsewhere, type RoleState, resolveRole } from '../roles.js';
import { indexes, type Stores } from '../stores.js';
import type { CameraView, LeaseView, PodView } from '../views.js';
import { gatherRecovery, type RecoveryFacts } from './recovery/gather.js';
import { gatherReferences, type References } from './references.js';
import { supersededEpoch } from './superseded.js';

/** Everything that a pass over one server decides from. */
export interface Gathered {
  readonly key: string;
  readonly server: RecordingServer;
  readonly pool: FailoverPool | undefined;
  readonly references: References;
  readonly observation: Observation | undefined;
  readonly health: ServerHealth;
  readonly settings: HealthSettings;
  readonly protection: ConditionVerdict;
  readonly pod: PodView | undefined;
  readonly lease: LeaseView | undefined;
  readonly report: RecorderReportStatus | undefined;
  /** Role and epoch by the pool's last commit. */
  readonly assignment: { readonly role: string; readonly epoch: number };
  /** The assigned role; absent when there is none. */
  readonly role: RoleState | undefined;
  /** The role that is named after this server; absent for one of type Failover. */
  readonly ownRole: RoleState | undefined;
  /** It holds its role, and does not merely record it until the handover. */
  readonly holdsRole: boolean;
  /** Cameras of the assigned role. */
  readonly cameras: readonly CameraView[];
  /** Its node, or the one that its volumes tie it to, if that is cordoned. */
  readonly cordon: Cordon | undefined;
  /** Another standby of the pool is about to be replaced or not ready: this one has to stay. */
  readonly otherStandbyDown: boolean;
  /** Of a server that holds no role; undefined for others. */
  readonly standby?: StandbyVerdicts | undefined;
  /** Another recorder takes over its role at this epoch: cameras with one session are to be released. */
  readonly supersededEpoch?: number | undefined;
  readonly recovery: RecoveryFacts;
  readonly now: Date;
}

export interface GatherOptions {
  readonly stores: Stores;
  readonly healthOf: (key: string) => ServerHealth;
  readonly observationOf: (key: string) => Observation | undefined;
  readonly protectionOf: (server: RecordingServer) => ConditionVerdict;
  /** The standing conditions of a server without a role; absent where nobody asks for them. */
  readonly standbyOf?: ((server: RecordingServer) => StandbyVerdicts | undefined) | undefined;
  readonly now: () => Date;
}

function leaseAssignment(lease: LeaseView | undefined) {
  return lease?.role === undefined || lease.epoch === undefined ? undefined : { role: lease.role, epoch: lease.epoch };
}

/** Of all servers of the pool that hold no role, others than this one. */
function otherStandbys(stores: Stores, server: RecordingServer): RecordingServer[] {
  const { namespace, name } = server.metadata;
  if (!server.spec.poolRef) return [];
  return stores.servers
    .byIndex(indexes.pool, `${namespace}/${server.spec.poolRef.name}`)
    .filter(({ metadata, status }) => metadata.name !== name && status?.state === 'Standby');
}

function otherStandbyDown(stores: Stores, server: RecordingServer): boolean {
  return otherStandbys(stores, server).some(({ metadata }) => {
    const pod = stores.pods.get(`${metadata.namespace}/${childNames.pod(metadata.name)}`);
    return !pod?.ready || pod.metadata.deletionTimestamp !== undefined;
  });
}

export function gather(options: GatherOptions, key: string): Gathered | undefined {
  const { stores } = options;
  const server = stores.latestServers.get(key);
  if (!server || server.metadata.deletionTimestamp) return undefined;
  const { name, namespace = '' } = server.metadata;
  const { poolRef } = server.spec;
  const pool = poolRef && stores.latestPools.get(`${namespace}/${poolRef.name}`);
  const lease = stores.leases.get(`${namespace}/${childNames.lease(name)}`);
  const pod = stores.pods.get(`${namespace}/${childNames.pod(name)}`);
  const report = stores.reports.get(`${namespace}/${childNames.report(name)}`)?.status;
  const found = foundAssignment(leaseAssignment(lease), report, pod?.metadata.uid);
  const foreign = foreignRole(stores, server, found);
  const assignment = assignmentOf(server, pool?.status, found, foreign, ownRoleElsewhere(stores, server));
  const role = assignment.role === '' ? undefined : resolveRole(stores, namespace, assignment.role);
  const holdsRole = role !== undefined && (role.frozen || role.holder?.metadata.uid === server.metadata.uid);
  const cameras = role ? stores.cameras.byIndex(indexes.server, `${namespace}/${role.name}`) : [];
  return {
    key,
    server,
    pool,
    references: gatherReferences(stores, server),
    observation: options.observationOf(key),
    health: options.healthOf(key),
    settings: settingsOf(stores, key),
    protection: options.protectionOf(server),
    pod,
    lease,
    report,
    assignment,
    role,
    ownRole: server.spec.type === 'Standard' ? resolveRole(stores, namespace, name) : undefined,
    holdsRole,
    cameras,
    cordon: cordonOf(stores, server),
    otherStandbyDown: otherStandbyDown(stores, server),
    standby: role === undefined && poolRef ? options.standbyOf?.(server) : undefined,
    supersededEpoch: supersededEpoch(stores, { assignment, role, holdsRole, cameras }),
    recovery: gatherRecovery(stores, server),
    now: options.now(),
  };
}

/** It records a role that is named after another server. */
export function isSubstitute({ role, holdsRole }: Gathered): boolean {
  return role !== undefined && holdsRole && onSubstitute(role);
}
